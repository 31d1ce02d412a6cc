"""How unlike two spike trains are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.analysis.bins import width
from birc.analysis.trains import SpikeTrains
from birc.errors import BircError

Array = npt.NDArray[Any]
Distance = Callable[[Array, Array], float]


def van_rossum(a: npt.ArrayLike, b: npt.ArrayLike, tau: str | float = 10.0) -> float:
    """The distance of two trains of times in ms, [spikes] and [spikes], whose spikes leave traces of time constant tau (van Rossum 2001).

    The root of the integral over (f - g)² / tau, where f and g are the sums of the traces exp(-(t - t_i) / tau): one spike more gives
    sqrt(1/2), one that is moved by d gives sqrt(1 - exp(-|d| / tau)). Raises I171 for a tau that is not above 0.
    """
    ms = width(tau, "time constant")
    one, other = _train(a), _train(b)
    time, place = np.unique(np.concatenate([one, other]), return_inverse=True)
    if not len(time):
        return 0.0
    signs = np.concatenate([np.ones(len(one)), -np.ones(len(other))])
    decay = np.exp(-np.diff(time, prepend=-np.inf) / ms)
    difference = _recurrence(decay, np.bincount(place, signs, len(time)))
    lost = -np.expm1(-2 * np.diff(time, append=np.inf) / ms)
    return float(np.sqrt(0.5 * (difference**2 * lost).sum()))


def victor_purpura(a: npt.ArrayLike, b: npt.ArrayLike, cost: float = 0.1) -> float:
    """The least cost of making one train of times in ms, [spikes], from another, [spikes] (Victor and Purpura 1996).

    To add or to remove a spike costs 1, to move one costs `cost` per ms: at 0 it is the difference of the counts, and beyond all measure
    the number of spikes that do not coincide. Raises I171 for a negative cost.
    """
    if not cost >= 0:
        raise BircError("I171", f"moving a spike cannot cost {cost:g} per ms")
    one, other = _train(a), _train(b)
    step = np.arange(len(other) + 1, dtype=np.float64)
    row = step.copy()
    for time in one:
        best = row + 1
        best[1:] = np.minimum(best[1:], row[:-1] + cost * np.abs(other - time))
        row = np.minimum.accumulate(best - step) + step  # spikes of `other` added behind the best place
    return float(row[-1])


def distances(trains: SpikeTrains, distance: Distance = van_rossum) -> Array:
    """The distance of each pair of neurons [n, n]; `distance` is a function of two arrays of times."""
    index, time = trains.by_neuron
    each = np.split(time, np.searchsorted(index, np.arange(1, trains.n)))
    found = np.zeros((trains.n, trains.n))
    for i in range(trains.n):
        for j in range(i):
            found[i, j] = found[j, i] = distance(each[i], each[j])
    return found


def _train(times: npt.ArrayLike) -> Array:
    array = np.sort(np.asarray(times, dtype=np.float64).reshape(-1))
    if not np.isfinite(array).all():
        raise BircError("I170", "a time of a spike train is not finite")
    return array


def _recurrence(decay: Array, added: Array) -> Array:
    """x where x[k] = decay[k] x[k - 1] + added[k], in log2(n) sweeps of arrays."""
    factor, total = decay.copy(), added.astype(np.float64)
    reach = 1
    while reach < len(total):
        total[reach:] = total[reach:] + factor[reach:] * total[:-reach]
        factor[reach:] = factor[reach:] * factor[:-reach]
        reach *= 2
    return total
