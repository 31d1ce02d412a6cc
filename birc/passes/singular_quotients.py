"""Rewrite x / (1 - exp(-x)) and its relatives, which are 0/0 at a point, by `exprel`, which is smooth there.

    div %x, (sub 1.0, (exp (neg %x)))      ->  div 1.0, (exprel (neg %x))

exprel(y) = (exp(y) - 1) / y. With a numerator n and an exponent y that vanish together, n = r * y for a ratio r without y, and
n / (exp(y) - 1) = r / exprel(y) (Hendrix et al. 2021 describe the problem in cardiac models).
"""

from __future__ import annotations

from birc.ir.expr import Expr, const, depends, op, rewrite
from birc.ir.linear import ONE, div, mul, neg
from birc.ir.model import Model
from birc.passes.expressions import map_model


def run(model: Model) -> Model:
    """Rewrite the singular quotients of a model."""
    varying = frozenset(x.name for x in (*model.states, *model.inputs))
    return map_model(model, lambda e: rewrite(e, lambda node: remove(node, varying)))


def remove(e: Expr, varying: frozenset[str]) -> Expr | None:
    """One rewrite at the root of `e`: a quotient whose denominator is ±(exp(y) - 1)."""
    if e.op != "div":
        return None
    numerator, denominator = e.args
    found = _exp_minus_one(denominator)
    if found is None:
        return None
    y, sign = found
    ratio = _ratio(numerator, y, varying)
    if ratio is None:
        return None
    return op("div", ratio if sign > 0 else neg(ratio), op("exprel", y))


def _exp_minus_one(e: Expr) -> tuple[Expr, int] | None:
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
            found = _exp_minus_one(inner)
            return None if found is None else (found[0], -found[1])
        case _:
            return None


def _ratio(numerator: Expr, y: Expr, varying: frozenset[str]) -> Expr | None:
    """r with numerator = r * y, or None: both are a constant factor times the same varying core."""
    factor_n, core_n = _split(numerator, varying)
    factor_y, core_y = _split(y, varying)
    scale = _same(core_n, core_y)
    return None if scale is None else mul(div(factor_n, factor_y), scale)


def _split(e: Expr, varying: frozenset[str]) -> tuple[Expr, Expr]:
    """(factor, core): e = factor * core, the factor free of what varies."""
    factor = ONE
    while True:
        match e.op, e.args:
            case "neg", (x,):
                factor, e = neg(factor), x
            case "div", (x, d) if not depends(d, varying):
                factor, e = div(factor, d), x
            case "mul", (a, b) if not depends(a, varying):
                factor, e = mul(factor, a), b
            case "mul", (a, b) if not depends(b, varying):
                factor, e = mul(factor, b), a
            case _:
                return factor, e


def _same(a: Expr, b: Expr) -> Expr | None:
    """1 or -1 with a = scale * b, by structure; sums are compared as linear forms of their terms."""
    if a is b:
        return ONE
    terms_a, terms_b = _terms(a), _terms(b)
    if terms_a == terms_b:
        return ONE
    return const(-1.0) if terms_a == {t: -n for t, n in terms_b.items()} else None


def _terms(e: Expr) -> dict[Expr, float]:
    """A sum as its terms with multiplicity; literals are gathered under the literal 1."""
    found: dict[Expr, float] = {}
    stack = [(e, 1.0)]
    while stack:
        node, sign = stack.pop()
        match node.op, node.args:
            case "add", (x, y):
                stack += [(x, sign), (y, sign)]
            case "sub", (x, y):
                stack += [(x, sign), (y, -sign)]
            case "neg", (x,):
                stack.append((x, -sign))
            case "const", () if isinstance(node.attr, float):
                found[ONE] = found.get(ONE, 0.0) + sign * node.attr
            case _:
                found[node] = found.get(node, 0.0) + sign
    return {t: n for t, n in found.items() if n != 0.0}
