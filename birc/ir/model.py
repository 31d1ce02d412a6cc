"""Level 1, "what": a model as a hybrid automaton, and a network of models.

```
Module   = items: Model | Cell | Network, checks
Model    = params, states, inputs, lets, functions, uses      declarations
           odes, step_rules                                    ODE graph
           handlers, spike, refractory, outputs                event graph
           traces, handlers of `pre` and `post` that `send`    plasticity graph
           noises, presets, options, blocks                    the rest; `blocks` is filled by passes
```

Every number is in internal units; a `Unit` beside it is how the user wrote it, for display. Expressions refer to names by
`var`; a member of a used channel is the dotted name `na.i`; the derivative of a second-order state `x` is the state `x'`.
`call` (attr: function name) stands for a user's function until it is inlined, `elapsed` (a `var`) for the step's length.
Spans are not compared, so that `parse(print(model)) == model`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from birc.errors import Span
from birc.ir.expr import Expr
from birc.units import Unit


def _span() -> Span | None:
    return field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Range:
    """The values a parameter may take, `in (lo, hi]`."""

    low: float
    high: float
    low_closed: bool
    high_closed: bool

    def holds(self, value: float) -> bool:
        """Whether a value lies inside (NaN never does)."""
        above = value >= self.low if self.low_closed else value > self.low
        below = value <= self.high if self.high_closed else value < self.high
        return above and below


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter with its default, an expression of constants and other parameters."""

    name: str
    unit: Unit
    value: Expr
    range: Range | None = None
    learn: bool = False
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class State:
    """A state with its initial value, an expression of parameters and other states' initial values.

    It is clipped to [low, high], expressions of parameters; None: no limit on this side.
    """

    name: str
    unit: Unit
    init: Expr
    low: Expr | None = None
    high: Expr | None = None
    gate: bool = False
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Input:
    """A continuous port; in a cell, `section` and `position` say where it enters."""

    name: str
    unit: Unit
    section: str | None = None
    position: float | None = None
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Output:
    """A continuous value that others may read."""

    name: str
    unit: Unit
    value: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Let:
    """A name for an expression; also a channel's `outward` current (`outward` is true)."""

    name: str
    unit: Unit
    value: Expr
    outward: bool = False
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Function:
    """A pure inline function; its body refers to its parameters by `var`."""

    name: str
    parameters: tuple[tuple[str, Unit], ...]
    unit: Unit
    value: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Ode:
    """`state' = rhs`; `var`s of declared noises may occur in it, linearly."""

    state: str
    rhs: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class StepRule:
    """`step state = value`, once per step, all at once."""

    state: str
    value: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Update:
    """`target = value` in a handler; compound assignments are already spelled out (`x += w` is `x = x + w`)."""

    target: str
    value: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Send:
    """A synapse delivers `value` to its target at this point of the handler."""

    value: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Handler:
    """What an event does, top to bottom. In a synapse `port` is `pre` or `post` and there is no payload."""

    port: str
    payload: str | None
    unit: Unit | None
    body: tuple[Update | Send, ...]
    section: str | None = None
    position: float | None = None
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Spike:
    """`level`: fires whenever the condition holds and the neuron is not refractory; `rise`: when it becomes true."""

    mode: Literal["level", "rise"]
    condition: Expr
    body: tuple[Update, ...]
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Refractory:
    """No spike for `duration` after one; the states in `hold` are frozen for as long."""

    duration: Expr
    hold: tuple[str, ...]
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Noise:
    """White noise, Itô, of unit time^-1/2."""

    name: str
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Trace:
    """Rises by 1 at each event and decays with `tau`; `nearest` saturates at 1. Handlers read its left limit."""

    name: str
    of: Literal["pre", "post"]
    tau: Expr
    nearest: bool
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Use:
    """A channel inside a model: its names appear as `alias.name`; `arguments` replace its parameters' defaults."""

    channel: Model
    alias: str
    arguments: tuple[tuple[str, Expr], ...]
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of parameter values."""

    name: str
    values: tuple[tuple[str, Expr], ...]
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Option:
    """A `with` line: what never changes a model's meaning (`surrogate`, `solver`, `store`, `spikes`)."""

    kind: Literal["surrogate", "solver", "store", "spikes"]
    name: str
    arguments: tuple[tuple[str, Expr], ...] = ()
    targets: tuple[str, ...] = ()
    span: Span | None = _span()


