"""Runs a built library in this process: hands it a job's arrays, in slabs short enough that Ctrl-C is heard."""

from __future__ import annotations

import ctypes
from time import perf_counter
from typing import Any

import numpy as np

from birc.backends import FLOATS, Array, Artifact, Job, Spikes
from birc.backends.c_family import build
from birc.backends.c_family.arrays import grouped, pointers, slot_types, stretches, strided
from birc.backends.c_family.layout import Layout, layout
from birc.ir.tables import Pieces

SLAB_SECONDS = 0.1
"""About how long one call of the library lasts: signals are handled between calls."""
SLAB_UPDATES = 1_000_000
"""Neuron updates in the first call, before the pace is known; a later job goes by the pace of the last one."""
FLAG_BYTES = 5 << 20
"""About so many bytes of spike flags (a bit for each neuron and step) are kept until they are listed: room for a job of a long run."""

NEVER = 1 << 62
"""Steps between the rows of a record that has none."""

POINTER = ctypes.c_void_p


class InputField(ctypes.Structure):
    """`birc::Input`."""

    _fields_ = (("values", POINTER), ("row", ctypes.c_int64), ("column", ctypes.c_int64))


class ArrivalsField(ctypes.Structure):
    """`birc::Arrivals`."""

    _fields_ = (("begin", POINTER), ("step", POINTER), ("lane", POINTER), ("payload", POINTER))


class TableFields(ctypes.Structure):
    """`birc::TableField`."""

    _fields_ = (
        ("low", ctypes.c_double),
        ("width", ctypes.c_double),
        ("pieces", ctypes.c_int64),
        ("degree", ctypes.c_int64),
        ("columns", POINTER),
        ("rows", POINTER),
    )


class JobFields(ctypes.Structure):
    """`birc::Job`."""

    _fields_ = (
        ("n", ctypes.c_int64),
        ("origin", ctypes.c_int64),
        ("start", ctypes.c_int64),
        ("steps", ctypes.c_int64),
        ("every", ctypes.c_int64),
        ("seed", ctypes.c_uint64),
        ("bind", POINTER),
        ("state", POINTER),
        ("inputs", POINTER),
        ("events", POINTER),
        ("record", POINTER),
        ("streams", POINTER),
        ("fired", POINTER),
        ("words", ctypes.c_int64),
        ("threads", ctypes.c_int64),
        ("tables", POINTER),
    )


