"""What a run gives back: spikes, recorded variables in their units, and the state from which it can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from birc.errors import BircError, Diagnostic
from birc.runtime.archive import Member, pieces, write_npz
from birc.runtime.export.formats import format_of, write_view
from birc.runtime.export.view import PopulationView, Recorded, RunView, plain
from birc.runtime.files import read_table
from birc.runtime.output import write_atomic
from birc.runtime.recording import row_stamps
from birc.runtime.shown import in_unit
from birc.suggest import closest
from birc.units import Unit

if TYPE_CHECKING:
    from neo import Block
    from xarray import Dataset

    from birc.runtime.export.pandas import Tables

Array = npt.NDArray[Any]


class SpikeTimes(NamedTuple):
    """Who fired (`index`) and when (`time`, ms), sorted by time, then index."""

    index: Array  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    time: Array


class Parameter(NamedTuple):
    """The value of a parameter in a run, a number or one per neuron [n], in its declared unit."""

    value: float | Array
    unit: str


@dataclass(frozen=True, eq=False)
class State:
    """Where a run stood at a stamp: the slots' arrays [n] in internal units, and what its random numbers depend on."""

    model: str
    stamp: int
    dt: float
    seed: int
    values: Mapping[str, Array]

    @property
    def n(self) -> int:
        """How many neurons."""
        return next((len(array) for array in self.values.values()), 0)


