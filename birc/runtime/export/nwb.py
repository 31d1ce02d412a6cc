"""A run as a file of Neurodata Without Borders: a table of units, and a time series per recorded variable."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, BinaryIO

import numpy as np

from birc.runtime.export.packages import package
from birc.runtime.export.si import si
from birc.runtime.export.view import PopulationView, Recorded, RunView

MS = 1e-3
"""NWB tells times in s."""


def write(view: RunView, file: BinaryIO) -> None:
    """Write to an open file. Raises X341 without pynwb.

    `units` has a row per neuron, with the columns population, neuron and spike_times (s); `acquisition` has a series
    `POPULATION.VARIABLE` per recorded variable, [rows, neurons] in internal units, with the factor to its SI unit. All that the run was
    made with is in `scratch`, as JSON. A simulation has no date: the session's is that of writing.
    """
    pynwb: Any = package("nwb")
    import h5py

    now = datetime.now(UTC)
    text = view.about_text
    made = pynwb.NWBFile(
        session_description=f"simulation of {view.name} by birc",
        identifier=hashlib.sha256(text.encode("utf-8")).hexdigest(),
        session_start_time=now,
        file_create_date=now,
    )
    made.add_scratch(text, name="birc", description="parameters, seed, step and manifest of the run, as JSON")
    made.units = _units(view)
    for population in view.populations:
        for variable in population.recorded:
            made.add_acquisition(_series(view, population, variable))
    with h5py.File(file, "w") as store, pynwb.NWBHDF5IO(file=store, mode="w") as io:
        io.write(made)


def _units(view: RunView) -> Any:
    """A row per neuron, in order of the populations."""
    pynwb: Any = package("nwb")
    from hdmf.common import VectorData, VectorIndex

    parts = view.populations
    counts = np.concatenate([np.bincount(p.index, minlength=p.n) for p in parts])
    spikes = np.concatenate([p.time[np.argsort(p.index, kind="stable")] for p in parts])
    times = VectorData(name="spike_times", description="times of the spikes, in s", data=spikes * MS)
    ends = np.array([view.start, view.stop]) * view.dt * MS
    whole = VectorData(name="obs_intervals", description="the time of the run, in s", data=np.tile(ends, (len(counts), 1)))
    names = VectorData(name="population", description="the population of the neuron", data=[p.name for p in parts for _ in range(p.n)])
    who = VectorData(name="neuron", description="its number in the population", data=np.concatenate([np.arange(p.n) for p in parts]))
    return pynwb.misc.Units(
        name="units",
        description="all neurons of the run",
        id=np.arange(len(counts)),
        columns=[
            names,
            who,
            times,
            VectorIndex(name="spike_times_index", data=np.cumsum(counts), target=times),
            whole,
            VectorIndex(name="obs_intervals_index", data=np.arange(1, len(counts) + 1), target=whole),
        ],
        colnames=["population", "neuron", "spike_times", "obs_intervals"],
    )


def _series(view: RunView, population: PopulationView, variable: Recorded) -> Any:
    pynwb: Any = package("nwb")
    unit, factor = si(variable.unit.dimension)
    return pynwb.TimeSeries(
        name=f"{population.name}.{variable.name}",
        description=f"{variable.name} of {population.name}, neurons {_listed(variable)}, in {variable.unit.text} in its model",
        data=variable.values,
        unit=unit,
        conversion=factor,
        starting_time=variable.first * view.dt * MS,
        rate=1.0 / (variable.every * view.dt * MS),
    )


def _listed(variable: Recorded) -> str:
    """The neurons of the columns, in words."""
    who = variable.who
    if np.array_equal(who, np.arange(who[0], who[0] + len(who))):
        return f"{who[0]} to {who[-1]}"
    return ", ".join(str(neuron) for neuron in who)
