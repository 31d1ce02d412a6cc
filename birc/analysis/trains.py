"""Spikes of a population over a stretch of time: what every statistic here is taken of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from birc.errors import BircError
from birc.runtime.durations import parse_time

Array = npt.NDArray[Any]

NEAR = 1e-6
"""Times within this part of a bin from an edge lie on it: a stamp times a step is rounded."""


class Run(Protocol):
    """A result of one population: who fired and when (ms); `start` is a stamp, `dt` and `duration` are in ms."""

    @property
    def spikes(self) -> tuple[Array, Array]: ...
    @property
    def n(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def dt(self) -> float: ...
    @property
    def duration(self) -> float: ...


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """The spikes of `n` neurons in the time (start, start + duration], in ms.

    `index` [spikes] says who fired, `time` [spikes] when; both are sorted by time when the trains are made. Raises I170 for arrays that
    do not fit together, for a neuron outside of 0 … n - 1 and for a time outside of the stretch (its first instant is let pass).
    """

    index: Array
    time: Array
    n: int
    duration: float
    start: float = 0.0

    def __post_init__(self) -> None:
        index, time = np.asarray(self.index), np.asarray(self.time, dtype=np.float64)
        if index.size == 0:
            index = index.astype(np.int64)
        if index.ndim != 1 or index.shape != time.shape or index.dtype.kind not in "iu":
            shapes = f"index {index.shape} of {index.dtype} and time {time.shape}"
            raise BircError("I170", f"spike trains are two arrays of one length, whole numbers and times, not {shapes}")
        if self.n < 1 or not 0 < self.duration < np.inf:
            raise BircError("I170", f"spike trains need a neuron and a duration above 0 ms, not n = {self.n} and {self.duration:g} ms")
        if index.size:
            if index.min() < 0 or index.max() >= self.n:
                wrong = index.min() if index.min() < 0 else index.max()
                raise BircError("I170", f"a spike of neuron {wrong}, and there are {self.n}, counted from 0")
            slack = NEAR + 1e-12 * abs(self.stop)
            inside = (time >= self.start - slack) & (time <= self.stop + slack)
            if not inside.all():
                wrong = time[np.argmin(inside)]
                raise BircError("I170", f"a spike at {wrong:g} ms, outside of the time from {self.start:g} to {self.stop:g} ms")
            if (np.diff(time) < 0).any():
                order = np.argsort(time, kind="stable")
                index, time = index[order], time[order]
        object.__setattr__(self, "index", index)
        object.__setattr__(self, "time", time)

    @classmethod
    def of(cls, run: Run) -> SpikeTrains:
        """The spikes of a result of one population, all of its time."""
        index, time = run.spikes
        return cls(index, time, run.n, run.duration, run.start * run.dt)

    @property
    def stop(self) -> float:
        """The end of the stretch, in ms."""
        return self.start + self.duration

    @cached_property
    def by_neuron(self) -> tuple[Array, Array]:
        """Index and time [spikes], sorted by neuron, then time."""
        order = np.argsort(self.index, kind="stable")
        return self.index[order], self.time[order]

    def train(self, neuron: int) -> Array:
        """The spike times of one neuron, in ms."""
        times: Array = self.time[self.index == neuron]
        return times

    def between(self, start: str | float, stop: str | float) -> SpikeTrains:
        """The same neurons in the time (start, stop], in ms or with a unit. Raises I171 unless it lies within these trains' time."""
        low, high = parse_time(start, "start"), parse_time(stop, "stop")
        if not self.start - NEAR <= low < high <= self.stop + NEAR:
            raise BircError("I171", f"({low:g}, {high:g}] ms is no stretch of ({self.start:g}, {self.stop:g}] ms")
        inside = (self.time > low + NEAR) & (self.time <= high + NEAR)
        if low <= self.start:
            inside |= self.time <= low + NEAR
        return SpikeTrains(self.index[inside], self.time[inside], self.n, high - low, low)

    def of_neurons(self, neurons: npt.ArrayLike) -> SpikeTrains:
        """The trains of some neurons, each named once; neuron k of the new trains is `neurons[k]` of these. Raises I170."""
        chosen = np.asarray(neurons)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or not chosen.size or chosen.min() < 0 or chosen.max() >= self.n:
            raise BircError("I170", f"neurons are chosen by their numbers, from 0 to {self.n - 1}")
        place = np.full(self.n, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        if np.count_nonzero(place >= 0) != len(chosen):
            raise BircError("I170", "a neuron is chosen twice")
        kept = place[self.index] >= 0
        return SpikeTrains(place[self.index[kept]], self.time[kept], len(chosen), self.duration, self.start)
