"""Networks on NumPy: the reference. What a step does stands here from top to bottom, as `birc.backends.networks` says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from birc.backends import FLOATS, Array, Dtype, Spikes
from birc.backends.names import file_name
from birc.backends.networks import (
    HISTORY_COUNT,
    HISTORY_INDEX,
    HISTORY_MANY,
    LAST,
    PENDING,
    QUEUE_PAYLOAD,
    QUEUE_STAMP,
    QUEUE_TARGET,
    BoundCoupling,
    BoundPopulation,
    BoundProjection,
    BoundSource,
    NetworkArtifact,
    NetworkJob,
)
from birc.backends.numpy.emit import emit
from birc.backends.numpy.run import cast, load_step
from birc.ir.connectivity.edges import Edges
from birc.ir.network import NetworkProgram
from birc.ir.random import normal, poisson, rare_events, uniform_of_cells
from birc.ir.step import Step
from birc.ir.synapse import COUNT, PIECE, SEND, TraceSlot

Execute = Callable[..., tuple[Mapping[str, Array], Any, Mapping[str, Array]]]
"""(program, n, bind, state, inputs, events, draw, tables) -> the slots that are stored, who fired, the outputs."""


class NetworkLoop:
    """Runs a bound network step by step, each program by `execute`."""

    def __init__(self, dtype: Dtype, execute: Execute) -> None:
        self.real = FLOATS[dtype]
        self.execute = execute

    def run(self, job: NetworkJob) -> dict[str, Spikes]:
        """See `birc.backends.networks.NetworkRunner`."""
        stretch = _Stretch(self, job)
        with np.errstate(all="ignore"):
            for j in range(job.steps):
                stretch.step(j)
        return {name: _joined(found) for name, found in stretch.spikes.items()}


def emit_network(program: NetworkProgram, dtype: Dtype) -> NetworkArtifact:
    """A module for each population's model and each program of a synapse; what leads through them is `birc.backends.numpy.network`."""
    files = {}
    for step in programs(program):
        files[f"{file_name(step.name)}.py"] = next(iter(emit(step, dtype).files.values()))
    return NetworkArtifact("numpy", program, dtype, files)


def programs(program: NetworkProgram) -> list[Step]:
    """Every step program of a network, each once."""
    found = [p.step for p in program.populations]
    found += [step for p in program.projections if p.synapse is not None for _, step in p.synapse.programs]
    return list(dict.fromkeys(found))


def load_network(artifact: NetworkArtifact) -> NetworkLoop:
    """Runs the emitted modules in this process."""
    return loop_of({step: step for step in programs(artifact.program)}, artifact.dtype)


def loop_of(written: Mapping[Step, Step], dtype: Dtype) -> NetworkLoop:
    """Runs, for each program of a network, the module of the program that is written for it."""
    steps = {step: load_step(emit(other, dtype)) for step, other in written.items()}

    def execute(step: Step, n: int, bind: Any, state: Any, inputs: Any, events: Any, draw: Any, tables: Any) -> Any:
        return steps[step](n, bind, state, inputs, events, draw, *([tables] if tables else []))

    return NetworkLoop(dtype, execute)


def _joined(found: list[tuple[Array, int]]) -> Spikes:
    index = np.concatenate([np.zeros(0, np.int32), *(i for i, _ in found)]).astype(np.int32)
    stamp = np.concatenate([np.zeros(0, np.int64), *(np.full(len(i), t, np.int64) for i, t in found)])
    return Spikes(index, stamp)


