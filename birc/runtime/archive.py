"""`.npz` archives written piece by piece, so that what is longer than memory can be saved."""

from __future__ import annotations

import mmap
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PIECE = 1 << 21
"""Numbers that are turned into bytes at a time."""


@dataclass(frozen=True, eq=False)
class Member:
    """An array of an archive; `shown` is applied to pieces of rows as they are written, and may change their type.

    It is given the same rows of the arrays `beside` too.
    """

    array: Array
    shown: Callable[..., Array] = lambda rows: rows
    beside: tuple[Array, ...] = ()


def write_npz(file: BinaryIO, members: Mapping[str, Member]) -> None:
    """Write what `numpy.load` reads; nothing is compressed."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, member in members.items():
            # a fixed date: equal results are equal files
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w", force_zip64=True) as out:
                _write_array(cast(BinaryIO, out), member)


def _write_array(out: BinaryIO, member: Member) -> None:
    array = member.array
    if array.ndim == 0:
        np.lib.format.write_array(out, array, allow_pickle=False)
        return
    dtype = member.shown(array[:0], *(a[:0] for a in member.beside)).dtype
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(out, header)
    for rows in zip(*(pieces(a) for a in (array, *member.beside)), strict=True):
        out.write(np.ascontiguousarray(member.shown(*rows)).tobytes())


def pieces(array: Array) -> Iterator[Array]:
    """The array in pieces of rows, each of about `PIECE` numbers; of one that lies in a file, only a piece is kept in memory."""
    length = max(1, PIECE // max(1, int(np.prod(array.shape[1:]))))
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    for begin in range(0, len(array), length):
        yield array[begin : begin + length]
        if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # not on every system
            base.madvise(mmap.MADV_DONTNEED)