Linearity = Literal["constant", "linear", "affine", "nonlinear"]
"""Of an ODE component: constant coefficients; …; each equation affine in its own variable; none of these."""


@dataclass(frozen=True, slots=True)
class Block:
    """ODEs that are solved together, in the order in which their method takes them. Made by passes.

    `method` is "" until one is chosen; `reason` is the sentence that `birc explain` prints.
    """

    states: tuple[str, ...]
    linearity: Linearity
    method: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """Right-hand sides of inner stages see `state` at most at `limit` (runaway guard). Made by a pass."""

    state: str
    limit: Expr
    span: Span | None = _span()


ModelKind = Literal["neuron", "channel", "synapse", "astrocyte"]


@dataclass(frozen=True, slots=True)
class Model:
    """A neuron, channel, synapse or astrocyte."""

    name: str
    kind: ModelKind
    doc: str | None = None
    params: tuple[Param, ...] = ()
    states: tuple[State, ...] = ()
    inputs: tuple[Input, ...] = ()
    lets: tuple[Let, ...] = ()
    functions: tuple[Function, ...] = ()
    uses: tuple[Use, ...] = ()
    odes: tuple[Ode, ...] = ()
    step_rules: tuple[StepRule, ...] = ()
    traces: tuple[Trace, ...] = ()
    noises: tuple[Noise, ...] = ()
    handlers: tuple[Handler, ...] = ()
    spike: Spike | None = None
    refractory: Refractory | None = None
    outputs: tuple[Output, ...] = ()
    presets: tuple[Preset, ...] = ()
    options: tuple[Option, ...] = ()
    blocks: tuple[Block, ...] = ()
    guards: tuple[Guard, ...] = ()
    span: Span | None = _span()


# --- cells

Properties = tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """An unbranched cable; attached to `parent` at `position` (0 … 1)."""

    name: str
    parent: str | None
    position: float | None
    properties: Properties
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Insert:
    """Channels in regions (none: everywhere); arguments may refer to `path` and `diam`."""

    channel: Model
    alias: str
    arguments: Properties
    regions: tuple[str, ...]
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Cell:
    """A neuron with space: sections or a morphology file, and what the sections' membrane carries.

    `base` holds what a cell shares with point models: parameters, inputs, handlers, spike, refractory, outputs …
    Expressions refer to a membrane quantity by its path, `soma.v`.
    """

    base: Model
    sections: tuple[Section, ...]
    morphology: str | None
    regions: tuple[str, ...]
    membrane: Properties
    inserts: tuple[Insert, ...]
    span: Span | None = _span()

    @property
    def name(self) -> str:
        """The cell's name."""
        return self.base.name


# --- networks


@dataclass(frozen=True, slots=True)
class Population:
    """`count` instances of a model; arguments set parameters and initial states (ops `uniform`, `normal` draw; `array` names a file).

    An argument for an input is the `var` of the signal that feeds it. `size` is the count as an expression of the network's
    parameters, None where it is fixed; `count` is then its value at their defaults.
    """

    name: str
    model: str
    preset: str | None
    arguments: Properties
    count: int
    span: Span | None = _span()
    size: Expr | None = None


