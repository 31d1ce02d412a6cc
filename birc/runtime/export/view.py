"""What a run gives to every format: its populations with their spikes and recorded variables, and all that it was made with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.runtime.shown import in_unit
from birc.units import Unit

Array = npt.NDArray[Any]


def plain(value: Any) -> Any:
    """A number or an array as numbers and lists of them; what JSON has no number for, as text."""
    array = np.asarray(value)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return [plain(part) for part in array] if array.ndim else str(array.item())
    return array.tolist()


@dataclass(frozen=True, eq=False)
class Recorded:
    """A variable of some neurons (`neurons`, or all) at the stamps first, first + every, …: [rows, neurons], in internal units.

    `unit` is the one it is shown in.
    """

    name: str
    values: Array
    unit: Unit
    first: int
    every: int
    neurons: Array | None = None

    @property
    def shown(self) -> Array:
        """The values in their unit."""
        return in_unit(self.values, self.unit)

    @property
    def who(self) -> Array:
        """The neurons of the columns [neurons]."""
        return np.arange(self.values.shape[1]) if self.neurons is None else self.neurons

    @property
    def stamps(self) -> Array:
        """The stamps of the rows [rows]."""
        return self.first + self.every * np.arange(len(self.values), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class PopulationView:
    """`n` neurons of a name, who of them fired (`index` [spikes]), when (`time` [spikes], ms, ascending), and what was recorded of them."""

    name: str
    n: int
    index: Array
    time: Array
    recorded: tuple[Recorded, ...] = ()

    @property
    def trains(self) -> list[Array]:
        """The spike times of each neuron, in ms."""
        order = np.argsort(self.index, kind="stable")
        return np.split(self.time[order], np.searchsorted(self.index[order], np.arange(1, self.n)))


@dataclass(frozen=True, eq=False)
class RunView:
    """A run with a step of `dt` ms over the stamps (start, stop]; `about` says what it was made with: parameters, seed, manifest, …"""

    name: str
    dt: float
    start: int
    stop: int
    populations: tuple[PopulationView, ...]
    about: Mapping[str, Any]

    @property
    def about_text(self) -> str:
        """`about` as JSON."""
        return json.dumps(self.about, sort_keys=True, default=str)

    @property
    def plain_about(self) -> dict[str, Any]:
        """`about` as what JSON is made of."""
        plain: dict[str, Any] = json.loads(self.about_text)
        return plain
