"""Apply a function to every expression of a model or step: what a pass that rewrites expressions is made of."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any

from birc.ir.expr import Expr, topo
from birc.ir.model import Model, Range, Use
from birc.ir.step import Step
from birc.units import Unit

Change = Callable[[Expr], Expr]


def map_model(model: Model, change: Change) -> Model:
    """The model with every expression changed; the same object if none was."""
    result: Model = map_any(model, change)
    return result


def map_step(step: Step, change: Change, *, bind: bool = True) -> Step:
    """The step with every expression of its phases (and of `bind`) changed; the same object if none was."""
    phases = map_any(step.phases, change)
    bound = map_any(step.bind, change) if bind else step.bind
    return step if phases is step.phases and bound is step.bind else replace(step, phases=phases, bind=bound)


def is_fixed(e: Expr, bound: Container[str]) -> bool:
    """Whether `e` has its value before the run: its leaves are literals and bind values."""
    return all(n.args or n.op == "const" or (n.op == "value" and str(n.attr) in bound) for n in topo(e))


def map_flow(step: Step, change: Change) -> Step:
    """The step with every expression of its flow changed; the same object if none was."""
    phases = tuple(map_any(phase, change) if phase.name == "flow" else phase for phase in step.phases)
    return replace(step, phases=phases) if any(a is not b for a, b in zip(phases, step.phases, strict=True)) else step


def map_any(x: Any, change: Change) -> Any:
    """Rebuild dataclasses and tuples around changed expressions, keeping what did not change."""
    if isinstance(x, Expr):
        return change(x)
    if isinstance(x, tuple):
        items = tuple(map_any(i, change) for i in x)
        return x if all(a is b for a, b in zip(items, x, strict=True)) else items
    if isinstance(x, (Use, Unit, Range)):
        return x  # a used channel is inlined first; units and ranges hold no expressions
    fields = getattr(x, "__dataclass_fields__", None)
    if fields is None or type(x).__module__ not in ("birc.ir.model", "birc.ir.step"):
        return x
    changed = {n: new for n in fields if (new := map_any(old := getattr(x, n), change)) is not old}
    return replace(x, **changed) if changed else x
