"""Ports whose events may act behind the step of the neurons: what comes there is added to a state, and nothing else reads it.

deliver exc(%w) summing { %g.2 = add %g.1, %w }   store g, %g.2     ->     exc: add to g
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from birc.backends.legality import expressions
from birc.ir.expr import Expr, leaves, value
from birc.ir.step import Define, Deliver, Step, Store


@dataclass(frozen=True)
class Settled:
    """How a port's sum changes a slot: `add` or `sub`."""

    slot: str
    op: str


def settled(step: Step) -> Mapping[str, Settled]:
    """By port. A state that several ports change is the last one's: the sums of the others are added before."""
    found = {}
    statements = [statement for _, statement in step.statements()]
    reads = Counter(name for statement in statements for e, _ in expressions(statement) for name in leaves(e, "value"))
    slots = {str(s.value.attr): s.slot for s in statements if isinstance(s, Store) and s.value.op == "value"}
    for statement in statements:
        match statement:
            case Deliver(port=port, payload=payload, summing=True, body=(Define(name=name, value=e),), carries=()):
                change = _change(e, payload)
                if change and name in slots and reads[payload] == reads[name] == 1:
                    found[port] = Settled(slots[name], change)
            case _:
                pass
    return found


def _change(e: Expr, payload: str) -> str | None:
    """The op between what was before the events and their sum, if that is all."""
    match e:
        case Expr("add" | "sub", (before, events)) if events is value(payload) and payload not in leaves(before, "value"):
            return e.op
        case Expr("add", (events, before)) if events is value(payload) and payload not in leaves(before, "value"):
            return "add"
        case _:
            return None
