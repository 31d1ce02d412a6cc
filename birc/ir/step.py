"""Level 2, "how": one normative step from stamp k to k+1, as SSA over phases.

```
Step      = params, slots, inputs, events, noises; bind; tables; phases
Phase     = input | flow | deliver | test | reset | emit | plasticity | adjoint | record
statement = Define name value | Store slot value | Integrate | Lookup table argument | Deliver | Emit name | Put output value
```

Statements run in order; a name is defined once. `value` leaves refer to earlier names (of `bind` too), `load` reads a slot as it
stood at stamp k, `read` a continuous input held over the step, `normal` a standard normal number. What the compiler
names contains a dot, which no user's name can. `bind` runs once per parameter set in float64; its leaves are `param` and
`step_size`. A backend sees only phases, in which `Integrate` no longer occurs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from birc.errors import Span
from birc.ir.expr import Expr
from birc.ir.model import Block, Guard, Model, Param, Preset
from birc.ir.ops import Kind
from birc.units import Unit

PhaseName = Literal["input", "flow", "deliver", "test", "reset", "emit", "plasticity", "adjoint", "record"]
PHASES: tuple[PhaseName, ...] = ("input", "flow", "deliver", "test", "reset", "emit", "plasticity", "adjoint", "record")

REFRACTORY = "refractory"
"""The slot of the countdown: a reserved word, so no state has this name."""

OFFSET = "spike.offset"
"""The slot of a program whose spikes are located inside steps: where in its step the last spike was, in (0, 1] of the step.

A spike of stamp k+1 then happened at (k + offset) h.
"""


def _span() -> Span | None:
    return field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Define:
    """`%name = value`."""

    name: str
    value: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Store:
    """The slot's value at stamp k+1."""

    slot: str
    value: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Carry:
    """A value that each event of a delivery may change: it enters as `initial`, is `name` inside, and leaves as `result`.

    Inside the body `%name` is the value before the event, `next` its value after it; behind the loop it is `%result`.
    """

    name: str
    initial: Expr
    next: Expr
    result: str


@dataclass(frozen=True, slots=True)
class Deliver:
    """Events at a port.

    Summing: the body runs once, with `payload` the sum of all (0 without any). Otherwise once per event, in order.
    """

    port: str
    payload: str
    summing: bool
    body: tuple[Define, ...]
    carries: tuple[Carry, ...]
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Feed:
    """A state of an exact block that another block reads at stage times: at k it is `state`, then `middle`, then `end`."""

    state: str
    middle: str
    end: str


@dataclass(frozen=True, slots=True)
class Integrate:
    """Advance states over `part` of a step, a number or the value of that name, with a named method; a solver pass replaces it by ops.

    `initial[i]` is the value of `states[i]` at k and `rates[i]` its derivative, in which `value` leaves of the states' own names stand
    for them. `noises[i]` are (noise, coefficient) terms of equation i (empty: none anywhere). `busy` (or None) freezes the states in
    `hold`. `guards` are (state, limit). `results[i]` names the outcome, `spans[i]` is where equation i stands.
    """

    method: str
    states: tuple[str, ...]
    initial: tuple[Expr, ...]
    rates: tuple[Expr, ...]
    results: tuple[str, ...]
    noises: tuple[tuple[tuple[str, Expr], ...], ...] = ()
    busy: Expr | None = None
    hold: tuple[str, ...] = ()
    guards: tuple[tuple[str, Expr], ...] = ()
    feeds: tuple[Feed, ...] = ()
    part: float | str = 1.0
    spans: tuple[Span | None, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Emit:
    """A spike with stamp k+1 where `fired` is true."""

    fired: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Put:
    """The value of an output at stamp k+1."""

    output: str
    value: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Lookup:
    """The functions of a table at one argument, a `value` or a `load`; `results[i]` names what function i gives."""

    table: str
    argument: Expr
    results: tuple[str, ...]
    span: Span | None = _span()


Statement = Define | Store | Integrate | Lookup | Deliver | Emit | Put


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of the step; an empty one is left out of a step."""

    name: PhaseName
    body: tuple[Statement, ...]


Limit = float | str | None
"""Where the values of a slot end: at a number, at the bind value of this name, or nowhere."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A variable that lasts from step to step; `init` names the bind value it starts from, which lies in [low, high]."""

    name: str
    kind: Kind
    unit: Unit
    init: str
    low: Limit = None
    high: Limit = None
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Port:
    """A continuous input, an event port's payload or an output, with its unit."""

    name: str
    unit: Unit
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Noise:
    """`lanes` independent normal draws per step, of the stream `variable`."""

    name: str
    lanes: int


@dataclass(frozen=True, slots=True)
class Table:
    """Functions of one number, looked up in piecewise polynomials over [low, high] that are made when parameters are bound.

    The number is a slot, or an inner value of its solver; in the functions, `load slot` stands for it beside bind values. On each piece a
    polynomial is off by at most `error` times the largest value that its function has there. Behind the ends the outermost pieces go on;
    `guarded` says that the program makes the slot NaN where the number has passed them.
    """

    name: str
    slot: str
    low: float | str
    high: float | str
    error: float
    functions: tuple[Expr, ...]
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step program."""

    name: str
    params: tuple[Param, ...]
    slots: tuple[Slot, ...]
    inputs: tuple[Port, ...]
    events: tuple[Port, ...]
    outputs: tuple[Port, ...]
    noises: tuple[Noise, ...]
    bind: tuple[Define, ...]
    phases: tuple[Phase, ...]
    presets: tuple[Preset, ...] = ()
    blocks: tuple[Block, ...] = ()
    guards: tuple[Guard, ...] = ()
    doc: str | None = None
    tables: tuple[Table, ...] = ()
    span: Span | None = _span()
    model: Model | None = field(default=None, compare=False, repr=False)
    """The equations it was lowered from, for targets that exchange these; a program read as text has none."""

    def phase(self, name: PhaseName) -> tuple[Statement, ...]:
        """The statements of a phase; none if it is empty."""
        return next((p.body for p in self.phases if p.name == name), ())

    def statements(self) -> Iterator[tuple[PhaseName, Statement]]:
        """All statements in order, each with its phase."""
        for phase in self.phases:
            for statement in phase.body:
                yield phase.name, statement

    def sums(self, port: str) -> bool:
        """Whether what arrives at a port at one stamp acts as a sum; where nothing reads it, it may."""
        return all(s.summing for _, s in self.statements() if isinstance(s, Deliver) and s.port == port)


def with_phases(step: Step, bodies: dict[PhaseName, tuple[Statement, ...]]) -> Step:
    """The step with other phases, in their order, empty ones left out."""
    phases = tuple(Phase(name, bodies[name]) for name in PHASES if bodies.get(name))
    return step if phases == step.phases else replace(step, phases=phases)
