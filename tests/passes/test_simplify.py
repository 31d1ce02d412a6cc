"""`simplify`: neutral elements go, and nothing else."""

from __future__ import annotations

import pytest

from birc.ir.expr import Expr, const, op, var
from birc.passes.simplify import simplify
from tests.conftest import Golden
from tests.passes.programs import text_around

TEXT = """
neuron Cell:
    param other = 1
    state v = 0
    v' = (1 * v - (-v) + (if true then v / 1 else other)) / (1 ms)
    spike when not (not (v > 1)) and true: v = -(-v)
"""

X, Y, P, Q = var("x"), var("y"), op("gt", var("x"), const(0.0)), op("gt", var("y"), const(0.0))


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/simplify.txt", text_around(TEXT, "simplify"))


@pytest.mark.parametrize(("e", "simple"), [
    (op("mul", X, const(1.0)), X),
    (op("mul", const(1.0), X), X),
    (op("div", X, const(1.0)), X),
    (op("mul", const(-1.0), X), op("neg", X)),
    (op("sub", X, const(0.0)), X),
    (op("neg", op("neg", X)), X),
    (op("add", X, op("neg", Y)), op("sub", X, Y)),
    (op("sub", X, op("neg", Y)), op("add", X, Y)),
    (op("select", const(False), X, Y), Y),
    (op("select", P, X, X), X),
    (op("and", P, const(True)), P),
    (op("and", const(False), P), const(False)),
    (op("or", P, const(True)), const(True)),
    (op("or", const(False), Q), Q),
    (op("not", op("not", P)), P),
    (op("min", X, X), X),
])  # fmt: skip
def test_simplified(e: Expr, simple: Expr) -> None:
    assert simplify(e) is simple


@pytest.mark.parametrize("e", [
    op("mul", X, const(0.0)),  # x may be infinite
    op("add", X, const(0.0)),  # x may be -0
    op("sub", X, const(-0.0)),
    op("sub", const(0.0), X),
    op("sub", X, X),
    op("div", X, X),
    op("add", X, const(1.0)),
    op("and", P, Q),
    op("min", X, Y),
])  # fmt: skip
def test_left_alone(e: Expr) -> None:
    assert simplify(e) is None
