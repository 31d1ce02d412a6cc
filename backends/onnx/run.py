"""Run the emitted graphs with onnxruntime: stretches of steps through the Scan, a single step through the step graph.

The runtime computes one op after the other on one thread, so neurons are shared out: each thread runs its part of them by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from birc.backends import FLOATS, Array, Artifact, Job, Spikes
from birc.backends.onnx.emit import SCAN, STEP
from birc.backends.onnx.held import CLOCK, with_held
from birc.backends.onnx.parts import Part, joined, merged, operations, parts
from birc.ir.events import rounds, total
from birc.ir.random import normal

STRETCH_BYTES = 8 << 20
"""About how much the inputs and traces of one call hold: signals are handled between calls."""

ROUNDING_OTHERWISE = ["DivMulFusion"]
"""Optimisers whose result may round otherwise than the program: 1 / x * y is not y / x."""


class OnnxRunner:
    """An artifact in onnxruntime."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self.real = FLOATS[artifact.dtype]
        self.names: dict[str, dict[str, str]] = {g: dict(n) for g, n in artifact.manifest["onnx"].items() if g != "opset"}
        self.kinds = {slot.name: slot.kind for slot in artifact.step.slots}
        self.scans: dict[tuple[tuple[str, ...], tuple[str, ...]], Any] = {}

    @cached_property
    def one_step(self) -> Any:
        """The session of the step graph."""
        return session(self.artifact.files[STEP])

    @cached_property
    def operations(self) -> int:
        """Of a step of one neuron."""
        return operations(self.artifact.step)

    def scan(self, record: Iterable[str], held: Iterable[str] = ()) -> Any:
        """The session of the Scan graph in which only what is recorded is traced, and the inputs `held` are the same in all steps."""
        key = tuple(record), tuple(held)
        if key not in self.scans:
            wanted = {self.names["trace"][name] for name in key[0]}
            data = self.artifact.files[SCAN]
            assert isinstance(data, bytes)
            data = without_traces(data, set(self.names["trace"].values()) - wanted)
            self.scans[key] = session(with_held(data, key[1]) if held else data)
        return self.scans[key]

    def _held(self, job: Job) -> tuple[str, ...]:
        """The tensors of the inputs that are the same in all steps of a job."""
        return tuple(tensor for name, tensor in self.names.get("input", {}).items() if len(job.inputs[name]) == 1)

    def run(self, job: Job) -> Spikes:
        """See `birc.backends.Runner`."""
        if job.steps == 1:
            return self._step(Part(job, 0))
        self.scan(job.record, self._held(job))  # made once, before threads want it
        shares = parts(job, self.operations)
        if len(shares) == 1:
            return self._steps(shares[0])
        with ThreadPoolExecutor(len(shares)) as pool:
            return merged(list(pool.map(self._steps, shares)))

    def _steps(self, part: Part) -> Spikes:
        """All steps of some of the neurons."""
        job = part.job
        columns = sum(len(self.names.get(group, {})) for group in ("input", "sum", "normal")) - len(self._held(job)) + len(job.record)
        most = min(job.steps, max(2, STRETCH_BYTES // ((columns * 8 + 1) * max(1, job.n))))
        binds = self._binds(job)
        found = [self._stretch(part, binds, first, min(most, job.steps - first)) for first in range(0, job.steps, most)]
        return joined(found)

    def _stretch(self, part: Part, binds: dict[str, Array], first: int, count: int) -> Spikes:
        """Steps first … first + count by one call."""
        job = part.job
        feed = binds | {tensor: job.state[name] for name, tensor in self.names.get("slot", {}).items()}
        for name, tensor in self.names.get("input", {}).items():
            rows = job.inputs[name]
            feed[tensor] = np.ascontiguousarray(rows if len(rows) == 1 else rows[first : first + count], self.real)
        feed |= {tensor: self._sums(job, name, first, count) for name, tensor in self.names.get("sum", {}).items()}
        for name, tensor in self.names.get("round", {}).items():
            feed[tensor], feed[self.names["present"][name]] = self._rounds(job, name, first, count)
        steps = np.arange(job.start + first, job.start + first + count)[:, None]
        for name, tensor in self.names.get("normal", {}).items():
            feed[tensor] = self._normal(part, name, steps)
        loaded = self.scan(job.record, self._held(job))
        wanted = [output.name for output in loaded.get_outputs()]
        if any(given.name == CLOCK for given in loaded.get_inputs()):
            feed[CLOCK] = np.zeros((count, 1), np.bool_)
        feed |= {tensor: np.zeros((count, 1), self.real) for tensor in self.names["clock"].values()}
        found = dict(zip(wanted, loaded.run(wanted, feed), strict=True))
        for name, tensor in self.names["final"].items():
            job.state[name][:] = found[tensor]
        stamps = np.arange(job.start + first + 1, job.start + first + count + 1)
        kept = np.flatnonzero(stamps % job.every == 0)
        row = (job.start + first) // job.every - job.start // job.every
        for name, rows in job.record.items():
            rows[row : row + len(kept)] = found[self.names["trace"][name]][kept]
        if not self.names["spikes"]:
            return Spikes(np.zeros(0, np.int32), np.zeros(0, np.int64))
        when, who = np.divmod(np.flatnonzero(found[self.names["spikes"][""]]), job.n)  # quicker than a search in two dimensions
        return Spikes((who + part.first).astype(np.int32), stamps[when])

    def _step(self, part: Part) -> Spikes:
        """The one step of a job, by the step graph."""
        job = part.job
        feed = self._binds(job) | {tensor: job.state[name] for name, tensor in self.names.get("slot", {}).items()}
        feed |= {t: np.ascontiguousarray(job.inputs[name][0], self.real) for name, t in self.names.get("input", {}).items()}
        feed |= {t: self._sums(job, name, 0, 1)[0] for name, t in self.names.get("sum", {}).items()}
        for name, tensor in self.names.get("round", {}).items():
            feed[tensor], feed[self.names["present"][name]] = (a[0] for a in self._rounds(job, name, 0, 1))
        feed |= {t: self._normal(part, name, np.array([[job.start]]))[0] for name, t in self.names.get("normal", {}).items()}
        outputs = [o.name for o in self.one_step.get_outputs()]
        found = dict(zip(outputs, self.one_step.run(outputs, feed), strict=True))
        for name, tensor in self.names.get("next", {}).items():
            job.state[name][:] = found[tensor]
        stamp = job.start + 1
        if stamp % job.every == 0:
            for name, rows in job.record.items():
                rows[0] = job.state[name] if name in job.state else found[self.names["output"][name]]
        if not self.names["spikes"]:
            return Spikes(np.zeros(0, np.int32), np.zeros(0, np.int64))
        who = np.flatnonzero(found[self.names["fired"][""]])
        return Spikes(who.astype(np.int32), np.full(len(who), stamp, np.int64))

    def _binds(self, job: Job) -> dict[str, Array]:
        given = {tensor: np.atleast_1d(job.bind[name]) for name, tensor in self.names.get("bind", {}).items()}
        types: dict[str, np.dtype[Any]] = {"f": np.dtype(self.real), "b": np.dtype(np.bool_)}
        return {tensor: a.astype(types.get(a.dtype.kind, np.dtype(np.int32))) for tensor, a in given.items()}

    def _sums(self, job: Job, port: str, first: int, count: int) -> Array:
        """The payloads of each step and neuron, added one after the other in their order."""
        events = job.events[port]
        offsets = np.asarray(events.offsets[first : first + count + 1])
        low, high = offsets[0], offsets[-1]
        if low == high:
            return np.zeros((count, 1), self.real)
        rows = np.repeat(np.arange(count), np.diff(offsets))
        return total(rows * job.n + events.index[low:high], events.payload[low:high], count * job.n, self.real).reshape(count, job.n)

    def _rounds(self, job: Job, port: str, first: int, count: int) -> tuple[Array, Array]:
        """Payloads [count, R, n], and who has one, for as many rounds as the fullest of the steps needs."""
        events = job.events[port]
        steps = []
        for low, high in pairwise(np.asarray(events.offsets[first : first + count + 1]).tolist()):
            steps.append(list(rounds(events.index[low:high], events.payload[low:high], job.n, self.real)))
        shape = (count, max(1, *map(len, steps)), job.n)
        payload, present = np.zeros(shape, self.real), np.zeros(shape, np.bool_)
        for j, found in enumerate(steps):
            for r, (who, values) in enumerate(found):
                present[j, r], payload[j, r] = who, values
        return payload, present

    def _normal(self, part: Part, name: str, steps: Array) -> Array:
        noise, _, lane = name.rpartition(":")
        job = part.job
        return normal(job.seed, job.streams[noise], steps, np.arange(part.first, part.first + job.n), int(lane)).astype(self.real)


def session(data: str | bytes) -> Any:
    """A session of a graph, on the thread that calls it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"], disabled_optimizers=ROUNDING_OTHERWISE)


def without_traces(data: bytes, unwanted: set[str]) -> bytes:
    """The Scan graph without some of its outputs over time, in the graph and in the Scan's body."""
    import onnx

    model = onnx.load_from_string(data)
    scan = next(node for node in model.graph.node if node.op_type == "Scan")
    body = next(a.g for a in scan.attribute if a.name == "body")
    kept = [i for i, name in enumerate(scan.output) if name not in unwanted]
    for outputs in (scan.output, body.output):
        chosen = [outputs[i] for i in kept]
        del outputs[:]
        outputs.extend(chosen)
    left = [o for o in model.graph.output if o.name not in unwanted]
    del model.graph.output[:]
    model.graph.output.extend(left)
    produced = {o.name for o in body.output}
    nodes = [node for node in body.node if node.op_type != "Identity" or set(node.output) & produced]
    del body.node[:]
    body.node.extend(nodes)
    result: bytes = model.SerializeToString()
    return result
