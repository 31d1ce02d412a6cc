"""Arrays and spike lists from `.npy`, `.npz` and `.csv` files, and spikes from SONATA files (`.h5`).

They are read as data only: nothing in them is ever run.
"""

from __future__ import annotations

import re
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from birc.errors import BircError
from birc.runtime.export import sonata
from birc.suggest import closest

Array = npt.NDArray[Any]
T = TypeVar("T")

SUFFIXES = (".npy", ".npz", ".csv", ".h5")
_REFERENCE = re.compile(r"(?P<path>.*(?:\.npy|\.npz|\.csv|\.h5))(?::(?P<name>[^:/\\]*))?", re.DOTALL | re.IGNORECASE)
_BROKEN = (
    ValueError, OSError, EOFError, KeyError, MemoryError, OverflowError, NotImplementedError, SyntaxError, RuntimeError,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy and zipfile raise for a file that is cut off or is something else."""

SPIKE_COLUMNS = {"index": ("index", "spikes.index"), "time": ("time_ms", "spikes.time", "time"), "weight": ("weight",)}
"""A file is a spike list if it has an index and a time; the first name found counts. Times are in ms."""


@dataclass(frozen=True)
class SpikeTable:
    """Who got an event and when (ms), and with what payload (in the port's unit) if the file says so."""

    index: Array
    time: Array
    weight: Array | None


@dataclass(frozen=True)
class Table:
    """What a file holds: named arrays, or one array without a name; or spikes of populations."""

    path: Path
    arrays: dict[str, Array]
    whole: Array | None
    populations: dict[str, SpikeTable] = field(default_factory=dict)


def read_array(reference: str, what: str) -> Array:
    """The array that `file.npy`, `file.npz[:name]` or `file.csv[:column]` names; rows of a CSV file are steps, a column is [rows, 1]."""
    table, name = _read(reference, what)
    return _array(table, name, what)


def read_events(reference: str, what: str) -> Array | SpikeTable:
    """A spike list where the file has columns or arrays `index` and `time` (ms), else an array as `read_array` gives it.

    Of a SONATA file, `file.h5:POPULATION` is that of one population, and `file.h5` that of its only one.
    """
    table, name = _read(reference, what)
    if table.populations:
        return _choose(table, table.populations, name, what, "population")
    found = {key: next((table.arrays[n] for n in names if n in table.arrays), None) for key, names in SPIKE_COLUMNS.items()}
    if name is None and found["index"] is not None and found["time"] is not None:
        columns = {key: None if column is None else column.reshape(-1) for key, column in found.items()}
        index, time = columns["index"], columns["time"]
        assert index is not None and time is not None
        return SpikeTable(index, time, columns["weight"])
    return _array(table, name, what)


def read_table(reference: str, what: str) -> Table:
    """All arrays of a file."""
    return _read(reference, what)[0]


def _array(table: Table, name: str | None, what: str) -> Array:
    if table.populations:
        raise BircError("I117", f"{what}: `{table.path}` holds spikes, and no arrays")
    if name is None and table.whole is not None:
        return table.whole
    return _choose(table, table.arrays, name, what, "array")


def _choose(table: Table, held: Mapping[str, T], name: str | None, what: str, kind: str) -> T:
    """What a name stands for in a file; without a name, the only thing there is."""
    if name is None and len(held) == 1:
        return next(iter(held.values()))
    listed = ", ".join(f"`{n}`" for n in list(held)[:12])
    if name is None:
        raise BircError("I117", f"{what}: `{table.path}` holds several {kind}s", help=f"name one behind a colon: {listed}")
    if name in held:
        return held[name]
    near = closest(name, held)
    help = f"did you mean `{near}`?" if near else f"it holds {listed}" if listed else "it holds one array without a name"
    raise BircError("I117", f"{what}: `{table.path}` has no `{name}`", help=help)


def _read(reference: str, what: str) -> tuple[Table, str | None]:
    match = _REFERENCE.fullmatch(reference.strip())
    if match is None:
        raise BircError("I116", f"{what}: `{reference}` is no file of a known kind", help=f"known are {', '.join(SUFFIXES)}")
    path, name = Path(match["path"]), match["name"]
    try:
        exists = path.is_file()
    except (OSError, ValueError):  # a name that is too long, or has a null byte
        exists = False
    if not exists:
        raise BircError("I116", f"{what}: there is no file `{path}`", help=_nearby(path))
    try:
        return _READERS[path.suffix.lower()](path), name
    except PermissionError as error:
        raise BircError("I116", f"{what}: `{path}` may not be read") from error
    except _BROKEN as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise BircError("I117", f"{what}: `{path}` cannot be read: {reason}") from error


def _nearby(path: Path) -> str | None:
    try:
        near = closest(path.name, [file.name for file in path.parent.iterdir() if file.suffix.lower() in SUFFIXES])
    except (OSError, ValueError):
        return None
    return f"did you mean `{path.parent / near}`?" if near else None


def _npy(path: Path) -> Table:
    with path.open("rb") as file:
        return Table(path, {}, np.lib.format.read_array(file, allow_pickle=False))


def _npz(path: Path) -> Table:
    with np.load(path, allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("this is no .npz archive")
        return Table(path, {name: archive[name] for name in archive.files}, None)


def _csv(path: Path) -> Table:
    lines = [line for line in path.read_text("utf-8-sig").splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise ValueError("the file is empty")
    delimiter = next((d for d in (",", ";", "\t") if d in lines[0]), None)
    head = [cell.strip().strip('"') for cell in lines[0].split(delimiter)]
    named = not all(_is_number(cell) for cell in head)
    rows = lines[1:] if named else lines
    if not rows:
        raise ValueError("there are no rows below the header")
    values = np.loadtxt(rows, delimiter=delimiter, ndmin=2, comments=None)
    if named and values.shape[1] != len(head):
        raise ValueError(f"the header names {len(head)} columns and the rows have {values.shape[1]}")
    columns = {str(i): values[:, i : i + 1] for i in range(values.shape[1])}
    if named:
        columns |= {name: values[:, i : i + 1] for i, name in enumerate(head)}
    return Table(path, columns, values)


def _h5(path: Path) -> Table:
    spikes = sonata.read(path)
    return Table(path, {}, None, {name: SpikeTable(index, time, None) for name, (index, time) in spikes.items()})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_READERS = {".npy": _npy, ".npz": _npz, ".csv": _csv, ".h5": _h5}
