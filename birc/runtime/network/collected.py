"""What a run of a network has brought so far, in memory or on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from birc.backends import Spikes
from birc.runtime.output import make_folder, reported

Array = npt.NDArray[Any]


@dataclass
class Collected:
    """Rows of recorded variables by their key, and spikes by group, in pieces, in the order of time."""

    rows: dict[str, list[Array]] = field(default_factory=dict)
    spikes: dict[str, list[Spikes]] = field(default_factory=dict)

    def add_rows(self, key: str, rows: Array) -> None:
        """More rows of a variable."""
        self.rows.setdefault(key, []).append(rows)

    def add_spikes(self, group: str, spikes: Spikes) -> None:
        """Later spikes of a group."""
        self.spikes.setdefault(group, []).append(spikes)

    def extend(self, later: Collected) -> None:
        """All that another collected behind this."""
        for key, pieces in later.rows.items():
            for rows in pieces:
                self.add_rows(key, rows)
        for group, found in later.spikes.items():
            for spikes in found:
                self.add_spikes(group, spikes)

    def clear(self) -> None:
        """Forget everything: it is kept elsewhere."""
        self.rows.clear()
        self.spikes.clear()

    def all_rows(self, key: str, width: int, dtype: Any) -> Array:
        """The rows of a variable [rows, width]."""
        return np.concatenate([np.zeros((0, width), dtype), *self.rows.get(key, [])])

    def stamps(self, group: str) -> Array:
        """The stamps of all spikes of a group (int64)."""
        return np.concatenate([np.zeros(0, np.int64), *(s.stamp for s in self.spikes.get(group, []))])

    def index(self, group: str) -> Array:
        """The cells of all spikes of a group (int32)."""
        return np.concatenate([np.zeros(0, np.int32), *(s.index for s in self.spikes.get(group, []))])

    def offsets(self, group: str) -> Array:
        """Where in its step each spike of a group that locates them was (float64)."""
        return np.concatenate([np.zeros(0), *(s.offset for s in self.spikes.get(group, []) if s.offset is not None)])


class Streamed(Collected):
    """Goes to unnamed files in a folder as it comes; they vanish with the result, and no kill of the process leaves them behind."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.files: dict[str, IO[bytes]] = {}

    def _file(self) -> IO[bytes]:
        make_folder(self.folder)
        return tempfile.TemporaryFile(dir=self.folder)

    def _write(self, name: str, values: Array, dtype: Any) -> None:
        """Raises X102 where the disk is full."""
        with reported(self.folder):
            if name not in self.files:
                self.files[name] = self._file()
            self.files[name].write(np.ascontiguousarray(values, dtype=dtype).tobytes())

    def add_rows(self, key: str, rows: Array) -> None:
        """More rows of a variable."""
        self._write(f"rows/{key}", rows, rows.dtype)

    def add_spikes(self, group: str, spikes: Spikes) -> None:
        """Later spikes of a group."""
        self._write(f"index/{group}", spikes.index, np.int32)
        self._write(f"stamp/{group}", spikes.stamp, np.int64)
        if spikes.offset is not None:
            self._write(f"offset/{group}", spikes.offset, np.float64)

    def _view(self, name: str, dtype: Any, shape: Iterable[int]) -> Array:
        file = self.files.get(name)
        if file is None:
            return np.zeros((0, *list(shape)[1:]), dtype)
        file.flush()
        if file.tell() == 0:  # nothing can be mapped
            return np.zeros((0, *list(shape)[1:]), dtype)
        whole: Array = np.memmap(file, dtype=dtype, mode="r")
        return whole.reshape(tuple(shape))

    def all_rows(self, key: str, width: int, dtype: Any) -> Array:
        """The rows of a variable [rows, width], read when they are asked for."""
        return self._view(f"rows/{key}", dtype, (-1, width))

    def stamps(self, group: str) -> Array:
        """The stamps of all spikes of a group (int64)."""
        return self._view(f"stamp/{group}", np.int64, (-1,))

    def index(self, group: str) -> Array:
        """The cells of all spikes of a group (int32)."""
        return self._view(f"index/{group}", np.int32, (-1,))

    def offsets(self, group: str) -> Array:
        """Where in its step each spike of a group that locates them was (float64)."""
        return self._view(f"offset/{group}", np.float64, (-1,))
