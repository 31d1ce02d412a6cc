"""How counts of spikes vary from window to window, and together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from birc.analysis.bins import bin_count, binned_counts, occupied, width
from birc.analysis.trains import SpikeTrains
from birc.errors import BircError

Array = npt.NDArray[Any]


def fano_factor(trains: SpikeTrains, window: str | float = 100.0) -> Array:
    """The variance by the mean of each neuron's counts in windows [n] (Fano 1947); NaN for a silent neuron.

    0 for a clock, 1 for a Poisson process. The variance is that of the counts themselves (divided by their number).
    Raises I171 for a window that does not fit.
    """
    ms = width(window, "window")
    windows = bin_count(trains, ms)
    keys, counts = occupied(trains, ms, windows, windows)
    neuron = keys // windows
    mean = np.bincount(neuron, counts, trains.n) / windows
    # what the windows without a spike add is their number times the square of the mean
    empty = windows - np.bincount(neuron, minlength=trains.n)
    variance = (np.bincount(neuron, (counts - mean[neuron]) ** 2, trains.n) + empty * mean**2) / windows
    with np.errstate(invalid="ignore"):
        found: Array = variance / mean
    return found


def pairwise_correlation(trains: SpikeTrains, bin: str | float = 5.0, neurons: int | None = 200, seed: int = 0) -> Array:
    """Pearson's correlation of the binned counts of every pair [pairs] of some neurons.

    neurons: how many are drawn, without replacement, from those that fire (by `seed`; None: all). Those whose counts do not vary are left
    out. The pairs stand in the order of `numpy.triu_indices`, neurons ascending. Raises I171 for a bin that does not fit.
    """
    firing = np.unique(trains.index)
    if neurons is not None and neurons < 2:
        raise BircError("I171", f"a correlation needs two neurons, not {neurons}")
    if neurons is not None and len(firing) > neurons:
        firing = np.sort(np.random.default_rng(seed).choice(firing, neurons, replace=False))
    if len(firing) < 2:
        return np.zeros(0)
    counts = binned_counts(trains.of_neurons(firing), bin).astype(np.float64)
    counts -= counts.mean(axis=1, keepdims=True)
    size = np.sqrt((counts**2).sum(axis=1))
    varied = size > 0
    unit = counts[varied] / size[varied, None]
    return np.asarray((unit @ unit.T)[np.triu_indices(len(unit), 1)])
