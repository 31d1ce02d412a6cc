"""What is looked at when a model's constants are checked for NaN.

What stands in an arm of a `select` may be anything: the condition is there to leave it out.
"""

from __future__ import annotations

from collections.abc import Iterator

from birc.ir.expr import Expr, leaves
from birc.ir.step import Define, Step


def checked(step: Step) -> Iterator[tuple[Define, Expr]]:
    """The expressions of the bind section that a run refuses where they are NaN, each once, with the definition that it stands in."""
    defined = {d.name: d for d in step.bind}
    read = frozenset[str]().union(*(leaves(d.value, "value") for d in step.bind))
    inits = {slot.init for slot in step.slots}
    waiting = [(d, d.value) for d in step.bind if d.name not in read or d.name in inits]
    seen: set[Expr] = set()
    while waiting:
        define, e = waiting.pop()
        if e in seen:
            continue
        seen.add(e)
        yield define, e
        if e.op == "value":
            source = defined[str(e.attr)]
            waiting.append((source, source.value))
        else:
            waiting += [(define, a) for a in (e.args[:1] if e.op == "select" else e.args)]


def never_nan(step: Step) -> frozenset[str]:
    """The bind values that are a number in every run. (A parameter is one.)"""
    looked_at = {e for _, e in checked(step)}
    return frozenset(d.name for d in step.bind if d.value in looked_at or d.value.op == "param")
