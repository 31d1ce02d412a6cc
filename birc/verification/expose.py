"""A step program with every operation named and stored, so that any backend shows its intermediate values without knowing of it.

%v.1 = add (mul %P, %v), %Q            ->   %.e0 = mul %P, %v   %v.1 = add %.e0, %Q   … store .see.0, %.e0
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

import numpy as np

from birc.backends import FLOATS, Array, Dtype
from birc.errors import Span
from birc.ir.expr import Expr, const, rebuild, topo, value
from birc.ir.ops import Kind, kinds
from birc.ir.step import Define, Deliver, Emit, Lookup, Phase, Put, Slot, Statement, Step, Store
from birc.units import ONE

PREFIX = ".see."
NAMES = ("const", "value")
"""Leaves that need no definition of their own."""

COMPARISONS = ("lt", "le", "gt", "ge")
"""Ops that decide."""

ZEROS: dict[str, float | int | bool] = {".zero.real": 0.0, ".zero.int": 0, ".zero.bool": False}
"""The bind values that exposed slots start from."""


@dataclass(frozen=True)
class Point:
    """One exposed value: the slot it is stored in, its expression in named operands, the statement it belongs to.

    What events make of a variable one by one has the whole `deliver` in place of an expression.
    """

    slot: str
    name: str
    value: Expr
    owner: str
    span: Span | None
    kind: Kind
    deliver: Deliver | None = None


def expose(step: Step, only: Container[str] | None = None) -> tuple[Step, tuple[Point, ...]]:
    """The program with one definition per operation outside loops, each stored; and what they are, in order.

    only: ops; then these are stored and what they are given. A value has the same slot whatever else is stored.
    """
    exposing = _Exposing(step)
    phases = [Phase(phase.name, tuple(s for statement in phase.body for s in exposing.statement(statement))) for phase in step.phases]
    points = exposing.points
    if only is not None:
        wanted = [p for p in points if p.value.op in only]
        names = {p.name for p in wanted} | {str(a.attr) for p in wanted for a in p.value.args if a.op == "value"}
        points = [p for p in points if p.name in names]
    return _with_slots(step, phases, points), tuple(points)


class _Exposing:
    """The points so far, and the name of each operation that has one."""

    def __init__(self, step: Step) -> None:
        self.known = _kinds_of_names(step)
        self.points: list[Point] = []
        self.named: dict[Expr, Expr] = {}

    def statement(self, statement: Statement) -> list[Statement]:
        """A statement, its operations taken apart."""
        match statement:
            case Define():
                return list(self.define(statement))
            case Deliver(summing=True):
                self.point(statement.payload, value(statement.payload), statement.payload, statement.span)
                return [replace(statement, body=tuple(d for define in statement.body for d in self.define(define)))]
            case Lookup(results=results, span=span):
                for result in results:
                    self.point(result, value(result), result, span)
            case Deliver():
                for carry in statement.carries:
                    span = next((d.span for d in reversed(statement.body) if value(d.name) is carry.next), statement.span)
                    self.point(carry.result, value(carry.result), carry.result, span, statement)
        return [statement]

    def define(self, statement: Define) -> list[Define]:
        """One definition for each operation in it."""
        out = []
        for node in topo(statement.value):
            last = node is statement.value
            if not last and (node.op in NAMES or node in self.named):
                continue
            flat = self.named.get(node) or rebuild(node, tuple(self.named.get(a, a) for a in node.args))
            name = statement.name if last else f".e{len(self.points)}"
            self.point(name, flat, statement.name, statement.span)
            out.append(Define(name, flat, statement.span))
            if node.op not in NAMES:
                self.named.setdefault(node, value(name))
        return out

    def point(self, name: str, e: Expr, owner: str, span: Span | None, deliver: Deliver | None = None) -> None:
        """Note a value."""
        kind = kinds((e,), lambda leaf: self.known.get(str(leaf.attr), "real"))[e]
        self.known[name] = kind
        self.points.append(Point(f"{PREFIX}{len(self.points)}", name, e, owner, span, kind, deliver))


def spare_slots(points: tuple[Point, ...], n: int, dtype: Dtype) -> dict[str, Array]:
    """Arrays for the exposed slots of `n` instances."""
    types: dict[Kind, type] = {"real": FLOATS[dtype], "int": np.int32, "bool": np.bool_}
    return {p.slot: np.zeros(n, types[p.kind]) for p in points}


def _with_slots(step: Step, phases: list[Phase], points: list[Point]) -> Step:
    stores = tuple(Store(p.slot, value(p.name), p.span) for p in points)
    # Stores go to the last phase but one that can hold them; every name is defined by then.
    at = max((i for i, p in enumerate(phases) if p.name in ("input", "flow", "deliver", "test", "reset")), default=None)
    if at is None:
        return step
    phases[at] = replace(phases[at], body=phases[at].body + stores)
    slots = tuple(Slot(p.slot, p.kind, ONE, f".zero.{p.kind}") for p in points)
    bind = tuple(Define(name, const(zero)) for name, zero in ZEROS.items())
    return replace(step, slots=step.slots + slots, bind=step.bind + bind, phases=tuple(phases))


def _kinds_of_names(step: Step) -> dict[str, Kind]:
    """The kind of every name and slot."""
    known: dict[str, Kind] = {s.name: s.kind for s in step.slots}
    slots = dict(known)

    def leaf(e: Expr) -> Kind:
        return slots[str(e.attr)] if e.op == "load" else known.get(str(e.attr), "real")

    for define in step.bind:
        known[define.name] = kinds((define.value,), leaf)[define.value]
    for _, s in step.statements():
        match s:
            case Define(name, e):
                known[name] = kinds((e,), leaf)[e]
            case Deliver():
                known[s.payload] = "real"
                for carry in s.carries:
                    known[carry.name] = known[carry.result] = "real"
                for define in s.body:
                    known[define.name] = kinds((define.value,), leaf)[define.value]
            case Lookup():
                known |= dict.fromkeys(s.results, "real")
            case Emit() | Put() | Store():
                pass
            case _:
                raise ValueError("a program with unsolved equations cannot be exposed")
    return known
