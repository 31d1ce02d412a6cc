"""Time in bins (a, b] of one width, counted from the start of the trains; what is left over at the end belongs to none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from birc.analysis.trains import NEAR, SpikeTrains
from birc.errors import BircError
from birc.runtime.durations import parse_time
from birc.runtime.memory import require

Array = npt.NDArray[Any]


def width(bin: str | float, what: str = "bin") -> float:
    """A width in ms, from text with its unit or a number of ms. Raises I171 unless it is above 0."""
    ms = parse_time(bin, what)
    if ms <= 0:
        raise BircError("I171", f"a {what} is longer than 0, and this one is {ms:g} ms")
    return ms


def bin_count(trains: SpikeTrains, ms: float) -> int:
    """How many whole bins there are. Raises I171 for none."""
    count = int(np.floor(trains.duration / ms + NEAR))
    if count < 1:
        raise BircError("I171", f"a bin of {ms:g} ms is longer than the {trains.duration:g} ms of the spike trains")
    return count


def places(trains: SpikeTrains, ms: float) -> Array:
    """The bin of each spike [spikes]; the number of whole bins, or more, where it lies behind them."""
    found: Array = np.maximum(np.ceil((trains.time - trains.start) / ms - NEAR).astype(np.int64) - 1, 0)
    return found


def centres(trains: SpikeTrains, ms: float, bins: int) -> Array:
    """The middle of each bin [bins], in ms."""
    middle: Array = trains.start + (np.arange(bins) + 0.5) * ms
    return middle


def population_counts(trains: SpikeTrains, bin: str | float) -> Array:
    """How many spikes all neurons fired in each bin [bins]."""
    ms = width(bin)
    bins = bin_count(trains, ms)
    return np.bincount(np.minimum(places(trains, ms), bins), minlength=bins + 1)[:bins]


def binned_counts(trains: SpikeTrains, bin: str | float) -> Array:
    """How many spikes each neuron fired in each bin [n, bins]. Raises I145 where that many numbers do not fit into memory."""
    ms = width(bin)
    bins = bin_count(trains, ms)
    require(8 * trains.n * (bins + 1), f"counts of {trains.n} neurons in {bins} bins", "choose some neurons, or a wider bin")
    keys = trains.index.astype(np.int64) * (bins + 1) + np.minimum(places(trains, ms), bins)
    return np.bincount(keys, minlength=trains.n * (bins + 1)).reshape(trains.n, bins + 1)[:, :bins]


def occupied(trains: SpikeTrains, ms: float, stride: int, bins: int) -> tuple[Array, Array]:
    """The bins of each neuron that have spikes, as neuron * stride + bin in ascending order, and how many spikes."""
    place = places(trains, ms)
    inside = place < bins
    keys = trains.index[inside].astype(np.int64) * stride + place[inside]
    found, counts = np.unique(keys, return_counts=True)
    return found, counts
