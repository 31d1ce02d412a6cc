"""Choose each block's method, with the reason in a sentence; `with solver` takes precedence.

    block %i_s, %v constant                ->  block %i_s, %v constant method exact
"""

from __future__ import annotations

from dataclasses import replace

from birc.errors import BircError, Span
from birc.ir.expr import Expr, leaves
from birc.ir.model import Block, Model
from birc.ir.options import SOLVERS
from birc.passes.classify_odes import linearity

REASONS = {
    "constant": "linear with constant coefficients: solved exactly",
    "affine": "each equation is affine in its own variable: exponential steps in sequence",
    "nonlinear": "nonlinear: classical Runge-Kutta of order 4 on the whole component",
}
DEFAULTS = {"constant": "exact", "affine": "exponential", "nonlinear": "rk4"}


def run(model: Model) -> Model:
    """Give every block a method. Raises N122 for a method that is none, L102 for one that cannot work for its block."""
    overrides = _overrides(model)
    rates = {o.state: o.rhs for o in model.odes}
    blocks: list[Block] = []
    for block in model.blocks:
        rest = tuple(s for s in block.states if s not in overrides)
        for method in dict.fromkeys(m for m, _ in overrides.values()):
            named = tuple(s for s in block.states if s in overrides and overrides[s][0] == method)
            if named:
                blocks.append(_chosen(model, named, method, overrides[named[0]][1], rates))
        if rest:
            kind = block.linearity if rest == block.states else linearity(model, rest, rates)
            method = DEFAULTS[kind]
            blocks.append(Block(_sequence(model, rest, method), kind, method, REASONS[kind]))
    return model if tuple(blocks) == model.blocks else replace(model, blocks=tuple(blocks))


def _overrides(model: Model) -> dict[str, tuple[str, Span | None]]:
    """The method asked for, by state; a later line wins."""
    found: dict[str, tuple[str, Span | None]] = {}
    for option in model.options:
        if option.kind != "solver":
            continue
        if option.name not in SOLVERS:
            raise BircError("N122", f"there is no solver `{option.name}`", option.span, f"solvers: {', '.join(SOLVERS)}")
        for state in option.targets or [o.state for o in model.odes]:
            found[state] = option.name, option.span
    return found


def _chosen(model: Model, states: tuple[str, ...], method: str, span: Span | None, rates: dict[str, Expr]) -> Block:
    kind = linearity(model, states, rates)
    names = ", ".join(f"`{s}`" for s in states)
    if method == "exact" and kind != "constant":
        reason = "its equations are not linear with constant coefficients"
        raise BircError("L102", f"solver exact cannot work for {names}: {reason}", span, "leave it to the compiler, or take rk4")
    if method == "exponential" and kind == "nonlinear":
        reason = "an equation is not affine in its own variable"
        raise BircError("L102", f"solver exponential cannot work for {names}: {reason}", span, "leave it to the compiler, or take rk4")
    return Block(_sequence(model, states, method), kind, method, f"{method}, because the model says so")


def _sequence(model: Model, states: tuple[str, ...], method: str) -> tuple[str, ...]:
    """The order of exponential steps: first gates and their like, last what the spike condition reads."""
    if method != "exponential":
        return states
    tested = leaves(model.spike.condition, "var") if model.spike else frozenset()
    gates = {s.name for s in model.states if s.gate}
    return tuple(sorted(states, key=lambda s: (s in tested, s not in gates)))
