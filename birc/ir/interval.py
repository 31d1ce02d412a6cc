"""Interval analysis: between which numbers an expression, and a slot of a step program, can lie, whatever the parameters.

The interval of an op is a column of the op table (Moore 1966, Interval Analysis). What nothing is known of may be any number. An interval
says nothing of NaN, which no comparison with its ends lets pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from birc.ir.expr import Expr, topo
from birc.ir.ops import ALL, INF, OPS, Bounds
from birc.ir.step import Define, Deliver, Integrate, Limit, Lookup, Slot, Step, Store


def intervals(roots: Iterable[Expr], leaf: Callable[[Expr], Bounds]) -> dict[Expr, Bounds]:
    """The interval of every node below the roots; `leaf` knows those of names."""
    found: dict[Expr, Bounds] = {}
    for e in topo(*roots):
        if e.op == "const":
            number = float(e.attr)  # type: ignore[arg-type]
            found[e] = (number, number) if number == number else ALL
        elif (row := OPS.get(e.op)) is None:
            found[e] = leaf(e)
        else:
            found[e] = ALL if row.interval is None else row.interval(*(found[a] for a in e.args))
    return found


def inside(a: Bounds, b: Bounds) -> bool:
    """Whether `a` lies in `b`."""
    return b[0] <= a[0] and a[1] <= b[1]


def slot_intervals(step: Step) -> dict[str, Bounds]:
    """Where each slot is from stamp 1 on: what its limits say, and what is stored in it wherever the slots stand."""
    known: dict[tuple[str, str], Bounds] = {}
    for param in step.params:
        if param.range is not None:
            known["param", param.name] = (param.range.low, param.range.high)

    def of(e: Expr) -> Bounds:
        return intervals((e,), lambda x: (0.0, INF) if x.op == "step_size" else known.get((x.op, str(x.attr)), ALL))[e]

    for define in step.bind:
        known["value", define.name] = of(define.value)
    for slot in step.slots:
        known["load", slot.name] = _limits(slot, known)
    stored: dict[str, Bounds] = {}
    for _, statement in step.statements():
        match statement:
            case Define(name, e):
                known["value", name] = of(e)
            case Store(name, e):
                stored[name] = of(e)
            case Deliver() if statement.summing:
                for define in statement.body:
                    known["value", define.name] = of(define.value)
                for carry in statement.carries:
                    known["value", carry.result] = of(carry.next)
            case Integrate() | Deliver() | Lookup():
                pass  # their results may be any number
            case _:
                pass
    for slot in step.slots:
        here, there = known["load", slot.name], stored.get(slot.name, ALL)
        stored[slot.name] = max(here[0], there[0]), min(here[1], there[1])
    return {slot.name: stored[slot.name] for slot in step.slots}


def _limits(slot: Slot, known: Mapping[tuple[str, str], Bounds]) -> Bounds:
    """Between which numbers the limits keep a slot."""

    def end(limit: Limit, side: int, none: float) -> float:
        return none if limit is None else limit if isinstance(limit, float) else known.get(("value", limit), ALL)[side]

    return end(slot.low, 0, -INF), end(slot.high, 1, INF)
