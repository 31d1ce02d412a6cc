"""A program with every operation exposed, on a target: what each operation gives along a trial."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from birc.backends import Array, Backend, Dtype, Runner
from birc.ir.expr import Expr
from birc.ir.step import Step
from birc.runtime.simulate import Program
from birc.verification.expose import ZEROS, Point, expose, spare_slots
from birc.verification.trial import Stimulus, Trace, Trial, abreast, run_free, types_of, with_values

STRETCH = 128
"""Steps whose values are held at a time."""


@dataclass(frozen=True)
class Watch:
    """The runner of an exposed program on a target, and what it exposes."""

    runner: Runner
    exposed: Step
    points: tuple[Point, ...]
    dtype: Dtype

    def run(self, trial: Trial, stimulus: Stimulus, state: Mapping[str, Array] | None = None) -> Trace:
        """Some steps from a state (the reference's own, if none is given), exposed values among what is recorded."""
        if state is None:
            row = stimulus.start - trial.stimulus.start
            state = {name: a[row] for name, a in trial.trace.states.items()}
        return self._run(trial.program, stimulus, state)

    def _run(self, program: Program, stimulus: Stimulus, state: Mapping[str, Array]) -> Trace:
        types = types_of(self.exposed, self.dtype)
        own = {name: a.astype(types[name]) for name, a in state.items()} | spare_slots(self.points, stimulus.n, self.dtype)
        return run_free(self.runner, self.exposed, self.dtype, with_values(program, ZEROS), stimulus, own)

    def values(self, trial: Trial) -> Iterator[Values]:
        """The values in each step of a trial from the reference's own state, some steps at a time; without noise these are side by side."""
        for first in range(0, trial.stimulus.steps, STRETCH):
            stimulus = trial.stimulus.window(first, min(STRETCH, trial.stimulus.steps - first))
            if self.exposed.noises:
                yield self.seen(trial, self.run(trial, stimulus))
                continue
            rows = slice(first, first + stimulus.steps)
            state = {name: a[rows].reshape(-1) for name, a in trial.trace.states.items()}
            yield self.seen(trial, self._run(abreast(trial.program, stimulus.steps), stimulus.abreast(), state), stimulus.steps)

    def seen(self, trial: Trial, trace: Trace, steps: int = 1) -> Values:
        """What a trace of the exposed program holds, by name; of a trace with steps side by side, by these steps."""
        shape = len(trace.fired) * steps, trial.stimulus.n
        slots = {p.name: trace.states[p.slot][1:].reshape(shape) for p in self.points}
        return Values({name: np.asarray(v) for name, v in trial.program.bound.values.items()} | slots, shape)


@dataclass(frozen=True)
class Values:
    """Named values over some steps, [steps, n] or what broadcasts to it."""

    by_name: Mapping[str, Array]
    shape: tuple[int, ...]

    def of(self, e: Expr) -> Array:
        """A literal or a named value, [steps, n]."""
        return np.broadcast_to(np.asarray(e.attr) if e.op == "const" else self.by_name[str(e.attr)], self.shape)


def watch(step: Step, backend: Backend, dtype: Dtype, only: Container[str] | None = None) -> Watch:
    """The exposed program on a target; only: ops, to show no others but what these are given."""
    exposed, points = expose(step, only)
    return Watch(backend.load(backend.emit(exposed, dtype)), exposed, points, dtype)
