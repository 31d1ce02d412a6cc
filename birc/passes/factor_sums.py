"""Take what two products of the flow have in common out of their sum, as in Horner's form of a polynomial.

    add (mul 0.04, (mul %v, %v)), (mul 5.0, %v)   ->  mul (add (mul 0.04, %v), 5.0), %v

Only where nothing but fixed factors is left of one of them, so that a multiplication is saved. The last bits change, for every target
alike. What an expression uses more than once stays whole.
"""

from __future__ import annotations

from collections import Counter
from functools import reduce

from birc.ir.expr import Expr, op, rebuild, topo
from birc.ir.step import Step
from birc.passes.expressions import is_fixed, map_flow


def run(step: Step) -> Step:
    """Factor sums and differences of two products until none is left."""
    bound = frozenset(d.name for d in step.bind)

    return map_flow(step, lambda e: factored(e, bound))


def factored(root: Expr, bound: frozenset[str]) -> Expr:
    """The expression with its sums factored, where `bound` names what is fixed."""
    while (new := _sweep(root, bound)) is not root:
        root = new
    return root


def _sweep(root: Expr, bound: frozenset[str]) -> Expr:
    """Factor each sum whose parts are as they were."""
    users = Counter(a for node in topo(root) for a in node.args)
    done: dict[Expr, Expr] = {}
    for node in topo(root):
        new = rebuild(node, tuple(done[a] for a in node.args))
        done[node] = (_factored(node, users, bound) if new is node and node.op in ("add", "sub") else None) or new
    return done[root]


def _factored(node: Expr, users: Counter[Expr], bound: frozenset[str]) -> Expr | None:
    """(left + right) * common, where that saves a multiplication."""
    if not all(a.op == "mul" and users[a] == 1 for a in node.args):
        return None
    left, right = (_factors(a, users) for a in node.args)
    common = [e for e in (Counter(left) & Counter(right)).elements() if not is_fixed(e, bound)]
    for e in common:
        left.remove(e)
        right.remove(e)
    if not (common and left and right and any(all(is_fixed(e, bound) for e in rest) for rest in (left, right))):
        return None
    return _product([op(node.op, _product(left), _product(right)), *common])


def _factors(e: Expr, users: Counter[Expr]) -> list[Expr]:
    """The factors of a product, in their order."""
    found, stack = [], list(reversed(e.args))
    while stack:
        part = stack.pop()
        if part.op == "mul" and users[part] == 1:
            stack.extend(reversed(part.args))
        else:
            found.append(part)
    return found


def _product(factors: list[Expr]) -> Expr:
    return reduce(lambda a, b: op("mul", a, b), factors)
