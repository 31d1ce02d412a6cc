"""Neurons of a job shared out among threads, and their spikes put together again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from birc.backends import Array, Events, Job, Spikes
from birc.backends.legality import expressions
from birc.ir.expr import topo
from birc.ir.ops import OPS
from birc.ir.step import Step

LEAST_NEURONS = 2048
"""Of a part: with fewer, starting an op takes longer than computing it."""
LEAST_OPERATIONS = 1 << 24
"""Of a part, those of all its neurons and steps (about 6 ms): with fewer, a thread costs as much as it saves."""
FUNCTION = 10
"""Operations that take about as long as a transcendental function."""


@dataclass(frozen=True)
class Part:
    """A job of some neurons in a row of a larger one, and the index of the first of them there."""

    job: Job
    first: int


def operations(step: Step) -> int:
    """How many a step of one neuron takes."""
    nodes = (n for _, s in step.statements() for root, _ in expressions(s) for n in topo(root) if n.args)
    return sum(FUNCTION if OPS[n.op].transcendental else 1 for n in nodes)


def parts(job: Job, each: int) -> list[Part]:
    """Parts of about the same size, one for each thread that is worth its while; state and recordings are views.

    each: the operations of a step of one neuron.
    """
    count = max(1, min(job.threads, job.n // LEAST_NEURONS, job.n * job.steps * each // LEAST_OPERATIONS))
    if count == 1:
        return [Part(job, 0)]
    ends = [job.n * k // count for k in range(count + 1)]
    return [Part(_part(job, low, high), low) for low, high in pairwise(ends)]


def joined(found: list[Spikes]) -> Spikes:
    """Spikes one after the other."""
    if len(found) == 1:
        return found[0]
    index = np.concatenate([np.zeros(0, np.int32), *(s.index for s in found)])
    return Spikes(index, np.concatenate([np.zeros(0, np.int64), *(s.stamp for s in found)]))


def merged(found: list[Spikes]) -> Spikes:
    """Spikes of parts by stamp, then index."""
    spikes = joined(found)
    order = np.argsort(spikes.stamp, kind="stable")
    return Spikes(spikes.index[order], spikes.stamp[order])


def _part(job: Job, low: int, high: int) -> Job:
    return replace(
        job,
        n=high - low,
        bind={name: _of(x, low, high) for name, x in job.bind.items()},
        state=_columns(job.state, low, high),
        inputs=_columns(job.inputs, low, high),
        events={name: _events(e, low, high) for name, e in job.events.items()},
        record=_columns(job.record, low, high),
    )


def _columns(arrays: Mapping[str, Array], low: int, high: int) -> dict[str, Array]:
    return {name: _of(a, low, high) for name, a in arrays.items()}


def _of(x: Any, low: int, high: int) -> Any:
    """What some neurons have of a value; one number is for all."""
    a = np.asarray(x)
    return a if a.ndim == 0 or a.shape[-1] == 1 else a[..., low:high]


def _events(events: Events, low: int, high: int) -> Events:
    mine = (events.index >= low) & (events.index < high)
    before = np.concatenate([[0], np.cumsum(mine)])
    return Events(before[events.offsets], events.index[mine] - low, events.payload[mine])