class _Stretch:
    """What does not change over a job, and the spikes found so far."""

    def __init__(self, loop: NetworkLoop, job: NetworkJob) -> None:
        self.loop, self.job, self.net = loop, job, job.network
        self.real, self.state = loop.real, job.state
        self.populations = {p.name: p for p in self.net.populations}
        self.sources = {s.name: s for s in self.net.sources}
        self.spikes: dict[str, list[tuple[Array, int]]] = {
            name: [] for name in (*self.populations, *self.sources) if name not in job.silent
        }
        self.rows = [0] * len(job.record)
        self.synapses = [_Synapses(p, self) for p in self.net.projections]
        self.bind = {p.name: {k: cast(v, self.real) for k, v in p.bind.items()} for p in self.net.populations}
        self.tables = {p.name: {name: table.of(self.real) for name, table in p.tables.items()} for p in self.net.populations}

    def step(self, j: int) -> None:
        """From stamp k to t = k + 1."""
        k = self.job.start + j
        t = k + 1
        for source in self.net.sources:
            self._source(source, t)
        inputs = {p.name: self._inputs(p, j) for p in self.net.populations}
        for synapses in self.synapses:
            synapses.read_inputs()
        for signal in self.net.signals:
            self.state[signal.name][:] *= self.real(signal.decay)
        for synapses in self.synapses:
            synapses.flow(k)
        done = set(self.sources)
        for name in self.net.order:
            arriving = [s for s in self.synapses if s.bound.target == name]
            for synapses in arriving:
                synapses.pre(t, lambda d, source: d > 0 or source in done)
            self._population(self.populations[name], inputs[name], arriving, t)
            done.add(name)
        for synapses in self.synapses:
            synapses.pre(t, lambda d, source: True)
        for synapses in self.synapses:
            if synapses.bound.port is None:
                level = self.state[synapses.bound.target]
                level[:] = level + synapses.sums(t)[:1]
        for synapses in self.synapses:
            synapses.post(t)
        for synapses in self.synapses:
            synapses.rise(t)
        self._record(t)

    # --- what enters a step

    def _source(self, source: BoundSource, t: int) -> None:
        """The events of a source with stamp t."""
        if source.poisson is not None:
            counts = poisson(source.poisson, uniform_of_cells(self.job.seed, source.stream, t - 1, source.n))
            index = np.flatnonzero(counts).astype(np.int32)
            many = counts[index].astype(np.int32)
        elif source.apart is not None:
            index, many = rare_events(self.job.seed, source.stream, t - 1, source.n, source.apart)
        else:
            assert source.stamp is not None and source.index is not None and source.many is not None
            low, high = np.searchsorted(source.stamp, [t, t + 1])
            index, many = source.index[low:high], source.many[low:high]
        self._keep(source.name, index, t, many)
        if source.name in self.spikes:
            self.spikes[source.name].append((np.repeat(index, many), t))

    def _keep(self, group: str, index: Array, t: int, many: Array | None = None) -> None:
        """Note spikes with stamp t, where somebody waits for them."""
        if group + HISTORY_COUNT not in self.state:
            return
        rows = self.state[group + HISTORY_INDEX]
        row = t % len(rows)
        self.state[group + HISTORY_COUNT][row] = len(index)
        rows[row, : len(index)] = index
        if many is not None:
            self.state[group + HISTORY_MANY][row, : len(index)] = many

    def fired(self, group: str, stamp: int) -> tuple[Array, Array]:
        """Who of a group fired at a stamp, in order, and how often."""
        if stamp < 0:
            return np.zeros(0, np.int32), np.zeros(0, np.int32)
        rows = self.state[group + HISTORY_INDEX]
        row = stamp % len(rows)
        count = int(self.state[group + HISTORY_COUNT][row])
        if not count:
            return np.zeros(0, np.int32), np.zeros(0, np.int32)
        index = rows[row, :count].copy()
        many = self.state[group + HISTORY_MANY][row, :count].copy() if group in self.sources else np.ones(count, np.int32)
        return index, many

    def _inputs(self, population: BoundPopulation, j: int) -> dict[str, Array]:
        """The continuous inputs of a population, all from the values at k."""
        found: dict[str, Array] = {}
        for port in population.step.inputs:
            total = np.zeros(population.n, self.real)
            fed = self.job.feeds.get(f"{population.name}.{port.name}")
            if fed is not None:
                total = total + fed[j if len(fed) > 1 else 0].astype(self.real)
            for coupling in self.net.couplings:
                if coupling.target == population.name and coupling.port == port.name:
                    total[coupling.first_target : coupling.first_target + coupling.edges.targets] += self._coupled(coupling, j)
            found[port.name] = total
        return found

    def _coupled(self, coupling: BoundCoupling, j: int) -> Array:
        """The sums that a coupling makes."""
        edges = coupling.edges
        if coupling.source in self.job.values:
            rows = self.job.values[coupling.source]
            whole = rows[j if len(rows) > 1 else 0].astype(self.real)
            whole = np.broadcast_to(whole, (coupling.first_source + edges.sources,)) if len(whole) == 1 else whole
        else:
            whole = self.state[coupling.source if coupling.variable is None else f"{coupling.source}.{coupling.variable}"]
        x = whole[coupling.first_source : coupling.first_source + edges.sources][edges.source()]
        if coupling.gap:
            own = self.state[f"{coupling.target}.{coupling.variable}"]
            x = x - own[coupling.first_target : coupling.first_target + edges.targets][edges.target]
        weight = coupling.weight.astype(self.real) if isinstance(coupling.weight, np.ndarray) else self.real(coupling.weight)
        sums = np.zeros(edges.targets, self.real)
        np.add.at(sums, edges.target, weight * x)
        return sums

    # --- populations

    def _population(self, population: BoundPopulation, inputs: Mapping[str, Array], arriving: list[_Synapses], t: int) -> None:
        name, step = population.name, population.step
        events = {p.name: self._events(p.name, population, arriving, t) for p in step.events}

        def draw(noise: str, lane: int) -> Array:
            z: Array = normal(self.job.seed, population.streams[noise], t - 1, np.arange(population.n), lane).astype(self.real)
            return z

        slots = {slot.name: self.state[f"{name}.{slot.name}"] for slot in step.slots}
        stored, fired, outputs = self.loop.execute(step, population.n, self.bind[name], slots, inputs, events, draw, self.tables[name])
        stored = {slot: np.array(x) for slot, x in stored.items()}
        outputs = {output: np.array(x) for output, x in outputs.items()}
        for slot, x in (stored | outputs).items():
            self.state[f"{name}.{slot}"][:] = x
        who = np.zeros(0, np.int32) if fired is None else np.flatnonzero(np.broadcast_to(fired, population.n)).astype(np.int32)
        self._keep(name, who, t)
        self.spikes[name].append((who, t))

    def _events(self, port: str, population: BoundPopulation, arriving: list[_Synapses], t: int) -> tuple[Array, Array]:
        """What arrives at a port at stamp t: the sums, or one event after the other."""
        here = [s for s in arriving if s.bound.port == port]
        if not population.step.sums(port):
            index, payload = zip(*(s.events(t) for s in here), strict=True) if here else ((), ())
            return np.concatenate([np.zeros(0, np.int32), *index]), np.concatenate([np.zeros(0, self.real), *payload])
        total = np.zeros(population.n, self.real)
        for synapses in here:
            part = slice(synapses.bound.first_target, synapses.bound.first_target + synapses.bound.edges.targets)
            total[part] = total[part] + synapses.sums(t)
        return np.arange(population.n, dtype=np.int32), total

    # --- recording

    def _record(self, t: int) -> None:
        for i, kept in enumerate(self.job.record):
            if t % kept.every == 0:
                kept.rows[self.rows[i]] = self.state[kept.variable][kept.first : kept.first + kept.rows.shape[1]]
                self.rows[i] += 1


