"""Memory that is used again."""

from __future__ import annotations

import numpy as np
import pytest

from birc.fused.rooms import COUNT, LEAST, LINE, aligned


@pytest.mark.parametrize("shape", [(0, 3), (1,), (5, 7), (300, 70)])
def test_an_array_begins_a_line(shape: tuple[int, ...]) -> None:
    a = aligned(*shape)
    assert a.shape == shape
    assert a.dtype == np.dtype(np.float32)
    assert a.ctypes.data % LINE == 0
    assert a.flags.c_contiguous
    assert a.flags.writeable


def test_memory_is_used_again_when_nobody_looks_at_it() -> None:
    size = LEAST // 4 + 12345
    first = aligned(size)
    place, view = first.ctypes.data, first[3:]
    del first
    second = aligned(size)
    assert second.ctypes.data != place
    second[:], view[:] = 1, 2
    assert (second == 1).all()
    del view
    assert aligned(size + 1).ctypes.data != place
    assert aligned(size).ctypes.data == place


def test_no_more_than_some_rooms_are_kept() -> None:
    from birc.fused import rooms

    arrays = [aligned(LEAST) for _ in range(COUNT + 5)]
    del arrays
    assert len(rooms._free) == COUNT
