"""Run an emitted NumPy module: the loop over steps, inputs, events, recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from birc.backends import FLOATS, Array, Artifact, Job, Spikes
from birc.ir.random import normal


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
        """Run a job step by step."""
        real = self._real
        bind = {name: cast(v, real) for name, v in job.bind.items()}
        tables = [{name: table.of(real) for name, table in job.tables.items()}] if job.tables else []
        found_index: list[Array] = []
        found_stamp: list[Array] = []
        row = 0
        with np.errstate(all="ignore"):
            for j in range(job.steps):
                stamp = job.start + j + 1
                inputs = {p: a[j if len(a) > 1 else 0].astype(real) for p, a in job.inputs.items()}
                events = {p: _at(e.offsets, e.index, e.payload, j) for p, e in job.events.items()}
                draw = self._draws(job, stamp - 1)
                new, fired, outputs = self._step(job.n, bind, job.state, inputs, events, draw, *tables)
                # what comes back may be another slot's old array: all of it is copied before the first is overwritten
                new, outputs = ({name: np.array(a) for name, a in group.items()} for group in (new, outputs))
                who = None if fired is None else np.flatnonzero(np.broadcast_to(fired, job.n))
                for slot, value in new.items():
                    job.state[slot][:] = value
                if who is not None:
                    found_index.append(who.astype(np.int32))
                    found_stamp.append(np.full(len(who), stamp, np.int64))
                if job.record and stamp % job.every == 0:
                    for name, rows in job.record.items():
                        rows[row] = job.state[name] if name in job.state else outputs[name]
                    row += 1
        empty = not found_index
        return Spikes(
            np.zeros(0, np.int32) if empty else np.concatenate(found_index), np.zeros(0, np.int64) if empty else np.concatenate(found_stamp)
        )

    def _draws(self, job: Job, step: int) -> Callable[[str, int], Array]:
        def draw(noise: str, lane: int) -> Array:
            drawn: Array = normal(job.seed, job.streams[noise], step, np.arange(job.n), lane).astype(self._real)
            return drawn

        return draw


def cast(x: Any, real: type[np.floating[Any]]) -> Any:
    """A bind value as the step reads it: a number in its number type, a count as int32, a truth as a truth."""
    a = np.asarray(x)
    found: Array = a.astype({"f": real, "b": np.bool_}.get(a.dtype.kind, np.int32))
    return found if found.ndim else found[()]


def _at(offsets: Array, index: Array, payload: Array, j: int) -> tuple[Array, Array]:
    lo, hi = offsets[j], offsets[j + 1]
    return index[lo:hi], payload[lo:hi]