class Native:
    """The runner of a native artifact."""

    def __init__(self, artifact: Artifact) -> None:
        (source,) = (text for name, text in artifact.files.items() if name.endswith(".cpp") and isinstance(text, str))
        self.source = source
        self.layout = layout(artifact.step)
        self.real = FLOATS[artifact.dtype]
        self.kernels: dict[str, ctypes.CDLL] = {}
        self.flags = np.zeros(0, np.uint64)
        self.updates = SLAB_UPDATES
        self.kernel("")

    def kernel(self, each: str) -> ctypes.CDLL:
        """The library in which the bind values marked `1` differ between neurons; `""` if none does."""
        if each not in self.kernels:
            library = build.library(variant(self.source, each))
            library.birc_run.argtypes = (ctypes.POINTER(JobFields),)
            library.birc_run.restype = None
            whole = ctypes.c_int64
            library.birc_count.argtypes = (POINTER, whole, whole, POINTER, whole)
            library.birc_count.restype = None
            library.birc_list.argtypes = (POINTER, whole, whole, whole, POINTER, POINTER, POINTER, whole)
            library.birc_list.restype = None
            self.kernels[each] = library
        return self.kernels[each]

    def run(self, job: Job) -> Spikes:
        """See `birc.backends.Runner`. Ctrl-C is heard between slabs; the state is then that of a stamp between, and the spikes are lost."""
        binds = [np.ascontiguousarray(job.bind[name], dtype=np.float64) for name in self.layout.binds]
        each = "".join("1" if array.size > 1 else "0" for array in binds)
        library = self.kernel(each if "1" in each else "")
        call = Call(self.layout, self.real, job, binds, ctypes.c_int32.in_dll(library, "birc_lanes").value)
        most = max(1, FLAG_BYTES // (8 * call.words))
        flags = self.lowered(min(most, job.steps) * call.words)
        found, listed = Spikes(np.zeros(0, np.int32), np.zeros(0, np.int64)), 0
        began = perf_counter()
        for first, count in stretches(job, most, self.updates, SLAB_SECONDS):
            if first + count - listed > most:
                found, listed = call.spikes(library, listed, first, flags, found), first
            call.slab(library, first, count, flags[(first - listed) * call.words :])
        self.updates = max(SLAB_UPDATES, int(job.steps * job.n * SLAB_SECONDS / max(perf_counter() - began, 1e-6)))
        found = call.spikes(library, listed, job.steps, flags, found)
        self.flags = flags
        call.finish()
        return found

    def lowered(self, words: int) -> Array:
        """Room for spike flags, all down: that of the last run, which lowered what it listed, if it came to its end and is large enough."""
        flags, self.flags = self.flags, np.zeros(0, np.uint64)
        return flags if len(flags) >= words else np.zeros(words, np.uint64)


class Call:
    """A job's arrays as the library wants them; they live as long as this."""

    def __init__(self, places: Layout, real: type[np.floating[Any]], job: Job, binds: list[Array], lanes: int) -> None:
        self.job = job
        self.places = places
        self.binds = binds
        self.lanes = lanes
        self.words = -(-job.n // lanes) * (lanes // 64)
        types = slot_types(places, real)
        self.state = [np.ascontiguousarray(job.state[slot.name], dtype=types[slot.name]) for slot in places.slots]
        self.inputs = [strided(job.inputs[name]) for name in places.inputs]
        self.record = {name: np.ascontiguousarray(array, dtype=types[name]) for name, array in job.record.items()}
        self.streams = np.array([job.streams[name] for name in places.noises], dtype=np.uint32)
        self.fields = JobFields(n=job.n, origin=job.start, every=job.every if job.record else NEVER, seed=job.seed & (1 << 64) - 1)
        self.fields.words = self.words
        self.fields.threads = max(1, job.threads)
        self.tables = [table_arrays(job.tables[table.name], real) for table in places.tables]
        self.table_fields = (TableFields * len(self.tables))(
            *(
                TableFields(given.low, given.width, given.pieces, given.degree, columns.ctypes.data, rows.ctypes.data)
                for given, columns, rows in self.tables
            )
        )
        self.fields.tables = ctypes.addressof(self.table_fields)
        self.fields.streams = self.streams.ctypes.data
        self.pointers = [
            pointers([array.ctypes.data for array in self.binds]),
            pointers([array.ctypes.data for array in self.state]),
            pointers([self.record[name].ctypes.data if name in self.record else 0 for name in places.recordable]),
        ]
        self.fields.bind, self.fields.state, self.fields.record = (array.ctypes.data for array in self.pointers)

    def slab(self, library: ctypes.CDLL, first: int, count: int, flags: Array) -> None:
        """Run `count` steps from step `first` of the job on, and raise the flags of who fires."""
        inputs = (InputField * len(self.inputs))(
            *(InputField(array.ctypes.data + first * row * array.itemsize, row, column) for array, row, column in self.inputs)
        )
        by_tile = [grouped(self.job.events[name], first, count, self.job.n, self.lanes) for name in self.places.events]
        arrivals = (ArrivalsField * len(by_tile))(*(ArrivalsField(*(array.ctypes.data for array in arrays)) for arrays in by_tile))
        self.fields.start = self.job.start + first
        self.fields.steps = count
        self.fields.inputs = ctypes.addressof(inputs)
        self.fields.events = ctypes.addressof(arrivals)
        self.fields.fired = flags.ctypes.data
        library.birc_run(ctypes.byref(self.fields))

    def spikes(self, library: ctypes.CDLL, first: int, stop: int, flags: Array, found: Spikes) -> Spikes:
        """The spikes found before and, behind them, those of the flags of some steps, which are lowered, in the job's room."""
        threads = self.fields.threads
        shape = flags.ctypes.data, stop - first, self.words
        counts = np.empty(threads, np.int64)
        library.birc_count(*shape, counts.ctypes.data, threads)
        before, more = len(found.index), int(counts.sum())
        if before and not more:
            return found
        spikes = self.job.room(before + more)
        if spikes.index.ctypes.data != found.index.ctypes.data:  # else the room is where it was, and only longer
            spikes.index[:before], spikes.stamp[:before] = found.index, found.stamp
        if more:
            start = self.job.start + first
            places = (counts, spikes.index[before:], spikes.stamp[before:])
            library.birc_list(*shape, start, *(array.ctypes.data for array in places), threads)
        return spikes

    def finish(self) -> None:
        """Put results into the caller's arrays, where those were not fit to be written directly."""
        for slot, array in zip(self.places.slots, self.state, strict=True):
            if array is not self.job.state[slot.name]:
                self.job.state[slot.name][...] = array
        for name, array in self.record.items():
            if array is not self.job.record[name]:
                self.job.record[name][...] = array


def table_arrays(given: Pieces, real: type[np.floating[Any]]) -> tuple[Pieces, Array, Array]:
    """A table with its coefficients in both orders."""
    columns = np.ascontiguousarray(given.coefficients, dtype=real)
    functions, powers, pieces = columns.shape
    rows = np.zeros((pieces, powers, max(16 // columns.itemsize, 1 << (functions - 1).bit_length())), real)
    rows[:, :, :functions] = columns.transpose(2, 1, 0)
    return given, columns, rows


def variant(source: str, each: str) -> str:
    """The text for bind values of which those marked `1` differ between neurons."""
    return f'#define EACH "{each}"\n{source}' if "1" in each else source
