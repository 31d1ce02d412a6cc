"""Spike trains are checked, sorted, cut and chosen from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import birc
from birc.analysis import SpikeTrains, binned_counts, counts, population_counts, rates
from birc.errors import BircError
from tests.analysis.made import by_hand, clock, poisson

HAND = SpikeTrains(np.array([1, 0, 1, 1]), np.array([4.0, 1.0, 2.0, 10.0]), 3, 10.0)


def test_spikes_are_sorted_by_time() -> None:
    assert HAND.index.tolist() == [0, 1, 1, 1] and HAND.time.tolist() == [1.0, 2.0, 4.0, 10.0]
    assert HAND.train(1).tolist() == [2.0, 4.0, 10.0]
    assert HAND.by_neuron[0].tolist() == [0, 1, 1, 1]


def test_a_result_gives_its_trains() -> None:
    lif = birc.compile("lif")
    first = lif.run("100 ms", n=3, inputs={"I": [200.0, 250.0, 300.0]})
    second = lif.run("100 ms", inputs={"I": [200.0, 250.0, 300.0]}, state=first.state)
    trains = SpikeTrains.of(second)
    assert (trains.n, trains.start, trains.stop) == (3, 100.0, 200.0)
    assert np.array_equal(counts(trains), second.counts) and np.array_equal(rates(trains), second.rates)
    assert trains.time.min() > 100.0 and len(trains.time) > 5


def test_a_stretch_and_some_neurons() -> None:
    cut = HAND.between("1 ms", 4)
    assert cut.index.tolist() == [1, 1] and cut.time.tolist() == [2.0, 4.0] and (cut.start, cut.duration) == (1.0, 3.0)
    two = HAND.of_neurons([2, 1])
    assert two.index.tolist() == [1, 1, 1] and two.n == 2
    whole = poisson()
    halves = [whole.between(0, "10 s"), whole.between("10 s", "20 s")]
    assert sum(len(half.time) for half in halves) == len(whole.time)


def test_bins_are_open_on_the_left_and_clear_of_rounding() -> None:
    trains = clock(0.3, n=2, duration=30.0)  # of the stamps 3, 6, … many are above or below the edge by rounding
    assert population_counts(trains, 0.3).tolist() == [2] * 100
    assert binned_counts(trains, "0.6 ms").tolist() == [[2] * 50] * 2
    assert binned_counts(HAND, 4.0).tolist() == [[1, 0], [2, 0], [0, 0]]  # what is left over is in no bin
    assert population_counts(by_hand([0], [5.0], 1, 10.0, 5.0), 5.0).tolist() == [1, 0]  # the first instant


def test_binned_counts_are_those_of_numpy() -> None:
    trains = poisson(n=5, start=300.0)
    edges = 300.0 + np.arange(0, 20_001, 50.0)
    for neuron, row in enumerate(binned_counts(trains, 50.0)):
        assert np.array_equal(row, np.histogram(trains.train(neuron), edges)[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: SpikeTrains(np.arange(3), np.arange(2.0), 3, 10.0),
            "error[I170]: spike trains are two arrays of one length, whole numbers and times, not index (3,) of int64 and time (2,)",
        ),
        (lambda: by_hand([], [], 0, 10.0), "error[I170]: spike trains need a neuron and a duration above 0 ms, not n = 0 and 10 ms"),
        (lambda: by_hand([3], [1.0], 3, 10.0), "error[I170]: a spike of neuron 3, and there are 3, counted from 0"),
        (lambda: by_hand([-1], [1.0], 3, 10.0), "error[I170]: a spike of neuron -1, and there are 3, counted from 0"),
        (lambda: by_hand([0], [11.0], 3, 10.0), "error[I170]: a spike at 11 ms, outside of the time from 0 to 10 ms"),
        (lambda: by_hand([0], [np.nan], 3, 10.0), "error[I170]: a spike at nan ms, outside of the time from 0 to 10 ms"),
        (lambda: HAND.between(5, 11), "error[I171]: (5, 11] ms is no stretch of (0, 10] ms"),
        (lambda: HAND.of_neurons([3]), "error[I170]: neurons are chosen by their numbers, from 0 to 2"),
        (lambda: HAND.of_neurons([1, 1]), "error[I170]: a neuron is chosen twice"),
        (lambda: binned_counts(HAND, 0), "error[I171]: a bin is longer than 0, and this one is 0 ms"),
        (lambda: population_counts(HAND, "1 s"), "error[I171]: a bin of 1000 ms is longer than the 10 ms of the spike trains"),
    ],
)
def test_what_does_not_fit_is_told(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(BircError) as caught:
        make()
    assert str(caught.value) == message
