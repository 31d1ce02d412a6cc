"""How regular single neurons fire, from the intervals between their spikes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from birc.analysis.trains import SpikeTrains

Array = npt.NDArray[Any]

FEWEST = 3
"""Spikes of a neuron below which its intervals tell nothing about their spread."""


class Intervals(NamedTuple):
    """The intervals between successive spikes of one neuron: whose [intervals] and how long in ms [intervals], by neuron, then time."""

    neuron: Array
    length: Array


def inter_spike_intervals(trains: SpikeTrains) -> Intervals:
    """All intervals of all neurons."""
    index, time = trains.by_neuron
    same = index[1:] == index[:-1]
    return Intervals(index[1:][same], np.diff(time)[same])


def cv(trains: SpikeTrains, fewest: int = FEWEST) -> Array:
    """The coefficient of variation of each neuron's intervals [n]: their standard deviation by their mean.

    NaN for neurons of less than `fewest` spikes. 0 for a clock, 1 for a Poisson process. The deviation is that of the intervals
    themselves (divided by their number).
    """
    neuron, length = inter_spike_intervals(trains)
    number = np.bincount(neuron, minlength=trains.n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(neuron, length, trains.n) / number
        spread = np.sqrt(np.bincount(neuron, (length - mean[neuron]) ** 2, trains.n) / number)
        found: Array = spread / mean
    found[number + 1 < max(fewest, 2)] = np.nan
    return found


def cv2(trains: SpikeTrains, fewest: int = FEWEST) -> Array:
    """The mean of 2 |b - a| / (a + b) over successive intervals a, b of each neuron [n] (Holt, Softky, Koch and Douglas 1996).

    Unlike `cv` it does not rise with a slow change of the rate. NaN for neurons of less than `fewest` spikes, 3 at least.
    """
    return _mean_of_pairs(trains, lambda contrast: 2 * contrast, fewest)


def local_variation(trains: SpikeTrains, fewest: int = FEWEST) -> Array:
    """LV, the mean of 3 (b - a)² / (a + b)² over successive intervals a, b of each neuron [n] (Shinomoto, Shima and Tanji 2003).

    NaN for neurons of less than `fewest` spikes, 3 at least.
    """
    return _mean_of_pairs(trains, lambda contrast: 3 * contrast**2, fewest)


def irregularity(trains: SpikeTrains, fewest: int = FEWEST) -> float:
    """The mean of `cv` over the neurons of `fewest` spikes or more (Potjans and Diesmann 2014); NaN where there are none."""
    found = cv(trains, fewest)
    known = found[~np.isnan(found)]
    return float(known.mean()) if len(known) else float("nan")


def _mean_of_pairs(trains: SpikeTrains, of: Any, fewest: int) -> Array:
    """The mean over pairs of successive intervals of a function of their contrast |b - a| / (a + b); two of length 0 are alike."""
    neuron, length = inter_spike_intervals(trains)
    same = neuron[1:] == neuron[:-1]
    a, b = length[:-1][same], length[1:][same]
    contrast = np.divide(np.abs(b - a), a + b, out=np.zeros_like(a), where=a + b > 0)
    pairs = np.bincount(neuron[1:][same], minlength=trains.n)
    with np.errstate(invalid="ignore"):
        found: Array = np.bincount(neuron[1:][same], of(contrast), trains.n) / pairs
    found[pairs + 2 < max(fewest, 3)] = np.nan
    return found