class _Synapses:
    """One projection of events: what arrives, what is sent, what is learnt."""

    def __init__(self, bound: BoundProjection, stretch: _Stretch) -> None:
        self.bound, self.stretch, self.real = bound, stretch, stretch.real
        self.state, self.edges, self.synapse = stretch.state, bound.edges, bound.synapse
        self.source = self.edges.source()
        self.given: dict[str, Array] = {}
        self.now: list[tuple[Array, Array]] = []
        self.ran: set[int] = set()
        if self.synapse is not None:
            self.bind = {role: {k: cast(v, self.real) for k, v in bound.bind[role].items()} for role, _ in self.synapse.programs}
            self.tables = {name: (a.astype(self.real), b.astype(self.real)) for name, (a, b) in bound.tables.items()}

    # --- what arrives

    def _reached(self, edges: Edges, group: str, first: int, t: int, delay: Callable[[int], bool]) -> Iterator[tuple[Array, Array, int]]:
        """(synapses, how often) that spikes of a group reach at stamp t, older spikes first, for the delays asked for."""
        width = len(edges.delays)
        for slot in reversed(range(width)):
            d = int(edges.delays[slot])
            if not delay(d):
                continue
            index, many = self.stretch.fired(group, t - d)
            if not len(index):
                continue
            inside = (index >= first) & (index < first + edges.sources)
            index, many = index[inside].astype(np.int64) - first, many[inside]
            low, high = edges.starts[index * width + slot], edges.starts[index * width + slot + 1]
            count = high - low
            at = np.repeat(low - np.concatenate([[0], np.cumsum(count)[:-1]]), count) if len(count) else np.zeros(0, np.int64)
            yield at + np.arange(len(at)), np.repeat(many, count), d

    def events(self, t: int) -> tuple[Array, Array]:
        """Events at the port, one by one, in order: target (of the population) and payload."""
        target, due = self._due(t)
        index, payload = [target + self.bound.first_target], [due]
        for at, many, value in self._payloads(t):
            each = self._one_by_one(at, many)
            index.append(self.edges.target[at[each]] + self.bound.first_target)
            payload.append(value[each])
        return np.concatenate(index).astype(np.int32), np.concatenate(payload)

    def _due(self, t: int) -> tuple[Array, Array]:
        """What was sent before and arrives now at a port that acts once per event: target and payload. It is on its way no more."""
        if not self.bound.queued:
            return np.zeros(0, np.int32), np.zeros(0, self.real)
        queue = {key: self.state[self.bound.name + key] for key in (QUEUE_STAMP, QUEUE_TARGET, QUEUE_PAYLOAD)}
        now = queue[QUEUE_STAMP] == t
        self.state.update({self.bound.name + key: array[~now] for key, array in queue.items()})
        return queue[QUEUE_TARGET][now], queue[QUEUE_PAYLOAD][now]

    def _one_by_one(self, at: Array, many: Array) -> Array:
        """The order in which synapses get events that come several times: one event of their source after the other."""
        each = np.repeat(np.arange(len(at)), many)
        turn = np.arange(len(each)) - np.repeat(np.cumsum(many) - many, many)
        return each[np.lexsort((each, turn, self.source[at[each]]))]

    def sums(self, t: int) -> Array:
        """What arrives at each target, added in order; m events of one synapse are one payload of m times the weight."""
        total = np.zeros(self.edges.targets, self.real)
        if self.bound.pending:
            row = self.state[self.bound.name + PENDING][t % self.bound.pending]
            total[:] = row
            row[:] = 0
        for at, many, value in self._payloads(t):
            np.add.at(total, self.edges.target[at], many.astype(self.real) * value)
        return total

    def _payloads(self, t: int) -> Iterator[tuple[Array, Array, Array]]:
        """(synapses, how often, payload) that arrive at stamp t."""
        if self.synapse is not None:
            for at, value in self.now:
                yield at, np.ones(len(at), np.int32), value
            return
        weight = self.bound.weight
        for at, many, _ in self._reached(self.edges, self.bound.source, self.bound.first_source, t, lambda d: True):
            value = weight[at].astype(self.real) if isinstance(weight, np.ndarray) else np.full(len(at), weight, self.real)
            yield at, many, value

    # --- what is learnt

    def read_inputs(self) -> None:
        """The continuous inputs of the synapses as they are at k, and a new step: nothing is sent yet."""
        self.now, self.ran = [], set()
        if self.synapse is None:
            return
        for port in self.synapse.inputs:
            side, name = self.bound.inputs.get(port, ("", ""))
            if side == "signal":
                self.given[port] = np.repeat(self.state[name], self.edges.count)
            elif side:
                group, first, index = (
                    (self.bound.source, self.bound.first_source, self.source)
                    if side == "pre"
                    else (self.bound.target, self.bound.first_target, self.edges.target)
                )
                self.given[port] = self.state[f"{group}.{name}"][first + index]
            else:
                self.given[port] = np.zeros(self.edges.count, self.real)

    def own_traces(self) -> Iterator[TraceSlot]:
        """Those that no other projection keeps."""
        return (t for t in (self.synapse.traces if self.synapse else ()) if t.name not in self.bound.traces)

    def flow(self, k: int) -> None:
        """Traces decay, and what changes in continuous time advances."""
        if self.synapse is None:
            return
        for trace in self.own_traces():
            self.state[self.bound.trace(trace.name)][:] *= self.real(self.bound.bind["traces"].get(trace.name, 1.0))
        if self.synapse.flow is not None and self.edges.count:

            def draw(noise: str, lane: int) -> Array:
                every = np.arange(self.edges.count)
                z: Array = normal(self.stretch.job.seed, self.bound.streams[noise], k, every, lane).astype(self.real)
                return z

            self._execute("flow", self.synapse.flow, np.arange(self.edges.count), {}, draw)

    def _execute(self, role: str, step: Step, at: Array, more: Mapping[str, Array], draw: Any = None) -> Mapping[str, Array]:
        """Run a program over some synapses, each at most once; gives its outputs."""
        name = self.bound.name
        slots = {slot.name: self.state[f"{name}.{slot.name}"][at] for slot in step.slots}
        bind = {key: x[at] if np.ndim(x) else x for key, x in self.bind[role].items()}
        inputs = {port.name: more[port.name] if port.name in more else self.given[port.name][at] for port in step.inputs}
        stored, _, outputs = self.stretch.loop.execute(step, len(at), bind, slots, inputs, {}, draw, {})
        for slot, x in stored.items():
            self.state[f"{name}.{slot}"][at] = x
        return {output: np.broadcast_to(x, len(at)).astype(self.real) for output, x in outputs.items()}

    def _handle(self, role: str, step: Step, at: Array, t: int, more: Mapping[str, Array] | None = None) -> Mapping[str, Array]:
        """Run a handler over synapses, with traces as they are before they rise, and lazily kept states brought to stamp t."""
        assert self.synapse is not None
        inputs = dict(more or {})
        for trace in self.synapse.traces:
            here = self.source if trace.of == "pre" else self.edges.target
            inputs[trace.name] = self.state[self.bound.trace(trace.name)][here[at]]
        if self.synapse.decays:
            last = self.state[self.bound.name + LAST]
            n = t - last[at]
            for decay in self.synapse.decays:
                fine, coarse = self.tables[decay.input]
                inputs[decay.input] = fine[n % PIECE] * coarse[np.minimum(n // PIECE, len(coarse) - 1)]
            last[at] = t
        return self._execute(role, step, at, inputs)

    def pre(self, t: int, when: Callable[[int, str], bool]) -> None:
        """`on pre` of the synapses that spikes reach now, for those delays for which this is the time."""
        if self.synapse is None:
            return
        source = self.bound.source
        waiting = [d for d in self.edges.delays.tolist() if d not in self.ran and when(d, source)]
        for at, many, d in self._reached(self.edges, source, self.bound.first_source, t, waiting.__contains__):
            self.ran.add(d)
            sent: list[tuple[Array, Array, Array]] = []
            again, turn = at, 0
            while len(again):
                outputs = self._handle("pre", self.synapse.pre, again, t)
                sent += [(again, np.full(len(again), turn), outputs[f"{SEND}{i}"]) for i in range(len(outputs))]
                again, many, turn = again[many > 1], many[many > 1] - 1, turn + 1
            if sent:
                which, turns, payload = (np.concatenate(part) for part in zip(*sent, strict=True))
                in_order = np.lexsort((which, turns, self.source[which]))  # one event of a source after the other
                self._send(which[in_order], payload[in_order], t)

    def _send(self, at: Array, payload: Array, t: int) -> None:
        """Payloads on their way from the synapse: those without delay act now."""
        dend = np.broadcast_to(self.bound.dend, self.edges.count)[at]
        here = dend == 0
        if here.any():
            self.now.append((at[here], payload[here]))
        late = ~here
        if late.any() and self.bound.queued:
            self._queue(t + dend[late], self.edges.target[at[late]], payload[late])
        elif late.any():
            rows = self.state[self.bound.name + PENDING]
            np.add.at(rows, ((t + dend[late]) % self.bound.pending, self.edges.target[at[late]]), payload[late])

    def _queue(self, *sent: Array) -> None:
        """Events that are on their way now: stamp, target, payload. Those that were sent before act before them."""
        names = [self.bound.name + key for key in (QUEUE_STAMP, QUEUE_TARGET, QUEUE_PAYLOAD)]
        stamp, target, payload = (np.concatenate([self.state[name], array]) for name, array in zip(names, sent, strict=True))
        in_order = np.lexsort((target, stamp))
        new = (stamp[in_order], target[in_order].astype(np.int32), payload[in_order].astype(self.real))
        self.state.update(zip(names, new, strict=True))

    def post(self, t: int) -> None:
        """`on post` of the synapses of targets whose spikes are seen now."""
        if self.synapse is None or self.synapse.post is None:
            return
        for at, _ in self._seen_back(t):
            if len(at):
                self._handle("post", self.synapse.post, at, t)

    def _seen_back(self, t: int) -> Iterator[tuple[Array, Array]]:
        back = self.bound.back
        assert back is not None
        for at, many, _ in self._reached(back.edges, self.bound.target, self.bound.first_target, t, lambda d: True):
            yield back.synapse[at], many

    def rise(self, t: int) -> None:
        """Traces rise, behind all handlers."""
        if self.synapse is None:
            return
        for trace in self.own_traces():
            x = self.state[self.bound.trace(trace.name)]
            edges = self.edges if trace.of == "pre" else self.bound.back.edges if self.bound.back else self.edges
            group, first = (
                (self.bound.source, self.bound.first_source) if trace.of == "pre" else (self.bound.target, self.bound.first_target)
            )
            for d in edges.delays.tolist():
                index, many = self.stretch.fired(group, t - d)
                inside = (index >= first) & (index < first + len(x))
                here = index[inside] - first
                x[here] = self.real(1) if trace.nearest else x[here] + many[inside].astype(self.real)
        if self.synapse.rise_pre is not None:
            for at, many, _ in self._reached(self.edges, self.bound.source, self.bound.first_source, t, lambda d: True):
                if len(at):
                    self._handle("rise_pre", self.synapse.rise_pre, at, t, {COUNT: many.astype(self.real)})
        if self.synapse.rise_post is not None:
            for at, many in self._seen_back(t):
                if len(at):
                    self._handle("rise_post", self.synapse.rise_post, at, t, {COUNT: many.astype(self.real)})
