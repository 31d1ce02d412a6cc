"""`expand-powers`: small whole powers are products, the same bits everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from birc.ir.evaluate import evaluate_names
from birc.ir.expr import const, op, topo, var
from birc.passes.expand_powers import LARGEST, expand
from tests.conftest import Golden
from tests.passes.programs import text_around

TEXT = """
neuron Cell:
    param p = 2.5
    state v = 1
    v' = (v^4 - v^3 + v^-2 + v^0.5 - v^p - v^2.5 - v^17) / (1 ms)
"""

X = var("x")


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/expand_powers.txt", text_around(TEXT, "expand-powers"))


@pytest.mark.parametrize("n", range(-LARGEST, LARGEST + 1))
def test_whole_powers(n: int) -> None:
    product = expand(op("pow", X, const(float(n))))
    assert product is not None
    assert {e.op for e in topo(product)} <= {"mul", "div", "const", "var"}
    x = np.array([-1.7, 0.3, 1.0, 2.5])
    np.testing.assert_allclose(evaluate_names(product, {"x": x}), x ** float(n), rtol=1e-14)
    assert sum(e.op == "mul" for e in topo(product)) <= 2 * abs(n).bit_length()


@pytest.mark.parametrize("n", [17.0, -17.0, 2.5, float("inf"), float("nan")])
def test_left_alone(n: float) -> None:
    assert expand(op("pow", X, const(n))) is None
