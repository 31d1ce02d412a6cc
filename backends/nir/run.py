"""Run a NIR file as its equations say: the graph is read back and solved exactly over each step, events as pulses at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from birc.backends import Array, Artifact, Job, Numbers, Spikes
from birc.backends.nir.emit import FILE, fill, planned
from birc.backends.nir.graph import node_names, read
from birc.backends.nir.plan import Plan
from birc.errors import BircError
from birc.ir.events import total
from birc.ir.matrix import expm
from birc.ir.step import Emit


@dataclass(frozen=True)
class System:
    """`x' = matrix x + drive u + constant` in seconds, over the states of all nodes; `rows` is the state of each node (its potential)."""

    matrix: Array
    drive: Array
    constant: Array
    rows: dict[str, int]
    threshold: tuple[int, float, float] | None


def system(graph: Any) -> System:
    """The equations of a graph of LI, LIF, I, IF, CubaLI, CubaLIF and Affine nodes, one neuron each."""
    rows: dict[str, int] = {}
    size = 0
    for name, node in graph.nodes.items():
        kind = type(node).__name__
        if kind not in ("Input", "Output", "Affine"):
            size += 2 if kind.startswith("Cuba") else 1
            rows[name] = size - 1
    ports = int(np.prod(next(iter(graph.nodes["input"].input_type.values()))))
    matrix, drive, constant = np.zeros((size, size)), np.zeros((size, ports)), np.zeros(size)
    threshold = None
    for name, row in rows.items():
        node = graph.nodes[name]
        kind = type(node).__name__
        entry, factor = row, 1.0
        if kind.startswith("Cuba"):
            entry, factor = row - 1, float(node.w_in[0]) / float(node.tau_syn[0])
            matrix[entry, entry] = -1 / float(node.tau_syn[0])
            matrix[row, entry] = float(node.r[0]) / float(node.tau_mem[0])
            matrix[row, row] = -1 / float(node.tau_mem[0])
            constant[row] = float(node.v_leak[0]) / float(node.tau_mem[0])
        elif kind in ("LI", "LIF"):
            factor = float(node.r[0]) / float(node.tau[0])
            matrix[row, row] = -1 / float(node.tau[0])
            constant[row] = float(node.v_leak[0]) / float(node.tau[0])
        else:
            factor = float(node.r[0])
        for start, end in graph.edges:
            if end == name:
                affine = graph.nodes[start]
                (source,) = (a for a, b in graph.edges if b == start)
                constant[entry] += factor * float(affine.bias[0])
                if source == "input":
                    drive[entry] += factor * np.asarray(affine.weight, float)[0]
                else:
                    matrix[entry, rows[source]] += factor * float(affine.weight[0, 0])
        if hasattr(node, "v_threshold"):
            threshold = (row, float(node.v_threshold[0]), float(node.v_reset[0]))
    return System(matrix, drive, constant, rows, threshold)


class NirRunner:
    """Runs the file of one parameter set; a job's own parameters make the file."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self.plan = planned(artifact.step)
        self.spikes = any(isinstance(s, Emit) for _, s in artifact.step.statements())

    def run(self, job: Job) -> Spikes:
        """See `birc.backends.Runner`. Raises L328 for parameters that differ between neurons."""
        uneven = [name for name, x in job.bind.items() if np.ndim(x) and np.ptp(x) > 0]
        if uneven:
            raise BircError("L328", f"a NIR graph of one neuron has one value of `{uneven[0]}`", self.artifact.step.span)
        numbers = numbers_of(job)
        h = numbers.h
        filled = fill(self.artifact, numbers)
        data = filled.files[FILE]
        assert isinstance(data, bytes)
        found = system(read(data))
        meaning = filled.manifest["nir"]
        scales, rests = self._coordinates(found, meaning)
        flow, gain = _propagators(found.matrix, h / 1000)
        names = [*self._order(found)]
        x = np.stack([(job.state[s] - rests[s]) * scales[s] for s in names])
        who, when = [], []
        row = 0
        for j in range(job.steps):
            stamp = job.start + j + 1
            held, pulses = ports_of(self.plan, job, j)
            x = flow @ x + gain @ (found.drive @ held + found.constant[:, None]) + found.drive @ pulses * (h / 1000)
            if found.threshold is not None:
                place, level, reset = found.threshold
                fired = x[place] > level
                x[place, fired] = reset
                index = np.flatnonzero(fired)
                who.append(index.astype(np.int32))
                when.append(np.full(len(index), stamp, np.int64))
            if job.record and stamp % job.every == 0:
                for i, name in enumerate(names):
                    if name in job.record:
                        job.record[name][row] = x[i] / scales[name] + rests[name]
                row += 1
        for i, name in enumerate(names):
            job.state[name][:] = x[i] / scales[name] + rests[name]
        return Spikes(np.concatenate([np.zeros(0, np.int32), *who]), np.concatenate([np.zeros(0, np.int64), *when]))

    def _order(self, found: System) -> list[str]:
        """The state of each row of the system."""
        states = {row: state for state, name in node_names(self.plan).items() for row in (found.rows[name],)}
        return [states.get(i, str(self.plan.current)) for i in range(len(found.matrix))]

    def _coordinates(self, found: System, meaning: Any) -> tuple[dict[str, float], dict[str, float]]:
        order = self._order(found)
        return {s: meaning["scale"].get(s, 1.0) for s in order}, {s: meaning["rest"][s] for s in order}


def numbers_of(job: Job) -> Numbers:
    """The numbers of a job's first neuron."""
    bind = {name: np.ravel(x)[0].item() for name, x in job.bind.items()}
    return Numbers(float(bind[".h"]), bind, {})


def ports_of(plan: Plan, job: Job, j: int) -> tuple[Array, Array]:
    """What the ports hold over step j, and the sums of the events at its end, [ports, n] each."""
    held, pulses = np.zeros((len(plan.ports), job.n)), np.zeros((len(plan.ports), job.n))
    for p, (kind, name) in enumerate(plan.ports):
        if kind == "input":
            held[p] = job.inputs[name][j if len(job.inputs[name]) > 1 else 0]
        else:
            events = job.events[name]
            low, high = events.offsets[j], events.offsets[j + 1]
            pulses[p] = total(events.index[low:high], events.payload[low:high], job.n, np.float64)
    return held, pulses


def _propagators(matrix: Array, h: float) -> tuple[Array, Array]:
    """exp(A h) and the integral of exp(A s) over a step."""
    n = len(matrix)
    block = np.zeros((2 * n, 2 * n))
    block[:n, :n] = matrix * h
    block[:n, n:] = np.eye(n) * h
    e = expm(block)
    return e[:n, :n], e[:n, n:]
