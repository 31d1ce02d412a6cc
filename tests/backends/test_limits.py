"""Limits that are no NaN, as selections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from birc.backends import Dtype, Job
from birc.backends.c_family import build
from birc.backends.c_family.limits import turn_limits
from birc.backends.native import BACKEND
from birc.ir.checked import never_nan
from birc.ir.expr import Expr, const, make, op, value
from birc.ir.ops import evaluate_op
from birc.ir.step import Define, Phase, Slot, Step, Store
from birc.units import ONE
from tests.backends.programs import load

X = load("x")
NAN = float("nan")
REALS: dict[Dtype, Any] = {"f64": np.float64, "f32": np.float32}
LIMITS = (30.0, -2.5, 1.0, 0.0, -0.0, np.inf, -np.inf)
TURNED = [
    (op("min", X, const(30.0)), op("select", op("gt", X, const(30.0)), const(30.0), X)),
    (op("max", X, const(-2.5)), op("select", op("lt", X, const(-2.5)), const(-2.5), X)),
    (op("min", const(30.0), X), op("select", op("gt", X, const(30.0)), const(30.0), X)),
    (op("min", X, const(float("inf"))), op("select", op("gt", X, const(float("inf"))), const(float("inf")), X)),
    (op("max", X, const(0.0)), op("select", op("le", X, const(0.0)), const(0.0), X)),
    (op("max", X, const(-0.0)), op("select", op("le", X, const(-0.0)), const(-0.0), X)),
    (op("max", const(0.0), X), op("select", op("lt", X, const(0.0)), const(0.0), X)),
    (op("min", const(-0.0), X), op("select", op("gt", X, const(-0.0)), const(-0.0), X)),
    (op("min", X, const(0.0)), op("select", op("ge", X, const(0.0)), const(0.0), X)),
    (op("min", X, const(1e-60)), op("select", op("ge", X, const(1e-60)), const(1e-60), X)),
    (op("add", X, op("max", X, const(1.0))), op("add", X, op("select", op("lt", X, const(1.0)), const(1.0), X))),
]
TOP = value("top")
ONE_OF_ALL = const(1.0)
BOUND = [
    (op("min", X, TOP), op("select", op("ge", X, TOP), TOP, X)),
    (op("max", X, TOP), op("select", op("le", X, TOP), TOP, X)),
    (op("min", TOP, X), op("select", op("gt", X, TOP), TOP, X)),
    (op("max", TOP, X), op("select", op("lt", X, TOP), TOP, X)),
    (op("min", const(1.0), TOP), op("select", op("ge", const(1.0), TOP), TOP, const(1.0))),
]
"""With a constant of the model, of which nobody knows whether it is 0."""
SAME = [
    op("min", X, X),
    op("min", X, const(NAN)),
    op("add", X, const(1.0)),
]


def stored(e: Expr, *constants: Define) -> Step:
    """A program that stores an expression of x, and of constants, as y."""
    slots = (Slot("x", "real", ONE, ".init"), Slot("y", "real", ONE, ".init"))
    bind = (*constants, Define(".init", const(0.0)))
    return Step("Limited", (), slots, (), (), (), (), bind, (Phase("reset", (Store("y", e),)),))


def top(e: Expr = ONE_OF_ALL) -> Define:
    return Define("top", e)


@pytest.mark.parametrize(("before", "after"), TURNED)
def test_a_literal_limit_is_a_selection(before: Expr, after: Expr) -> None:
    assert turn_limits(stored(before)) == stored(after)


@pytest.mark.parametrize(("before", "after"), BOUND)
def test_so_is_one_that_is_a_constant_of_the_model(before: Expr, after: Expr) -> None:
    assert turn_limits(stored(before, top())) == stored(after, top())


def test_a_constant_that_no_run_checks_stays() -> None:
    """What only an arm of a selection reads may be NaN."""
    unused = Define("part", op("select", op("lt", const(1.0), const(2.0)), const(1.0), value("top")))
    step = stored(op("min", X, TOP), top(op("div", const(0.0), const(0.0))), unused)
    assert never_nan(step) == {"part", ".init"}
    assert turn_limits(step) is step
    parameter = stored(op("min", X, TOP), top(make("param", attr="w_max")), unused)
    assert never_nan(parameter) == {"top", "part", ".init"}


@pytest.mark.parametrize("e", SAME)
def test_what_may_be_nan_stays(e: Expr) -> None:
    step = stored(e)
    assert turn_limits(step) is step


def test_a_limit_of_counts_stays() -> None:
    step = stored(op("max", op("sub", const(3), const(1)), const(1)))
    assert turn_limits(step) is step


@pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")
@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("e", [e for e, _ in TURNED[:-1]] + SAME[:-1])
def test_native_has_the_bits_of_numpy(e: Expr, dtype: Dtype) -> None:
    """On both sides of a limit, at it, for zeros of two signs, and for what is no number."""
    state = values_at_limits(dtype)
    BACKEND.load(BACKEND.emit(stored(e), dtype)).run(Job(len(state["x"]), 0, 1, {}, state, {}, {}, {}))
    same_bits(state["y"], evaluate_op(e, tuple(state["x"] if a is X else REALS[dtype](a.attr) for a in e.args)))


@pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")
@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("e", [e for e, _ in BOUND[:-1]])
def test_so_has_a_limit_of_the_model(e: Expr, limit: float, dtype: Dtype) -> None:
    state = values_at_limits(dtype)
    BACKEND.load(BACKEND.emit(stored(e, top()), dtype)).run(Job(len(state["x"]), 0, 1, {"top": limit}, state, {}, {}, {}))
    same_bits(state["y"], evaluate_op(e, tuple(state["x"] if a is X else REALS[dtype](limit) for a in e.args)))


def values_at_limits(dtype: Dtype) -> dict[str, Any]:
    """The state of neurons whose x are the limits, their neighbours, and NaN."""
    real = REALS[dtype]
    limits = np.array(LIMITS, real)
    x = np.concatenate([limits, np.nextafter(limits, real(np.inf)), np.nextafter(limits, real(-np.inf)), np.full(3, np.nan, real)])
    return {"x": x, "y": np.zeros_like(x)}


def same_bits(found: Any, wanted: Any) -> None:
    """Equal, zeros in their signs too."""
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))
