"""Spikes that a program locates inside its steps: where in its step each was, read from the slot that keeps it, a stretch at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import Job, Runner, Spikes
from birc.ir.step import OFFSET, Step

Array = npt.NDArray[Any]

MOST_OFFSETS = 1 << 22
"""Values that a stretch records beside what is asked for, about."""


def locates(step: Step) -> bool:
    """Whether the program's spikes lie inside its steps."""
    return any(slot.name == OFFSET for slot in step.slots)


def longest(n: int, names: int) -> int:
    """The most steps of a stretch of `n` neurons that records `names` variables."""
    return max(1, MOST_OFFSETS // (n * (1 + names)))


def run_located(runner: Runner, job: Job, rows: Mapping[str, Array], every: int) -> Spikes:
    """Run a job that fills `rows`, recorded at the stamps that `every` divides; its spikes by the time at which they were, then index."""
    every_step = {name: np.zeros((job.steps, job.n), a.dtype) for name, a in rows.items()} if every > 1 else dict(rows)
    if OFFSET not in every_step:
        every_step[OFFSET] = np.zeros((job.steps, job.n), job.state[OFFSET].dtype)
    spikes = runner.run(replace(job, record=every_step))
    if every > 1:
        for name, kept in rows.items():
            kept[...] = every_step[name][every - job.start % every - 1 :: every]
    return placed(spikes, every_step[OFFSET], job.start)


def placed(spikes: Spikes, offsets: Array, start: int) -> Spikes:
    """Spikes of the steps behind stamp `start`, by the time at which they were, then index; `offsets` [steps, n] are the slot's values."""
    offset = offsets[spikes.stamp - start - 1, spikes.index].astype(np.float64)
    order = np.lexsort((spikes.index, offset, spikes.stamp))
    return Spikes(spikes.index[order], spikes.stamp[order], offset[order])
