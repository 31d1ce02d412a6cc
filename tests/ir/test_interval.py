"""Intervals hold whatever an expression, or a step, can give."""

from __future__ import annotations

import math

import numpy as np
import pytest

from birc.ir.expr import Expr, const, make, op, value
from birc.ir.interval import inside, intervals, slot_intervals
from birc.ir.ops import ALL, OPS, TABLE, Bounds, evaluate_op
from birc.ir.step import Step
from tests.passes.programs import lowered, model_of

RANGES: tuple[Bounds, ...] = ((-3.0, 2.0), (0.1, 0.9), (-5.0, -1.0), (0.0, 4.0), (2.0, 2.0))


NAMES = [row.name for row in TABLE if row.interval is not None and row.kind != "bool" and row.name not in ("select", "heaviside")]


@pytest.mark.parametrize("name", NAMES)
def test_an_interval_holds_every_value(name: str) -> None:
    """Each op on points of its arguments' intervals."""
    row = OPS[name]
    for first in RANGES:
        for second in RANGES:
            ends = (first, second, first)[: row.arity]
            names = [value(f"x{i}") for i in range(row.arity)]
            e = make(name, tuple(names))
            by_name = dict(zip(names, ends, strict=True))
            found = intervals((e,), by_name.__getitem__)[e]
            grids = np.meshgrid(*(np.linspace(*end, 41) for end in ends))
            with np.errstate(all="ignore"):
                values = np.asarray(evaluate_op(e, tuple(grids)), float)
            values = values[np.isfinite(values)]
            slack = 1e-12 * np.abs(values).max(initial=0.0)
            assert values.size == 0 or (found[0] - slack <= values.min() and values.max() <= found[1] + slack), (name, ends, found)


def test_literals_names_and_compositions() -> None:
    x = value("x")
    e: Expr = op("div", const(1.0), op("add", const(1.0), op("exp", x)))
    found = intervals((e, const(math.nan)), lambda leaf: (-1.0, math.inf))
    assert found[e] == (0.0, 1 / (1 + math.exp(-1.0))) and found[const(math.nan)] == ALL
    assert inside((0.0, 1.0), (0.0, 2.0)) and not inside((0.0, 3.0), (0.0, 2.0)) and not inside(ALL, (0.0, 1.0))


def program(text: str) -> Step:
    return lowered(model_of(text))


def test_a_slot_is_bounded_by_its_limits_or_by_what_is_stored() -> None:
    step = program(
        """
neuron Cell:
    param a = 0.5 in [0, 2], b = 1
    input I: 1
    state v = 0 in [-1, 3], w = 0, u = 0, x = 7
    step v = v + I
    step w = a * sigmoid(I)
    step u = b * sigmoid(I)
    step x = x * 2
"""
    )
    found = slot_intervals(step)
    assert found["v"] == (-1.0, 3.0)
    assert found["u"] == ALL == found["x"]
    assert found["w"] == (0.0, 2.0)
