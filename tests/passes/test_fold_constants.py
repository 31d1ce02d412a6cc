"""`fold-constants`: operations on literals become literals, to the bit what running them gives."""

from __future__ import annotations

import math

import pytest

from birc.ir.expr import Expr, const, op, rewrite, var
from birc.passes.fold_constants import fold
from tests.conftest import Golden
from tests.passes.programs import text_around

TEXT = """
neuron Cell:
    state v = 2 * 3
    v' = (2 * 3 * v + exp(0) - min(1, 2)) / (4 ms / 2)
    spike when v > sqrt(16) and 1 < 2: v = -(-1)
"""


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/fold_constants.txt", text_around(TEXT, "fold-constants"))


@pytest.mark.parametrize(("e", "value"), [
    (op("add", const(0.1), const(0.2)), 0.1 + 0.2),
    (op("neg", const(0.0)), -0.0),
    (op("exp", const(1.0)), math.e),
    (op("gt", const(1.0), const(2.0)), False),
    (op("select", const(True), const(1.0), const(2.0)), 1.0),
    (op("floor", const(-0.5)), -1.0),
    (op("sub", const(3), const(4)), -1),
])  # fmt: skip
def test_folded(e: Expr, value: float | bool) -> None:
    assert fold(e) is const(value)


@pytest.mark.parametrize("e", [
    op("div", const(1.0), const(0.0)),
    op("log", const(-1.0)),
    op("exp", const(1000.0)),
    op("steps", const(1.0), const(0.1)),
    op("add", var("x"), const(1.0)),
    var("x"),
    const(1.0),
])  # fmt: skip
def test_left_alone(e: Expr) -> None:
    assert rewrite(e, fold) is e
