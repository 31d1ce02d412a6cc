"""Rates around spikes: of the same neuron, and of another population."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from birc.analysis.bins import bin_count, occupied, population_counts, width
from birc.analysis.trains import NEAR, SpikeTrains
from birc.errors import BircError

Array = npt.NDArray[Any]


class Correlogram(NamedTuple):
    """The rate at a lag behind a spike: lags in ms, and rates in Hz, both [2 k + 1], for lags from -k to k bins.

    Rates are corrected for the ends of the trains, where a spike has less than a whole surrounding: at every lag, unrelated spikes of a
    constant rate give that rate (Perkel, Gerstein and Moore 1967).
    """

    lag: Array
    rate: Array


def autocorrelogram(trains: SpikeTrains, reach: str | float = 100.0, bin: str | float = 1.0) -> Correlogram:
    """The rate of a neuron around its own spikes, over all spikes of all neurons; a spike does not count around itself.

    NaN where no neuron fires. Raises I171 for a reach or a bin that does not fit.
    """
    ms, bins, lags = _grid(trains, reach, bin)
    stride = bins + lags
    keys, counts = occupied(trains, ms, stride, bins)
    later = _later(keys, counts, lags)
    pairs = np.concatenate([later[::-1], [(counts * (counts - 1)).sum()], later])
    return _per_spike(pairs, float(counts.sum()), ms, bins, lags)


def cross_correlogram(a: SpikeTrains, b: SpikeTrains, reach: str | float = 100.0, bin: str | float = 1.0) -> Correlogram:
    """The rate of an average neuron of `b` around the spikes of all neurons of `a`; at lags above 0, `b` fires after `a`.

    NaN where `a` does not fire. Raises I170 where the two have not the same time, I171 for a reach or a bin that does not fit.
    """
    if abs(a.start - b.start) > NEAR or abs(a.duration - b.duration) > NEAR:
        times = f"({a.start:g}, {a.stop:g}] and ({b.start:g}, {b.stop:g}] ms"
        raise BircError("I170", f"a correlogram is that of trains of the same time, and these have {times}")
    ms, bins, lags = _grid(a, reach, bin)
    one, other = population_counts(a, ms).astype(np.float64), population_counts(b, ms).astype(np.float64)
    later = [float(one[: bins - lag] @ other[lag:]) for lag in range(lags + 1)]
    earlier = [float(one[lag:] @ other[: bins - lag]) for lag in range(lags, 0, -1)]
    return _per_spike(np.array([*earlier, *later]), one.sum() * b.n, ms, bins, lags)


def _grid(trains: SpikeTrains, reach: str | float, bin: str | float) -> tuple[float, int, int]:
    """The width of a bin in ms, the number of bins, and the largest lag in bins."""
    ms = width(bin)
    bins = bin_count(trains, ms)
    lags = int(np.floor(width(reach, "reach") / ms + NEAR))
    if not 1 <= lags < bins:
        raise BircError("I171", f"a reach is one bin at least and shorter than the trains, and this one is {lags} of {bins} bins")
    return ms, bins, lags


def _later(keys: Array, counts: Array, lags: int) -> Array:
    """For each lag from 1 on [lags]: the sum, over neurons and bins, of a count times that of the same neuron so many bins later.

    The bins that have spikes stand in a row: each is compared with the next, the one behind it, and so on, until all are too far away.
    """
    found = np.zeros(lags + 1)
    for place in range(1, len(keys)):
        gap = keys[place:] - keys[:-place]
        near = gap <= lags
        if not near.any():
            break
        found += np.bincount(gap[near], (counts[place:] * counts[:-place])[near], lags + 1)
    return found[1:]


def _per_spike(pairs: Array, spikes: float, ms: float, bins: int, lags: int) -> Correlogram:
    lag = np.arange(-lags, lags + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = pairs / spikes / (ms * 1e-3) * (bins / (bins - np.abs(lag)))
    return Correlogram(lag * ms, rate)
