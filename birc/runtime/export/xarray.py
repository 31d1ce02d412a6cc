"""Recorded variables as a dataset of xarray, with coordinates and units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from birc.runtime.export.packages import package
from birc.runtime.export.view import PopulationView, RunView

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

Array = npt.NDArray[Any]


def dataset(view: RunView, population: PopulationView) -> Dataset:
    """The variables of a population over `time` (ms) and `neuron`, each with its unit in `attrs["units"]`.

    Variables that were recorded at other times or of other neurons have dimensions of their own, `time_2` and so on. Attributes of the
    dataset: dt (ms), seed, population, and `birc`, which holds all that the run was made with as JSON. Raises X341 without xarray.
    """
    xarray: Any = package("xarray")
    coordinates: dict[str, Array] = {}
    variables = {}
    for variable in population.recorded:
        time = _dimension("time", variable.stamps * view.dt, coordinates)
        neuron = _dimension("neuron", variable.who, coordinates)
        variables[variable.name] = ((time, neuron), variable.shown, {"units": variable.unit.text})
    units = {name: {"units": "ms"} if name.startswith("time") else {} for name in coordinates}
    about = {"population": population.name, "dt_ms": view.dt, "seed": view.about["seed"], "birc": view.about_text}
    return xarray.Dataset(variables, {name: (name, values, units[name]) for name, values in coordinates.items()}, about)


def tree(view: RunView) -> DataTree:
    """A dataset per population, under its name. Raises X341 without xarray."""
    xarray: Any = package("xarray")
    return xarray.DataTree.from_dict({population.name: dataset(view, population) for population in view.populations}, name=view.name)


def _dimension(base: str, values: Array, known: dict[str, Array]) -> str:
    """The dimension of these coordinates: one that is known, or the next of its name."""
    number = 1
    while True:
        name = base if number == 1 else f"{base}_{number}"
        if name not in known:
            known[name] = values
        if np.array_equal(known[name], values):
            return name
        number += 1
