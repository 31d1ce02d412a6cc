"""Write small whole powers as products, so that they are the same bits on every target.

    pow %x, 3.0                            ->  %0 = mul %x, %x   mul %x, %0
"""

from __future__ import annotations

from birc.ir.expr import Expr, const, op, rewrite
from birc.ir.model import Model
from birc.passes.expressions import map_model

LARGEST = 16


def run(model: Model) -> Model:
    """Expand the powers of a model."""
    return map_model(model, lambda e: rewrite(e, expand))


def expand(e: Expr) -> Expr | None:
    """A whole power by repeated squaring, a negative one as a quotient, a half as a root."""
    match e.op, e.args:
        case "pow", (x, Expr("const", attr=float(n))) if n.is_integer() and abs(n) <= LARGEST:
            product = _product(x, int(abs(n)))
            return product if n >= 0 else op("div", const(1.0), product)
        case "pow", (x, Expr("const", attr=0.5)):
            return op("sqrt", x)
        case _:
            return None


def _product(x: Expr, n: int) -> Expr:
    result: Expr | None = None
    while n:
        if n & 1:
            result = x if result is None else op("mul", result, x)
        x = op("mul", x, x)
        n >>= 1
    return const(1.0) if result is None else result
