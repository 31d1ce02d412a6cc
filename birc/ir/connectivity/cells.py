"""What the rules share: whom a cell can reach when it does not reach itself, and whole numbers drawn for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from birc.errors import BircError
from birc.ir.connectivity.edges import Array, Wiring
from birc.ir.random import uniform

Pairs = tuple[Array, Array]
"""Source and target of each synapse (int64 [synapses]), in any order."""


def own_target(w: Wiring) -> Array:
    """The target that is the same cell as each source (int64 [sources]); `targets` where there is none, or where it may be reached."""
    return _own(w, w.sources, w.targets, -1)


def own_source(w: Wiring) -> Array:
    """The source that is the same cell as each target (int64 [targets]); `sources` where there is none, or where it may be reached from."""
    return _own(w, w.targets, w.sources, 1)


def _own(w: Wiring, cells: int, partners: int, sign: int) -> Array:
    if w.same is None or "self" in w.flags:
        return np.full(cells, partners, np.int64)
    own = np.arange(cells, dtype=np.int64) + sign * w.same
    return np.where((own >= 0) & (own < partners), own, partners)


def room(own: Array, partners: int) -> Array:
    """How many partners each cell can have (int64 [cells]). They are numbered from 0, its own cell being skipped."""
    return partners - (own < partners).astype(np.int64)


def skip(number: Array, own: Array) -> Array:
    """The partner of a number, by what `room` says of numbers."""
    partner: Array = number + (number >= own)
    return partner


def below(w: Wiring, step: Any, instance: Any, count: Any, lane: int = 0) -> Array:
    """Whole numbers from 0 to `count` - 1 (int64): floor(u * count), and `count` - 1 where u rounds it up to `count`."""
    number = np.floor(uniform(w.seed, w.stream, step, instance, lane) * count).astype(np.int64)
    kept: Array = np.minimum(number, count - 1)
    return kept


def pair_count(w: Wiring) -> int:
    """How many different pairs there can be."""
    return int(room(own_target(w), w.targets).sum())


def too_few(w: Wiring, message: str) -> BircError:
    """M134 for this wiring."""
    help = None if w.same is None or "self" in w.flags else "without `self` no cell reaches itself"
    return BircError("M134", f"`{w.rule}`: {message}", help=help)