@dataclass(frozen=True, slots=True)
class NetworkSource:
    """A source of events or of a continuous value: `poisson`, `regular`, `spikes`, `current_step` …; `size` as of a population."""

    name: str
    kind: str
    arguments: Properties
    count: int
    span: Span | None = _span()
    size: Expr | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A level that projections raise and that decays with `tau`: a neuromodulator."""

    name: str
    properties: Properties
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place in a network: population (or source, signal), a slice of it, section and position, port or variable."""

    population: str
    start: int | None = None
    stop: int | None = None
    section: str | None = None
    position: float | None = None
    port: str | None = None


@dataclass(frozen=True, slots=True)
class Projection:
    """Synapses from one population to another; `synapse` is None for a constant weight `w` among the properties.

    An argument for an input of the synapse is the `var` of what feeds it: a signal, or `pre.NAME`, `post.NAME`, a state or output of
    the neuron on that side. Flags: `self`, `gap`.
    """

    source: Endpoint
    target: Endpoint
    synapse: str | None
    preset: str | None
    arguments: Properties
    rule: str
    rule_arguments: Properties
    flags: tuple[str, ...]
    properties: Properties
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Third:
    """A third party (astrocyte) at the synapses of a projection."""

    source: Endpoint
    target: Endpoint
    via: Endpoint
    properties: Properties
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Record:
    """What a network records, every `every` (a time; None: each step)."""

    what: Endpoint
    every: Expr | None
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Network:
    """Populations, sources and signals wired by projections; `models` holds every model they name, resolved.

    Counts, weights, delays and other arguments are expressions of `params`, which `birc.runtime.network.parameters` replaces by numbers.
    """

    name: str
    doc: str | None
    models: tuple[Model | Cell, ...]
    populations: tuple[Population, ...]
    sources: tuple[NetworkSource, ...]
    signals: tuple[Signal, ...]
    projections: tuple[Projection, ...]
    thirds: tuple[Third, ...]
    records: tuple[Record, ...]
    span: Span | None = _span()
    params: tuple[Param, ...] = ()
    presets: tuple[Preset, ...] = ()


# --- checks


@dataclass(frozen=True, slots=True)
class Waveform:
    """One of `birc.ir.waveforms`, with the arguments that it was given; the times of `at` are `t.0`, `t.1` …"""

    name: str
    arguments: Properties


@dataclass(frozen=True, slots=True)
class Drive:
    """Hold a port at `value` for `duration`; a second drive of the port follows the first.

    Events come to an event port, and to `pre` and `post` of a synapse. A waveform's times count from the beginning of its drive.
    """

    port: str
    value: Expr | Waveform
    duration: Expr
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a run, between two times."""

    low: Expr
    high: Expr
    low_closed: bool = True
    high_closed: bool = True


@dataclass(frozen=True, slots=True)
class Expect:
    """`actual == expected` within a tolerance, `actual` in a range, or `actual` a condition; `always`: at every stamp.

    `tolerance` is a number of steps where `in_steps`, else a quantity; None means exact. The measures of a run are `var`s: `count`,
    `rate`, `first` and `last` (times of spikes), `isi` (the last interval). With `during` all is about the stamps in that window.
    """

    actual: Expr
    expected: Expr | None = None
    tolerance: Expr | None = None
    in_steps: bool = False
    low: Expr | None = None
    high: Expr | None = None
    low_closed: bool = True
    high_closed: bool = True
    always: bool = False
    during: Window | None = None
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Check:
    """A doc-test of a model or network (and preset): drive or run, then expect.

    `dt` (ms), `solver`, `spikes` and `seed` are the scheme under which it holds; None: as everywhere else. A network runs for `run`.
    """

    model: str
    preset: str | None
    drives: tuple[Drive, ...]
    expects: tuple[Expect, ...]
    dt: float | None = None
    solver: str | None = None
    spikes: str | None = None
    span: Span | None = _span()
    seed: int | None = None
    run: Expr | None = None


Item = Model | Cell | Network


@dataclass(frozen=True, slots=True)
class Module:
    """All items and checks of a file, imports resolved: `items` are imported ones with a check, then the file's own, in its order."""

    items: tuple[Item, ...]
    checks: tuple[Check, ...]
