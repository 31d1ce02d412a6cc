"""A job's arrays as compiled code wants them, and stretches short enough that Ctrl-C is heard between two calls."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from birc.backends import Array, Events, Job, Spikes
from birc.backends.c_family.layout import Layout
from birc.ir.ops import Kind


def slot_types(places: Layout, real: type[np.floating[Any]]) -> dict[str, np.dtype[Any]]:
    """The type of each recordable array in C."""
    types: dict[Kind, np.dtype[Any]] = {"real": np.dtype(real), "int": np.dtype(np.int32), "bool": np.dtype(np.bool_)}
    return {slot.name: types[slot.kind] for slot in places.slots} | dict.fromkeys(places.outputs, types["real"])


def stretches(job: Job, most: int, updates: int, seconds: float) -> Iterator[tuple[int, int]]:
    """(first step, number of steps), each lasting about `seconds` by the pace of the one before, of at most `most` steps.

    The first is of about `updates` updates of a neuron.
    """
    count = max(1, min(most, updates // max(1, job.n)))
    first = 0
    while first < job.steps:
        count = min(count, job.steps - first)
        began = perf_counter()
        yield first, count
        spent = max(perf_counter() - began, 1e-6)
        first += count
        count = max(1, min(most, 2 * count, int(count * seconds / spent)))


def joined(found: list[Spikes]) -> Spikes:
    """The spikes of stretches, one after another."""
    if len(found) == 1:
        return found[0]
    return Spikes(
        np.concatenate([np.empty(0, np.int32), *(s.index for s in found)]),
        np.concatenate([np.empty(0, np.int64), *(s.stamp for s in found)]),
    )


def pointers(addresses: list[int]) -> Array:
    """A table of addresses, never empty."""
    return np.array(addresses or [0], dtype=np.uintp)


def strided(given: Array) -> tuple[Array, int, int]:
    """An input's values with its strides in elements: 0 where one value serves all steps, or all neurons."""
    array = np.ascontiguousarray(given, dtype=np.float64)
    steps, n = array.shape
    return array, n if steps > 1 else 0, 1 if n > 1 else 0


def grouped(events: Events, first: int, count: int, n: int, lanes: int) -> tuple[Array, Array, Array, Array]:
    """Events of a stretch by tile of `lanes` neurons, and within a tile in their order: (begin of each tile, step, lane, payload)."""
    offsets = np.asarray(events.offsets[first : first + count + 1], dtype=np.int64)
    chosen = slice(int(offsets[0]), int(offsets[-1]))
    tiles = -(-n // lanes)
    if chosen.start == chosen.stop:
        return np.zeros(tiles + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0)
    index = np.asarray(events.index[chosen])
    tile = index // lanes
    order = np.argsort(tile.astype(np.uint16) if tiles <= 1 << 16 else tile, kind="stable")  # 16 bits are sorted by radix
    begin = np.zeros(tiles + 1, np.int64)
    np.cumsum(np.bincount(tile, minlength=tiles), out=begin[1:])
    step = np.repeat(np.arange(count, dtype=np.int32), np.diff(offsets))[order]
    lane = (index % lanes).astype(np.int32)[order]
    return begin, step, lane, np.asarray(events.payload[chosen], dtype=np.float64)[order]
