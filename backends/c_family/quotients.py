"""Divide once where an `exprel` is divided by, as in the rates of Hodgkin and Huxley: exprel(x) is itself a quotient.

%a = div 0.1, (exprel %x)              ->  %a = mul 0.1, (select (eq %x, 0.0), 1.0, (div %x, (expm1 %x)))
"""

from __future__ import annotations

from collections import Counter

from birc.backends.c_family.statements import change_statements
from birc.backends.legality import expressions
from birc.ir.expr import Expr, const, is_const, op, rebuild, topo
from birc.ir.step import Step


def turn_quotients(step: Step) -> Step:
    """The same program, but for the last bits; the same object where nothing is divided by an `exprel` that is used only there.

    Bodies of deliveries stay as they are.
    """
    roots = [e for _, statement in step.statements() for e, _ in expressions(statement)]
    users = Counter(a for node in topo(*roots) for a in node.args) + Counter(roots)
    return change_statements(step, lambda root: _turn(root, users))


def _turn(root: Expr, users: Counter[Expr]) -> Expr:
    done: dict[Expr, Expr] = {}
    for node in topo(root):
        match node:
            case Expr("div", (a, Expr("exprel", (x,)) as below)) if users[below] == 1:
                x = done[x]
                inverse = op("select", op("eq", x, const(0.0)), const(1.0), op("div", x, op("expm1", x)))
                done[node] = inverse if is_const(a, 1.0) else op("mul", done[a], inverse)
            case _:
                done[node] = rebuild(node, tuple(done[a] for a in node.args))
    return done[root]
