"""Rules that draw for each cell by itself: `random`, `fixed_indegree` and `fixed_outdegree`."""

from __future__ import annotations

import numpy as np

from birc.ir.connectivity.cells import Pairs, below, own_source, own_target, room, skip, too_few
from birc.ir.connectivity.edges import Array, Wiring
from birc.ir.connectivity.plain import all_to_all
from birc.ir.random import log, uniform

PIECE = 1 << 22
"""About how many numbers are held at a time beside the result."""
TINY = 2.0**-27
"""Below it log(1 - p) is -p - p^2 / 2 to the last bit, which 1 - p has no longer."""


def log_of_none(p: float) -> float:
    """log(1 - p) for 0 < p < 1."""
    return -p - 0.5 * p * p if p < TINY else float(log(np.asarray(1.0 - p)))


def random(w: Wiring) -> Pairs:
    """Each pair with probability `p`, independently of all others.

    Source i walks over the numbers of its targets (see `room`). Draw j (step j, instance i, lane 0) says how many it passes over before
    the next it reaches: floor(log(u) / log(1 - p)), which is geometric. So it costs one draw for each synapse, and not for each pair.
    """
    p = float(w.arguments["p"])
    if p == 0.0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if p == 1.0:
        return all_to_all(w)
    own = own_target(w)
    rooms = room(own, w.targets)
    width = 16 + int(min(1.2 * p * w.targets, PIECE / 4))
    height = max(1, PIECE // width)
    found = [_walk(w, np.arange(i, min(i + height, w.sources)), rooms, width, log_of_none(p)) for i in range(0, w.sources, height)]
    source, number = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return source, skip(number, own[source])


def _walk(w: Wiring, source: Array, rooms: Array, width: int, none: float) -> Pairs:
    """The numbers that some sources reach, `width` draws of each at a time."""
    found: list[Pairs] = []
    place = np.full(len(source), -1, np.int64)
    first = 0
    while len(source):
        u = uniform(w.seed, w.stream, first + np.arange(width), source[:, None])
        gap = np.minimum(np.floor(log(u) / none), w.targets).astype(np.int64)
        number = place[:, None] + np.cumsum(gap + 1, axis=1)
        inside = number < rooms[source][:, None]
        found.append((np.repeat(source, inside.sum(axis=1)), number[inside]))
        more = inside[:, -1]
        source, place, first = source[more], number[more, -1], first + width
    return np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found])


def fixed_outdegree(w: Wiring) -> Pairs:
    """Every source reaches `k` targets, all different unless `multapses`: see `_chosen`. Raises M134 where there are fewer."""
    own = own_target(w)
    source, number = _chosen(w, room(own, w.targets), "targets")
    return source, skip(number, own[source])


def fixed_indegree(w: Wiring) -> Pairs:
    """Every target is reached from `k` sources, all different unless `multapses`: see `_chosen`. Raises M134 where there are fewer."""
    own = own_source(w)
    target, number = _chosen(w, room(own, w.sources), "sources")
    return skip(number, own[target]), target


def _chosen(w: Wiring, rooms: Array, what: str) -> Pairs:
    """`k` numbers for each cell i, of those below r = rooms[i]: the cell, and the number.

    Draw t of k has step t, instance i, lane 0. With `multapses` it is floor(u * r). Without, it is Floyd's sample (Bentley and Floyd
    1987): for t = 0 … k - 1 draw a number from 0 to r - k + t, and take r - k + t in its place where it was taken before.
    """
    k = degree(w, rooms, what)
    if "multapses" in w.flags:
        cell = np.repeat(np.arange(len(rooms), dtype=np.int64), k)
        return cell, below(w, np.tile(np.arange(k), len(rooms)), cell, rooms[cell])
    height = max(1, PIECE // int(rooms.max(initial=1)))
    found = [_floyd(w, np.arange(i, min(i + height, len(rooms))), rooms[i : i + height], k) for i in range(0, len(rooms), height)]
    return np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found])


def degree(w: Wiring, rooms: Array, what: str) -> int:
    """`k` of a rule, which each cell can choose of so many partners. Raises M134 where one cannot."""
    k = int(w.arguments["k"])
    least = int(rooms.min(initial=k))
    if least < (1 if "multapses" in w.flags else k):
        raise too_few(w, f"a cell has {least} {what} to choose from, not {k}")
    return k


def _floyd(w: Wiring, cell: Array, rooms: Array, k: int) -> Pairs:
    taken = np.zeros((len(cell), int(rooms.max())), bool)
    row = np.arange(len(cell))
    for t in range(k):
        last = rooms - k + t
        number = below(w, t, cell, last + 1)
        taken[row, np.where(taken[row, number], last, number)] = True
    row, number = np.nonzero(taken)
    return cell[row], number
