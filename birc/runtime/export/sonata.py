"""The spikes of a run as a SONATA file (Dai et al. 2020), and such files read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from birc.runtime.export.packages import package
from birc.runtime.export.view import RunView

Array = npt.NDArray[Any]

MAGIC, VERSION = 0x0A7A, (0, 1)
SORTINGS = {"none": 0, "by_id": 1, "by_time": 2}
UNITS = {"ms": 1.0, "milliseconds": 1.0, "s": 1000.0, "seconds": 1000.0}


def write(view: RunView, file: BinaryIO) -> None:
    """Write to an open file: `/spikes/POPULATION/timestamps` (ms) and `node_ids`, by time. Raises X341 without h5py.

    All that the run was made with is in the data set `/birc`, as JSON.
    """
    h5py: Any = package("sonata")
    with h5py.File(file, "w") as store:
        store.attrs["magic"] = np.uint32(MAGIC)
        store.attrs["version"] = np.array(VERSION, dtype=np.uint32)
        for population in view.populations:
            group = store.create_group(f"spikes/{population.name}")
            group.attrs.create("sorting", SORTINGS["by_time"], dtype=h5py.enum_dtype(SORTINGS, basetype="u1"))
            group.create_dataset("timestamps", data=population.time, dtype=np.float64).attrs["units"] = "ms"
            group.create_dataset("node_ids", data=population.index, dtype=np.uint64)
        store.create_dataset("birc", data=view.about_text)


def read(path: Path) -> dict[str, tuple[Array, Array]]:
    """Index and time (ms) of the spikes of each population, as they stand. Raises X341 without h5py, ValueError for another file."""
    h5py: Any = package("sonata")
    with h5py.File(path, "r") as store:
        spikes = store.get("spikes")
        if not isinstance(spikes, h5py.Group):
            raise ValueError("it has no group `/spikes`, which SONATA files of spikes have")
        if not len(spikes):
            raise ValueError("it has no population in `/spikes`")
        return {name: _population(h5py, name, group) for name, group in spikes.items()}


def _population(h5py: Any, name: str, group: Any) -> tuple[Array, Array]:
    times, who = (group.get(part) if isinstance(group, h5py.Group) else None for part in ("timestamps", "node_ids"))
    if not isinstance(times, h5py.Dataset) or not isinstance(who, h5py.Dataset):
        raise ValueError(f"the population `{name}` has no `timestamps` and `node_ids`")
    unit = times.attrs.get("units", "ms")
    unit = unit.decode() if isinstance(unit, bytes) else str(unit)
    if unit not in UNITS:
        raise ValueError(f"the times of the population `{name}` are in `{unit}`; known are {', '.join(UNITS)}")
    if times.shape != who.shape or times.ndim != 1 or times.dtype.kind != "f" or who.dtype.kind not in "iu":
        raise ValueError(f"the population `{name}` has times {times.shape} of {times.dtype} and ids {who.shape} of {who.dtype}")
    return who[()].astype(np.int64), times[()].astype(np.float64) * UNITS[unit]
