"""Run an emitted NumPy module: the loop over steps, inputs, events, recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from birc.backends import FLOATS, Array, Artifact, Job, Spikes
from birc.ir.random import PIECE, normal


def load_step(artifact: Artifact) -> Callable[..., Any]:
    """The `step` function of an emitted module."""
    text = next(iter(artifact.files.values()))
    assert isinstance(text, str)
    space: dict[str, Any] = {}
    exec(compile(text, f"<birc {artifact.step.name}>", "exec"), space)
    step: Callable[..., Any] = space["step"]
    return step


class NumpyRunner:
    """Executes the module's `step` once per step."""

    def __init__(self, artifact: Artifact) -> None:
        self._step = load_step(artifact)
        self._real = FLOATS[artifact.dtype]

    def run(self, job: Job) -> Spikes:
        """Run a job step by step. A step makes new arrays and changes none, so that the old ones need no copies."""
        real = self._real
        bind = {name: cast(v, real) for name, v in job.bind.items()}
        tables = [{name: table.of(real) for name, table in job.tables.items()}] if job.tables else []
        state = {slot: a.copy() for slot, a in job.state.items()}
        inputs = {port: a.astype(real, copy=False) for port, a in job.inputs.items()}
        slots = {slot: (a.dtype, a.shape) for slot, a in state.items()}
        draws = Draws(job, real)
        index: list[Array] = [np.zeros(0, np.int32)]
        stamps: list[int] = []
        counts: list[int] = []
        row = 0
        with np.errstate(all="ignore"):
            for j in range(job.steps):
                stamp = job.start + j + 1
                given = {port: a[j if len(a) > 1 else 0] for port, a in inputs.items()}
                events = {port: _at(e.offsets, e.index, e.payload, j) for port, e in job.events.items()}
                new, fired, outputs = self._step(job.n, bind, state, given, events, draws.of_step(j), *tables)
                state.update({slot: _fitted(value, *slots[slot]) for slot, value in new.items()})
                if fired is not None and np.count_nonzero(fired):
                    index.append(np.flatnonzero(np.broadcast_to(fired, job.n)))
                    stamps.append(stamp)
                    counts.append(len(index[-1]))
                if job.record and stamp % job.every == 0:
                    for name, rows in job.record.items():
                        rows[row] = state[name] if name in state else outputs[name]
                    row += 1
        for slot, a in state.items():
            job.state[slot][:] = a
        return Spikes(np.concatenate(index).astype(np.int32), np.repeat(np.array(stamps, np.int64), np.array(counts, np.int64)))


def _fitted(value: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """What a step stores, as a slot holds it: a number for all neurons is one for each."""
    if isinstance(value, np.ndarray) and value.dtype == dtype and value.shape == shape:
        return value
    return np.broadcast_to(value, shape).astype(dtype)


AHEAD = 256
"""Steps for which normal numbers are drawn at a time."""


class Draws:
    """The normal numbers of a job, drawn for many steps at a time."""

    def __init__(self, job: Job, real: type[np.floating[Any]]) -> None:
        self._job, self._real = job, real
        self._ahead = max(1, min(AHEAD, PIECE // max(1, job.n)))
        self._drawn: dict[tuple[str, int], tuple[int, Array]] = {}

    def of_step(self, j: int) -> Callable[[str, int], Array]:
        """What the step calls for the numbers of a noise in a lane [n]."""
        job = self._job

        def draw(noise: str, lane: int) -> Array:
            first, rows = self._drawn.get((noise, lane), (j, ()))
            if j - first >= len(rows):
                steps = job.start + np.arange(j, min(j + self._ahead, job.steps))
                rows = normal(job.seed, job.streams[noise], steps[:, None], np.arange(job.n), lane).astype(self._real)
                first, self._drawn[noise, lane] = j, (j, rows)
            drawn: Array = rows[j - first]
            return drawn

        return draw


def cast(x: Any, real: type[np.floating[Any]]) -> Array:
    """A bind value as the step reads it: a number in its number type, a count as int32, a truth as a truth."""
    a = np.asarray(x)
    return a.astype({"f": real, "b": np.bool_}.get(a.dtype.kind, np.int32))


def _at(offsets: Array, index: Array, payload: Array, j: int) -> tuple[Array, Array]:
    lo, hi = offsets[j], offsets[j + 1]
    return index[lo:hi], payload[lo:hi]
