"""Synapses made by the native target are those of the reference, to the bit."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birc.backends.c_family import build
from birc.backends.native import wire as native
from birc.errors import BircError
from birc.ir.connectivity.build import wire
from birc.ir.connectivity.edges import Drawn, Wired, Wiring
from birc.ir.connectivity.rules import RULES

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")

STEP = 0.1
DELAYS = (
    Drawn("constant", 0.0),
    Drawn("constant", 1.5),
    Drawn("normal", 0.3, 0.5, 3),
    Drawn("normal", 1.5, 0.75, 3, low=0.4, high=1.9),
    Drawn("uniform", 0.1, 0.9, 3),
)
VALUES = (
    Drawn("normal", 1.0, 2.0, 4, low=0.0),
    Drawn("uniform", -1.0, 2.0, 5),
    Drawn("constant", 3.0),
)


def wiring(
    rule: str, sources: int, targets: int, same: int | None = None, flags: str = "", seed: int = 7, stream: int = 99, **arguments: Any
) -> Wiring:
    return Wiring(rule, arguments, frozenset(flags.split()), sources, targets, same, seed, stream)


def assert_same(made: Wired, expected: Wired) -> None:
    for name in ("delays", "starts", "target"):
        one, other = getattr(made.edges, name), getattr(expected.edges, name)
        assert one.dtype == other.dtype
        assert np.array_equal(one, other), name
    assert (made.edges.sources, made.edges.targets) == (expected.edges.sources, expected.edges.targets)
    for value, other in zip(made.values, expected.values, strict=True):
        assert type(value) is type(other)
        assert np.array_equal(value, other)


@st.composite
def wirings(draw: st.DrawFn) -> Wiring:
    sources, targets = draw(st.integers(1, 80)), draw(st.integers(1, 80))
    rule = draw(st.sampled_from(["random", "fixed_indegree", "fixed_outdegree", "fixed_total", "all_to_all", "one_to_one", "shared"]))
    every: dict[str, dict[str, Any]] = {
        "random": {"p": draw(st.sampled_from([0.0, 1e-12, 0.003, 0.1, 0.5, 0.97, 1.0]))},
        "fixed_indegree": {"k": draw(st.integers(1, sources + 1))},
        "fixed_outdegree": {"k": draw(st.integers(1, targets + 1))},
        "fixed_total": {"n": draw(st.integers(1, sources * targets + 1))},
        "shared": {"groups": draw(st.integers(1, sources))},
    }
    flags = draw(st.sampled_from(["", "self", "multapses", "self multapses"]))
    same = draw(st.none() | st.integers(-90, 90) | st.just(0))
    return wiring(
        rule, sources, targets, same, flags, draw(st.integers(0, 2**64 - 1)), draw(st.integers(0, 2**32 - 1)), **every.get(rule, {})
    )


@given(w=wirings(), delay=st.sampled_from(DELAYS), threads=st.sampled_from([1, 2]), slab=st.sampled_from([1, 100, native.SLAB]))
@settings(deadline=None, max_examples=120)
def test_it_is_the_reference(w: Wiring, delay: Drawn, threads: int, slab: int) -> None:
    """Also what is refused, and for any number of threads and of calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "SLAB", slab)
        try:
            expected = wire(w, (delay, STEP), VALUES)
        except BircError as error:
            with pytest.raises(BircError) as caught:
                native.wire(w, (delay, STEP), VALUES, threads=threads)
            assert str(caught.value) == str(error)
            return
        assert_same(native.wire(w, (delay, STEP), VALUES, threads=threads), expected)


LARGE = [
    wiring("random", 40, 30_000, 5, p=0.05),
    wiring("random", 40, 30_000, 5, p=1e-4),
    wiring("fixed_indegree", 30_000, 100, 5, k=70),
    wiring("fixed_indegree", 50, 3000, 5, "multapses", k=70),
    wiring("fixed_outdegree", 30, 300_000, 5, k=1000),
    wiring("fixed_outdegree", 30, 300_000, 5, "multapses", k=1000),
    wiring("fixed_outdegree", 3, 3000, 5, k=2990),
    wiring("fixed_total", 30, 70_000, -5, "multapses", n=100_000),
    wiring("fixed_total", 30, 70_000, -5, n=60_000),
    wiring("fixed_total", 30, 7_000, -5, n=209_000),
    wiring("all_to_all", 40, 5000, 5),
    wiring("all_to_all", 1, 1, 0),
]


