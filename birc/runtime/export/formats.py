"""The files that results are written to, by their ending or by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from birc.errors import BircError
from birc.runtime.export.packages import NEEDS, package
from birc.runtime.export.view import RunView
from birc.runtime.output import write_atomic
from birc.suggest import closest


@dataclass(frozen=True)
class Format:
    """A kind of file: its ending, and what of a result it holds."""

    ending: str
    holds: str


FORMATS = {
    "npz": Format(".npz", "everything"),
    "csv": Format(".csv", "spikes"),
    "nwb": Format(".nwb", "NWB: spikes and recorded variables"),
    "sonata": Format(".h5", "SONATA: spikes"),
}


def format_of(path: str | Path, format: str | None = None) -> str:
    """The format of a file: the one named, or that of its ending. Raises I150 for another, X341 where a package for it is missing."""
    ending = Path(path).suffix.lower()
    if format is not None and format not in FORMATS:
        near = closest(format, FORMATS)
        listed = ", ".join(f"`{name}`" for name in FORMATS)
        raise BircError("I150", f"there is no format `{format}`", help=f"did you mean `{near}`?" if near else f"there are {listed}")
    found = format or next((name for name, known in FORMATS.items() if known.ending == ending), None)
    if found is None:
        *most, last = (f"{known.ending} ({known.holds})" for known in FORMATS.values())
        raise BircError("I150", f"results are not written as `{ending or path}`", help=f"use {', '.join(most)} or {last}")
    if found in NEEDS:
        package(found)
    return found


def write_view(view: RunView, path: str | Path, format: str) -> Path:
    """Write a run as `nwb` or `sonata`. Raises X341 where a package is missing, X102 where the file cannot be written."""
    from birc.runtime.export import nwb, sonata

    writers: dict[str, Callable[[RunView, BinaryIO], None]] = {"nwb": nwb.write, "sonata": sonata.write}
    return write_atomic(path, lambda file: writers[format](view, file))
