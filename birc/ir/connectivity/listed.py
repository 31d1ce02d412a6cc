"""`from_file`: synapses listed by the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from birc.errors import BircError
from birc.ir.connectivity.cells import Pairs
from birc.ir.connectivity.edges import Array, Wiring

HOLDS = "a file of synapses holds `source` and `target`, and may hold `weight` and `delay`"


@dataclass(frozen=True)
class Listed:
    """Synapses sorted by source, then target, then their order in the file: int64 [synapses]; weights and delays as they stand there."""

    source: Array
    target: Array
    weight: Array | None
    delay: Array | None


def from_file(w: Wiring) -> Pairs:
    """Synapse m leads from `source[m]` to `target[m]`. Raises what `listed` raises."""
    found = listed(w)
    return found.source, found.target


def listed(w: Wiring) -> Listed:
    """The synapses in the arrays of a file, which are the arguments of the rule: `source`, `target`, perhaps `weight` and `delay`.

    `file` among the arguments is its name. Raises I117 where arrays are missing, of another kind or unlike in length, where a synapse is
    out of range or, without the flag `self`, of a cell to itself, and, without the flag `multapses`, where a pair has several.
    """
    name = f"`{w.arguments.get('file', 'from_file')}`"
    source, target = (_cells(w.arguments, key, name) for key in ("source", "target"))
    weight, delay = (_numbers(w.arguments, key, name, len(source)) for key in ("weight", "delay"))
    if len(source) != len(target):
        raise BircError("I117", f"{name} holds {len(source)} sources and {len(target)} targets", help="each synapse has one of each")
    _in_range(source, w.sources, "source", name)
    _in_range(target, w.targets, "target", name)
    if w.same is not None and "self" not in w.flags:
        own = np.flatnonzero(source - target == w.same)
        if len(own):
            raise BircError("I117", f"synapse {own[0]} of {name} leads from a cell to itself", help="the flag `self` allows that")
    order = np.lexsort((target, source))
    source, target = source[order], target[order]
    if "multapses" not in w.flags:
        again = np.flatnonzero((source[1:] == source[:-1]) & (target[1:] == target[:-1]))
        if len(again):
            first, second = order[again[0]], order[again[0] + 1]
            message = f"synapses {first} and {second} of {name} both lead from {source[again[0]]} to {target[again[0]]}"
            raise BircError("I117", message, help="the flag `multapses` allows several synapses of a pair")
    return Listed(source, target, *(None if numbers is None else numbers[order] for numbers in (weight, delay)))


def _cells(arrays: Mapping[str, Any], key: str, name: str) -> Array:
    if key not in arrays:
        raise BircError("I117", f"{name} has no `{key}`", help=HOLDS)
    cells = np.asarray(arrays[key])
    if cells.ndim == 2 and 1 in cells.shape:  # a column of a table
        cells = cells.reshape(-1)
    if cells.ndim != 1:
        raise BircError("I117", f"`{key}` of {name} has the shape {list(cells.shape)}", help="it has one number for each synapse")
    if cells.dtype.kind not in "iuf" or not np.all((cells == np.floor(cells)) & (np.abs(cells) < 2.0**53)):
        raise BircError("I117", f"`{key}` of {name} is not made of whole numbers", help="cells are counted from 0")
    return cells.astype(np.int64)


def _numbers(arrays: Mapping[str, Any], key: str, name: str, count: int) -> Array | None:
    if key not in arrays:
        return None
    numbers = np.asarray(arrays[key])
    if numbers.dtype.kind not in "iuf" or not np.all(np.isfinite(numbers)):
        raise BircError("I117", f"`{key}` of {name} is not made of finite numbers", help=HOLDS)
    if numbers.size != count:
        raise BircError("I117", f"`{key}` of {name} has {numbers.size} numbers for {count} synapses", help=HOLDS)
    return numbers.reshape(-1).astype(np.float64)


def _in_range(cells: Array, count: int, what: str, name: str) -> None:
    wrong = np.flatnonzero((cells < 0) | (cells >= count))
    if len(wrong):
        message = f"synapse {wrong[0]} of {name} has {what} {cells[wrong[0]]}"
        raise BircError("I117", message, help=f"there are {count}, counted from 0")
