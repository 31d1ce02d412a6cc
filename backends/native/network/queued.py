"""Events on their way from synapses to ports where they act one by one: handed to the library when a job starts, fetched when it ends."""

from __future__ import annotations

import ctypes
from collections.abc import MutableMapping
from typing import Any

import numpy as np

from birc.backends import Array
from birc.backends.native.network.fields import BucketFields, Memory, QueueFields
from birc.backends.networks import QUEUE_PAYLOAD, QUEUE_STAMP, QUEUE_TARGET, BoundProjection
from birc.errors import BircError


class Queued:
    """The events of one projection, in buckets of the library's that grow as they need."""

    def __init__(
        self, p: BoundProjection, state: MutableMapping[str, Array], real: type[np.floating[Any]], threads: int, memory: Memory
    ) -> None:
        self.p, self.state = p, state
        self.rows = max(1, p.pending)
        self.event = np.dtype([("target", np.int64), ("payload", real)], align=True)
        self.buckets = (BucketFields * (threads * self.rows))()
        given, due = np.zeros(0, self.event), np.zeros(0, np.int64)
        if p.queued:
            due = np.ascontiguousarray(state[p.name + QUEUE_STAMP], np.int64)
            given = np.zeros(len(due), self.event)
            given["target"], given["payload"] = state[p.name + QUEUE_TARGET], state[p.name + QUEUE_PAYLOAD]
        self.fields = QueueFields(ctypes.addressof(self.buckets), threads, 0, memory.at(given), memory.at(due), len(given))

    @property
    def address(self) -> int:
        """Of the `birc::Queue`."""
        return ctypes.addressof(self.fields)

    def check(self) -> None:
        """Raises I145 where the library found no memory for an event."""
        if self.fields.lost:
            message = f"there is no memory for what is on its way from {self.p.name}"
            raise BircError("I145", message, help="shorter delays behind its synapses, or fewer synapses, keep less on its way")

    def finish(self, library: ctypes.CDLL, stop: int) -> None:
        """Bring the events that arrive behind stamp `stop` to the state, by stamp and target, and give their room back."""
        stamps, events = [np.zeros(0, np.int64)], [np.zeros(0, self.event)]
        for place, bucket in enumerate(self.buckets):
            if bucket.count:
                room = (ctypes.c_char * (bucket.count * self.event.itemsize)).from_address(bucket.events)
                events.append(np.frombuffer(room, self.event).copy())
                ahead = (place % self.rows - stop) % self.rows  # what arrives now has arrived
                stamps.append(np.full(bucket.count, stop + ahead, np.int64))
            library.birc_free(bucket.events)
        if not self.p.queued:
            return
        stamp, event = np.concatenate(stamps), np.concatenate(events)
        in_order = np.lexsort((event["target"], stamp))
        self.state[self.p.name + QUEUE_STAMP] = stamp[in_order]
        self.state[self.p.name + QUEUE_TARGET] = event["target"][in_order].astype(np.int32)
        self.state[self.p.name + QUEUE_PAYLOAD] = event["payload"][in_order]