@dataclass(frozen=True, eq=False)
class Result:
    """A run of `n` neurons over the stamps (start, stop], with a step of `dt` ms.

    A recorded variable is `out["v"]`, or `out.v` where no field has its name: [rows, n], in the unit that `units` tells; row r is the
    value at `out.time[r]`. `interrupted` says why a run ended early, and is "" if it did not.
    """

    model: str
    n: int
    dt: float
    start: int
    stop: int
    every: int
    seed: int
    stamps: Array
    """The stamp of each spike."""
    index: Array
    """The neuron of each spike."""
    recorded: Mapping[str, Array]
    """Recorded variables in internal units."""
    declared: Mapping[str, Unit]
    """The units in which recorded variables are shown."""
    state: State
    interrupted: str = ""
    offsets: Array | None = None
    """Where in its step, in [0, 1], each spike was, for a model with spikes inside steps; None: at the ends."""
    warnings: tuple[Diagnostic, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    _shown: dict[str, Array] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> Array:
        """A recorded variable in its declared unit. Raises I104 for one that was not recorded."""
        if name not in self.recorded:
            near = closest(name, self.recorded)
            listed = ", ".join(f"`{n}`" for n in self.recorded) or "nothing but spikes"
            help = f"did you mean `{near}`?" if near else f"recorded: {listed}; ask for more with record=[…]"
            raise BircError("I104", f"`{name}` was not recorded", help=help)
        if name not in self._shown:
            self._shown[name] = in_unit(self.recorded[name], self.declared[name])
        return self._shown[name]

    def __getattr__(self, name: str) -> Array:
        if name in self.__dict__.get("recorded", ()):
            return self[name]
        raise AttributeError(f"a result has no {name!r}, and no variable of that name was recorded")

    @property
    def spikes(self) -> SpikeTimes:
        """Who fired and when, in ms."""
        return SpikeTimes(self.index, self._times(self.stamps) if self.offsets is None else self._times(self.stamps, self.offsets))

    @property
    def time(self) -> Array:
        """The times (ms) of the rows of recorded variables."""
        return row_stamps(self.start, self.stop, self.every) * self.dt

    @property
    def units(self) -> dict[str, str]:
        """The unit of the times and of each recorded variable."""
        return {"time": "ms", **{name: unit.text for name, unit in self.declared.items()}}

    @property
    def steps(self) -> int:
        """How many steps were run."""
        return self.stop - self.start

    @property
    def duration(self) -> float:
        """How long the run was, in ms."""
        return self.steps * self.dt

    @property
    def counts(self) -> Array:
        """How often each neuron fired [n]."""
        return np.bincount(self.index, minlength=self.n)

    @property
    def rates(self) -> Array:
        """Mean firing rate of each neuron [n], in Hz."""
        return self.counts / (self.duration * 1e-3)

    @property
    def rate(self) -> float:
        """Mean firing rate over all neurons, in Hz."""
        return float(len(self.index) / (self.n * self.duration * 1e-3))

    def extent(self, name: str) -> tuple[float, float]:
        """The least and the largest value of a recorded variable, in its declared unit; read in pieces."""
        array, unit = self.recorded[name], self.declared[name]
        ends = [in_unit(np.asarray([rows.min(), rows.max()]), unit) for rows in pieces(array)]
        return float(min(low for low, _ in ends)), float(max(high for _, high in ends))

    @property
    def about(self) -> dict[str, Any]:
        """What the run was made with, as it is stored with every format: parameters, seed, step, units, manifest."""
        return {
            "model": self.model, "n": self.n, "dt": self.dt, "start": self.start, "stop": self.stop, "every": self.every,
            "seed": self.seed, "units": self.units, "interrupted": self.interrupted, "manifest": dict(self.manifest),
            "parameters": {name: {"value": plain(p.value), "unit": p.unit} for name, p in self.parameters.items()},
        }  # fmt: skip

    @property
    def view(self) -> RunView:
        """The run as formats see it, with one population that has the model's name."""
        first = self.start - self.start % self.every + self.every
        recorded = tuple(Recorded(name, array, self.declared[name], first, self.every) for name, array in self.recorded.items())
        population = PopulationView(self.model, self.n, *self.spikes, recorded)
        return RunView(self.model, self.dt, self.start, self.stop, (population,), self.about)

    def to_pandas(self) -> Tables:
        """Two tables, `spikes` and `recorded`. Raises X341 without pandas, I145 where they would not fit into memory."""
        from birc.runtime.export.pandas import tables

        return tables(self.view)

    def to_xarray(self) -> Dataset:
        """The recorded variables over time (ms) and neuron. Raises X341 without xarray."""
        from birc.runtime.export.xarray import dataset

        view = self.view
        return dataset(view, view.populations[0])

    def to_neo(self) -> Block:
        """A block with a spike train per neuron and an analog signal per recorded variable. Raises X341 without Neo."""
        from birc.runtime.export.neo import block

        return block(self.view)

    def save(self, path: str | Path, format: str | None = None) -> Path:
        """Write everything (`npz`), spikes (`csv`: columns index, time_ms; `sonata`), or spikes and recorded variables (`nwb`).

        Without `format`, the ending tells: .npz, .csv, .h5 for SONATA, .nwb. Raises I150 for another, X341 where a package is missing,
        X102 where the file cannot be written.
        """
        match format_of(path, format):
            case "npz":
                return write_atomic(path, self._write_npz)
            case "csv":
                return write_atomic(path, self._write_csv)
            case other:
                return write_view(self.view, path, other)

    def _write_npz(self, file: BinaryIO) -> None:
        members: dict[str, Member] = {
            "about": Member(np.array(json.dumps(self.about, sort_keys=True, default=str))),
            "time": Member(self.time),
            "spikes.index": Member(self.index),
            "spikes.time": Member(self.stamps, self._times, () if self.offsets is None else (self.offsets,)),
            "spikes.stamp": Member(self.stamps),
        }
        if self.offsets is not None:
            members["spikes.offset"] = Member(self.offsets)
        for name, array in self.recorded.items():
            unit = self.declared[name]
            members[f"record.{name}" if name in members else name] = Member(array, partial(in_unit, unit=unit))
        members |= {f"state.{name}": Member(array) for name, array in self.state.values.items()}
        write_npz(file, members)

    def _times(self, stamps: Array, offsets: Array | None = None) -> Array:
        times: Array = stamps * self.dt if offsets is None else (stamps - 1 + offsets) * self.dt
        return times

    def _write_csv(self, file: BinaryIO) -> None:
        file.write(b"index,time_ms\n")
        beside = () if self.offsets is None else (self.offsets,)
        for index, *where in zip(pieces(self.index), *(pieces(a) for a in (self.stamps, *beside)), strict=True):
            pairs = zip(index.tolist(), self._times(*where).tolist(), strict=True)
            file.write("".join(f"{i},{t!r}\n" for i, t in pairs).encode("ascii"))


def load_state(path: str | Path) -> State:
    """The state at the end of a run that was saved to `.npz`. Raises I116 and I117 where the file is no such thing."""
    table = read_table(str(path), "state")
    try:
        about = json.loads(str(table.arrays["about"]))
        model, stamp, dt, seed = str(about["model"]), int(about["stop"]), float(about["dt"]), int(about["seed"])
    except (KeyError, ValueError, TypeError) as error:
        raise BircError("I117", f"state: `{path}` was not written by a run of birc") from error
    values = {name.removeprefix("state."): array for name, array in table.arrays.items() if name.startswith("state.")}
    return State(model, stamp, dt, seed, values)
