"""A stimulus applied to a program: running it free, and step by step from given states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from birc.backends import FLOATS, Array, Dtype, Events, Job, Runner
from birc.ir.step import Step
from birc.runtime.simulate import Program

INTEGERS = {"int": np.int32, "bool": np.bool_}


@dataclass(frozen=True)
class Stimulus:
    """What drives a verification: inputs [steps, n] by port, events by port, in internal units."""

    n: int
    steps: int
    inputs: Mapping[str, Array]
    events: Mapping[str, Events]

    def at(self, k: int) -> Stimulus:
        """The one step from stamp k."""
        return Stimulus(self.n, 1, {p: a[k : k + 1] for p, a in self.inputs.items()}, {p: one(e, k) for p, e in self.events.items()})


def one(events: Events, k: int) -> Events:
    """The events of the one step from stamp k."""
    low, high = events.offsets[k], events.offsets[k + 1]
    return Events(np.array([0, high - low], events.offsets.dtype), events.index[low:high], events.payload[low:high])


@dataclass(frozen=True)
class Trace:
    """A run: the state at stamps 0 … steps, [steps + 1, n] by slot, outputs [steps, n], and fired [steps, n]."""

    states: Mapping[str, Array]
    outputs: Mapping[str, Array]
    fired: Array


def initial(program: Program, step: Step, dtype: Dtype) -> dict[str, Array]:
    """Fresh arrays of the initial state in a number type."""
    kinds = {s.name: s.kind for s in step.slots}
    return {n: a.astype(INTEGERS.get(kinds[n], FLOATS[dtype])) for n, a in program.bound.state.items()}


def job_of(program: Program, stimulus: Stimulus, state: Mapping[str, Array], start: int = 0) -> Job:
    """The stimulus as a job that starts from a state."""
    return Job(
        n=stimulus.n,
        start=start,
        steps=stimulus.steps,
        bind=program.bound.values,
        state=state,
        inputs=stimulus.inputs,
        events=stimulus.events,
        record={},
        seed=program.setting.seed,
        streams=program.streams,
    )


def run_free(runner: Runner, step: Step, dtype: Dtype, program: Program, stimulus: Stimulus) -> Trace:
    """Run the whole stimulus from the initial state, recording everything."""
    state = initial(program, step, dtype)
    first = {name: a.copy() for name, a in state.items()}
    names = [*(s.name for s in step.slots), *(o.name for o in step.outputs)]
    types = {name: state[name].dtype if name in state else FLOATS[dtype] for name in names}
    record = {name: np.zeros((stimulus.steps, stimulus.n), types[name]) for name in names}
    spikes = runner.run(replace(job_of(program, stimulus, state), record=record))
    fired = np.zeros((stimulus.steps, stimulus.n), np.bool_)
    fired[spikes.stamp - 1, spikes.index] = True
    states = {s.name: np.vstack([first[s.name][None], record[s.name]]) for s in step.slots}
    return Trace(states, {o.name: record[o.name] for o in step.outputs}, fired)


def run_lock_step(
    runner: Runner, step: Step, dtype: Dtype, program: Program, stimulus: Stimulus, reference: Trace
) -> tuple[dict[str, Array], Array]:
    """Each step from the reference's own state: the state after it, [steps, n] by slot, and fired [steps, n]."""
    shape = (stimulus.steps, stimulus.n)
    kinds = {s.name: INTEGERS.get(s.kind, FLOATS[dtype]) for s in step.slots}
    after: dict[str, Array] = {name: np.zeros(shape, kind) for name, kind in kinds.items()}
    fired = np.zeros(shape, np.bool_)
    for k in range(stimulus.steps):
        state = {name: reference.states[name][k].astype(kind) for name, kind in kinds.items()}
        spikes = runner.run(job_of(program, stimulus.at(k), state, k))
        fired[k, spikes.index] = True
        for name, values in state.items():
            after[name][k] = values
    return after, fired
