"""Spike trains whose statistics are known."""

from __future__ import annotations

import numpy as np

from birc.analysis import SpikeTrains
from birc.analysis.trains import Array


def poisson(rate: float = 20.0, n: int = 100, duration: float = 20_000.0, seed: int = 1, start: float = 0.0) -> SpikeTrains:
    """Independent Poisson processes of a rate in Hz."""
    random = np.random.default_rng(seed)
    total = int(random.poisson(rate * duration * 1e-3 * n))
    time = start + np.sort(random.uniform(0, duration, total))
    return SpikeTrains(random.integers(0, n, total), time, n, duration, start)


def renewal(intervals: Array) -> SpikeTrains:
    """Neurons with intervals [n, spikes] in ms, the first from 0 on."""
    time = np.cumsum(intervals, axis=1)
    index = np.broadcast_to(np.arange(len(time))[:, None], time.shape)
    return SpikeTrains(index.ravel(), time.ravel(), len(time), float(time.max()))


def clock(period: float, n: int = 3, duration: float = 1000.0, dt: float = 0.1) -> SpikeTrains:
    """All neurons every `period` ms, on a grid of stamps, the last at the end."""
    stamps = np.arange(1, round(duration / period) + 1) * round(period / dt)
    return SpikeTrains(np.tile(np.arange(n), len(stamps)), np.repeat(stamps * dt, n), n, duration)


def by_hand(index: list[int], time: list[float], n: int, duration: float, start: float = 0.0) -> SpikeTrains:
    """Trains of a few spikes."""
    return SpikeTrains(np.array(index, dtype=int), np.array(time, dtype=float), n, duration, start)
