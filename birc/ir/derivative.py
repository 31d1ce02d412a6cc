"""Symbolic derivatives of expressions, by the chain rule over the partial derivatives in the table of operations.

They hold wherever the expression is differentiable, that is almost everywhere: a `select` passes the derivative of the branch it takes,
`min` and `max` that of the argument they return, `floor` and `heaviside` none. Truths and counts have derivative 0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from birc.ir.expr import Expr, make, op, topo
from birc.ir.linear import ONE, ZERO, add, div, mul
from birc.ir.ops import OPS, make_entry


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


def backwards(root: Expr, bar: Expr, moving: Collection[Expr]) -> Iterator[tuple[Expr, Expr]]:
    """Each node below `root` that depends on a `moving` leaf, root first, with its adjoint, where that of `root` is `bar`."""
    order = list(topo(root))
    through: set[Expr] = set()
    for node in order:
        if node in moving or any(a in through for a in node.args):
            through.add(node)
    found: dict[Expr, Expr] = {root: bar}
    for node in reversed(order):
        if node not in found or node not in through:
            continue
        yield node, found[node]
        for a, partial in zip(node.args, partials(node), strict=True):
            if a in through:
                part = chain(partial, found[node])
                found[a] = add(found[a], part) if a in found else part


def jacobian(rates: Sequence[Expr], states: Sequence[str], leaf: str = "value") -> tuple[tuple[Expr, ...], ...]:
    """Row i, column j: the derivative of rate i by the leaf (`value` or `var`) called after state j."""
    return tuple(tuple(derivative(rate, make(leaf, (), state)) for state in states) for rate in rates)


def partials(node: Expr) -> tuple[Expr, ...]:
    """The derivatives of an operation by its arguments, as expressions in these; zeros for truths and counts.

    Raises ValueError for an operation whose derivative is not known.
    """
    row = OPS.get(node.op)
    if row is None:
        return (ZERO,) * len(node.args)
    if row.partials is not None:
        return row.partials(*node.args)
    if node.op in ("propagator", "increment", "input_gain"):
        return _of_entry(node)
    if row.kind == "real" and node.op != "increment_rest":  # `increment` has the derivative of both
        raise ValueError(f"the derivative of {node.op} is not known")
    return (ZERO,) * len(node.args)


def _of_entry(node: Expr) -> tuple[Expr, ...]:
    """Derivatives of an entry of exp(A h), or of exp(A h) - 1, or of its integral over h, by h and by each entry of A.

    By an entry of A it is the upper right block of the same function of [[A, E], [0, A]], where E is 1 at that entry (Van Loan 1978).
    """
    n, i, j = (int(x) for x in str(node.attr).split(","))
    h, *matrix = node.args
    rows = [matrix[r * n : (r + 1) * n] for r in range(n)]
    if node.op == "input_gain":
        by_h = make_entry("propagator", n, i, j, h, tuple(matrix))
    else:
        by_h = ZERO
        for k in range(n):
            by_h = add(by_h, mul(rows[i][k], make_entry("propagator", n, k, j, h, tuple(matrix))))

    def block(k: int, m: int) -> tuple[Expr, ...]:
        upper = [(*rows[r], *(ONE if (r, c) == (k, m) else ZERO for c in range(n))) for r in range(n)]
        return tuple(e for row in (*upper, *((*(ZERO,) * n, *row) for row in rows)) for e in row)

    same = "propagator" if node.op == "increment" else node.op  # but for the 1 and the digits in two parts, which this block has not
    by_entries = (make_entry(same, 2 * n, i, n + j, h, block(k, m)) for k in range(n) for m in range(n))
    return by_h, *by_entries


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
