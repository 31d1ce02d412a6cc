"""Projections whose targets' spikes act when the source's next event comes: what is kept of them in a job, and when it pays.

Rows of synapses are then read one behind another, and met once for several spikes; nothing finds them by target.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from birc.backends import Array
from birc.backends.native.network.fields import PROGRESS, DrivenFields, FollowedFields, Memory, NotedFields
from birc.backends.networks import BoundProjection
from birc.ir.synapse import TraceSlot

LEAST = 1 << 20
"""Synapses from which on it pays."""
WINDOW = 1 << 14
"""Steps after which all spikes act at last: so long is a trace followed at most."""
SHARE = 16
"""Synapses for each spike in the history."""
TOGETHER, SYNAPSES = 8, 512
"""As in `birc_driven.h`."""
MOST_INPUTS = 64
"""Values that a handler may read."""


@dataclass(frozen=True)
class Input:
    """What `on post` reads: a trace of the source, with its decay, or what is noted at a spike, from the address of the first target on."""

    address: int
    by: int = 0
    """From one target's to the next one's."""
    trace: Array | None = None
    decay: float = 1.0
    nearest: bool = False


def own_traces(p: BoundProjection) -> list[TraceSlot]:
    """The traces that a projection keeps itself, per neuron."""
    return [trace for trace in p.synapse.traces if trace.name not in p.traces] if p.synapse else []


def may_drive(p: BoundProjection) -> bool:
    """Whether a projection of a rule that allows it can be driven: one delay leads from a target to all its synapses."""
    return p.back is not None and len(p.back.delays) == 1 and p.edges.count > 0


def pays(p: BoundProjection) -> bool:
    """Whether it pays."""
    return p.edges.count >= LEAST


def history(
    p: BoundProjection,
    inputs: Iterable[Input],
    cells: int,
    start: int,
    steps: int,
    every: int,
    threads: int,
    memory: Memory,
    aligned: Callable[[Any], Array],
) -> int:
    """The address of an empty `birc::Driven`, for a job of so many steps; `cells` are those of the target's population."""
    edges, at = p.edges, memory.at
    capacity = max(2 * cells, edges.count // SHARE)
    window = max(1, min(WINDOW, steps))
    room = window + 2 * SYNAPSES
    noted: list[NotedFields] = []
    followed: list[FollowedFields] = []
    order = []
    for given in inputs:
        if given.trace is None:
            order.append(len(noted))
            noted.append(NotedFields(given.address, given.by, at(aligned(capacity))))
        else:
            base, path = aligned((threads, edges.sources)), aligned((threads, (window + 1) * TOGETHER))
            base[...] = given.trace[: edges.sources]
            followed.append(FollowedFields(given.address, given.decay, given.nearest, at(base), at(path)))
            order.append(-len(followed))
    assert len(order) <= MOST_INPUTS
    progress = np.zeros((threads, PROGRESS // 8), np.int64)
    progress[:, 1:3] = start
    stretches = edges.sources * len(edges.delays)
    fields = DrivenFields(
        capacity,
        window,
        every,
        at(np.zeros(capacity, np.int64)),
        at(np.zeros(capacity, np.int32)),
        at(np.full(edges.targets, -1, np.int32)),
        len(noted),
        memory.many(NotedFields, noted),
        len(followed),
        memory.many(FollowedFields, followed),
        at(progress),
        at(np.full((threads, edges.sources), start, np.int64)),
        at(np.zeros((threads, edges.sources), np.int64)),
        at(np.zeros((threads, stretches), np.int64)),
        *(at(np.zeros((threads, room), np.int32)) for _ in range(3)),
        room,
        at(np.array([*order, 0], np.int64)),
        len(order),
    )
    memory.kept.append(fields)
    return ctypes.addressof(fields)
