"""Move what depends on parameters only out of the step, to be computed once when parameters are bound.

    flow { %v.1 = mul (exp (div %.h, %tau_m)), %v }    ->   bind { %.c0 = exp … }  flow { %v.1 = mul %.c0, %v }
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from birc.ir.expr import Expr, rebuild, topo, value
from birc.ir.step import Define, Step
from birc.passes.expressions import map_step


def run(step: Step) -> Step:
    """Hoist every maximal subexpression of the phases whose leaves are literals and bind values."""
    bound = {d.name for d in step.bind}
    known = {d.value: d.name for d in step.bind if d.value.args}
    new: list[Define] = []
    fresh = (name for i in count() if (name := f".c{i}") not in bound)

    def fixed(e: Expr, constant: dict[Expr, bool]) -> bool:
        if e.op == "value":
            return e.attr in bound
        if e.op == "const":
            return True
        return bool(e.args) and all(constant[a] for a in e.args)

    def change(root: Expr) -> Expr:
        constant: dict[Expr, bool] = {}
        done: dict[Expr, Expr] = {}
        for node in topo(root):
            constant[node] = fixed(node, constant)
            done[node] = node if constant[node] else rebuild(node, tuple(named(a, constant, done) for a in node.args))
        return named(root, constant, done)

    def named(e: Expr, constant: dict[Expr, bool], done: dict[Expr, Expr]) -> Expr:
        """The argument, or the bind value that stands for it."""
        if not constant[e] or not e.args:
            return done[e]
        if e not in known:
            known[e] = next(fresh)
            new.append(Define(known[e], e))
        return value(known[e])

    changed = map_step(step, change, bind=False)
    return replace(changed, bind=step.bind + tuple(new)) if changed is not step else step
