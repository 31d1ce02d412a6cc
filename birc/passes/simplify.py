"""Drop neutral elements and decided choices; every value stays the same bits.

    mul %x, 1.0                            ->  %x
    select true, %a, %b                    ->  %a
"""

from __future__ import annotations

from math import copysign

from birc.ir.expr import Expr, is_const, op, rewrite
from birc.ir.model import Model
from birc.passes.expressions import map_model


def run(model: Model) -> Model:
    """Simplify every expression of a model."""
    return map_model(model, lambda e: rewrite(e, simplify))


def simplify(e: Expr) -> Expr | None:
    """One simplification at the root of `e`, to the bit: `0 * x` stays, as x may be infinite, and so does `x + 0`, as x may be -0."""
    match e.op, e.args:
        case "sub", (x, Expr("const", attr=float(zero))) if zero == 0.0 and copysign(1.0, zero) > 0:
            return x
        case ("mul", (x, Expr("const", attr=float(1.0)))) | ("mul", (Expr("const", attr=float(1.0)), x)):
            return x
        case "div", (x, Expr("const", attr=float(1.0))):
            return x
        case ("mul", (x, Expr("const", attr=float(-1.0)))) | ("mul", (Expr("const", attr=float(-1.0)), x)):
            return op("neg", x)
        case "neg", (Expr("neg", (x,)),):
            return x
        case "add", (x, Expr("neg", (y,))):
            return op("sub", x, y)
        case "sub", (x, Expr("neg", (y,))):
            return op("add", x, y)
        case "not", (Expr("not", (x,)),):
            return x
        case "select", (Expr("const", attr=bool(choice)), a, b):
            return a if choice else b
        case "select", (_, a, b) if a is b:
            return a
        case (("and" | "or"), (a, b)):
            return _logic(e.op, a, b)
        case (("min" | "max"), (a, b)) if a is b:
            return a
        case _:
            return None


def _logic(name: str, a: Expr, b: Expr) -> Expr | None:
    for x, other in ((a, b), (b, a)):
        if is_const(x) and isinstance(x.attr, bool):
            decides = x.attr is (name == "or")
            return x if decides else other
    return None
