"""What a target can take, as a table; everything that a program uses beyond it, at once and with its places.

A backend has a `Takes`, named `takes`, and refuses `refusals(step, dtype, takes)`, with what it alone knows added. A new kind of thing
that programs may use is a new word in `Feature` and a line in `uses`; targets that do not name it refuse it from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args, runtime_checkable

from birc.backends import Dtype
from birc.errors import Diagnostic, Label, Span
from birc.ir.expr import Expr, topo
from birc.ir.ops import LEAVES, TABLE
from birc.ir.step import OFFSET, Define, Deliver, Emit, Lookup, Put, Statement, Step, Store

Feature = Literal[
    "inputs", "summed events", "events one by one", "noise", "spikes", "located spikes", "outputs", "counts", "flags", "tables",
    "learned parameters"
]  # fmt: skip
FEATURES: frozenset[Feature] = frozenset(get_args(Feature))
COMMON: frozenset[Feature] = FEATURES - {"tables"}
"""What every target takes that does not say otherwise."""

WORDS: Mapping[Feature, str] = {
    "inputs": "continuous inputs",
    "summed events": "events",
    "events one by one": "events that act one by one",
    "noise": "noise",
    "spikes": "spikes",
    "located spikes": "spikes inside steps",
    "outputs": "outputs",
    "counts": "whole numbers, such as the countdown of a refractory time",
    "flags": "states that are true or false",
    "tables": "tables in place of functions",
    "learned parameters": "parameters to be learned",
}
MOST_PLACES = 4
"""Places of one thing that a message shows."""


@dataclass(frozen=True)
class Takes:
    """What a target has. Constants and parameters are computed before a run, unless `bind_ops` says that the target does it.

    `advice` gives the help of a refusal, by op, feature or number type; `statements` bounds the length of a program; in the number types
    of `fuses` it is given `fma` for sums of products.
    """

    target: str
    ops: frozenset[str]
    bind_ops: frozenset[str] | None = None
    features: frozenset[Feature] = COMMON
    dtypes: frozenset[Dtype] = frozenset(("f64", "f32"))
    statements: int | None = None
    advice: Mapping[str, str] = field(default_factory=dict)
    fuses: frozenset[Dtype] = frozenset()

    def lacks(self) -> tuple[str, ...]:
        """What programs may use and the target does not take: features, ops and number types by name."""
        features = (WORDS[feature] for feature in get_args(Feature) if feature not in self.features)
        ops = (f"`{row.name}`" for row in TABLE if not row.bind_only and row.name not in self.ops)
        return (*features, *ops, *(dtype for dtype in get_args(Dtype) if dtype not in self.dtypes))


@runtime_checkable
class Declares(Protocol):
    """A target that says what it takes as a table."""

    @property
    def takes(self) -> Takes:
        """What it takes."""


def fuses(target: object, dtype: Dtype) -> bool:
    """Whether a target is given `fma` in a number type."""
    return isinstance(target, Declares) and dtype in target.takes.fuses


@dataclass(frozen=True)
class Use:
    """A program uses an op (in a step, or in a constant: `bind`) or a feature at a place."""

    what: Literal["op", "bind", "feature"]
    name: str
    span: Span | None


def uses(step: Step) -> Iterator[Use]:
    """Everything that a program uses, in its order; the same thing once for each place."""
    for param in step.params:
        if param.learn:
            yield Use("feature", "learned parameters", param.span)
    for slot in step.slots:
        if slot.kind != "real":
            yield Use("feature", "counts" if slot.kind == "int" else "flags", slot.span)
        if slot.name == OFFSET:
            yield Use("feature", "located spikes", slot.span)
    for port in step.inputs:
        yield Use("feature", "inputs", port.span)
    for noise in step.noises:
        yield Use("feature", "noise", _place_of_noise(step, noise.name))
    for table in step.tables:
        yield Use("feature", "tables", next((slot.span for slot in step.slots if slot.name == table.slot), None))
    for define in step.bind:
        yield from _ops("bind", define.value, define.span)
    for _, statement in step.statements():
        match statement:
            case Deliver(summing=summing, span=span):
                yield Use("feature", "summed events" if summing else "events one by one", span)
            case Emit(span=span):
                yield Use("feature", "spikes", span)
            case Put(span=span):
                yield Use("feature", "outputs", span)
            case _:
                pass
        for e, span in expressions(statement):
            yield from _ops("op", e, span)


def expressions(statement: Statement) -> Iterator[tuple[Expr, Span | None]]:
    """Every expression of a statement, with its place."""
    match statement:
        case Define(value=e, span=span) | Store(value=e, span=span) | Put(value=e, span=span) | Emit(fired=e, span=span):
            yield e, span
        case Lookup(argument=e, span=span):
            yield e, span
        case Deliver(span=span):
            yield from ((define.value, define.span or span) for define in statement.body)
            for carry in statement.carries:
                yield carry.initial, span
                yield carry.next, span
        case _:
            raise TypeError(f"a backend was given {type(statement).__name__}")


def refusals(step: Step, dtype: Dtype, takes: Takes) -> tuple[Diagnostic, ...]:
    """Every reason why the target cannot take the program, each once with its first places; empty if it can."""
    places: dict[tuple[str, str], list[Span]] = {}
    for use in uses(step):
        if _refused(use, takes):
            kept = places.setdefault((use.what, use.name), [])
            if use.span is not None and use.span not in kept:
                kept.append(use.span)
    found = [_refusal(what, name, spans or ([step.span] if step.span else []), takes) for (what, name), spans in places.items()]
    if dtype not in takes.dtypes:
        found.insert(0, Diagnostic("L204", f"{takes.target} has no {dtype}", step.span, takes.advice.get(dtype)))
    length = sum(1 for _ in step.statements())
    if takes.statements is not None and length > takes.statements:
        message = f"the program has {length} statements; {takes.target} takes {takes.statements}"
        found.append(Diagnostic("L202", message, step.span, "`--target numpy` takes it"))
    return tuple(found)


def _refused(use: Use, takes: Takes) -> bool:
    match use.what:
        case "op":
            return use.name not in takes.ops
        case "bind":
            return takes.bind_ops is not None and use.name not in takes.bind_ops
        case "feature":
            return use.name not in takes.features


def _refusal(what: str, name: str, spans: list[Span], takes: Takes) -> Diagnostic:
    labels = tuple(Label(span, "and here") for span in spans[1:MOST_PLACES])
    first = spans[0] if spans else None
    if what == "feature":
        word = next(text for feature, text in WORDS.items() if feature == name)
        return Diagnostic("L203", f"{takes.target} does not take {word}", first, takes.advice.get(name), labels=labels)
    where = " in a constant" if what == "bind" else ""
    return Diagnostic("L201", f"{takes.target} has no `{name}`{where}", first, takes.advice.get(name), labels=labels)


def _ops(what: Literal["op", "bind"], root: Expr, span: Span | None) -> Iterator[Use]:
    return (Use(what, e.op, span) for e in topo(root) if e.op not in LEAVES)


def _place_of_noise(step: Step, noise: str) -> Span | None:
    """The first statement that draws it."""
    for _, statement in step.statements():
        for e, span in expressions(statement):
            if any(leaf.op == "normal" and str(leaf.attr).partition(":")[0] == noise for leaf in topo(e)):
                return span
    return None
