"""Let inner stages of a solver see a variable at most at the threshold that resets it.

Where a right-hand side grows without bound above the threshold (AdEx, EIF, QIF, Izhikevich), a stage that shoots past it would spoil
the other states. Only methods with inner stages are affected, and only while the variable is held or free to fire.

    spike level { ge %v, %v_peak } reset { set %v, … }     ->  guard %v at %v_peak
"""

from __future__ import annotations

from dataclasses import replace

from birc.ir.expr import Expr, depends, is_const, topo
from birc.ir.model import Guard, Model
from birc.ir.solvers import SOLVERS


def run(model: Model) -> Model:
    """Add the guard, where the model has a level threshold that resets a variable with superlinear growth."""
    spike, refractory = model.spike, model.refractory
    if spike is None or spike.mode != "level":
        return model
    found = threshold(spike.condition)
    if found is None:
        return model
    state, limit = found
    resets = any(u.target == state for u in spike.body)
    held = refractory is None or state in refractory.hold
    guarded = [b for b in model.blocks if state in b.states and SOLVERS[b.method].guarded]
    grows = any(o.state == state and superlinear(o.rhs, state) for o in model.odes)
    if not (resets and held and guarded and grows):
        return model
    return replace(model, guards=(Guard(state, limit, spike.span),))


def threshold(condition: Expr) -> tuple[str, Expr] | None:
    """(state, limit) of a condition `state >= limit` (or `>`, or turned round) whose limit is free of the state."""
    match condition.op, condition.args:
        case (("ge" | "gt"), (Expr("var", attr=str(name)), limit)) if not depends(limit, {name}):
            return name, limit
        case (("le" | "lt"), (limit, Expr("var", attr=str(name)))) if not depends(limit, {name}):
            return name, limit
        case _:
            return None


def superlinear(e: Expr, name: str) -> bool:
    """Whether `e` can grow faster than linearly in a variable: by degree, with exponentials beyond any degree."""
    degrees: dict[Expr, float] = {}
    for node in topo(e):
        degrees[node] = _degree(node, name, [degrees[a] for a in node.args])
    return degrees[e] > 1


def _degree(e: Expr, name: str, args: list[float]) -> float:
    match e.op:
        case "var":
            return 1.0 if e.attr == name else 0.0
        case "mul":
            return sum(args)
        case "pow" if is_const(e.args[1]) and isinstance(e.args[1].attr, float):
            return args[0] * max(e.args[1].attr, 0.0)
        case "exp" | "expm1" | "sinh" | "cosh" | "pow" | "exprel":
            return float("inf") if any(args) else 0.0
        case "tanh" | "sigmoid" | "sin" | "cos" | "heaviside":
            return 0.0
        case "div":
            return args[0]
        case _:
            return max(args, default=0.0)
