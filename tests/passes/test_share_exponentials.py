"""`share-exponentials`: powers of one exponential, quotients by their series, and where an exponential stays itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from birc.backends import Array
from birc.ir.expr import Expr, const, op, topo, value
from birc.ir.ops import evaluate_op
from birc.ir.step import Define, Step
from birc.passes.share_exponentials import FAR, MOST, shared
from tests.conftest import Golden
from tests.passes.programs import LIBRARY, lowered, text_around

TEXT = """
neuron Cell:
    param v_T = -63 mV
    state v = -60 mV, m = 0.1, h = 0.9
    let a_m = 0.32 ms^-1 / exprel((13 mV - v + v_T) / 4 mV)
    let b_h = 4 ms^-1 / (1 + exp((40 mV - v + v_T) / 8 mV))
    m' = a_m * (1 - m) - 0.5 ms^-1 * exp((10 mV - v + v_T) / 40 mV) * m
    h' = 0.128 ms^-1 * exp((v - v_T - 17 mV) / 20 mV) * (1 - h) - b_h * h
    v' = (m * h - v / 1 mV) * 1 mV/ms
    with solver exponential_euler on v, m, h
"""
BOUND = frozenset(("k", "V"))
V = value("v")


def exponent(slope: float, offset: float = 0.0, of: Expr = V) -> Expr:
    return op("mul", const(slope), op("add", of, const(float(offset))))


def exp(slope: float, offset: float = 0.0, of: Expr = V) -> Expr:
    return op("exp", exponent(slope, offset, of))


def quotient(slope: float, offset: float = 0.0) -> Expr:
    return op("div", const(0.3), op("exprel", exponent(slope, offset)))


def evaluated(e: Expr, v: Array) -> Array:
    found: dict[Expr, Any] = {V: v}
    for node in topo(e):
        if node.op == "const":
            found[node] = v.dtype.type(node.attr)
        elif node is not V:
            found[node] = evaluate_op(node, tuple(found[a] for a in node.args))
    result: Array = found[e]
    assert result.dtype == v.dtype
    return result


def exponentials(step: Step) -> int:
    return sum(e.op in ("exp", "exprel") for e in topo(*(s.value for s in step.phase("flow") if isinstance(s, Define))))


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/share_exponentials.txt", text_around(TEXT, "share-exponentials"))


FAMILIES = {
    "powers": [exp(-0.1, 65), exp(-0.2, 65), exp(-0.3, 40)],
    "in the other direction": [exp(-0.05), exp(0.05, 3), exp(0.1)],
    "quotients": [exp(-0.0125, 65), exp(-0.05, 65), quotient(-0.1, 40), quotient(0.1, 55), quotient(-0.15, 55)],
    "the highest power": [exp(0.01), exp(0.01 * MOST, 5), exp(0.02)],
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_it_is_the_same_but_for_roundings(family: list[Expr]) -> None:
    changed = shared(family, BOUND)
    assert len(changed) == len(family) - 1
    assert sum(e.op in ("exp", "exprel") for e in topo(*(changed.get(e, e) for e in family))) == 1
    singular = np.array([-40.0, -55.0])
    steps = np.array([0, 1e-9, 1e-3, 0.5, 0.8, 1.2, 1.3, 2.6])
    v = np.concatenate([np.linspace(-150, 100, 501), np.add.outer(singular, steps).ravel(), np.subtract.outer(singular, steps).ravel()])
    for e in family:
        np.testing.assert_allclose(evaluated(changed.get(e, e), v), evaluated(e, v), rtol=2e-14)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_in_float32_it_is_as_near_as_its_roundings(family: list[Expr]) -> None:
    v = np.linspace(-150, 100, 5001, dtype=np.float32)
    for e in family:
        new = shared(family, BOUND).get(e, e)
        np.testing.assert_allclose(evaluated(new, v), evaluated(e, v.astype(np.float64)), rtol=1e-5)


def test_beyond_the_range_of_numbers_it_goes_to_the_same_limits() -> None:
    family = FAMILIES["quotients"]
    changed = shared(family, BOUND)
    v = np.array([-1e30, -1e6, 1e6, 1e30, np.nan])
    with np.errstate(all="ignore"):
        for e in family:
            np.testing.assert_allclose(evaluated(changed.get(e, e), v), evaluated(e, v), rtol=1e-12)


@pytest.mark.parametrize(
    "alone",
    [
        [exp(0.1), exp(0.1 * (MOST + 1))],
        [exp(0.1), exp(0.15)],
        [exp(0.1), exp(0.2, of=value("u"))],
        [exp(0.1), exp(0.2, 6 * FAR)],
        [exp(0.1), exp(0.1, of=op("mul", V, V))],
        [quotient(-0.1, 40), quotient(-0.1, 55)],
        [op("exp", op("div", op("add", V, value("k")), value("V"))), op("exp", op("div", V, value("V")))],
        [op("exp", op("mul", const(2.0), value("k"))), op("exp", value("k"))],
    ],
    ids=["a high power", "no whole power", "another number", "far away", "not proportional", "not worth it", "parameters apart", "fixed"],
)
def test_left_alone(alone: list[Expr]) -> None:
    assert shared(alone, BOUND) == {}


def test_parameters_that_all_have_in_common() -> None:
    core = op("div", op("sub", V, value("k")), const(4.0))
    twice = op("exp", op("mul", const(2.0), core))
    assert shared([op("exp", core), twice], BOUND) == {twice: op("mul", op("exp", core), op("exp", core))}


def test_exponentials_inside_of_exponentials() -> None:
    inner, outer = exp(0.1), op("exp", op("mul", const(2.0), exp(0.2)))
    found = shared([inner, exp(0.2), op("exp", exp(0.2)), outer], BOUND)
    assert set(found) == {exp(0.2), outer}


@pytest.mark.parametrize(("name", "before", "after"), [("HH", 10, 6), ("TraubMiles", 10, 9)])
def test_channels_of_the_library(name: str, before: int, after: int) -> None:
    counts = (exponentials(lowered(LIBRARY[name], solver="exponential_euler", skip=skip)) for skip in (["share-exponentials"], []))
    assert tuple(counts) == (before, after)
