"""Symbolic derivatives against difference quotients, for every operation alone, nested, and in the models of the library."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from birc.ir.derivative import chain, derivative, jacobian
from birc.ir.evaluate import evaluate_names
from birc.ir.expr import Expr, const, make, op, topo, value, var
from birc.ir.linear import ZERO
from birc.ir.ops import TABLE, Op
from tests.passes.programs import LIBRARY, models_around

ROWS = [row for row in TABLE if not row.bind_only]
X, Y = var("x"), var("y")


def slope(e: Expr, x: float, y: float, d: float = 1e-3) -> float:
    """de/dx by a central difference of order 6."""
    f = [float(evaluate_names(e, {"x": np.float64(x + k * d), "y": np.float64(y)})) for k in (-3, -2, -1, 1, 2, 3)]
    return (-f[0] + 9 * f[1] - 45 * f[2] + 45 * f[3] - 9 * f[4] + f[5]) / (60 * d)


def smooth(e: Expr, x: float, y: float) -> bool:
    """Whether nothing below `e` jumps, bends or leaves its domain near the point."""
    done: dict[Expr, Any] = {}
    for node in topo(e):
        with np.errstate(all="ignore"):
            done[node] = evaluate_names(node, {"x": np.float64(x), "y": np.float64(y)})
        args = [float(done[a]) for a in node.args]
        gap = 0.05
        match node.op:
            case "log" | "sqrt" | "pow" if args[0] < gap:
                return False
            case "log1p" if args[0] < gap - 1:
                return False
            case "div" if abs(args[1]) < 0.2:
                return False
            case "tan" if abs(math.cos(args[0])) < 0.3:
                return False
            case "abs" | "heaviside" if abs(args[0]) < gap:
                return False
            case "floor" if abs(args[0] - round(args[0])) < gap:
                return False
            case "min" | "max" | "lt" | "le" | "gt" | "ge" | "eq" | "ne" if abs(args[0] - args[1]) < gap:
                return False
        if not abs(float(done[node])) < 50:
            return False
    return True


def applied(row: Op, *reals: Expr) -> Expr:
    """The operation on real expressions, with truths made of them where it wants some."""
    truth = op("gt", reals[0], const(0.3))
    if row.unit == "logic":
        reals = (truth, *(op("lt", r, const(0.5)) for r in reals[1:]))
    if row.name == "select":
        reals = (op("lt", reals[0], reals[1]), reals[1], op("mul", reals[0], reals[1]))
    e = op(row.name, *reals[: row.arity])
    return op("select", e, reals[0], const(0.5)) if row.kind == "bool" and row.unit != "logic" else e


INNER = (X, op("add", op("mul", X, X), Y), op("sin", op("mul", X, Y)), op("exp", op("div", X, const(2.0))), op("sub", Y, X))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(-2, 2),
    y=st.floats(-2, 2),
    parts=st.tuples(*[st.sampled_from(INNER)] * 3),
    outer=st.sampled_from(("", "tanh", "mul", "div")),
)
def test_every_operation(row: Op, x: float, y: float, parts: tuple[Expr, ...], outer: str) -> None:
    e = applied(row, *parts)
    if row.unit == "logic":
        e = op("select", e, X, Y)
    e = e if not outer else op("tanh", e) if outer == "tanh" else op(outer, X, e)
    assume(smooth(e, x, y))
    found = float(evaluate_names(derivative(e, X), {"x": np.float64(x), "y": np.float64(y)}))
    assert found == pytest.approx(slope(e, x, y), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_derivative_of_exprel_near_its_singular_point(dtype: Any) -> None:
    x = np.concatenate([np.logspace(-12, 1, 400), -np.logspace(-12, 1, 400)])
    series = np.where(np.abs(x) < 3, sum(x**k * (k + 1) / math.factorial(k + 2) for k in range(40)), (np.exp(x) - np.expm1(x) / x) / x)
    found = evaluate_names(derivative(op("exprel", X), X), {"x": x.astype(dtype)})
    np.testing.assert_allclose(found, series, rtol=16 * np.finfo(dtype).eps)


def test_what_is_not_taken_does_no_harm() -> None:
    """The root's slope is infinite at 0, but it is not the branch taken."""
    e = op("select", op("gt", X, const(0.0)), op("sqrt", X), op("mul", const(3.0), X))
    with np.errstate(all="ignore"):
        assert evaluate_names(derivative(e, X), {"x": np.float64(0.0)}) == 3.0
        low = derivative(op("max", op("sqrt", X), const(1.0)), X)
        assert evaluate_names(low, {"x": np.float64(0.0)}) == 0.0


def test_structural_zeros() -> None:
    assert derivative(op("exp", Y), X) is ZERO
    assert derivative(op("floor", X), X) is ZERO
    assert derivative(op("mul", Y, X), X) is Y
    assert derivative(op("div", X, Y), X) is op("div", const(1.0), Y)
    assert derivative(make("normal", (), "xi:0"), X) is ZERO
    assert chain(X, ZERO) is ZERO


def test_jacobian() -> None:
    rates = (op("sub", op("mul", value("a"), value("b")), value("a")), value("b"), const(2.0))
    rows = jacobian(rates, ("a", "b", "c"))
    assert rows[1] == (ZERO, const(1.0), ZERO) and rows[2] == (ZERO,) * 3
    assert rows[0] == (op("add", value("b"), const(-1.0)), value("a"), ZERO)


@pytest.mark.parametrize("name", LIBRARY)
def test_jacobians_of_the_library(name: str) -> None:
    model = models_around(LIBRARY[name], "classify-odes")[1]
    states = [o.state for o in model.odes]
    rng = np.random.default_rng(3)
    names = (
        {p.name: 1.5 for p in model.params} | {i.name: 0.3 for i in model.inputs} | {n.name: 0.0 for n in model.noises} | {"elapsed": 0.1}
    )
    at = {k: np.float64(v) for k, v in (names | {s.name: rng.uniform(0.2, 0.8) for s in model.states}).items()}
    rows = jacobian([o.rhs for o in model.odes], states, "var")
    d = 1e-3
    for i, ode in enumerate(model.odes):
        for j, state in enumerate(states):
            f = [float(evaluate_names(ode.rhs, at | {state: at[state] + k * d})) for k in (-2, -1, 1, 2)]
            assert float(evaluate_names(rows[i][j], at)) == pytest.approx(
                (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * d), rel=1e-6, abs=1e-6
            )
