"""A recording that goes to disk as it is made: its length is bounded by the disk, not by memory."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from birc.backends import Dtype, Spikes, room
from birc.errors import BircError
from birc.ir.step import Step
from birc.runtime.memory import readable
from birc.runtime.output import make_folder, reported
from birc.runtime.recording import Recording

Array = npt.NDArray[Any]

WINDOW = 1 << 26
"""Bytes of the rows that are held in memory at a time, about."""


class StreamedRecording(Recording):
    """Windows are buffers that go to unnamed files in a folder, which no kill of the process leaves behind."""

    def __init__(self, folder: Path, names: tuple[str, ...], step: Step, dtype: Dtype, n: int, start: int, steps: int, every: int) -> None:
        self.folder = folder
        super().__init__(names, step, dtype, n, start, steps, every)

    def _make(self, rows: int, size: int) -> None:
        """Files in place of arrays. Raises I149 where the disk has less than `size` bytes, X102 where it cannot be written."""
        with reported(self.folder):
            make_folder(self.folder)
            free = shutil.disk_usage(self.folder).free
            if size > free:
                what = f"recording {', '.join(self.types)} ({rows} rows of {self.n})"
                help = "record less: a larger `every`, fewer variables or neurons"
                raise BircError("I149", f"{what} would take {readable(size)} of disk, and {readable(free)} are free", help=help)
            self.files: dict[str, IO[bytes]] = {name: self._file() for name in self.types}
            self.index, self.stamp = self._file(), self._file()
            self.offset = self._file() if self.located else None
        row = self.n * sum(t.itemsize for t in self.types.values())
        self.longest = max(1, WINDOW // row) * self.every if row else None
        self._rows: dict[str, Array] = {}

    def _file(self) -> IO[bytes]:
        return tempfile.TemporaryFile(dir=self.folder)

    def window(self, start: int, steps: int) -> dict[str, Array]:
        """Fresh rows for a job to fill."""
        count = self._row(start + steps) - self._row(start)
        self._rows = {name: np.zeros((count, self.n), dtype=t) for name, t in self.types.items()}
        return self._rows

    def room(self, count: int) -> Spikes:
        """Memory for spikes on their way to the disk."""
        return room(count)

    def add(self, spikes: Spikes) -> None:
        """Write a job's rows and spikes. Raises X102 where the disk is full."""
        with reported(self.folder):
            for name, rows in self._rows.items():
                self.files[name].write(rows.data if rows.size else b"")
            self.index.write(np.ascontiguousarray(spikes.index, dtype=np.int32).tobytes())
            self.stamp.write(np.ascontiguousarray(spikes.stamp, dtype=np.int64).tobytes())
            if self.offset is not None and spikes.offset is not None:
                self.offset.write(np.ascontiguousarray(spikes.offset, dtype=np.float64).tobytes())

    @property
    def full(self) -> str | None:
        """Never: a full disk is an error."""
        return None

    def finish(self, stamp: int) -> tuple[dict[str, Array], Spikes]:
        """Views of the files."""
        with reported(self.folder):
            arrays = {name: _view(self.files[name], t, (-1, self.n)) for name, t in self.types.items()}
            offsets = None if self.offset is None else _view(self.offset, np.dtype(np.float64), (-1,))
            return arrays, Spikes(_view(self.index, np.dtype(np.int32), (-1,)), _view(self.stamp, np.dtype(np.int64), (-1,)), offsets)


def _view(file: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """The numbers of a file, read when they are asked for."""
    file.flush()
    if file.tell() == 0:  # nothing can be mapped
        return np.zeros((0, *shape[1:]), dtype=dtype)
    whole: Array = np.memmap(file, dtype=dtype, mode="r")
    return whole.reshape(shape)
