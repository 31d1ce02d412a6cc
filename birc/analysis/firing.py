"""Firing rates: of each neuron, of the population over time, and around events."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from birc.analysis.bins import centres, population_counts, width
from birc.analysis.trains import NEAR, SpikeTrains
from birc.errors import BircError
from birc.runtime.durations import parse_time

Array = npt.NDArray[Any]


class Course(NamedTuple):
    """A rate over time: the middles of the bins in ms, and the rate in Hz, both [bins]."""

    time: Array
    rate: Array


def counts(trains: SpikeTrains) -> Array:
    """How often each neuron fired [n]."""
    return np.bincount(trains.index, minlength=trains.n)


def rates(trains: SpikeTrains) -> Array:
    """The mean firing rate of each neuron [n], in Hz."""
    return counts(trains) / (trains.duration * 1e-3)


def rate(trains: SpikeTrains) -> float:
    """The mean firing rate over neurons and time, in Hz."""
    return len(trains.index) / (trains.n * trains.duration * 1e-3)


def population_rate(trains: SpikeTrains, bin: str | float = 1.0) -> Course:
    """The rate of an average neuron over time: spikes in a bin by neurons and width. Raises I171 for a bin that does not fit."""
    ms = width(bin)
    spikes = population_counts(trains, ms)
    return Course(centres(trains, ms, len(spikes)), spikes / (trains.n * ms * 1e-3))


def psth(trains: SpikeTrains, events: npt.ArrayLike, before: str | float, after: str | float, bin: str | float = 1.0) -> Course:
    """The rate of an average neuron around events (peri-stimulus time histogram, Gerstein and Kiang 1960).

    events: their times [events], in ms. The time of the result is counted from the event; bins are (a, b] and cover (-before, after].
    Events whose surroundings reach beyond the trains are left out. Raises I171 for no event that is left and for a bin that does not fit.
    """
    ms, low, high = width(bin), -_reach(before, "time before"), _reach(after, "time after")
    bins = int(np.floor((high - low) / ms + NEAR))
    if bins < 1:
        raise BircError("I171", f"a bin of {ms:g} ms is longer than the {high - low:g} ms around an event")
    edges = low + ms * np.arange(bins + 1)
    given = np.asarray(events, dtype=np.float64).reshape(-1)
    whole = given[(given + low >= trains.start - NEAR) & (given + high <= trains.stop + NEAR)]
    if not len(whole):
        raise BircError("I171", f"no event has {-low:g} ms before it and {high:g} ms behind it within the time of the spike trains")
    passed = np.array([np.searchsorted(trains.time, whole + edge + NEAR * ms, side="right").sum() for edge in edges])
    return Course(edges[:-1] + ms / 2, np.diff(passed) / (len(whole) * trains.n * ms * 1e-3))


def _reach(time: str | float, what: str) -> float:
    ms = parse_time(time, what)
    if ms < 0:
        raise BircError("I171", f"the {what} an event cannot be {ms:g} ms")
    return ms
