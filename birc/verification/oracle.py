"""The interpreter as a runner, so that it can be compared like any target."""

from __future__ import annotations

import numpy as np

from birc.backends import FLOATS, Array, Dtype, Job, Spikes
from birc.ir import random
from birc.ir.evaluate import Moment, Observer, interpret
from birc.ir.step import Step


class Oracle:
    """Runs a step program statement by statement; `observe` sees every definition."""

    def __init__(self, step: Step, dtype: Dtype, observe: Observer | None = None) -> None:
        self._step, self._real, self._observe = step, FLOATS[dtype], observe

    def run(self, job: Job) -> Spikes:
        """Run a job."""
        index: list[Array] = []
        stamps: list[Array] = []
        row = 0
        for j in range(job.steps):
            k = job.start + j
            outcome = interpret(self._step, self._moment(job, j))
            for slot, values in outcome.state.items():
                job.state[slot][:] = values
            who = np.flatnonzero(outcome.fired)
            index.append(who.astype(np.int32))
            stamps.append(np.full(len(who), k + 1, np.int64))
            if (k + 1) % job.every == 0:
                for name, rows in job.record.items():
                    rows[row] = job.state[name] if name in job.state else outcome.outputs[name]
                row += 1
        return Spikes(np.concatenate(index), np.concatenate(stamps))

    def _moment(self, job: Job, j: int) -> Moment:
        def draw(noise: str, lane: int) -> Array:
            return random.normal(job.seed, job.streams[noise], job.start + j, np.arange(job.n), lane)

        return Moment(
            n=job.n,
            bind=job.bind,
            state=job.state,
            inputs={p: np.broadcast_to(a[j if len(a) > 1 else 0], job.n) for p, a in job.inputs.items()},
            events={p: _at(e.offsets, e.index, e.payload, j) for p, e in job.events.items()},
            draw=draw,
            tables=job.tables,
            dtype=self._real,
            observe=self._observe,
        )


def _at(offsets: Array, index: Array, payload: Array, j: int) -> tuple[Array, Array]:
    return index[offsets[j] : offsets[j + 1]], payload[offsets[j] : offsets[j + 1]]
