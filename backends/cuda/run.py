"""Runs a built CUDA library, on a device or emulated, through the C interface that it offers to anyone."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from birc.backends import FLOATS, Array, Artifact, Job, Spikes
from birc.backends.c_family.arrays import grouped, joined, pointers, slot_types, stretches, strided
from birc.backends.c_family.layout import Layout, layout
from birc.backends.cuda.device import Machine
from birc.errors import BircError

STRETCH_SECONDS = 0.1
"""About how long one call of the library lasts: signals are handled between calls."""
FIRST_UPDATES = 1_000_000
"""Neuron updates in the first call, before its pace is known."""
MOST_BYTES = 1 << 28
"""At most so many bytes of inputs, recordings and spike flags are on the device at a time, about."""

POINTER = ctypes.c_void_p


class ValuesField(ctypes.Structure):
    """`birc_values`."""

    _fields_ = (("values", POINTER), ("row", ctypes.c_int64), ("column", ctypes.c_int64))


class ArrivalsField(ctypes.Structure):
    """`birc_arrivals`."""

    _fields_ = (("begin", POINTER), ("step", POINTER), ("payload", POINTER))


class TableFields(ctypes.Structure):
    """`birc_table`."""

    _fields_ = (
        ("low", ctypes.c_double),
        ("width", ctypes.c_double),
        ("pieces", ctypes.c_int64),
        ("degree", ctypes.c_int64),
        ("from", POINTER),
    )


class JobFields(ctypes.Structure):
    """`birc_job`."""

    _fields_ = (
        ("n", ctypes.c_int64),
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
        ("tables", POINTER),
    )


class CudaRunner:
    """The runner of a CUDA artifact."""

    def __init__(self, artifact: Artifact, machine: Machine) -> None:
        ((name, source),) = ((n.removesuffix(".cu"), t) for n, t in artifact.files.items() if n.endswith(".cu") and isinstance(t, str))
        self.layout = layout(artifact.step)
        self.real = FLOATS[artifact.dtype]
        self.types = slot_types(self.layout, self.real)
        self.machine = machine
        library = machine.library(source)
        job = ctypes.POINTER(JobFields)
        functions = [library[f"birc_{name.replace('-', '_')}_{what}"] for what in ("run", "error", "count", "list")]
        self.advance, self.error, self.count, self.list = functions
        self.advance.argtypes, self.advance.restype = (job,), ctypes.c_int
        self.error.argtypes, self.error.restype = (ctypes.c_int,), ctypes.c_char_p
        self.count.argtypes, self.count.restype = (job,), ctypes.c_int64
        self.list.argtypes, self.list.restype = (job, POINTER, POINTER), None

    def run(self, job: Job) -> Spikes:
        """See `birc.backends.Runner`. Raises X206 where the device fails, for example for want of memory."""
        call = Call(self.layout, self.types, self.real, job)
        most = max(1, MOST_BYTES // max(1, call.bytes_of_step()))
        found = [self.stretch(call, first, count) for first, count in stretches(job, most, FIRST_UPDATES, STRETCH_SECONDS)]
        call.finish()
        return joined(found)

    def stretch(self, call: Call, first: int, count: int) -> Spikes:
        """Run `count` steps from step `first` of the job on."""
        fired = np.zeros(count * call.fields.words, np.uint64)
        with_inputs = call.inputs(first)
        with_events = [grouped(call.job.events[name], first, count, call.job.n, 1) for name in self.layout.events]
        arrivals = (ArrivalsField * len(with_events))(
            *(ArrivalsField(begin.ctypes.data, step.ctypes.data, payload.ctypes.data) for begin, step, _, payload in with_events)
        )
        record = call.records(first)
        fields = call.fields
        fields.start, fields.steps = call.job.start + first, count
        fields.inputs, fields.events = ctypes.addressof(with_inputs), ctypes.addressof(arrivals)
        fields.record, fields.fired = record.ctypes.data, fired.ctypes.data
        code = self.advance(ctypes.byref(fields))
        if code != 0:
            raise BircError("X206", f"the CUDA device failed: {self.error(code).decode('utf-8', 'replace')} (error {code})")
        total = self.count(ctypes.byref(fields))
        spikes = Spikes(np.empty(total, np.int32), np.empty(total, np.int64))
        self.list(ctypes.byref(fields), spikes.index.ctypes.data, spikes.stamp.ctypes.data)
        return spikes


class Call:
    """A job's arrays as the library wants them; they live as long as this."""

    def __init__(self, places: Layout, types: dict[str, np.dtype[Any]], real: type[np.floating[Any]], job: Job) -> None:
        self.places = places
        self.job = job
        self.binds = [np.ascontiguousarray(job.bind[name], dtype=np.float64) for name in places.binds]
        self.state = {slot.name: np.ascontiguousarray(job.state[slot.name], dtype=types[slot.name]) for slot in places.slots}
        self.record = {name: np.ascontiguousarray(array, dtype=types[name]) for name, array in job.record.items()}
        self.given = [strided(job.inputs[name]) for name in places.inputs]
        self.streams = np.array([job.streams[name] for name in places.noises], dtype=np.uint32)
        self.bound = (ValuesField * len(self.binds))(*(ValuesField(a.ctypes.data, 0, 1 if a.size > 1 else 0) for a in self.binds))
        self.slots = pointers([array.ctypes.data for array in self.state.values()])
        self.fields = JobFields(n=job.n, every=job.every, seed=job.seed & (1 << 64) - 1, words=-(-job.n // 64))
        self.fields.bind = ctypes.addressof(self.bound)
        self.fields.state = self.slots.ctypes.data
        self.fields.streams = self.streams.ctypes.data
        tables = [job.tables[table.name] for table in places.tables]
        self.tables = [(table, np.ascontiguousarray(table.coefficients, dtype=real)) for table in tables]
        self.table_fields = (TableFields * len(self.tables))(
            *(TableFields(given.low, given.width, given.pieces, given.degree, array.ctypes.data) for given, array in self.tables)
        )
        self.fields.tables = ctypes.addressof(self.table_fields)

    def bytes_of_step(self) -> int:
        """Bytes that a step adds to what lies on the device."""
        inputs = sum(8 * row for _, row, _ in self.given)
        records = sum(array.itemsize * self.job.n for array in self.record.values()) // self.job.every
        return int(8 * self.fields.words + inputs + records)

    def inputs(self, first: int) -> ctypes.Array[ValuesField]:
        """The inputs from a step on."""
        return (ValuesField * len(self.given))(
            *(ValuesField(a.ctypes.data + 8 * first * row, row, column) for a, row, column in self.given)
        )

    def records(self, first: int) -> Array:
        """Addresses of the rows that a stretch from a step on fills; 0 for what is not recorded."""
        row = (self.job.start + first) // self.job.every - self.job.start // self.job.every
        addresses = []
        for name in self.places.recordable:
            array = self.record.get(name)
            addresses.append(0 if array is None else array.ctypes.data + row * self.job.n * array.itemsize)
        return pointers(addresses)

    def finish(self) -> None:
        """Put results into the caller's arrays, where those were not fit to be written directly."""
        for given, own in ((self.job.state, self.state), (self.job.record, self.record)):
            for name, array in own.items():
                if array is not given[name]:
                    given[name][...] = array
