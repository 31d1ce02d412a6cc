"""A run as tables of pandas: a row per spike, and a row per neuron and recorded time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from birc.runtime.export.packages import package
from birc.runtime.export.view import PopulationView, Recorded, RunView
from birc.runtime.memory import require

if TYPE_CHECKING:
    from pandas import DataFrame

Array = npt.NDArray[Any]

KEYS = ["neuron", "time_ms"]


class Tables(NamedTuple):
    """`spikes` has the columns population, neuron, time_ms; `recorded` has these and one for each variable, NaN where it was not recorded.

    Rows stand by population, then time, then neuron. `attrs["units"]` names the unit of each column, `attrs["run"]` holds the parameters,
    the seed, the step and the manifest. A variable that has another unit in another population has a column for each, `v (mV)`.
    """

    spikes: DataFrame
    recorded: DataFrame


def tables(view: RunView) -> Tables:
    """Both tables. Raises X341 without pandas, I145 where they would not fit into memory."""
    package("pandas")
    return Tables(_spikes(view), _recorded(view))


def _spikes(view: RunView) -> DataFrame:
    pandas: Any = package("pandas")
    parts = view.populations
    columns = {
        "population": _population(view, [len(p.index) for p in parts]),
        "neuron": np.concatenate([np.zeros(0, np.int32), *(p.index for p in parts)]),
        "time_ms": np.concatenate([np.zeros(0), *(p.time for p in parts)]),
    }
    return _described(pandas.DataFrame(columns), {"time_ms": "ms"}, view)


def _recorded(view: RunView) -> DataFrame:
    pandas: Any = package("pandas")
    everything = [variable for p in view.populations for variable in p.recorded]
    size = sum(variable.values.size for variable in everything)
    require(32 * size, f"a table of {size} recorded values", "record less (a larger `every`, fewer variables or neurons)")
    labels = _labels(everything)
    frames = [_of_population(p, labels, view.dt) for p in view.populations]
    whole = pandas.concat(frames, ignore_index=True)
    whole.insert(0, "population", _population(view, [len(frame) for frame in frames]))
    return _described(whole, {"time_ms": "ms", **{label: unit for (_, unit), label in labels.items()}}, view)


def _of_population(population: PopulationView, labels: dict[tuple[str, str], str], dt: float) -> DataFrame:
    """The table of one population; variables that were recorded at other times, or of other neurons, are joined by neuron and time."""
    pandas: Any = package("pandas")
    joined = pandas.DataFrame({"neuron": np.zeros(0, np.int64), "time_ms": np.zeros(0)})
    for number, (stamps, who, variables) in enumerate(_grids(population.recorded)):
        columns = {"neuron": np.tile(who, len(stamps)), "time_ms": np.repeat(stamps * dt, len(who))}
        frame = pandas.DataFrame(columns | {labels[_key(v)]: v.shown.ravel() for v in variables})
        joined = joined.merge(frame, "outer", on=KEYS).sort_values(KEYS[::-1], ignore_index=True) if number else frame
    return joined


def _grids(recorded: tuple[Recorded, ...]) -> Iterator[tuple[Array, Array, list[Recorded]]]:
    """The variables that share their stamps and neurons, with these."""
    found: dict[tuple[bytes, bytes], list[Recorded]] = {}
    for variable in recorded:
        found.setdefault((variable.stamps.tobytes(), variable.who.tobytes()), []).append(variable)
    for variables in found.values():
        yield variables[0].stamps, variables[0].who, variables


def _key(variable: Recorded) -> tuple[str, str]:
    return variable.name, variable.unit.text


def _labels(recorded: list[Recorded]) -> dict[tuple[str, str], str]:
    """The column of each variable and unit."""
    keys = list(dict.fromkeys(_key(variable) for variable in recorded))
    names = [name for name, _ in keys]
    return {(name, unit): name if names.count(name) == 1 else f"{name} ({unit})" for name, unit in keys}


def _population(view: RunView, lengths: list[int]) -> Any:
    pandas: Any = package("pandas")
    names = [p.name for p in view.populations]
    return pandas.Categorical.from_codes(np.repeat(np.arange(len(names)), lengths), names)


def _described(frame: DataFrame, units: dict[str, str], view: RunView) -> DataFrame:
    frame.attrs = {"units": units, "run": view.plain_about}
    return frame
