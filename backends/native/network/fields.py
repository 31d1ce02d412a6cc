"""The structures of `birc_network.h` as they cross from Python; every member takes eight bytes."""

from __future__ import annotations

import ctypes
from typing import Any

POINTER, WORD, REAL = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double


def _members(words: str) -> list[tuple[str, Any]]:
    """`*name` is an address, `.name` a double, `name` an integer."""
    types = {"*": POINTER, ".": REAL}
    return [(word.lstrip("*."), types.get(word[0], WORD)) for word in words.split()]


class GroupFields(ctypes.Structure):
    """`birc::Group`."""

    _fields_ = _members("n rows *index *many *count *found *spikes *times *counts room used before work total fired")


class SourceFields(ctypes.Structure):
    """`birc::Source`."""

    _fields_ = _members("*group *table entries .apart pairs *ahead *drawn stream *least *stamp *index *many events next")


class EdgesFields(ctypes.Structure):
    """`birc::Edges`."""

    _fields_ = _members("sources delays *delay *starts *target dense single apart")


LINE = 64
"""Bytes of a line of the cache."""
INBOX = 8 * (5 + 3 * 256)
"""Bytes of `birc::Inbox`."""


class ProjectionFields(ctypes.Structure):
    """`birc::Projection`."""

    _fields_ = [
        ("edges", EdgesFields),
        *_members("*source first_source first_target *table step late *weights .weight *sums rows pitch *inbox *block span *level"),
        *_members("*slots *bind *given *last *fine *coarse *most *dend wait *streams"),
        ("back", EdgesFields),
        *_members("*synapse *far *place *target full turned *driven *queue"),
    ]


class NotedFields(ctypes.Structure):
    """`birc::Noted`."""

    _fields_ = _members("*from by *to")


class FollowedFields(ctypes.Structure):
    """`birc::Followed`."""

    _fields_ = _members("*values .decay nearest *base *path")


class DrivenFields(ctypes.Structure):
    """`birc::Driven`."""

    _fields_ = _members(
        "capacity window every *after *before *latest noted_count *noted followed_count *followed *progress *visited *many *done "
        "*lanes *spikes *rounds room *order inputs"
    )


class BucketFields(ctypes.Structure):
    """`birc::Bucket`."""

    _fields_ = _members("*events count room")


class QueueFields(ctypes.Structure):
    """`birc::Queue`."""

    _fields_ = _members("*buckets threads lost *given *due count")


class CouplingFields(ctypes.Structure):
    """`birc::Coupling`."""

    _fields_ = [
        ("edges", EdgesFields),
        *_members("*weights .weight *x *values row column *y *sums first_target *target"),
    ]


class PortFields(ctypes.Structure):
    """`birc::Port`."""

    _fields_ = _members("count *from")


class FeedFields(ctypes.Structure):
    """`birc::Feed`."""

    _fields_ = _members("*values row column last count *from")


class PopulationFields(ctypes.Structure):
    """`birc::Population`."""

    _fields_ = _members("*group tiles block *bind *slots *inputs *ports *outputs *kept *streams *tables")


class TraceFields(ctypes.Structure):
    """`birc::Trace`."""

    _fields_ = _members("*values n .decay nearest *edges *of first")


class SignalFields(ctypes.Structure):
    """`birc::Signal`."""

    _fields_ = _members("*level .decay")


class CopyFields(ctypes.Structure):
    """`birc::Copy`."""

    _fields_ = _members("*from *to n")


class RecordFields(ctypes.Structure):
    """`birc::Record`."""

    _fields_ = _members("*from *to kind n every origin")


class NetworkFields(ctypes.Structure):
    """`birc::Network`."""

    _fields_ = [
        *_members("start first steps threads"),
        ("seed", ctypes.c_uint64),
        *_members("*populations *projections *order *stages stage_count *sources source_count *couplings coupling_count"),
        *_members("*traces trace_count *signals signal_count *copies copy_count *records record_count prepares finishes stop"),
    ]


_ALL = (GroupFields, SourceFields, EdgesFields, None, ProjectionFields, CouplingFields, PortFields, FeedFields, PopulationFields)
SIZES = tuple(INBOX if fields is None else ctypes.sizeof(fields) for fields in (*_ALL, TraceFields, SignalFields, CopyFields, RecordFields))
SOON = 8
"""Steps whose rare events are drawn at once."""
SIZES = (*SIZES, ctypes.sizeof(NetworkFields), SOON)
"""Bytes of each structure, in the order of `birc_sizes`, and `birc::SOON`."""
PROGRESS = 64
"""Bytes of `birc::Progress`."""
TOGETHER, SYNAPSES = 8, 1024
"""Sources whose traces are followed side by side; synapses whose spikes are looked up at a time."""
DRIVEN_SIZES = (ctypes.sizeof(NotedFields), ctypes.sizeof(FollowedFields), PROGRESS, ctypes.sizeof(DrivenFields), TOGETHER, SYNAPSES)
"""What `birc_driven_sizes` says: bytes of the structures of `birc_driven.h`, and these two."""


QUEUE_SIZES = (ctypes.sizeof(BucketFields), ctypes.sizeof(QueueFields))
"""Bytes of the structures of `birc_queue.h`, in the order of `birc_queue_sizes`."""


class Memory:
    """What a call of the library needs to stay where it is."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def at(self, array: Any) -> int:
        """The address of an array, which is kept."""
        self.kept.append(array)
        return int(array.ctypes.data)

    def table(self, addresses: list[int]) -> int:
        """The address of a table of addresses."""
        made = (ctypes.c_void_p * max(1, len(addresses)))(*addresses)
        self.kept.append(made)
        return ctypes.addressof(made)

    def many(self, kind: type[ctypes.Structure], rows: list[Any]) -> int:
        """The address of structures side by side; they are copied."""
        made = (kind * max(1, len(rows)))(*rows)
        self.kept.append(made)
        return ctypes.addressof(made)
