"""Correlograms and distances against hand-made cases, plain definitions and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from birc.analysis import SpikeTrains, autocorrelogram, cross_correlogram, distances, van_rossum, victor_purpura
from birc.errors import BircError
from tests.analysis.made import by_hand, clock, poisson, renewal


def test_autocorrelogram_of_a_clock_has_its_period() -> None:
    lag, rate = autocorrelogram(clock(10.0), "20 ms", "1 ms")
    assert lag.tolist() == np.arange(-20.0, 21.0).tolist()
    expected = np.zeros(41)
    for bins in (10, 20):  # 100 - bins / 10 pairs of 100 spikes, corrected for the ends: 1000 / (1000 - bins)
        expected[[20 - bins, 20 + bins]] = (100 - bins / 10) / 100 * 1000.0 * 1000 / (1000 - bins)
    assert rate == pytest.approx(expected)


def test_autocorrelogram_of_a_refractory_process_has_a_hole() -> None:
    trains = renewal(5.0 + np.random.default_rng(3).exponential(15.0, (50, 2000)))
    lag, rate = autocorrelogram(trains, 100, 1)
    assert rate[np.abs(lag) < 4] == pytest.approx(0.0)
    assert rate[lag > 80].mean() == pytest.approx(50.0, rel=0.02)
    assert np.array_equal(rate, rate[::-1])
    # with rate 1/15 per ms behind the dead time, the first peak is exp(-(lag - 5) / 15) / 15 per ms, up to twice the dead time
    assert rate[(lag >= 7) & (lag <= 9)] == pytest.approx(np.exp(-(lag[(lag >= 7) & (lag <= 9)] - 5) / 15) / 15 * 1000, rel=0.02)


def test_correlograms_of_unrelated_spikes_are_flat_up_to_the_ends() -> None:
    a, b = poisson(20.0, 50, 2000.0, seed=1), poisson(10.0, 50, 2000.0, seed=2)
    assert autocorrelogram(a, 500, 50).rate == pytest.approx([20.0] * 21, rel=0.1)
    assert cross_correlogram(a, b, 1500, 50).rate == pytest.approx([10.0] * 61, rel=0.15)


def test_autocorrelogram_is_the_sum_over_neurons() -> None:
    trains = poisson(30.0, 4, 1000.0)
    _, rate = autocorrelogram(trains, 20, 2)
    pairs = np.zeros(21)
    for neuron in range(4):
        row = np.histogram(trains.train(neuron), np.arange(0, 1001, 2.0))[0]
        pairs += np.correlate(row, row, "full")[499 - 10 : 499 + 11]
        pairs[10] -= row.sum()
    assert rate == pytest.approx(pairs / len(trains.time) / 2e-3 * 500 / (500 - np.abs(np.arange(-10, 11))))


def test_what_follows_is_at_lags_above_zero() -> None:
    a = poisson(10.0, 3, 5000.0)
    late = a.time + 4.0
    b = SpikeTrains(np.zeros(np.count_nonzero(late <= 5000), dtype=int), late[late <= 5000], 1, 5000.0)
    lag, rate = cross_correlogram(a, b, 10, 1)
    assert lag[np.argmax(rate)] == 4.0 and rate.max() > 900


def test_impossible_correlograms_are_refused() -> None:
    with pytest.raises(BircError) as caught:
        cross_correlogram(clock(10.0), clock(10.0, duration=500.0))
    assert str(caught.value) == "error[I170]: a correlogram is that of trains of the same time, and these have (0, 1000] and (0, 500] ms"
    with pytest.raises(BircError) as caught:
        autocorrelogram(clock(10.0), "1 s")
    assert str(caught.value) == "error[I171]: a reach is one bin at least and shorter than the trains, and this one is 1000 of 1000 bins"


def test_a_silent_population_has_no_rate_around_its_spikes() -> None:
    assert np.isnan(autocorrelogram(by_hand([], [], 2, 1000.0)).rate).all()


RANDOM = np.random.default_rng(7)
TRAINS = [np.sort(RANDOM.uniform(0, 300.0, size)) for size in (0, 1, 7, 30, 41)]


def test_van_rossum_of_single_spikes() -> None:
    assert van_rossum([], []) == 0.0
    assert van_rossum([3.0], []) == pytest.approx(np.sqrt(0.5))
    assert van_rossum([3.0], [8.0], "10 ms") == pytest.approx(np.sqrt(1 - np.exp(-0.5)))
    assert van_rossum([3.0], [1e9], 10) == pytest.approx(1.0)
    assert van_rossum([3.0, 3.0], [], 10) == pytest.approx(np.sqrt(2.0))


@pytest.mark.parametrize("a", TRAINS)
@pytest.mark.parametrize("b", TRAINS)
def test_van_rossum_is_the_sum_over_pairs(a: np.ndarray, b: np.ndarray) -> None:
    times, signs = np.concatenate([a, b]), np.concatenate([np.ones(len(a)), -np.ones(len(b))])
    expected = 0.5 * signs @ np.exp(-np.abs(times[:, None] - times) / 12.0) @ signs
    assert van_rossum(a, b, 12.0) ** 2 == pytest.approx(expected, abs=1e-10)
    assert (van_rossum(a, b, 12.0) == 0.0) == np.array_equal(a, b)


def test_victor_purpura_of_hand_made_cases() -> None:
    assert victor_purpura([], [1.0, 2.0]) == 2.0 and victor_purpura([1.0], []) == 1.0
    assert victor_purpura([1.0], [4.0], 0.1) == pytest.approx(0.3)
    assert victor_purpura([1.0], [40.0], 0.1) == 2.0  # cheaper to remove it and add another
    assert victor_purpura([1.0, 20.0], [2.0], 0.5) == 1.5


def plain_victor_purpura(a: np.ndarray, b: np.ndarray, cost: float) -> float:
    """The recursion as the paper has it."""
    table = np.zeros((len(a) + 1, len(b) + 1))
    table[:, 0], table[0] = np.arange(len(a) + 1), np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            moved = table[i - 1, j - 1] + cost * abs(a[i - 1] - b[j - 1])
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, moved)
    return float(table[-1, -1])


@pytest.mark.parametrize("cost", [0.0, 0.03, 0.5, 1e6])
@pytest.mark.parametrize("a", TRAINS)
@pytest.mark.parametrize("b", TRAINS)
def test_victor_purpura_is_the_recursion(a: np.ndarray, b: np.ndarray, cost: float) -> None:
    found = victor_purpura(a, b, cost)
    assert found == pytest.approx(plain_victor_purpura(a, b, cost), abs=1e-9)
    if cost == 0.0:
        assert found == abs(len(a) - len(b))
    if cost == 1e6 and a is not b:
        assert found == len(a) + len(b)


def test_distances_of_all_pairs() -> None:
    trains = poisson(20.0, 4, 500.0)
    found = distances(trains)
    assert found.shape == (4, 4) and np.array_equal(found, found.T) and np.array_equal(np.diag(found), np.zeros(4))
    assert found[1, 3] == van_rossum(trains.train(1), trains.train(3))
    assert distances(trains, victor_purpura)[0, 2] == victor_purpura(trains.train(0), trains.train(2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: van_rossum([1.0], [2.0], 0), "error[I171]: a time constant is longer than 0, and this one is 0 ms"),
        (lambda: victor_purpura([1.0], [2.0], -1), "error[I171]: moving a spike cannot cost -1 per ms"),
        (lambda: van_rossum([np.nan], [2.0]), "error[I170]: a time of a spike train is not finite"),
    ],
)
def test_impossible_distances_are_refused(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(BircError) as caught:
        call()
    assert str(caught.value) == message
