"""Group the ODEs into strongly connected components and say what each is, by structure.

    ode %v { … -v/tau_m … }                ->  block %v constant
    ode %m, %h, %n, %v (Hodgkin–Huxley)    ->  block %m, %h, %n, %v affine
"""

from __future__ import annotations

from dataclasses import replace

from birc.ir.expr import Expr, leaves
from birc.ir.graph import components, reads
from birc.ir.linear import linear_form
from birc.ir.model import Block, Linearity, Model


def run(model: Model) -> Model:
    """Fill `blocks`: components in an order in which what is read comes before who reads it."""
    if not model.odes:
        return model
    rates = {o.state: o.rhs for o in model.odes}
    found = components([o.state for o in model.odes], reads(model))
    return replace(model, blocks=tuple(Block(states, linearity(model, states, rates)) for states in found))


def linearity(model: Model, states: tuple[str, ...], rates: dict[str, Expr]) -> Linearity:
    """What the equations of `states` are in these states."""
    fixed = bind_time(model)
    names = frozenset(states)
    forms = [linear_form(rates[s], names) for s in states]
    if all(f is not None and all(leaves(c, "var") <= fixed for c in f.coefficients.values()) for f in forms):
        return "constant"
    own = [linear_form(rates[s], frozenset({s})) for s in states]
    if all(f is not None for f in own):
        return "affine"
    return "nonlinear"


def bind_time(model: Model) -> frozenset[str]:
    """Names that are numbers once parameters are bound."""
    return frozenset({p.name for p in model.params} | {"elapsed"})
