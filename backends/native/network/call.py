"""One job of a network: its state and recordings in the structures that the library reads, and the spikes that it finds."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from birc.backends import Array, Spikes
from birc.backends.c_family.arrays import strided
from birc.backends.native.network.driven import Input, OnPost, history, on_post, own_traces
from birc.backends.native.network.emit import input_of
from birc.backends.native.network.fields import (
    INBOX,
    LINE,
    SOON,
    CopyFields,
    CouplingFields,
    FeedFields,
    GroupFields,
    Memory,
    NetworkFields,
    PopulationFields,
    PortFields,
    ProjectionFields,
    RecordFields,
    SignalFields,
    SourceFields,
    TraceFields,
)
from birc.backends.native.network.fixed import NUMBERS, Fixed
from birc.backends.native.network.held import Held
from birc.backends.native.network.plan import Kernel, Synapses, Wire
from birc.backends.native.network.queued import Queued
from birc.backends.native.network.turned import Matrix, may_turn, pays
from birc.backends.networks import (
    HISTORY_COUNT,
    HISTORY_INDEX,
    HISTORY_MANY,
    LAST,
    PENDING,
    BoundProjection,
    NetworkJob,
)
from birc.ir.ops import Kind
from birc.ir.random import FIELD

ROOM = 1 << 18
"""Spikes of a group that find room at a time, at least."""
MOST_STEPS = 1 << 16
"""Steps in one call, at most."""
NEURONS = 2000
"""Neurons that are worth a thread."""
RECORDS = {"f": 0, "i": 1, "b": 2}


class Call:
    """The structures of a job; they live as long as this."""

    def __init__(self, fixed: Fixed, job: NetworkJob, rates: Mapping[str, float] | None = None) -> None:
        self.fixed, self.job, self.network = fixed, job, job.network
        self.memory = Memory()
        self.held = Held(job.state, fixed.real, fixed.lanes)
        neurons = sum(p.n for p in self.network.populations)
        self.threads = max(1, min(job.threads, neurons // NEURONS))
        self.on_post = self._on_post()
        self.driven = frozenset(name for name, found in self.on_post.items() if found.waits)
        self.turned = self._turned(rates or {})
        self.sizes = {p.name: p.n for p in self.network.populations} | {s.name: s.n for s in self.network.sources}
        self.groups = {name: i for i, name in enumerate(self.sizes)}
        self.spikes: dict[str, tuple[Array, Array | None, Array]] = {}
        made = [self._group(name) for name in self.groups]
        self.group_fields = (GroupFields * max(1, len(made)))(*made)
        self.memory.kept.append(self.group_fields)
        self.copies: dict[tuple[str, str], tuple[Array, Array]] = {}
        self.levels = {s.name: self.held.plain(s.name) for s in self.network.signals}
        self.values = {name: strided(array) for name, array in job.values.items()}
        self.feeds = {name: strided(array) for name, array in job.feeds.items()}
        self.queues: list[Queued] = []
        self.coupling_fields = self._couplings()
        self.projection_fields = self._projections()
        self.source_fields = (SourceFields * max(1, len(self.network.sources)))(
            *(self._source(i) for i in range(len(self.network.sources)))
        )
        self.traces = self._traces()
        self.fields = self._network()
        self.done = 0
        """Steps that were run."""

    # --- groups

    def _group(self, name: str) -> GroupFields:
        """The spikes of a group: rows for those who wait for them (one, if nobody does), and room for the caller's."""
        n = self.sizes[name]
        is_source = name not in self.fixed.populations
        room = max(ROOM, 4 * n)
        waiting = name + HISTORY_COUNT in self.job.state
        if waiting:
            index = self.held.plain(name + HISTORY_INDEX, np.int32)
            count = self.held.plain(name + HISTORY_COUNT, np.int64)
            many = self.held.plain(name + HISTORY_MANY, np.int32) if is_source else None
        else:
            index, count = np.zeros((1, n), np.int32), np.zeros(1, np.int64)
            many = np.zeros((1, n), np.int32) if is_source else None
        at = self.memory.at
        listed = times = counts = 0
        if name not in self.job.silent:
            kept = np.empty(room, np.int32), np.empty(room, np.int32) if is_source else None, np.empty(MOST_STEPS, np.int64)
            self.spikes[name] = kept
            listed, times, counts = (0 if array is None else at(array) for array in kept)
        return GroupFields(
            n,
            len(count),
            at(index),
            0 if many is None else at(many),
            at(count),
            at(np.zeros(self.threads * LINE // 8, np.int64)),
            listed,
            times,
            counts,
            room,
            0,
            *self.fixed.shares[name],
        )

    def _group_at(self, name: str) -> int:
        return ctypes.addressof(self.group_fields) + self.groups[name] * ctypes.sizeof(GroupFields)

    def _source(self, number: int) -> SourceFields:
        source = self.network.sources[number]
        fields = SourceFields.from_buffer_copy(self.fixed.sources[number])
        fields.group = self._group_at(source.name)
        if source.apart is not None:
            of_fields = -(-source.n // FIELD)
            fields.ahead = self.memory.at(self.held.aligned(of_fields * 2 * fields.pairs * SOON, np.float64))
            fields.drawn = self.memory.at(np.full(of_fields, -SOON))
        if source.stamp is not None:
            fields.next = int(np.searchsorted(source.stamp, self.job.start, side="right"))
        return fields

    # --- continuous values

    def _slot(self, population: str, variable: str) -> Array:
        kernel = self.fixed.plan.kernel(population)
        kinds: dict[str, Kind] = {slot.name: slot.kind for slot in kernel.places.slots}
        return self.held.neurons(f"{population}.{variable}", kinds.get(variable, "real"))

    def _copy(self, group: str, variable: str) -> Array:
        """A variable of a population, or a signal (no variable), as it is at k while everything advances."""
        if (group, variable) not in self.copies:
            live = self._slot(group, variable) if variable else self.levels[group]
            self.copies[group, variable] = live, np.zeros_like(live)
        return self.copies[group, variable][1]

    def _couplings(self) -> Any:
        made = []
        for c, given in zip(self.network.couplings, self.fixed.couplings, strict=True):
            fields = CouplingFields.from_buffer_copy(given)
            size = self.fixed.real().itemsize
            if c.source in self.values:
                array, row, column = self.values[c.source]
                fields.values, fields.row, fields.column = self.memory.at(array) + 8 * column * c.first_source, row, column
            elif c.source in self.fixed.signals:
                fields.x = self.memory.at(self._copy(c.source, ""))
            else:
                fields.x = self.memory.at(self._slot(c.source, str(c.variable))) + size * c.first_source
            if c.gap:
                fields.y = self.memory.at(self._slot(c.target, str(c.variable))) + size * c.first_target
            fields.target = self._group_at(c.target)
            fields.sums = self.memory.at(self.held.aligned(self.held.tiles(self.sizes[c.target]) * self.fixed.lanes))
            made.append(fields)
        fields_of_all = (CouplingFields * max(1, len(made)))(*made)
        self.memory.kept.append(fields_of_all)
        return fields_of_all

    def _feed(self, population: str, port: str) -> FeedFields:
        from_all = ctypes.addressof(self.coupling_fields)
        size = ctypes.sizeof(CouplingFields)
        mine = [from_all + i * size for i, c in enumerate(self.network.couplings) if (c.target, c.port) == (population, port)]
        fields = FeedFields(count=len(mine))
        setattr(fields, "from", self.memory.table(mine))
        if f"{population}.{port}" in self.feeds:
            array, row, column = self.feeds[f"{population}.{port}"]
            fields.values, fields.row, fields.column, fields.last = self.memory.at(array), row, column, array.shape[1] - 1
        return fields

    # --- populations

    def _population(self, name: str) -> PopulationFields:
        kernel, n = self.fixed.plan.kernel(name), self.fixed.populations[name].n
        memory, tiles = self.memory, self.held.tiles(n)
        from_all, size = ctypes.addressof(self.projection_fields), ctypes.sizeof(ProjectionFields)
        ports = []
        for port in kernel.places.events:
            mine = [from_all + w.number * size for w in self.fixed.plan.onto(name, port) if w.name in self.fixed.projections]
            ports.append(PortFields(len(mine), memory.table(mine)))
        streams = np.array([self.fixed.populations[name].streams[noise] for noise in kernel.places.noises], np.uint32)
        return PopulationFields(
            self._group_at(name),
            tiles,
            self.fixed.blocks[name],
            self.fixed.binds[name],
            memory.table([memory.at(self._slot(name, slot.name)) for slot in kernel.places.slots]),
            memory.many(FeedFields, [self._feed(name, port) for port in kernel.places.inputs]),
            memory.many(PortFields, ports),
            memory.table([memory.at(self.held.neurons(f"{name}.{output}")) for output in kernel.places.outputs]),
            memory.table(self._kept(kernel, tiles)),
            memory.at(streams),
            self.fixed.tables[name],
        )

    def _kept(self, kernel: Kernel, tiles: int) -> list[int]:
        """Room for what one stretch of loops makes for the next, all neurons of it."""
        if len(kernel.stretches) == 1:
            return []
        return [self.memory.at(self.held.aligned(tiles * self.fixed.lanes, np.int64)) for _ in (*kernel.normals, *kernel.kept)]

    # --- projections

    def _turned(self, rates: Mapping[str, float]) -> frozenset[str]:
        """Projections whose synapses lie by target in this job; those that are recorded go by source."""
        recorded = {kept.variable for kept in self.job.record}
        found = (p for p in self.network.projections if may_turn(p) and p.name not in self.driven)
        return frozenset(
            p.name for p in found if pays(p, rates, self.job.steps) and not any(name.startswith(f"{p.name}.") for name in recorded)
        )

    def _on_post(self) -> dict[str, OnPost]:
        """By projection at whose targets' spikes something happens: whether these wait for the source's next event."""
        found = {}
        for wire in self.fixed.plan.wires:
            p = self.fixed.projections.get(wire.name)
            if p is not None and p.synapse is not None and p.synapse.has_post:
                found[p.name] = on_post(p, wire.why_not, isinstance(self.fixed.orders.get(p.name), Matrix), self._every(p))
        return found

    def _every(self, p: BoundProjection) -> int:
        """Steps between two records of states of a projection's synapses, or 0."""
        states = {p.name + LAST} | {f"{p.name}.{slot.name}" for slot in (p.synapse.start.slots if p.synapse else ())}
        return math.gcd(*(kept.every for kept in self.job.record if kept.variable in states))

    def _history(self, p: BoundProjection, kind: Synapses) -> int:
        """What is kept of the spikes of a projection's targets."""
        kernel = kind.roles.get("post")
        names = [(name, input_of(kind, "post", name)[0]) for name in kernel.places.inputs] if kernel else []
        inputs = [self._input(p, name, what) for name, what in names if what in ("pre", "post", "given")]
        cells, job = self.sizes[p.target], self.job
        return history(p, inputs, cells, job.start, job.steps, self._every(p), self.threads, self.memory, self.held.aligned)

    def _input(self, p: BoundProjection, name: str, what: str) -> Input:
        """An input of `on post` of a projection whose targets' spikes wait."""
        address = self._given(p, name)
        if what != "pre":
            return Input(address, what == "post" or p.inputs.get(name, ("", ""))[0] == "post")
        owner, trace = next((q, t) for q in self.network.projections for t in own_traces(q) if q.trace(t.name) == p.trace(name))
        decay = float(owner.bind["traces"].get(trace.name, 1.0))
        return Input(address, 0, self.held.arrays[p.trace(name)], decay, trace.nearest)

    def _projections(self) -> Any:
        made = [self._projection(wire) for wire in self.fixed.plan.wires]
        fields = (ProjectionFields * max(1, len(made)))(*made)
        self.memory.kept.append(fields)
        return fields

    def _projection(self, wire: Wire) -> ProjectionFields:
        name, memory = wire.name, self.memory
        p = self.fixed.projections[name]
        fields = ProjectionFields(edges=self.fixed.edges[name], source=self._group_at(p.source))
        tiles = self.held.tiles(self.fixed.populations[p.target].n) if p.target in self.fixed.populations else 1
        fields.first_source, fields.first_target = p.first_source, p.first_target
        if p.target in self.fixed.populations:
            fields.target = self._group_at(p.target)
        fields.late = self.fixed.late(p)
        fields.table, fields.step = self.fixed.rows[name]
        fields.weights, fields.weight = self.fixed.weights[name]
        fields.rows, fields.pitch = max(1, p.pending), tiles * self.fixed.lanes
        sums = self.held.aligned((1 if wire.queued else fields.rows, fields.pitch))
        fields.sums = memory.at(sums)
        fields.inbox = memory.at(np.zeros(self.threads * INBOX, np.uint8))
        fields.span = self.fixed.spans[name]
        if fields.span:
            fields.block = memory.at(self.held.aligned(self.threads * fields.span))
        if p.target in self.levels:
            fields.level = memory.at(self.levels[p.target])
        if wire.queued:
            self.queues.append(Queued(p, self.job.state, self.fixed.real, self.threads, memory))
            fields.queue = self.queues[-1].address
        elif p.pending:
            self.held.rows(name + PENDING, sums, p.first_target)
        if p.synapse is not None and wire.synapses is not None:
            self._plastic(fields, p, wire)
        return fields

    def _plastic(self, fields: ProjectionFields, p: BoundProjection, wire: Wire) -> None:
        memory, synapse, kind = self.memory, p.synapse, wire.synapses
        assert synapse is not None and kind is not None
        turned = p.name in self.turned

        def states(name: str, dtype: Any = None) -> int:
            return memory.at(self.held.synapses(name, self.fixed.orders[p.name], dtype) if turned else self.held.plain(name, dtype))

        slots = [f"{p.name}.{slot.name}" for slot in synapse.start.slots if p.edges.count]  # no synapses, no states
        fields.slots = memory.table([states(name) for name in slots])
        fields.bind, fields.dend = self.fixed.synapses(wire, turned)
        given = [0] * len(NUMBERS)
        for role, kernel in kind.roles.items():
            inputs = [name for name in kernel.places.inputs if input_of(kind, role, name)[0] in ("pre", "post", "given")]
            given[NUMBERS[role]] = memory.table([self._given(p, name) for name in inputs])
        fields.given = memory.table(given)
        if synapse.decays:
            fields.last = states(p.name + LAST, np.int64)
            tables = [p.tables.get(decay.input, (np.zeros(1), np.zeros(1))) for decay in synapse.decays]
            fields.fine = memory.table([memory.at(np.ascontiguousarray(fine, self.fixed.real)) for fine, _ in tables])
            fields.coarse = memory.table([memory.at(np.ascontiguousarray(coarse, self.fixed.real)) for _, coarse in tables])
            fields.most = memory.at(np.array([len(coarse) - 1 for _, coarse in tables], np.int64))
        if not isinstance(p.dend, np.ndarray):
            fields.wait = p.dend
        fields.streams = memory.at(np.array([p.streams[n.name] for n in (synapse.flow.noises if synapse.flow else ())], np.uint32))
        if p.back is not None:
            fields.back = self.fixed.back(p, p.name in self.driven)
            order = self.fixed.orders[p.name]
            if p.name in self.driven:
                fields.driven = self._history(p, kind)
            elif isinstance(order, Matrix):
                fields.full, fields.turned = True, order.pitch if turned else 0
            elif turned:
                fields.place = memory.at(order.place)
            else:
                setattr(fields, "far" if p.back.synapse.dtype == np.int64 else "synapse", memory.at(p.back.synapse))

    def _given(self, p: BoundProjection, name: str) -> int:
        """Where a trace or input of synapses stands, from the first source or target of the projection on."""
        assert p.synapse is not None
        if name in {trace.name for trace in p.synapse.traces}:
            return self.memory.at(self.held.neurons(p.trace(name)))
        side, variable = p.inputs.get(name, ("", ""))
        if side == "signal":
            return self.memory.at(self._copy(variable, ""))
        if not side:
            return self.fixed.zero
        group, first = (p.source, p.first_source) if side == "pre" else (p.target, p.first_target)
        return self.memory.at(self._copy(group, variable)) + self.fixed.real().itemsize * first

    def _traces(self) -> list[TraceFields]:
        size = ctypes.sizeof(ProjectionFields)
        made = []
        for wire in self.fixed.plan.wires:
            p = self.fixed.projections[wire.name]
            at = ctypes.addressof(self.projection_fields) + wire.number * size
            for trace in own_traces(p):
                values = self.held.neurons(p.trace(trace.name))
                decay = float(p.bind["traces"].get(trace.name, 1.0))
                group, first, edges = (
                    (p.source, p.first_source, ProjectionFields.edges.offset)
                    if trace.of == "pre"
                    else (p.target, p.first_target, ProjectionFields.back.offset)
                )
                of = self._group_at(group)
                made.append(TraceFields(self.memory.at(values), len(values), decay, trace.nearest, at + edges, of, first))
        return made

    # --- the whole

    def _record(self, number: int) -> RecordFields:
        kept = self.job.record[number]
        array = self.held.arrays.get(kept.variable)
        if array is None:
            array = self.held.plain(kept.variable, self.job.state[kept.variable].dtype)
        address, rows = self.memory.at(array) + kept.first * array.itemsize, self.held.result(kept.rows)
        origin = self.job.start // kept.every
        return RecordFields(address, self.memory.at(rows), RECORDS[array.dtype.kind], rows.shape[1], kept.every, origin)

    def _network(self) -> NetworkFields:
        memory, fixed, job = self.memory, self.fixed, self.job
        names = [p.population.name for p in fixed.plan.populations]
        flows = any(w.synapses and "flow" in w.synapses.roles for w in fixed.plan.wires)
        signals = [SignalFields(memory.at(self.levels[s.name]), s.decay) for s in self.network.signals]
        populations = [self._population(name) for name in names]
        records = [self._record(i) for i in range(len(job.record))]
        copies = [CopyFields(memory.at(live), memory.at(copy), len(live)) for live, copy in self.copies.values()]
        couplings, sources = self.network.couplings, self.network.sources
        return NetworkFields(
            job.start,
            0,
            0,
            self.threads,
            job.seed & (1 << 64) - 1,
            memory.many(PopulationFields, populations),
            ctypes.addressof(self.projection_fields),
            memory.at(np.array([names.index(name) for name in self.network.order], np.int64)),
            memory.at(np.array(fixed.stages, np.int64)),
            len(fixed.stages) - 1,
            ctypes.addressof(self.source_fields),
            len(sources),
            ctypes.addressof(self.coupling_fields),
            len(couplings),
            memory.many(TraceFields, self.traces),
            len(self.traces),
            memory.many(SignalFields, signals),
            len(signals),
            memory.many(CopyFields, copies),
            len(copies),
            memory.many(RecordFields, records),
            len(records),
            bool(sources or couplings or self.traces or signals or flows),
            bool(self.traces or copies or signals or flows or self.driven),
            0,
        )

    def stretch(self, library: ctypes.CDLL, first: int, steps: int) -> tuple[int, dict[str, Spikes]]:
        """Run up to so many steps from step `first` of the job on; gives how many were run, and who fired in them."""
        fields = self.fields
        fields.start, fields.first, fields.steps = self.job.start + first, first, min(steps, MOST_STEPS)
        fields.threads, fields.stop = self.threads, 0
        for group in self.group_fields:
            group.used = 0
        library.birc_run(ctypes.byref(fields))
        done = int(fields.steps)
        self.done = first + done
        for queue in self.queues:
            queue.check()
        return done, {name: self._spikes(name, first, done) for name in self.spikes}

    def _spikes(self, name: str, first: int, steps: int) -> Spikes:
        index, times, counts = self.spikes[name]
        used = int(self.group_fields[self.groups[name]].used)
        stamps = np.repeat(np.arange(steps, dtype=np.int64) + (self.job.start + first + 1), counts[:steps])
        if times is None:
            return Spikes(index[:used].copy(), stamps)
        return Spikes(np.repeat(index[:used], times[:used]), np.repeat(stamps, times[:used]))

    def rates(self, steps: int) -> dict[str, float]:
        """Spikes of a cell and step in so many steps, by group."""
        return {name: self.group_fields[i].fired / max(1, steps * self.sizes[name]) for name, i in self.groups.items()}

    def finish(self, library: ctypes.CDLL) -> None:
        """Let all spikes act, and bring the state and recordings back to the caller."""
        if self.driven:
            self.fields.threads = self.threads
            library.birc_finish(ctypes.byref(self.fields))
        for queue in self.queues:
            queue.finish(library, self.job.start + self.done)
        self.held.finish()
