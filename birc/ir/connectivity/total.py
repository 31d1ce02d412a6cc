"""`fixed_total`: a number of synapses for a projection as a whole."""

from __future__ import annotations

import numpy as np

from birc.ir.connectivity.cells import Pairs, below, own_target, room, skip, too_few
from birc.ir.connectivity.edges import Array, Wiring

SOURCES = 1
"""The lane of the draws that say which source a synapse has; those of its target have lane 0."""


def fixed_total(w: Wiring) -> Pairs:
    """`n` synapses, each of any pair with the same probability; all of different pairs unless `multapses`.

    With r[i] the targets that source i can reach (see `room`) and R their sum, draw m of n (step m, instance 0, lane 1) is the pair
    floor(u * R) of all, of which only the source counts: its synapses are so many. The j-th of source i then draws its target
    (step j, instance i, lane 0): floor(u * r[i]). Sources are counted first, so synapses need no sorting, and each is a uniform pair.

    Without `multapses` synapses of a pair that is there already are drawn again, in rounds: if the draws so far lie on d different
    pairs, the next round has n - d, with m and each j counting on. No round can overshoot, and nothing tells one pair from another, so
    each set of n pairs is equally likely. Where n is more than half of all pairs, those left out are drawn in the same way.
    Raises M134 where there are fewer pairs.
    """
    own = own_target(w)
    rooms = room(own, w.targets)
    wanted, left_out = how_many(w, rooms)
    key = _drawn(w, wanted, rooms, "multapses" in w.flags)
    if left_out:
        every = np.repeat(np.arange(w.sources, dtype=np.int64) * w.targets, rooms) + _runs(rooms)
        key = np.setdiff1d(every, key, assume_unique=True)
    source, number = np.divmod(key, w.targets)
    return source, skip(number, own[source])


def how_many(w: Wiring, rooms: Array) -> tuple[int, bool]:
    """How many pairs are to be drawn, and whether they are those left out. Raises M134 where there are fewer."""
    n = int(w.arguments["n"])
    several = "multapses" in w.flags
    pairs = int(rooms.sum())
    if pairs < (1 if several else n):
        raise too_few(w, f"there are {pairs} pairs, not {n}")
    left_out = not several and 2 * n > pairs
    return pairs - n if left_out else n, left_out


def _drawn(w: Wiring, n: int, rooms: Array, several: bool) -> Array:
    """`n` keys: source * targets + number of the target."""
    ends = np.cumsum(rooms)
    drawn = np.zeros(w.sources, np.int64)
    key = np.zeros(0, np.int64)
    while len(key) < n:
        which = below(w, drawn.sum() + np.arange(n - len(key)), 0, ends[-1], SOURCES)
        count = np.bincount(np.searchsorted(ends, which, side="right"), minlength=w.sources)
        source = np.repeat(np.arange(w.sources, dtype=np.int64), count)
        number = below(w, drawn[source] + _runs(count), source, rooms[source])
        new = source * w.targets + number
        key = new if several else _distinct(np.concatenate([key, new]))
        drawn += count
    return key


def _distinct(key: Array) -> Array:
    key = np.sort(key)
    return key[np.diff(key, prepend=-1) > 0]


def _runs(count: Array) -> Array:
    """0, 1, … up to each count, one after the other."""
    runs: Array = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return runs
