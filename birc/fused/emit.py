"""All steps of a layer at once: one C++ unit that runs a step program over time, forwards and backwards.

Neurons advance in groups of lanes whose state stays in the first cache. Backwards the run is repeated from marks, so that nothing is kept
of it but what came in: of `SEGMENT` steps at a time the states are computed once more, and the adjoint program goes through them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined

from birc.backends.c_family import C_TYPES, comment
from birc.backends.c_family.headers import header
from birc.backends.c_family.layout import Layout, layout
from birc.backends.c_family.loops import CHAIN, aliases, kept_names, loops_of
from birc.backends.c_family.quotients import turn_quotients
from birc.backends.c_family.shorten import shorten
from birc.backends.c_family.writer import Writer
from birc.fused import draws
from birc.ir.adjoint import BAR, SPIKE, argument
from birc.ir.expr import Expr, const, leaves, make, rebuild, topo, value
from birc.ir.step import Define, Step
from birc.ir.surrogates import Surrogate
from birc.passes import adjoint, dead_code, dense_events
from birc.passes.expressions import map_step

LANES = (128, 64, 32, 16)
"""How many neurons may advance together."""
STILL = 16
"""What a group of them takes, whatever their number, in lanes."""
SEGMENT = 64
"""Steps whose states are held at a time, on the way back."""


@dataclass(frozen=True)
class Part:
    """One of the two programs, ready for the template."""

    places: Layout
    c: dict[str, str]
    kept: tuple[str, ...]
    loops: tuple[dict[str, object], ...]


@dataclass(frozen=True, eq=False)
class Kernel:
    """The text, and the order in which values cross: the given ports, slots, bind values, and what is seen (`spikes`, real slots, outputs).

    `kinds` are those of slots, `wanted` the bind values whose derivatives come back, `each` those that may have one value for each neuron
    (None: any).
    """

    text: str
    inputs: tuple[str, ...]
    slots: tuple[str, ...]
    bind: tuple[str, ...]
    kinds: tuple[str, ...]
    seen: tuple[str, ...]
    wanted: tuple[str, ...]
    each: frozenset[str] | None
    defaults: dict[str, float]
    """Of bind values of the surrogate."""


def takes(step: Step) -> bool:
    """Whether a program can be run at once: with something that comes in, and without tables, which have no derivative."""
    return not step.tables and bool(step.inputs or step.events)


def emit(
    step: Step,
    surrogate: Surrogate,
    detach_reset: bool,
    wanted: frozenset[str],
    given: frozenset[str] | None = None,
    each: frozenset[str] | None = None,
    units: int = LANES[0],
) -> Kernel:
    """The unit of a program that `takes` says yes to, best for so many `units`.

    Nothing comes to ports and draws that are not among those `given`, and bind values that are not among `each` are one for all neurons.
    """
    plain = draws.run(dense_events.run(step))
    forward = dead_code.run(plain if given is None else _silenced(plain, given))
    backward = adjoint.run(forward, surrogate, detach_reset, wanted)
    ahead = _part(forward)
    back = _part(backward, {slot.name: ahead.c[slot.name] for slot in forward.slots})
    bind = tuple(dict.fromkeys((*ahead.places.binds, *back.places.binds)))
    real = tuple(slot.name for slot in forward.slots if slot.kind == "real")
    seen = ("spikes", *real, *(port.name for port in forward.outputs))
    sums = tuple(s.name.removesuffix(BAR) for s in backward.slots if s.name.endswith(BAR) and s.name.removesuffix(BAR) not in real)
    names = {
        "inputs": tuple(port.name for port in forward.inputs),
        "slots": tuple(slot.name for slot in forward.slots),
        "bind": bind,
        "seen": seen,
        "wanted": sums,
    }
    text = (
        _environment()
        .get_template("fused.cpp.j2")
        .render(
            title=comment(step.name),
            headers=[header(name) for name in ("birc_types.h", "birc_math.h")],
            lanes=min(LANES, key=lambda lanes: -(-units // lanes) * (lanes + STILL)),
            each=each,
            segment=SEGMENT,
            parts=(("forward", ahead), ("adjoint", back)),
            real=real,
            bar=BAR,
            spike=SPIKE,
            types=C_TYPES,
            kept_types={**C_TYPES, "bool": "count"},
            outputs=tuple(port.name for port in forward.outputs),
            **names,
        )
    )
    defaults = {d.name: float(d.value.attr or 0) for d in backward.bind if d.name.startswith(argument(""))}
    return Kernel(text, kinds=tuple(slot.kind for slot in forward.slots), each=each, defaults=defaults, **names)


def _silenced(step: Step, given: frozenset[str]) -> Step:
    """The program where nothing comes to the other ports: sums leave it out, the rest sees 0."""
    silent = {make("read", (), port.name) for port in step.inputs if port.name not in given}
    silent |= {value(s.name) for _, s in step.statements() if isinstance(s, Define) and s.value in silent}

    def quiet(e: Expr) -> Expr | None:
        if e.op in ("add", "sub") and e.args[1] in silent:
            return e.args[0]
        if e.op == "add" and e.args[0] in silent:
            return e.args[1]
        return const(0.0) if e in silent else None

    def change(e: Expr) -> Expr:
        done: dict[Expr, Expr] = {}
        for node in topo(e):
            sums = quiet(node) if node.args else None
            new = done[sums] if sums is not None else rebuild(node, tuple(done[a] for a in node.args))
            done[node] = const(0.0) if node in silent else new
        return done[e]

    changed = map_step(step, change, bind=False)
    return replace(changed, inputs=tuple(port for port in step.inputs if port.name in given))


class _Writer(Writer):
    """Writes the slots of the forward run, which the adjoint only reads, as what was kept of that run."""

    before: Mapping[str, str] = MappingProxyType({})

    def place(self, group: str, name: str) -> str:
        if group == "slots" and name in self.before:
            return f"before.{self.before[name]}{self.lane}"
        return super().place(group, name)


def _part(step: Step, before: Mapping[str, str] = MappingProxyType({})) -> Part:
    short = shorten(turn_quotients(step))
    places = layout(short)
    loops = loops_of(short, CHAIN)
    kept = kept_names(loops)
    writer = _Writer(short, places, aliases(loops), "float", lane="[lane]")
    writer.before = before
    return Part(places, dict(writer.names), tuple(sorted(kept)), tuple(writer.loop(part, kept) for part in loops))


def learned_below(step: Step, learned: frozenset[str]) -> frozenset[str]:
    """The bind values that depend on parameters."""
    found: set[str] = set()
    for d in step.bind:
        if leaves(d.value, "param") & learned or leaves(d.value, "value") & found:
            found.add(d.name)
    return frozenset(found)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("birc.fused"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
