"""A step program with every operation named and stored, so that any backend shows its intermediate values without knowing of it.

    %v.1 = add (mul %P, %v), %Q            ->   %.e0 = mul %P, %v   %v.1 = add %.e0, %Q   … store .see.0, %.e0
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from birc.backends import FLOATS, Array, Dtype
from birc.errors import Span
from birc.ir.expr import Expr, const, rebuild, topo, value
from birc.ir.ops import Kind, kinds
from birc.ir.step import Define, Deliver, Emit, Phase, Put, Slot, Statement, Step, Store
from birc.units import ONE

PREFIX = ".see."


ZEROS: dict[str, float | int | bool] = {".zero.real": 0.0, ".zero.int": 0, ".zero.bool": False}
"""The bind values that exposed slots start from."""


@dataclass(frozen=True)
class Point:
    """One exposed operation: the slot it is stored in, its expression in named operands, the statement it belongs to."""

    slot: str
    name: str
    value: Expr
    owner: str
    span: Span | None
    kind: Kind


def expose(step: Step) -> tuple[Step, tuple[Point, ...]]:
    """The program with one definition per operation outside loops, each stored; and what they are, in order."""
    known = _kinds_of_names(step)
    points: list[Point] = []
    phases: list[Phase] = []
    named: dict[Expr, Expr] = {}
    fresh = 0
    for phase in step.phases:
        body: list[Statement] = []
        for statement in phase.body:
            if isinstance(statement, Define):
                for node in topo(statement.value):
                    if node in named:
                        continue
                    flat = rebuild(node, tuple(named.get(a, a) for a in node.args))
                    if not node.args and node is not statement.value:
                        continue
                    name = statement.name if node is statement.value else f".e{fresh}"
                    fresh += name != statement.name
                    kind = kinds((flat,), lambda e: known[str(e.attr)])[flat]
                    known[name] = kind
                    body.append(Define(name, flat, statement.span))
                    points.append(Point(f"{PREFIX}{len(points)}", name, flat, statement.name, statement.span, kind))
                    if node.args:
                        named[node] = value(name)
                if statement.value in named and named[statement.value] is not value(statement.name):
                    body.append(replace(statement, value=named[statement.value]))
            else:
                body.append(statement)
                if isinstance(statement, Deliver):
                    names = [statement.payload] if statement.summing else []
                    names += [d.name for d in statement.body if statement.summing] + [c.result for c in statement.carries]
                    for name in names:
                        points.append(Point(f"{PREFIX}{len(points)}", name, value(name), name, statement.span, "real"))
        phases.append(Phase(phase.name, tuple(body)))
    return _with_slots(step, phases, points), tuple(points)


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
    phases = list(phases)
    phases[at] = Phase(phases[at].name, phases[at].body + stores)
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
            case Emit() | Put() | Store():
                pass
            case _:
                raise ValueError("a program with unsolved equations cannot be exposed")
    return known
