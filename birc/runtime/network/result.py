"""What a run of a network gives back: a result for each population and source, its synapses, and the state from which it can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from birc.backends.networks import BoundNetwork
from birc.errors import BircError, Diagnostic
from birc.runtime.archive import Member, write_npz
from birc.runtime.export.formats import format_of, write_view
from birc.runtime.export.view import PopulationView, Recorded, RunView
from birc.runtime.network.state import NetworkState, about_state, state_members
from birc.runtime.output import write_atomic
from birc.runtime.result import Result
from birc.suggest import closest

if TYPE_CHECKING:
    from neo import Block

    from birc.runtime.export.pandas import Tables

Array = npt.NDArray[Any]


class Synapses(NamedTuple):
    """The synapses of a projection: source and target cell of each (int32 [synapses], of their groups), weights or states by name."""

    source: Array
    target: Array
    values: Mapping[str, Array | float]


@dataclass(frozen=True, eq=False)
class NetworkResult:
    """A run of a network over the stamps (start, stop], with a step of `dt` ms.

    `out["E"]`, or `out.E`, is the `Result` of a population, source or signal.
    """

    name: str
    groups: Mapping[str, Result]
    dt: float
    start: int
    stop: int
    seed: int
    state: NetworkState
    network: BoundNetwork = field(repr=False)
    first: Mapping[str, int] = field(default_factory=dict, repr=False)
    """The first cell of each recorded variable `GROUP.variable`."""
    interrupted: str = ""
    warnings: tuple[Diagnostic, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Result:
        """The result of a group. Raises I104 for one that is not there."""
        if name in {s.name for s in self.network.sources} - set(self.groups):
            help = f"write `record {name}.spikes` in the network, or run with sources=True"
            raise BircError("I104", f"the events of the source `{name}` were not kept", help=help)
        if name not in self.groups:
            near = closest(name, self.groups)
            listed = ", ".join(f"`{n}`" for n in self.groups)
            raise BircError("I104", f"the network has no `{name}`", help=f"did you mean `{near}`?" if near else f"there are {listed}")
        return self.groups[name]

    def __getattr__(self, name: str) -> Result:
        if name in self.__dict__.get("groups", ()):
            return self[name]
        raise AttributeError(f"a network's result has no {name!r}, and no population of that name")

    @property
    def steps(self) -> int:
        """How many steps were run."""
        return self.stop - self.start

    @property
    def duration(self) -> float:
        """How long the run was, in ms."""
        return self.steps * self.dt

    def synapses(self, projection: str) -> Synapses:
        """The synapses of a projection by its name (`E -> E.exc`), with their weight or states as they are at the end, in internal units.

        Raises I104 for a projection that is not there.
        """
        found = next((p for p in self.network.projections if p.name == projection), None)
        if found is None:
            names = [p.name for p in self.network.projections]
            near = closest(projection, names)
            help = f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{n}`' for n in names)}"
            raise BircError("I104", f"the network has no projection `{projection}`", help=help)
        values: dict[str, Array | float] = {} if found.weight is None else {"w": found.weight}
        if found.synapse is not None:
            values |= {s.name: self.state.values[f"{found.name}.{s.name}"] for s in found.synapse.start.slots}
        return Synapses(found.edges.source() + found.first_source, found.edges.target + found.first_target, values)

    def save(self, path: str | Path, format: str | None = None) -> Path:
        """Write everything (`npz`), spikes (`csv`: columns population, index, time_ms; `sonata`), or spikes and recorded variables (`nwb`).

        Without `format`, the ending tells, as in `Result.save`; so do its errors.
        """
        match format_of(path, format):
            case "npz":
                return write_atomic(path, self._write_npz)
            case "csv":
                return write_atomic(path, self._write_csv)
            case other:
                return write_view(self.view, path, other)

    @property
    def about(self) -> dict[str, Any]:
        """What the run was made with, as it is stored with every format: step, seed, the network's text, units, manifest."""
        groups = {name: {"n": out.n, "units": out.units, "every": out.every} for name, out in self.groups.items()}
        return {
            **about_state(self.state),
            "start": self.start,
            "interrupted": self.interrupted,
            "manifest": dict(self.manifest),
            "groups": groups,
        }

    @property
    def view(self) -> RunView:
        """The run as formats see it: populations and sources with their spikes and what was recorded of them."""
        populations = []
        for name, out in self.groups.items():
            first = out.start - out.start % out.every + out.every
            recorded = tuple(
                Recorded(key, array, out.declared[key], first, out.every, self.first.get(f"{name}.{key}", 0) + np.arange(array.shape[1]))
                for key, array in out.recorded.items()
            )
            populations.append(PopulationView(name, out.n, *out.spikes, recorded))
        return RunView(self.name, self.dt, self.start, self.stop, tuple(populations), self.about)

    def to_pandas(self) -> Tables:
        """Two tables, `spikes` and `recorded`, with a column of populations. Raises X341 without pandas."""
        from birc.runtime.export.pandas import tables

        return tables(self.view)

    def to_xarray(self) -> Any:
        """The recorded variables over time (ms) and neuron, a dataset for each population in a tree. Raises X341 without xarray."""
        from birc.runtime.export.xarray import tree

        return tree(self.view)

    def to_neo(self) -> Block:
        """A block with a group for each population. Raises X341 without Neo."""
        from birc.runtime.export.neo import block

        return block(self.view)

    def _write_npz(self, file: BinaryIO) -> None:
        members = {"about": Member(np.array(json.dumps(self.about, sort_keys=True, default=str)))}
        for name, out in self.groups.items():
            members[f"{name}.spikes.index"] = Member(out.index)
            members[f"{name}.spikes.time"] = Member(out.spikes.time)
            if out.offsets is not None:
                members[f"{name}.spikes.offset"] = Member(out.offsets)
            if out.recorded:
                members[f"{name}.time"] = Member(out.time)
            members |= {f"{name}.{variable}": Member(out[variable]) for variable in out.recorded}
        write_npz(file, {**members, **state_members(self.state)})

    def _write_csv(self, file: BinaryIO) -> None:
        file.write(b"population,index,time_ms\n")
        for name, out in self.groups.items():
            spikes = out.spikes
            rows = (f"{name},{i},{t!r}\n" for i, t in zip(spikes.index.tolist(), spikes.time.tolist(), strict=True))
            file.write("".join(rows).encode("utf-8"))
