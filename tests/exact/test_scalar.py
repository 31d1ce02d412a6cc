"""Expressions as functions of floats mean what the op table means."""

from __future__ import annotations

import math

import numpy as np
import pytest

from birc.exact.scalar import FORMS, FUNCTIONS, function
from birc.ir.expr import const, make, op, var
from birc.ir.ops import OPS, TABLE, evaluate_op

EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-12, 720.0, -800.0, 1e300, math.inf, -math.inf, math.nan)
MEANT = [row.name for row in TABLE if row.user or row.name in FORMS or row.name in FUNCTIONS]


@pytest.mark.parametrize("name", [n for n in MEANT if n not in ("and", "or", "not", "select")])
def test_an_operation_gives_what_the_table_gives(name: str) -> None:
    arity = OPS[name].arity
    e = make(name, tuple(var(f"a{i}") for i in range(arity)))
    f = function([f"a{i}" for i in range(arity)], {}, [e])
    for point in np.stack(np.meshgrid(*[EDGES] * arity), axis=-1).reshape(-1, arity):
        if name == "pow" and point[0] == -math.inf and point[1] == 0.5:
            continue  # NumPy takes the square root, C's pow gives inf
        with np.errstate(all="ignore"):
            meant = evaluate_op(e, tuple(np.asarray(x) for x in point))
        np.testing.assert_allclose(float(f(point.tolist())[0]), float(meant), rtol=4e-16 if name in FORMS else 1e-14, err_msg=str(point))


def test_truths_and_choices() -> None:
    x = var("x")
    inside = op("and", op("gt", x, const(0.0)), op("not", op("ge", x, const(1.0))))
    f = function(["x"], {}, [op("select", op("or", inside, op("eq", x, const(5.0))), op("div", const(1.0), x), const(-3.0))])
    assert [f([v])[0] for v in (0.5, 0.0, 2.0, 5.0)] == [2.0, -3.0, -3.0, 0.2]


def test_parameters_are_constants_whatever_their_sign() -> None:
    f = function(["x"], {"a": -2.0, "b": math.inf}, [op("neg", var("a")), op("min", op("sub", var("x"), var("a")), var("b"))])
    assert f([1.0]) == [2.0, 3.0]
