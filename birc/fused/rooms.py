"""Memory that is used again. A system may take longer to give out new pages than a kernel takes to fill them."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

LINE = 64
"""Bytes. TensorFlow takes over arrays that begin a line, and copies others; vectors that cross lines are slow."""
LEAST, MOST, COUNT = 1 << 16, 1 << 24, 16
"""Bytes of rooms that are kept for later, and how many rooms."""

_free: deque[npt.NDArray[np.uint8]] = deque(maxlen=COUNT)


class Room:
    """What an array's values stand in. It is free for others when the array and all that look at it are gone."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        size = int(np.prod(shape)) * 4 + LINE
        self.memory = _taken(size) if LEAST <= size <= MOST else np.empty(size, np.uint8)
        start = self.memory.ctypes.data
        self.__array_interface__ = {"version": 3, "shape": shape, "typestr": "<f4", "data": (start + -start % LINE, False)}

    def __del__(self) -> None:
        if LEAST <= self.memory.nbytes <= MOST:
            _free.append(self.memory)


def _taken(size: int) -> npt.NDArray[np.uint8]:
    """Memory of just this size: the last that was left, or new."""
    for _ in range(len(_free)):
        try:
            memory = _free.pop()
        except IndexError:  # another thread was faster
            break
        if memory.nbytes == size:
            return memory
        _free.appendleft(memory)
    return np.empty(size, np.uint8)


def aligned(*shape: int) -> npt.NDArray[Any]:
    """An array in single precision that begins a line and whose values are still to be written."""
    return np.asarray(Room(shape))
