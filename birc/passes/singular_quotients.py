"""Rewrite x / (1 - exp(-x)) and its relatives, which are 0/0 at a point, by `exprel`, which is smooth there.

    div %x, (sub 1.0, (exp (neg %x)))      ->  div 1.0, (exprel (neg %x))

exprel(y) = (exp(y) - 1) / y. Where a factor f of the numerator and the exponent y of the denominator vanish together, f = r * y with a
ratio r free of what varies, and f / (exp(y) - 1) = r / exprel(y) (Hendrix et al. 2021 describe the problem in cardiac models).
(exp(y) - 1) / f is exprel(y) / r likewise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce

from birc.ir.expr import Expr, const, depends, op, rewrite, topo
from birc.ir.linear import ONE, mul, neg
from birc.ir.model import Model
from birc.passes.expressions import map_model
from birc.passes.fold_constants import fold
from birc.passes.simplify import simplify

Product = tuple[list[Expr], list[Expr]]
"""Factors above and below the line."""
MOST_FACTORS = 64
"""A longer product is left alone."""


def run(model: Model) -> Model:
    """Rewrite the singular quotients of a model."""
    varying = {s.name for s in model.states} | {i.name for i in model.inputs} | {h.payload for h in model.handlers if h.payload}
    return map_model(model, lambda e: rewrite(e, lambda node: remove(node, frozenset(varying))))


def remove(e: Expr, varying: frozenset[str]) -> Expr | None:
    """One rewrite at the root of `e`, a quotient with exp(y) - 1 on one side and a multiple of y on the other."""
    if e.op != "div":
        return None
    above, below = e.args
    for factor in _factors(below)[0]:
        found = exp_minus_one(factor)
        changed = found and _cancel(e, above, found, factor, varying)
        if changed:
            return changed
    core = _split(above, varying)[2]
    found = exp_minus_one(core)
    return None if found is None else _cancel(e, below, found, core, varying)


def _cancel(e: Expr, side: Expr, found: tuple[Expr, int], singular: Expr, varying: frozenset[str]) -> Expr | None:
    """The quotient with `singular` = sign * (exp(y) - 1) and a factor r * y of the other `side` replaced by sign * exprel(y) and r."""
    y, sign = found
    for factor in _factors(side)[0]:
        r = _ratio(factor, y, varying)
        if r is not None:
            above, below = _factors(e)
            ratio = rewrite(r if sign > 0 else neg(r), fold, simplify)
            changed = {factor: ratio, singular: op("exprel", y)}
            return _quotient([_once(above, changed), _once(below, changed)])
    return None


def _once(factors: list[Expr], changed: dict[Expr, Expr]) -> list[Expr]:
    """The factors with the first of each that changes replaced."""
    left = dict(changed)
    return [left.pop(f, f) for f in factors]


def _quotient(sides: list[list[Expr]]) -> Expr:
    above, below = (reduce(_times, side, ONE) for side in sides)
    return above if below is ONE else op("div", above, below)


def _times(a: Expr, b: Expr) -> Expr:
    product = mul(a, b)
    return fold(product) or product


def _factors(e: Expr) -> Product:
    """A product or quotient as its factors, in order; the sign of a negated product is the factor -1."""
    sides: Product = ([], [])
    stack = [(e, 0)]
    while stack:
        if len(sides[0]) + len(sides[1]) + len(stack) > MOST_FACTORS:
            return [e], []
        node, side = stack.pop()
        match node.op, node.args:
            case "mul", (a, b):
                stack += [(b, side), (a, side)]
            case "div", (a, b):
                stack += [(b, 1 - side), (a, side)]
            case "neg", (x,) if x.op in ("mul", "div", "neg"):
                sides[side].append(const(-1.0))
                stack.append((x, side))
            case _:
                sides[side].append(node)
    return sides


def exp_minus_one(e: Expr) -> tuple[Expr, int] | None:
    """(y, sign) with e = sign * (exp(y) - 1)."""
    match e.op, e.args:
        case "sub", (Expr("exp", (y,)), Expr("const", attr=1.0)):
            return y, 1
        case "sub", (Expr("const", attr=1.0), Expr("exp", (y,))):
            return y, -1
        case "add", (Expr("exp", (y,)), Expr("const", attr=-1.0)) | (Expr("const", attr=-1.0), Expr("exp", (y,))):
            return y, 1
        case "expm1", (y,):
            return y, 1
        case "neg", (inner,):
            found = exp_minus_one(inner)
            return None if found is None else (found[0], -found[1])
        case _:
            return None


def _ratio(f: Expr, y: Expr, varying: frozenset[str]) -> Expr | None:
    """r with f = r * y, or None: both are constant factors times proportional cores."""
    if not depends(y, varying):
        return None
    above_f, below_f, core_f = _split(f, varying)
    above_y, below_y, core_y = _split(y, varying)
    scale = 1.0 if core_f is core_y else proportion(terms(core_f), terms(core_y))
    if scale is None:
        return None
    above, below = mul(mul(const(scale), above_f), below_y), mul(below_f, above_y)
    return above if below is ONE else op("div", above, below)


def _split(e: Expr, varying: frozenset[str]) -> tuple[Expr, Expr, Expr]:
    """(above, below, core): e = above / below * core, neither with anything that varies."""
    above = below = ONE
    while True:
        match e.op, e.args:
            case "neg", (x,):
                above, e = neg(above), x
            case "div", (x, d) if not depends(d, varying):
                below, e = mul(below, d), x
            case "mul", (a, b) if not depends(a, varying):
                above, e = mul(above, a), b
            case "mul", (a, b) if not depends(b, varying):
                above, e = mul(above, b), a
            case _:
                return above, below, e


def proportion(a: Mapping[Expr, float], b: Mapping[Expr, float]) -> float | None:
    """q with a = q * b, both as sums of the same terms with literal coefficients, up to their rounding."""
    if a.keys() != b.keys() or not a:
        return None
    quotients = [a[t] / b[t] for t in a]
    return quotients[0] if all(math.isclose(q, quotients[0], rel_tol=1e-15, abs_tol=0.0) for q in quotients) else None


def terms(e: Expr) -> dict[Expr, float]:
    """A sum as its terms with their literal coefficients; literals are gathered under the literal 1."""
    found: dict[Expr, float] = {}
    weights = {e: 1.0}
    for node in reversed(list(topo(e))):
        weight = weights.get(node)
        if weight is None:
            continue
        match node.op, node.args:
            case "add", (x, y):
                parts = [(x, weight), (y, weight)]
            case "sub", (x, y):
                parts = [(x, weight), (y, -weight)]
            case "neg", (x,):
                parts = [(x, -weight)]
            case ("mul", (Expr("const", attr=float(c)), x)) | ("mul", (x, Expr("const", attr=float(c)))):
                parts = [(x, weight * c)]
            case "div", (x, Expr("const", attr=float(c))) if c:
                parts = [(x, weight / c)]
            case "const", () if isinstance(node.attr, float):
                found[ONE] = found.get(ONE, 0.0) + weight * node.attr
                parts = []
            case _:
                found[node] = weight
                parts = []
        for part, change in parts:
            weights[part] = weights.get(part, 0.0) + change
    return {t: n for t, n in found.items() if n != 0.0}
