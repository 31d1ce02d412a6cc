"""Lists of spikes that grow, in memory that is used again."""

from __future__ import annotations

import numpy as np
import pytest

from birc.backends import Spikes
from birc.runtime import spike_list
from birc.runtime.spike_list import SpikeList

MUCH = 1 << 30


@pytest.fixture(autouse=True)
def no_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spike_list, "_spare", [])


def piece(count: int, stamp: int) -> Spikes:
    """`count` spikes at a stamp."""
    return Spikes(np.arange(count, dtype=np.int32), np.full(count, stamp, np.int64))


def filled(kept: SpikeList, count: int, stamp: int) -> None:
    """Add a piece as a runner does that writes it in place."""
    place = kept.room(count)
    place.index[...], place.stamp[...] = np.arange(count), stamp
    kept.add(place)


@pytest.mark.parametrize("in_place", [True, False])
def test_pieces_are_listed_in_their_order(in_place: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spike_list, "LEAST", 4)  # grows several times
    kept = SpikeList(MUCH)
    sizes = [3, 0, 2, 40, 1, 500]
    for stamp, size in enumerate(sizes, 1):
        if in_place:
            filled(kept, size, stamp)
        else:
            kept.add(piece(size, stamp))
    assert kept.bytes == 12 * sum(sizes)
    spikes = kept.finish(len(sizes))
    np.testing.assert_array_equal(spikes.stamp, np.repeat(np.arange(1, 7), sizes))
    np.testing.assert_array_equal(spikes.index, np.concatenate([np.arange(size) for size in sizes]))
    assert spikes.index.dtype == np.int32 and spikes.stamp.dtype == np.int64


def test_what_was_written_in_place_is_not_copied() -> None:
    kept = SpikeList(MUCH)
    place = kept.room(1 << 16)
    kept.add(place)
    assert np.shares_memory(kept.finish(1 << 62).index, place.index)


def test_room_that_was_asked_for_and_not_used_is_given_again() -> None:
    kept = SpikeList(MUCH)
    lost = kept.room(5)
    lost.index[...], lost.stamp[...] = -1, -1
    kept.add(piece(5, 1))
    np.testing.assert_array_equal(kept.finish(1).index, np.arange(5))


def test_spikes_after_the_last_stamp_are_left_out() -> None:
    kept = SpikeList(MUCH)
    for stamp in (1, 2, 3):
        filled(kept, 10, stamp)
    np.testing.assert_array_equal(kept.finish(2).stamp, np.repeat([1, 2], 10))


def test_room_is_not_taken_beyond_what_spikes_may_take() -> None:
    kept = SpikeList(12 * 1000)
    assert len(kept.room(900).index) == 900
    assert len(kept._whole.index) == 1000
    kept.add(kept.room(1100))  # a job cannot be cut short
    assert len(kept._whole.index) == 1100 and kept.bytes > kept.most


def test_memory_is_used_again_when_nobody_looks_at_it() -> None:
    first = SpikeList(MUCH)
    filled(first, 1 << 16, 1)
    address = first._whole.stamp.ctypes.data
    held = first.finish(1)
    second = SpikeList(MUCH)
    filled(second, 1 << 16, 2)
    assert not np.shares_memory(held.stamp, second._whole.stamp)
    assert (held.stamp == 1).all()
    other = held.stamp[7:]  # a view of a view
    second.finish(2)
    del held
    third = SpikeList(MUCH)
    assert third._whole.stamp.ctypes.data != address
    filled(third, 1 << 16, 3)
    assert (other == 1).all()
    address = third._whole.stamp.ctypes.data
    third.finish(3)
    assert SpikeList(MUCH)._whole.stamp.ctypes.data == address


def test_few_spikes_hold_no_more_memory_than_they_need() -> None:
    kept = SpikeList(MUCH)
    filled(kept, 10, 1)
    spikes = kept.finish(1)
    assert spikes.index.base is None and spikes.stamp.base is None


def test_much_memory_is_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spike_list, "SPARE", 12 * 1000)
    monkeypatch.setattr(spike_list, "LEAST", 1001)
    kept = SpikeList(MUCH)
    filled(kept, 10, 1)
    kept.finish(1)
    assert spike_list._spare == []
