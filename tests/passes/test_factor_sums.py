"""`factor-sums`: polynomials in Horner's form."""

from __future__ import annotations

import pytest

from birc.ir.expr import Expr, const, op, topo, value
from birc.passes.factor_sums import factored
from tests.conftest import Golden
from tests.passes.programs import text_around

TEXT = """
neuron Cell:
    param a = 3
    state v = 1
    v' = (0.5 * v^3 - a * v^2 + 2 * v + 1) / (1 ms)
    with solver euler on v
"""
BOUND = frozenset(("a", "b"))
A, B = value("a"), value("b")
X, Y = value("x"), value("y")
SQUARE = op("mul", X, X)


def test_text(golden: Golden) -> None:
    text = text_around(TEXT, "factor-sums")
    golden.check("golden/passes/factor_sums.txt", text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (op("add", op("mul", A, SQUARE), op("mul", B, X)), op("mul", op("add", op("mul", A, X), B), X)),
        (op("sub", op("mul", X, A), op("mul", SQUARE, B)), op("mul", op("sub", A, op("mul", X, B)), X)),
        (op("add", op("mul", A, X), op("mul", B, X)), op("mul", op("add", A, B), X)),
        (op("add", SQUARE, op("mul", A, X)), op("mul", op("add", X, A), X)),
    ],
    ids=str,
)
def test_common_factors(before: Expr, after: Expr) -> None:
    assert factored(before, BOUND) is after


def test_a_cubic_has_three_products() -> None:
    cube = op("mul", X, op("mul", X, X))
    sum_ = op("add", op("add", op("mul", A, cube), op("mul", B, op("mul", X, X))), op("mul", const(2.0), X))
    found = factored(sum_, BOUND)
    assert sum(e.op == "mul" for e in topo(found)) == 3


@pytest.mark.parametrize(
    "e",
    [
        op("add", op("mul", A, X), op("mul", A, Y)),  # a fixed factor in common saves nothing that matters
        op("add", op("mul", X, Y), op("mul", X, X)),  # nothing fixed
        op("add", op("mul", op("mul", A, X), Y), op("mul", op("mul", A, X), X)),
    ],
    ids=str,
)
def test_left_alone(e: Expr) -> None:
    assert factored(e, BOUND) is e
