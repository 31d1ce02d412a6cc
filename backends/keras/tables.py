"""What stands in the tables of the emitted module: parameters, presets, slots, ports, outputs, and what depends on what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from birc.backends.keras import names as reserved
from birc.backends.keras.ops import bind_syntax, number, quoted
from birc.backends.keras.program import origins, parameters_below, used_of_bind
from birc.backends.names import identifiers
from birc.backends.text import lines
from birc.ir.expr import Expr
from birc.ir.model import Param
from birc.ir.spike import fired
from birc.ir.step import Deliver, Step
from birc.units import NAMES, Unit

COUNTED = "it is counted in whole steps, which have no derivative"
FACTORED = "it goes into the factor of a noise's covariance, whose derivative is not made"


@dataclass(frozen=True)
class Row:
    """A parameter: its name, the layer's argument, its default as text, and everything that the module says of it."""

    name: str
    argument: str
    default: str
    unit: str
    units: str
    low: str
    high: str
    low_closed: bool
    high_closed: bool
    learn: bool
    fixed: str


@dataclass(frozen=True)
class Slot:
    """A slot: its kind, the bind value it starts from, and internal units per declared one."""

    name: str
    kind: str
    init: str
    scale: str


@dataclass(frozen=True)
class Tables:
    """All tables."""

    parameters: tuple[Row, ...]
    presets: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    slots: tuple[Slot, ...]
    ports: tuple[tuple[str, str, str], ...]
    """Name, unit and scale; the main port first."""
    events: tuple[str, ...]
    summing: tuple[str, ...]
    outputs: tuple[tuple[str, str], ...]
    draws: tuple[str, ...]
    needs: tuple[tuple[str, tuple[str, ...]], ...]
    """The bind values that the step and the initial states read, with the parameters they depend on."""
    needs_by_name: frozenset[str]
    spiking: bool

    @property
    def arguments(self) -> dict[str, str]:
        """The layer's argument of each parameter."""
        return {row.name: row.argument for row in self.parameters}


def tables(step: Step, names: Mapping[str, str]) -> Tables:
    """The tables of a program; `names` are the identifiers of its bind values."""
    arguments = identifiers([p.name for p in step.params], reserved.RESERVED | reserved.LAYER)
    of = origins(step)
    used = used_of_bind(step)
    reasons = fixed(step)
    return Tables(
        parameters=tuple(_row(p, arguments[p.name], reasons.get(p.name, "")) for p in step.params),
        presets=tuple((preset.name, tuple((n, _function(e)) for n, e in preset.values)) for preset in step.presets),
        slots=tuple(Slot(s.name, s.kind, names[s.init], _scale(s.unit)) for s in step.slots),
        ports=tuple((port.name, port.unit.text, _scale(port.unit)) for port in (*step.inputs, *step.events)),
        events=tuple(port.name for port in step.events),
        summing=tuple(s.port for _, s in step.statements() if isinstance(s, Deliver) and s.summing),
        outputs=tuple((port.name, _scale(port.unit)) for port in step.outputs),
        draws=tuple(f"{noise.name}:{lane}" for noise in step.noises for lane in range(noise.lanes)),
        needs=tuple((names[n], of[n]) for n in used),
        needs_by_name=frozenset(used),
        spiking=fired(step) is not None,
    )


def fixed(step: Step) -> dict[str, str]:
    """Why a parameter cannot be learned, of those that cannot."""
    reasons = dict.fromkeys(parameters_below(step, "noise_factor"), FACTORED)
    return reasons | dict.fromkeys(parameters_below(step, "steps"), COUNTED)


def _row(p: Param, argument: str, reason: str) -> Row:
    low, high = (p.range.low, p.range.high) if p.range else (-float("inf"), float("inf"))
    return Row(
        p.name,
        argument,
        _function(p.value),
        p.unit.text,
        _spellings(p.unit),
        number(low),
        number(high),
        p.range.low_closed if p.range else True,
        p.range.high_closed if p.range else True,
        p.learn,
        reason,
    )


def _spellings(unit: Unit) -> str:
    """Names under which a value may be given as text, each with its size in internal units; the declared one first."""
    alike = {name: float(u.scale) for name, u in NAMES.items() if u.dimension == unit.dimension}
    sizes = {unit.text: float(unit.scale)} | alike
    return f"{{{', '.join(f'{quoted(name)}: {size!r}' for name, size in sizes.items())}}}"


def _scale(unit: Unit) -> str:
    return repr(float(unit.scale))


def _function(e: Expr) -> str:
    """The value of a parameter as text: a number, or a function of the others."""
    syntax = bind_syntax(_Given())
    fresh = (f"t{i}" for i in count())
    written = lines([("", e)], syntax, fresh)
    text = written[-1].text
    for line in reversed(written[:-1]):
        text = f"(lambda {line.name}: {text})({line.text})"
    return text if not e.args and e.op == "const" else f"lambda m, p: {text}"


class _Given(dict[str, str]):
    """In a default every name is a parameter."""

    def __missing__(self, name: str) -> str:
        return f"p[{quoted(name)}]"
