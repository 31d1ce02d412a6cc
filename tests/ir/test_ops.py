"""The table of operations against itself: derivatives by differences, intervals by containment, evaluation by `math`."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from birc.ir.expr import Expr, const, topo, var
from birc.ir.matrix import expm
from birc.ir.ops import OPS, TABLE, evaluate_op, unit_of
from birc.units import NONE, TIME, VOLTAGE

NAMES = ("a", "b", "c")
SMOOTH = [row for row in TABLE if row.partials is not None and row.name not in ("floor", "heaviside", "select")]
BOUNDED = [row for row in TABLE if row.interval is not None]

POSITIVE = {"log", "sqrt"}


def evaluate(e: Expr, values: dict[str, Any]) -> Any:
    done: dict[Expr, Any] = {}
    for node in topo(e):
        match node.op:
            case "var":
                done[node] = np.float64(values[str(node.attr)])
            case "const":
                done[node] = node.attr
            case _:
                with np.errstate(all="ignore"):
                    done[node] = evaluate_op(node, tuple(done[a] for a in node.args))
    return done[e]


def apply(name: str, *args: Any) -> float:
    with np.errstate(all="ignore"):
        return float(OPS[name].evaluate(*args))


def in_domain(name: str, args: list[float]) -> bool:
    if name in POSITIVE:
        return args[0] > 0.05
    if name == "log1p":
        return args[0] > -0.9
    if name == "pow":
        return args[0] > 0.05
    if name == "div":
        return abs(args[1]) > 0.05
    if name == "tan":
        return abs(math.cos(args[0])) > 0.1
    if name == "abs":
        return abs(args[0]) > 1e-3
    return name not in ("min", "max") or abs(args[0] - args[1]) > 1e-3


@pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)
@settings(max_examples=25, deadline=None)
@given(data=st.lists(st.floats(-3, 3), min_size=3, max_size=3))
@example(data=[0.0, 1.0, 0.0])
@example(data=[1e-6, 1.0, 0.0])
@example(data=[9e-6, 1.0, 0.0])
def test_partials_are_slopes(row: Any, data: list[float]) -> None:
    args = data[: row.arity]
    assume(in_domain(row.name, args))
    values = dict(zip(NAMES, args, strict=False))
    partials = row.partials(*(var(n) for n in NAMES[: row.arity]))
    assert len(partials) == row.arity
    for k, partial in enumerate(partials):
        d = 1e-5 * max(1.0, abs(args[k]))
        up, down = [*args], [*args]
        up[k] += d
        down[k] -= d
        slope = (apply(row.name, *up) - apply(row.name, *down)) / (up[k] - down[k])
        assert float(evaluate(partial, values)) == pytest.approx(slope, rel=2e-5, abs=2e-5)


@pytest.mark.parametrize("row", BOUNDED, ids=lambda row: row.name)
@settings(max_examples=25, deadline=None)
@given(
    data=st.lists(st.tuples(st.floats(-50, 50), st.floats(0, 100), st.floats(0, 1)), min_size=3, max_size=3),
    whole=st.booleans(),
    exponent=st.integers(0, 6),
)
def test_intervals_contain(row: Any, data: list[tuple[float, float, float]], whole: bool, exponent: int) -> None:
    bounds = [(low, low + width) for low, width, _ in data[: row.arity]]
    points = [min(low + width * at, low + width) for low, width, at in data[: row.arity]]
    if row.name == "pow" and whole:
        bounds[1], points[1] = (float(exponent), float(exponent)), float(exponent)
    if row.unit in ("logic", "select"):
        points = [float(p > 0) if row.unit == "logic" or k == 0 else p for k, p in enumerate(points)]
    result = apply(row.name, *points)
    low, high = row.interval(*bounds)
    assert low <= high
    if not math.isnan(result):
        slack = 1e-12 * max(1.0, abs(result)) if math.isfinite(result) else 0.0
        assert low - slack <= result <= high + slack


@pytest.mark.parametrize("row", BOUNDED, ids=lambda row: row.name)
@pytest.mark.parametrize("ends", [(-math.inf, math.inf), (0.0, math.inf), (-math.inf, 0.0), (0.0, 0.0), (-1e308, 1e308)])
def test_intervals_of_extreme_arguments(row: Any, ends: tuple[float, float]) -> None:
    low, high = row.interval(*[ends] * row.arity)
    assert low <= high
    for point in {*ends, min(max(0.5, ends[0]), ends[1])}:
        result = apply(row.name, *[point] * row.arity)
        assert math.isnan(result) or low <= result <= high


BY_MATH: dict[str, Callable[..., float]] = {
    "neg": lambda a: -a,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "fma": lambda a, b, c: float(Fraction(a) * Fraction(b) + Fraction(c)),
    "pow": math.pow,
    "exp": math.exp,
    "expm1": math.expm1,
    "exprel": lambda a: math.expm1(a) / a if a else 1.0,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "tanh": math.tanh,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "sigmoid": lambda a: 0.5 * (1 + math.tanh(a / 2)),
    "abs": abs,
    "min": min,
    "max": max,
    "floor": math.floor,
    "heaviside": lambda a: float(a > 0),
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "and": lambda a, b: bool(a) and bool(b),
    "or": lambda a, b: bool(a) or bool(b),
    "not": lambda a: not a,
    "select": lambda c, a, b: a if c else b,
    "steps": lambda t, h: min(max(math.floor(t / h + 0.5), 0), 2**31 - 1),
}


@pytest.mark.parametrize("name", BY_MATH)
@settings(max_examples=25, deadline=None)
@given(data=st.lists(st.floats(-20, 20) | st.sampled_from([0.0, 1.0, -1.0]), min_size=3, max_size=3))
def test_evaluation(name: str, data: list[float]) -> None:
    args: list[Any] = data[: OPS[name].arity]
    if OPS[name].unit in ("logic", "select"):
        args[0] = args[0] > 0
    try:
        expected = BY_MATH[name](*args)
    except (ValueError, ZeroDivisionError, OverflowError):
        assume(False)
    assert apply(name, *args) == pytest.approx(float(expected), rel=1e-12, abs=1e-15)


def test_every_row_is_tested() -> None:
    entries = {"propagator", "increment", "increment_rest", "input_gain", "noise_factor"}
    assert {row.name for row in TABLE} == set(BY_MATH) | entries
    assert len(OPS) == len(TABLE)


@pytest.mark.parametrize("row", [r for r in TABLE if r.commutative], ids=lambda row: row.name)
@settings(max_examples=25, deadline=None)
@given(a=st.floats(-1e3, 1e3), b=st.floats(-1e3, 1e3))
def test_commutative_rows_commute(row: Any, a: float, b: float) -> None:
    x, y = (a > 0, b > 0) if row.unit == "logic" else (a, b)
    assert apply(row.name, x, y) == apply(row.name, y, x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("row", [r for r in TABLE if r.kind != "bool" and r.arity in (1, 2) and not r.bind_only], ids=lambda row: row.name)
def test_evaluation_keeps_the_float_type(row: Any, dtype: Any) -> None:
    args = [np.array([0.25, 0.5, 2.0], dtype=dtype)] * row.arity
    assert row.evaluate(*args).dtype == dtype


@pytest.mark.parametrize(
    ("duration", "h", "n"),
    [(2.0, 0.1, 20), (0.25, 0.1, 3), (0.24, 0.1, 2), (0.0, 0.1, 0), (0.05, 0.1, 1), (1.0, 3.0, 0), (math.inf, 0.1, 2**31 - 1)],
)
def test_steps_round_half_up(duration: float, h: float, n: int) -> None:
    assert apply("steps", duration, h) == n


MATRICES = [
    np.zeros((2, 2)),
    np.array([[-0.05]]),
    np.array([[-0.2, 0.0], [0.3, -0.05]]),
    np.array([[-0.05, 0.0], [1.0, -0.05]]),
    np.array([[0.0, 1.0], [-1.0, -0.1]]),
    np.array([[-50.0, 3.0], [0.1, -0.01]]),
    np.array([[-0.2, 0, 0], [0.2, -0.2, 0], [0, 1.5, -0.05]]),
]


@pytest.mark.parametrize("a", MATRICES, ids=range(len(MATRICES)))
def test_matrix_functions(a: Any) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    n, h = len(a), 0.7
    np.testing.assert_allclose(expm(a * h), linalg.expm(a * h), rtol=1e-12, atol=1e-14)
    grid, weights = np.polynomial.legendre.leggauss(60)
    times = (grid + 1) * h / 2
    gain = sum(w * h / 2 * linalg.expm(a * t) for t, w in zip(times, weights, strict=True))
    noise = np.diag(np.arange(1.0, n + 1))
    covariance = sum(w * h / 2 * linalg.expm(a * t) @ noise @ linalg.expm(a * t).T for t, w in zip(times, weights, strict=True))
    entries = [*a.flat]

    def matrix(name: str, *args: float) -> Any:
        return np.array([[OPS[name].evaluate(h, *args, attr=f"{n},{i},{j}") for j in range(n)] for i in range(n)], dtype=float)

    np.testing.assert_allclose(matrix("propagator", *entries), linalg.expm(a * h), rtol=1e-12, atol=1e-14)
    change = matrix("increment", *entries) + matrix("increment_rest", *entries)
    np.testing.assert_allclose(change, linalg.expm(a * h) - np.eye(n), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(matrix("input_gain", *entries), gain, rtol=1e-9, atol=1e-12)
    factor = matrix("noise_factor", *entries, *noise.flat)
    np.testing.assert_allclose(factor @ factor.T, covariance, rtol=1e-8, atol=1e-10)
    assert np.array_equal(factor, np.tril(factor))


def test_matrix_functions_take_arrays() -> None:
    rates = np.array([-0.1, -0.2, -0.1])
    np.testing.assert_allclose(OPS["propagator"].evaluate(2.0, rates, attr="1,0,0"), np.exp(2 * rates), rtol=1e-14)


def test_units_go_through() -> None:
    assert unit_of("add", (VOLTAGE, VOLTAGE)) == VOLTAGE
    assert unit_of("lt", (TIME, TIME)) is None
    assert unit_of("exp", (NONE,)) == NONE
    assert unit_of("select", (None, TIME, TIME)) == TIME


def test_partials_of_select_pass_the_chosen_branch() -> None:
    chosen = OPS["select"].partials
    assert chosen is not None
    _, then, otherwise = chosen(const(True), var("a"), var("b"))
    assert (float(evaluate(then, {})), float(evaluate(otherwise, {}))) == (1.0, 0.0)
