"""Rates, intervals, counts and synchrony against closed forms, NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from birc.analysis import (
    SpikeTrains,
    chi,
    cv,
    cv2,
    fano_factor,
    inter_spike_intervals,
    irregularity,
    local_variation,
    pairwise_correlation,
    population_rate,
    psth,
    rate,
    rates,
    summary,
    synchrony,
)
from birc.analysis.trains import Array
from birc.errors import BircError
from tests.analysis.made import by_hand, clock, poisson, renewal

POISSON = poisson(rate=20.0, n=200, duration=50_000.0)
GAMMA = renewal(np.random.default_rng(2).gamma(2.0, 25.0, (100, 1000)))


def test_rates_of_a_clock_are_exact() -> None:
    trains = clock(10.0)
    assert rates(trains) == pytest.approx([100.0] * 3) and rate(trains) == pytest.approx(100.0)
    course = population_rate(trains, "10 ms")
    assert course.time[:3].tolist() == [5.0, 15.0, 25.0] and course.rate == pytest.approx([100.0] * 100)


def test_rates_of_poisson_processes() -> None:
    error = 20.0 / np.sqrt(20.0 * 50 * 200)
    assert abs(rate(POISSON) - 20.0) < 4 * error
    course = population_rate(POISSON, 10.0)
    assert course.rate.mean() == pytest.approx(rate(POISSON))
    assert course.rate.var() == pytest.approx(20.0 / (200 * 0.01), rel=0.1)


def test_intervals_of_a_hand_made_case() -> None:
    trains = by_hand([0, 1, 0, 1, 0, 2], [1.0, 2.0, 4.0, 7.0, 10.0, 11.0], 4, 20.0)
    neuron, length = inter_spike_intervals(trains)
    assert neuron.tolist() == [0, 0, 1] and length.tolist() == [3.0, 6.0, 5.0]
    assert cv(trains)[0] == pytest.approx(1 / 3) and np.isnan(cv(trains)[1:]).all()
    assert cv2(trains)[0] == pytest.approx(2 / 3) and local_variation(trains)[0] == pytest.approx(1 / 3)
    assert irregularity(trains) == pytest.approx(1 / 3)
    assert cv(trains, fewest=2)[1] == 0.0 and np.isnan(cv(trains, fewest=4)).all()
    assert np.isnan(irregularity(trains, fewest=4))


def test_a_clock_is_regular() -> None:
    trains = clock(10.0)
    assert cv(trains) == pytest.approx(0, abs=1e-12) and cv2(trains) == pytest.approx(0, abs=1e-12)
    assert local_variation(trains) == pytest.approx(0, abs=1e-12) and fano_factor(trains, 100) == pytest.approx(0, abs=1e-12)


def test_two_spikes_at_once_do_not_spoil_the_rest() -> None:
    trains = by_hand([0, 0, 0, 0], [1.0, 1.0, 1.0, 5.0], 1, 10.0)
    assert cv2(trains)[0] == pytest.approx(1.0) and local_variation(trains)[0] == pytest.approx(1.5)


def test_cv_is_that_of_scipy() -> None:
    found = cv(GAMMA)
    for neuron in range(0, GAMMA.n, 17):
        assert found[neuron] == pytest.approx(stats.variation(np.diff(GAMMA.train(neuron))), rel=1e-12)


@pytest.mark.parametrize(
    ("trains", "expected"),
    [(POISSON, (1.0, 1.0, 1.0)), (GAMMA, (1 / np.sqrt(2), 0.75, 3 / 5))],  # of order k: 1 / sqrt(k), 2 E|2 X - 1|, 3 / (2 k + 1)
)
def test_irregularity_of_gamma_processes(trains: SpikeTrains, expected: tuple[float, float, float]) -> None:
    assert irregularity(trains) == pytest.approx(expected[0], rel=0.01)
    assert cv2(trains).mean() == pytest.approx(expected[1], rel=0.01)
    assert local_variation(trains).mean() == pytest.approx(expected[2], rel=0.015)


def test_a_dead_time_makes_regular() -> None:
    trains = renewal(5.0 + np.random.default_rng(3).exponential(15.0, (50, 2000)))
    assert irregularity(trains) == pytest.approx(1 - 5.0 / 20.0, rel=0.01)


def test_fano_factor_is_that_of_the_histogram() -> None:
    trains = poisson(rate=5.0, n=10, duration=2000.0)
    found = fano_factor(trains, "100 ms")
    for neuron in range(10):
        row = np.histogram(trains.train(neuron), np.arange(0, 2001, 100.0))[0]
        assert found[neuron] == pytest.approx(row.var() / row.mean(), rel=1e-12)
    assert np.isnan(fano_factor(by_hand([1], [5.0], 2, 200.0))[0])


def test_fano_factor_of_renewal_processes_is_the_square_of_cv() -> None:
    assert fano_factor(POISSON).mean() == pytest.approx(1.0, rel=0.01)
    assert fano_factor(GAMMA.between(0, "45 s"), "1 s").mean() == pytest.approx(0.5, rel=0.05)


def shared(part: float, n: int = 20, duration: float = 50_000.0) -> SpikeTrains:
    """Poisson trains of 40 Hz of which this part of the spikes is common to all."""
    common, own = poisson(40.0 * part, 1, duration, seed=5), poisson(40.0 * (1 - part), n, duration, seed=6)
    index = np.concatenate([own.index, np.repeat(np.arange(n), len(common.time))])
    return SpikeTrains(index, np.concatenate([own.time, np.tile(common.time, n)]), n, duration)


def test_correlation_is_the_part_that_is_shared() -> None:
    assert pairwise_correlation(shared(0.3)).mean() == pytest.approx(0.3, abs=0.02)
    assert abs(pairwise_correlation(POISSON).mean()) < 0.002
    assert pairwise_correlation(clock(10.0), "4 ms") == pytest.approx([1.0] * 3)


def test_correlation_is_that_of_numpy_and_the_choice_is_repeatable() -> None:
    trains = shared(0.3).between(0, "2 s")
    rows = [np.histogram(trains.train(i), np.arange(0, 2001, 5.0))[0] for i in range(20)]
    assert pairwise_correlation(trains) == pytest.approx(np.corrcoef(rows)[np.triu_indices(20, 1)], abs=1e-12)
    some = pairwise_correlation(trains, neurons=5, seed=3)
    assert len(some) == 10 and np.array_equal(some, pairwise_correlation(trains, neurons=5, seed=3))
    assert set(some.round(9)) <= set(pairwise_correlation(trains, neurons=None).round(9))
    assert not np.array_equal(some, pairwise_correlation(trains, neurons=5, seed=4))
    assert len(pairwise_correlation(by_hand([0], [1.0], 5, 100.0))) == 0


def test_synchrony_of_spikes() -> None:
    assert synchrony(POISSON) == pytest.approx(1.0, rel=0.05)
    together = shared(1.0)
    assert synchrony(together) == pytest.approx(20.0, rel=0.05)  # every count is 20 times that of a Poisson process
    assert np.isnan(synchrony(by_hand([], [], 2, 30.0)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_synchrony_of_potentials(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(4)
    alone: Array = (-65.0 + random.normal(size=(20_000, 25))).astype(dtype)
    same = np.repeat(alone[:, :1], 25, axis=1)
    assert chi(same) == pytest.approx(1.0, rel=1e-6)
    assert chi(alone) == pytest.approx(1 / np.sqrt(25), rel=0.05)
    assert chi(np.column_stack([alone[:, 0], -130 - alone[:, 0]])) == pytest.approx(0.0, abs=1e-3)
    expected = np.sqrt(alone.mean(axis=1, dtype=float).var() / alone.var(axis=0, dtype=float).mean())
    assert chi(alone) == pytest.approx(expected, rel=1e-9)
    monkeypatch.setattr("birc.runtime.archive.PIECE", 1000)
    assert chi(alone) == pytest.approx(expected, rel=1e-9)
    assert np.isnan(chi(np.full((10, 3), -65.0)))


def test_synchrony_of_something_else_is_refused() -> None:
    with pytest.raises(BircError) as caught:
        chi(np.zeros(3))
    assert str(caught.value) == "error[I170]: synchrony is that of values [rows, n], and these are [3]"


def driven() -> tuple[SpikeTrains, Array]:
    """Two neurons that fire 5 ms after events, at stamps of 0.1 ms."""
    events = np.arange(100.0, 1000.0, 100.0)
    time = np.repeat(events + 5.0, 2)
    return SpikeTrains(np.tile([0, 1], len(events)), time, 2, 1000.0), events


def test_psth_of_a_driven_population() -> None:
    trains, events = driven()
    course = psth(trains, events, "10 ms", "20 ms", "1 ms")
    assert course.time.tolist() == (np.arange(30) - 9.5).tolist()
    expected = np.zeros(30)
    expected[14] = 1000.0  # (4, 5] ms: one spike of each in a bin of 1 ms
    assert course.rate == pytest.approx(expected)
    assert psth(trains, [*events, 5.0, 999.0], 10, 20).rate == pytest.approx(expected)  # surroundings that are cut off do not count


def test_psth_of_poisson_processes_is_flat() -> None:
    course = psth(POISSON, np.arange(100.0, 49_000.0, 37.0), 0, "50 ms", "5 ms")
    assert len(course.rate) == 10 and course.rate == pytest.approx([20.0] * 10, rel=0.05)


@pytest.mark.parametrize(
    ("events", "options", "message"),
    [
        ([5.0], (10, 20), "no event has 10 ms before it and 20 ms behind it within the time of the spike trains"),
        ([500.0], (-1, 20), "the time before an event cannot be -1 ms"),
        ([500.0], (0, 1, 5), "a bin of 5 ms is longer than the 1 ms around an event"),
    ],
)
def test_an_impossible_psth_is_refused(events: list[float], options: tuple[float, ...], message: str) -> None:
    with pytest.raises(BircError) as caught:
        psth(driven()[0], events, *options)
    assert str(caught.value) == f"error[I171]: {message}"


def test_a_summary_holds_the_usual_numbers() -> None:
    found = summary(POISSON)
    assert found.n == 200 and found.spikes == len(POISSON.time) and found.silent == 0.0
    expected = {"rate": 20.0, "irregularity": 1.0, "cv2": 1.0, "local_variation": 1.0, "fano_factor": 1.0, "synchrony": 1.0}
    assert {name: value for name, value in found.record().items() if name in expected} == pytest.approx(expected, rel=0.05)
    silent = summary(by_hand([], [], 4, 1000.0))
    assert silent.rate == 0.0 and silent.silent == 1.0 and np.isnan(silent.correlation) and np.isnan(silent.synchrony)
