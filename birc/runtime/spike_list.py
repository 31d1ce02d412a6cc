"""The spikes of a run, listed as they come, in memory that a runner may fill itself."""

from __future__ import annotations

import sys

from birc.backends import Spikes, room

BYTES = 12
"""Of one spike."""
LEAST = 1 << 16
"""Spikes for which there is room from the first one on."""
GROWTH = 4
"""Room is taken for so many times the spikes there are: a system gives memory to what is written, not to what is taken."""
SPARE = 1 << 26
"""Bytes that are held back for the next run: memory is slow when it is new."""

_spare: list[Spikes] = []


class SpikeList:
    """Spikes sorted by stamp; `most`: the bytes that they may take."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0
        self._whole = _taken_back()
        self._given = self._part(0)

    @property
    def bytes(self) -> int:
        """What the spikes take."""
        return self.count * BYTES

    def room(self, count: int) -> Spikes:
        """Memory for the next `count` spikes: `add` copies nothing that was written there."""
        needed = self.count + count
        if needed > len(self._whole.index):
            larger = room(max(needed, min(max(LEAST, GROWTH * needed), self.most // BYTES)))
            for new, old in ((larger.index, self._whole.index), (larger.stamp, self._whole.stamp)):
                new[: self.count] = old[: self.count]
            self._whole = larger
        self._given = self._part(count)
        return self._given

    def add(self, spikes: Spikes) -> None:
        """Take up spikes that are later than all before."""
        if spikes.index is not self._given.index:
            place = self.room(len(spikes.index))
            place.index[...], place.stamp[...] = spikes.index, spikes.stamp
        self.count += len(spikes.index)

    def finish(self, stamp: int) -> Spikes:
        """The spikes up to a stamp. A short list is copied, lest it hold much memory."""
        whole = self._whole
        self._whole = self._given = room(0)
        kept = int(whole.stamp[: self.count].searchsorted(stamp, side="right"))
        index, stamps = whole.index[:kept], whole.stamp[:kept]
        if len(whole.index) * BYTES <= SPARE:
            _spare[:] = [whole]
        return Spikes(index, stamps) if GROWTH * kept >= len(whole.index) else Spikes(index.copy(), stamps.copy())

    def _part(self, count: int) -> Spikes:
        places = slice(self.count, self.count + count)
        return Spikes(self._whole.index[places], self._whole.stamp[places])


def _taken_back() -> Spikes:
    """The memory of the last run's spikes, if nobody looks at them any more, or none."""
    try:
        last = _spare.pop()
    except IndexError:
        return room(0)
    free = sys.getrefcount(last.index) == sys.getrefcount(last.stamp) == 2  # that of `last`, and of the call
    return last if free else room(0)
