"""Projections whose targets' spikes wait for the source's next event: which these are, and what is kept of the spikes in a job.

A row of synapses is then read once for its source's event and all spikes of its targets since the last one, and nothing finds synapses by
target. What a job does not get to act by itself acts at its end, or where the history is full.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from birc.backends import Array
from birc.backends.native.network.fields import PROGRESS, SYNAPSES, TOGETHER, DrivenFields, FollowedFields, Memory, NotedFields
from birc.backends.networks import BoundProjection
from birc.ir.driven import MANY
from birc.ir.synapse import TraceSlot

SELDOM = 1000
"""Steps between two records of a state of synapses, at least: all spikes have to act before."""
LEAST = MANY
"""Synapses from which on spikes wait."""
WINDOW = 1 << 14
"""Steps after which all spikes act at last: so long is a trace followed at most."""
SHARE = 16
"""Synapses for each spike in the history."""
MOST = 1 << 30
"""Spikes in the history, at most: their places are kept in 32 bits."""
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


@dataclass(frozen=True)
class OnPost:
    """Whether spikes of targets wait, and why, or why not."""

    waits: bool
    reason: str

    @property
    def words(self) -> str:
        """For the manifest of a run."""
        return f"{'with the next event of the source' if self.waits else 'at once'}: {self.reason}"


def on_post(p: BoundProjection, why_not: str | None, is_matrix: bool, every: int) -> OnPost:
    """How a projection has it in a job; `every`: steps between two records of a state of its synapses, or 0."""
    count = p.edges.count
    if why_not is not None:
        return OnPost(False, why_not)
    if not count:
        return OnPost(False, "there are no synapses")
    assert p.back is not None and len(p.back.delays) == 1
    if is_matrix:
        return OnPost(False, "every source reaches every target, so that no index is needed")
    if count < LEAST:
        return OnPost(False, f"{count:,} synapses, fewer than {LEAST:,}")
    if p.synapse is not None and p.synapse.post is not None and len(p.synapse.post.inputs) > MOST_INPUTS:
        return OnPost(False, f"`on post` reads more than {MOST_INPUTS} values")
    if 0 < every < SELDOM:
        return OnPost(False, f"a state of the synapses is recorded in every {every} steps")
    return OnPost(True, f"{count:,} synapses without an index by target")


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
    capacity = max(2 * cells, min(edges.count // SHARE, MOST))
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
        at(np.zeros(capacity, np.int32)),
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