@pytest.mark.parametrize("w", LARGE, ids=lambda w: f"{w.rule}-{'-'.join(sorted(w.flags))}")
def test_long_rows(w: Wiring) -> None:
    """Rows that are sorted digit by digit, and rows in which most or few of the targets are."""
    assert_same(native.wire(w, (DELAYS[2], STEP), VALUES[:1], threads=2), wire(w, (DELAYS[2], STEP), VALUES[:1]))


def test_many_synapses_of_a_pair() -> None:
    w = wiring("fixed_total", 1, 2, flags="multapses", n=700)
    assert_same(native.wire(w, (DELAYS[2], STEP), VALUES), wire(w, (DELAYS[2], STEP), VALUES))


def test_rules_that_list_and_numbers_that_are_given() -> None:
    rng = np.random.default_rng(5)
    order = rng.permutation(40 * 50)[:300]
    listed = wiring("from_file", 40, 50, source=order // 50, target=order % 50)
    window = wiring("conv2d", 2 * 49, 16, kernel=np.ones((1, 2, 3, 3)), stride=2)
    dense = wiring("dense", 20, 30, same=3)
    for w in (listed, window, dense):
        count = wire(w, (DELAYS[0], STEP)).edges.count
        given = Drawn("array", array=rng.normal(size=count))
        matrix = Drawn("array", array=rng.normal(size=(w.sources, w.targets)).astype(np.float32))
        delays = [*DELAYS, Drawn("array", array=rng.uniform(0, 2, count)), Drawn("array", array=rng.uniform(0, 2, (w.sources, w.targets)))]
        for delay in delays:
            assert_same(native.wire(w, (delay, STEP), (given, matrix)), wire(w, (delay, STEP), (given, matrix)))


def test_every_rule_is_compared() -> None:
    compared = {"random", "fixed_indegree", "fixed_outdegree", "fixed_total", "all_to_all", "one_to_one", "shared"}
    assert compared | {"from_file", "conv2d", "dense"} == set(RULES)


def test_float32_is_the_rounded_float64() -> None:
    w = wiring("random", 60, 70, p=0.2)
    values = (*VALUES, Drawn("array", array=np.random.default_rng(5).normal(size=(60, 70))))
    wide, narrow = (native.wire(w, (DELAYS[2], STEP), values, dtype) for dtype in ("f64", "f32"))
    for one, other in zip(wide.values, narrow.values, strict=True):
        if isinstance(one, np.ndarray):
            assert isinstance(other, np.ndarray)
            assert other.dtype == np.float32
            assert np.array_equal(one.astype(np.float32), other)
        else:
            assert one == other == 3.0


def test_an_array_of_another_size_is_not_read() -> None:
    w = wiring("all_to_all", 4, 5)
    for array in (np.ones(19), np.ones((5, 4))):
        with pytest.raises(BircError, match="does not fit 20 synapses"):
            native.wire(w, (DELAYS[0], STEP), (Drawn("array", array=array),))
        with pytest.raises(BircError, match="does not fit 20 synapses"):
            native.wire(w, (Drawn("array", array=array), STEP))


@pytest.mark.parametrize(
    "w",
    [
        wiring("random", 1000, 10_000, p=0.2),
        wiring("fixed_indegree", 10_000, 2000, k=1000),
        wiring("fixed_total", 1000, 10_000, 0, "multapses", n=2_000_000),
        wiring("fixed_total", 1000, 10_000, 0, n=2_000_000),
    ],
    ids=lambda w: f"{w.rule}-{'-'.join(sorted(w.flags))}",
)
def test_memory_is_that_of_the_result(w: Wiring) -> None:
    native.library()
    tracemalloc.start()
    made = native.wire(w, (DELAYS[2], STEP), VALUES[:1], "f32")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (weights,) = made.values
    assert isinstance(weights, np.ndarray)
    result = made.edges.target.nbytes + weights.nbytes + made.edges.starts.nbytes
    assert result > 8 * 1_990_000
    assert peak < 1.03 * result + 1_000_000
