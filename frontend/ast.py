"""The syntax tree: what was written, with a span on every node and no meaning yet.

A file is a `Module` of items; an item's body is a tuple of statements; expressions are a small closed set.
Handle nodes with `match`; there are no visitor classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from birc.errors import Source, Span

# --- expressions


@dataclass(frozen=True, slots=True)
class Number:
    """A literal such as `20 ms`; `text` is the number as written, `unit` the unit token as written (`µ` read as `u`)."""

    text: str
    unit: str | None
    span: Span
    unit_span: Span | None = None


@dataclass(frozen=True, slots=True)
class Bool:
    """`true` or `false`."""

    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """A name, with the primes behind it: `v`, `x'` has order 1."""

    name: str
    span: Span
    order: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """A path: `na.i`, `soma.v`, `P.dend(0.5).exc`."""

    base: Expr
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Slice:
    """`E[0:5]`; a missing end is `None`."""

    base: Expr
    start: int | None
    stop: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`f(a, b, key = c)`; `function` is a name or a path (a section's location in a path is a call too)."""

    function: Expr
    args: tuple[Expr, ...]
    keywords: tuple[Keyword, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Keyword:
    """`key = value`."""

    name: str
    value: Expr
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `not x`."""

    op: Literal["neg", "not"]
    operand: Expr
    span: Span


BinaryOp = Literal["add", "sub", "mul", "div", "pow", "lt", "le", "gt", "ge", "eq", "ne", "and", "or"]


@dataclass(frozen=True, slots=True)
class Binary:
    """An infix operation, named as in the op table of the IR."""

    op: BinaryOp
    left: Expr
    right: Expr
    span: Span
    op_span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """`if condition then a else b`."""

    condition: Expr
    then: Expr
    otherwise: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string; only file names are written so."""

    value: str
    span: Span


Expr = Number | Bool | Name | Member | Slice | Call | Unary | Binary | Conditional | Text

# --- pieces of statements


@dataclass(frozen=True, slots=True)
class UnitName:
    """A unit standing alone, as behind the colon of a port; `text` is as written, `"1"` for none."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Interval:
    """`[lo, hi]`, `(lo, hi]` …"""

    low: Expr
    high: Expr
    low_closed: bool
    high_closed: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Location:
    """`soma(0.5)` or `dend` behind `at`."""

    section: str
    position: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Payload:
    """`w: pA` in an event handler's or a function's brackets."""

    name: str
    unit: UnitName
    span: Span


# --- statements of models


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a `param` line."""

    name: str
    value: Expr
    range: Interval | None
    learn: bool
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Params:
    """`param a = 1, b = 2 ms in (0 ms, inf) learn`."""

    entries: tuple[Param, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class State:
    """One state of a `state` line; `order` counts primes (`x' = 0 mV/ms` is the initial derivative)."""

    name: str
    order: int
    value: Expr
    range: Interval | None
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class States:
    """`state v = -65 mV, x = 0 in [0, 1]`."""

    entries: tuple[State, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Input:
    """One continuous port."""

    name: str
    unit: UnitName
    at: Location | None
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Inputs:
    """`input I: pA, f: s^-1`."""

    entries: tuple[Input, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Output:
    """`output y: pA = …`."""

    name: str
    unit: UnitName
    value: Expr
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Let:
    """`let name = …`."""

    name: str
    value: Expr
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Function:
    """`fn f(x: mV, y: 1) = …`."""

    name: str
    parameters: tuple[Payload, ...]
    value: Expr
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Equation:
    """`[factor *] x' = value`."""

    target: Name
    factor: Expr | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class StepRule:
    """`step x = …`, once per step."""

    target: Name
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Assign:
    """`x = …`, `x += …` in a handler; `op` is None for `=`, else the op it stands for."""

    target: Name
    op: Literal["add", "sub", "mul", "div"] | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Send:
    """`send e` in a synapse's handler."""

    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class OnEvent:
    """`on port(w: pA) [at place]: body`, `on pre: body`."""

    port: str
    payload: Payload | None
    at: Location | None
    body: tuple[Assign | Send, ...]
    span: Span
    port_span: Span


@dataclass(frozen=True, slots=True)
class Spike:
    """`spike when c: body` (level) or `spike on rise c: body` (edge)."""

    mode: Literal["when", "rise"]
    condition: Expr
    body: tuple[Assign, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Refractory:
    """`refractory T: hold v, w`."""

    duration: Expr
    hold: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Noise:
    """`noise xi, eta`."""

    names: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Trace:
    """`trace x of pre: tau = 20 ms, nearest`."""

    name: str
    of: Literal["pre", "post"]
    tau: Expr
    nearest: bool
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Gate:
    """`gate m:` with `alpha` and `beta`, or `inf` and `tau`."""

    name: str
    rates: tuple[Keyword, ...]
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Outward:
    """`outward i = …`, the current of a channel, outward positive."""

    name: str
    value: Expr
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Mechanism:
    """`Na(g = 100 mS/cm^2)`, `Na`; with an alias in a `use`."""

    name: str
    arguments: tuple[Keyword, ...]
    alias: str | None
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Use:
    """`use Na(g = …) as na, K as k`."""

    mechanisms: tuple[Mechanism, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Preset:
    """`preset FS: a = 0.1 ms^-1, d = 2 mV/ms`."""

    name: str
    values: tuple[Keyword, ...]
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class With:
    """`with surrogate f(beta = 10)`, `with solver rk4 on v, u`, `with store w as f16`, `with spikes located`."""

    kind: Literal["surrogate", "solver", "store", "spikes"]
    name: str
    arguments: tuple[Keyword, ...]
    targets: tuple[Name, ...]
    span: Span
    name_span: Span


# --- statements of cells


@dataclass(frozen=True, slots=True)
class Section:
    """`section dend from soma(1): length = 600 um, diam = 2 um, split = 30`."""

    name: str
    parent: Location | None
    properties: tuple[Keyword, ...]
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Morphology:
    """`morphology "pyramidal.swc" with regions soma, axon`."""

    file: Text
    regions: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Membrane:
    """`membrane C = 1 uF/cm^2, R_axial = 150 ohm*cm, v = -65 mV`."""

    properties: tuple[Keyword, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Insert:
    """`insert Na, K(g = …) in soma, dend`; no regions means `everywhere`."""

    mechanisms: tuple[Mechanism, ...]
    regions: tuple[Name, ...]
    span: Span


# --- statements of networks


@dataclass(frozen=True, slots=True)
class Population:
    """`population E: LIF(tau_m = 10 ms)[800]`; `model` is a name or `Model.PRESET`."""

    name: str
    model: Name | Member
    arguments: tuple[Keyword, ...]
    count: Expr
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class SourceOf:
    """`source bg: poisson(rate = 2 kHz)[800]`."""

    name: str
    kind: Name
    arguments: tuple[Keyword, ...]
    count: Expr
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Signal:
    """`signal DA: tau = 200 ms`."""

    name: str
    properties: tuple[Keyword, ...]
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Project:
    """`project A -> B.port: synapse(…), rule(…), self, axon = …`.

    `parts` are the comma-separated pieces without `=`: synapse and rule calls, flags such as `self`, and
    `from file "edges.npz"` as a call of `from_file`; `properties` those with `=`.
    """

    source: Expr
    target: Expr
    parts: tuple[Expr, ...]
    properties: tuple[Keyword, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Third:
    """`third A -> B.x via G.port: p = …, w = …`."""

    source: Expr
    target: Expr
    via: Expr
    properties: tuple[Keyword, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Record:
    """`record E.spikes, E[0:5].v every 0.5 ms`."""

    paths: tuple[Expr, ...]
    every: Expr | None
    span: Span


# --- statements of checks


@dataclass(frozen=True, slots=True)
class Drive:
    """`drive I = 250 pA for 500 ms`; a waveform such as `step(250 pA, 100 ms)`, or events such as `at(10 ms)`, are a call."""

    port: Name
    value: Expr
    duration: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Run:
    """`run for 1 s`, of a network."""

    duration: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Expect:
    """`expect a [== b within N step | quantity]`, `expect a in RANGE always`; each may end in `during RANGE`.

    `actual` holds a whole comparison for the forms without `within` (`expect count >= 3`).
    """

    actual: Expr
    expected: Expr | None
    within: Expr | None
    within_steps: bool
    range: Interval | None
    always: bool
    span: Span
    during: Interval | None = None


Statement = (
    Params | States | Inputs | Output | Let | Function | Equation | StepRule | OnEvent | Spike | Refractory | Noise
    | Trace | Gate | Outward | Use | Preset | With | Section | Morphology | Membrane | Insert | Population | SourceOf
    | Signal | Project | Third | Record | Drive | Run | Expect
)  # fmt: skip

# --- items

ItemKind = Literal["neuron", "channel", "synapse", "cell", "astrocyte", "network", "check"]


@dataclass(frozen=True, slots=True)
class Import:
    """`from birc use LIF, Na` (`file` is None) or `from "channels.birc" use Na`."""

    file: Text | None
    names: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Item:
    """`neuron LIF extends A:` and its body; of a check, `name` is the model it checks (`Izhikevich.FS` for a preset).

    `settings` are a check's own: `check LIF with dt = 0.25 ms, solver = euler:`.
    """

    kind: ItemKind
    name: str
    extends: Name | None
    doc: str | None
    body: tuple[Statement, ...]
    span: Span
    name_span: Span
    preset: str | None = None
    settings: tuple[Keyword, ...] = ()


@dataclass(frozen=True, slots=True)
class Module:
    """A file: its imports and items in the order of the text."""

    source: Source
    imports: tuple[Import, ...]
    items: tuple[Item, ...]
