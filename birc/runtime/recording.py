"""What a run keeps: rows of recorded variables, allocated once and filled by the backend, and spikes as they come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import FLOATS, Dtype, Spikes
from birc.errors import BircError
from birc.ir.step import Step
from birc.runtime.located import locates
from birc.runtime.memory import available_memory, readable, require
from birc.runtime.spike_list import SpikeList
from birc.suggest import closest
from birc.units import Unit

Array = npt.NDArray[Any]

SPIKES = "spikes"
"""May be asked for by name, as spikes are always kept."""


def recorded_names(record: str | Iterable[str], step: Step) -> tuple[str, ...]:
    """The slots and outputs to record, in the order asked for. Raises I104 for a name that is neither."""
    asked = [name.strip() for name in record.split(",")] if isinstance(record, str) else [str(name) for name in record]
    known = [slot.name for slot in step.slots] + [port.name for port in step.outputs]
    for name in asked:
        if name not in (*known, SPIKES, ""):
            near = closest(name, [*known, SPIKES])
            listed = ", ".join(f"`{k}`" for k in (*known, SPIKES))
            raise BircError("I104", f"there is no `{name}` to record", help=f"did you mean `{near}`?" if near else f"there are {listed}")
    return tuple(dict.fromkeys(name for name in asked if name not in (SPIKES, "")))


def declared_units(step: Step, names: Iterable[str]) -> dict[str, Unit]:
    """The declared units of slots and outputs."""
    units = {slot.name: slot.unit for slot in step.slots} | {port.name: port.unit for port in step.outputs}
    return {name: units[name] for name in names}


class Recording:
    """Row r of a variable [rows, n] is its value at the r-th stamp after `start` that `every` divides."""

    longest: int | None = None
    """The most steps of a window, if there is a limit."""

    def __init__(self, names: tuple[str, ...], step: Step, dtype: Dtype, n: int, start: int, steps: int, every: int) -> None:
        self.start, self.every, self.n = start, every, n
        self.types = recorded_types(names, step, dtype)
        self.located = locates(step)
        rows = self._row(start + steps)
        size = rows * n * sum(t.itemsize for t in self.types.values())
        self._make(rows, size)

    def _make(self, rows: int, size: int) -> None:
        """Room for all rows, `size` bytes."""
        if size:
            what = f"recording {', '.join(self.types)} ({rows} rows of {self.n})"
            require(size, what, "record less (a larger `every`, fewer variables or neurons), or stream it to disk")
        self.arrays: dict[str, Array] = {name: np.zeros((rows, self.n), dtype=t) for name, t in self.types.items()}
        self._spikes = SpikeList(max(0, available_memory() - size) // 3)  # a larger list is made beside the one there is
        self._offset: list[Array] = []

    def _row(self, stamp: int) -> int:
        """How many rows there are up to a stamp."""
        return stamp // self.every - self.start // self.every

    def window(self, start: int, steps: int) -> dict[str, Array]:
        """The rows that a job fills, as views."""
        rows = slice(self._row(start), self._row(start + steps))
        return {name: array[rows] for name, array in self.arrays.items()}

    def room(self, count: int) -> Spikes:
        """Memory for the spikes of a job; those written there need not be copied."""
        return self._spikes.room(count)

    def add(self, spikes: Spikes) -> None:
        """Keep a job's spikes, and the rows of the last window."""
        self._spikes.add(spikes)
        if spikes.offset is not None:
            self._offset.append(spikes.offset)

    @property
    def full(self) -> str | None:
        """Why no more spikes can be kept, or None."""
        size = self._spikes.bytes + sum(array.nbytes for array in self._offset)
        return f"its spikes take {readable(size)}" if size > self._spikes.most else None

    def finish(self, stamp: int) -> tuple[dict[str, Array], Spikes]:
        """What was recorded up to a stamp."""
        rows = self._row(stamp)
        arrays = {name: array if len(array) == rows else array[:rows].copy() for name, array in self.arrays.items()}
        spikes = self._spikes.finish(stamp)
        offsets = np.concatenate([np.zeros(0), *self._offset])[: len(spikes.index)] if self.located else None
        return arrays, replace(spikes, offset=offsets)


def recorded_types(names: Iterable[str], step: Step, dtype: Dtype) -> dict[str, np.dtype[Any]]:
    """What the rows of each variable are made of."""
    kinds = {slot.name: slot.kind for slot in step.slots}
    return {name: np.dtype({"int": np.int32, "bool": np.bool_}.get(kinds.get(name, "real"), FLOATS[dtype])) for name in names}


def row_stamps(start: int, stop: int, every: int) -> Array:
    """The stamps of the rows of a recording from `start` to `stop`."""
    first = start - start % every + every
    return np.arange(first, stop + 1, every, dtype=np.int64)
