"""Symbolic derivatives of expressions, by the chain rule over the partial derivatives in the table of operations.

They hold wherever the expression is differentiable, that is almost everywhere: a `select` passes the derivative of the branch it takes,
`min` and `max` that of the argument they return, `floor` and `heaviside` none. Truths and counts have derivative 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from birc.ir.expr import Expr, make, op, topo
from birc.ir.linear import ONE, ZERO, add, div, mul
from birc.ir.ops import OPS


def derivative(e: Expr, leaf: Expr) -> Expr:
    """de/dleaf, forwards through the graph; structural zeros are left out, so that one that does not depend is the literal 0."""
    found: dict[Expr, Expr] = {}
    for node in topo(e):
        total = ONE if node is leaf else ZERO
        if any(found[a] is not ZERO for a in node.args):
            for a, partial in zip(node.args, partials(node), strict=True):
                total = add(total, chain(partial, found[a]))
        found[node] = total
    return found[e]


def jacobian(rates: Sequence[Expr], states: Sequence[str], leaf: str = "value") -> tuple[tuple[Expr, ...], ...]:
    """Row i, column j: the derivative of rate i by the leaf (`value` or `var`) called after state j."""
    return tuple(tuple(derivative(rate, make(leaf, (), state)) for state in states) for rate in rates)


def partials(node: Expr) -> tuple[Expr, ...]:
    """The derivatives of an operation by its arguments, as expressions in these; zeros where the table has none."""
    row = OPS.get(node.op)
    return row.partials(*node.args) if row is not None and row.partials is not None else (ZERO,) * len(node.args)


def chain(partial: Expr, inner: Expr) -> Expr:
    """partial * inner. What a `select` leaves out is left out of the product, so that an infinite `inner` does no harm there."""
    if inner is ZERO:
        return ZERO
    if partial.op == "select":
        condition, a, b = partial.args
        if ZERO in (a, b):
            return op("select", condition, chain(a, inner), chain(b, inner))
    if partial.op == "div" and partial.args[0] is ONE:
        return div(inner, partial.args[1])
    return mul(partial, inner)
