"""Limits that are literals, as selections."""

from __future__ import annotations

import numpy as np
import pytest

from birc.backends import Dtype, Job
from birc.backends.c_family import build
from birc.backends.c_family.limits import turn_limits
from birc.backends.native import BACKEND
from birc.ir.expr import Expr, const, op
from birc.ir.ops import evaluate_op
from birc.ir.step import Define, Phase, Slot, Step, Store
from birc.units import ONE
from tests.backends.programs import load

X = load("x")
NAN = float("nan")
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
SAME = [
    op("min", X, X),
    op("min", X, const(NAN)),
    op("add", X, const(1.0)),
]


def stored(e: Expr) -> Step:
    """A program that stores an expression of x as y."""
    slots = (Slot("x", "real", ONE, ".init"), Slot("y", "real", ONE, ".init"))
    return Step("Limited", (), slots, (), (), (), (), (Define(".init", const(0.0)),), (Phase("reset", (Store("y", e),)),))


@pytest.mark.parametrize(("before", "after"), TURNED)
def test_a_literal_limit_is_a_selection(before: Expr, after: Expr) -> None:
    assert turn_limits(stored(before)) == stored(after)


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
    real = np.float64 if dtype == "f64" else np.float32
    limits = np.array([30.0, -2.5, 1.0, 0.0, -0.0, np.inf, -np.inf], real)
    x = np.concatenate([limits, np.nextafter(limits, real(np.inf)), np.nextafter(limits, real(-np.inf)), np.full(3, np.nan, real)])
    state = {"x": x, "y": np.zeros_like(x)}
    BACKEND.load(BACKEND.emit(stored(e), dtype)).run(Job(len(x), 0, 1, {}, state, {}, {}, {}))
    wanted = evaluate_op(e, tuple(x if a is X else real(a.attr) for a in e.args))
    np.testing.assert_array_equal(state["y"], wanted)
    np.testing.assert_array_equal(np.signbit(state["y"]), np.signbit(wanted))
