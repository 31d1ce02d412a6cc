"""Counts of a step program that stay at 0: a countdown that nothing ever sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from birc.ir.expr import Expr
from birc.ir.ops import OPS, evaluate_op
from birc.ir.spike import leaf_kinds
from birc.ir.step import Define, Step, Store


def resting(step: Step) -> dict[str, tuple[str, ...]]:
    """By name of a slot, the bind values that, being 0, let a count that is 0 stay so: without refractory period nobody is ever busy.

    Slots of which this cannot be said are left out.
    """
    kind = leaf_kinds(step)
    defined = {s.name: s.value for _, s in step.statements() if isinstance(s, Define)}
    counts = [d.name for d in step.bind if kind.get(d.name) == "int"]
    found: dict[str, tuple[str, ...]] = {}
    for slot in (s for s in step.slots if s.kind == "int"):
        known = _Known(slot.name, defined, dict.fromkeys(counts, 0))
        stored = [s.value for _, s in step.statements() if isinstance(s, Store) and s.slot == slot.name]
        if stored and all(known.value(e) == 0 for e in stored):
            found[slot.name] = tuple(name for name in counts if name in known.asked)
    return found


class _Known:
    """What expressions are worth while a slot and some names are 0; None where that leaves it open."""

    def __init__(self, slot: str, defined: Mapping[str, Expr], names: Mapping[str, int]) -> None:
        self.slot, self.defined, self.names = slot, defined, names
        self.asked: set[str] = set()

    def value(self, e: Expr) -> Any:
        match e:
            case Expr("const"):
                return e.attr
            case Expr("load", attr=self.slot):
                return 0
            case Expr("value", attr=str(name)) if name in self.names:
                self.asked.add(name)
                return self.names[name]
            case Expr("value", attr=str(name)) if name in self.defined:
                return self.value(self.defined[name])
            case Expr("select", (condition, yes, no)):
                chosen, a, b = self.value(condition), self.value(yes), self.value(no)
                return (a if a == b else None) if chosen is None else a if chosen else b
        values = tuple(self.value(a) for a in e.args)
        return evaluate_op(e, values) if e.op in OPS and values and None not in values else None
