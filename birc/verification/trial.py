"""A stimulus applied to a program: running it free, and step by step from given states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from birc.backends import FLOATS, Array, Dtype, Events, Job, Runner, Spikes
from birc.ir.step import Step
from birc.runtime.simulate import Program

INTEGERS: dict[str, type[np.generic]] = {"int": np.int32, "bool": np.bool_}


@dataclass(frozen=True)
class Stimulus:
    """What drives a verification from stamp `start`: inputs [steps, n] by port, events by port, in internal units."""

    n: int
    steps: int
    inputs: Mapping[str, Array]
    events: Mapping[str, Events]
    start: int = 0

    def window(self, first: int, steps: int) -> Stimulus:
        """Some of its steps, counted from its start."""
        inputs = {p: a[first : first + steps] for p, a in self.inputs.items()}
        return Stimulus(self.n, steps, inputs, {p: _part(e, first, steps) for p, e in self.events.items()}, self.start + first)

    def at(self, k: int) -> Stimulus:
        """One step alone."""
        return self.window(k, 1)

    def abreast(self) -> Stimulus:
        """Its steps side by side, as one step of [steps * n] instances: instance k * n + i is driven as i is in step k."""
        inputs = {p: np.broadcast_to(a, (self.steps, self.n)).reshape(1, -1) for p, a in self.inputs.items()}
        events = {}
        for port, e in self.events.items():
            step = np.repeat(np.arange(self.steps), np.diff(e.offsets))
            index = (step * self.n + e.index).astype(np.int32)
            events[port] = Events(np.array([0, len(index)], np.int64), index, e.payload)
        return Stimulus(self.steps * self.n, 1, inputs, events, self.start)


def _part(events: Events, first: int, steps: int) -> Events:
    offsets = events.offsets[first : first + steps + 1]
    here = slice(offsets[0], offsets[-1])
    return Events(offsets - offsets[0], events.index[here], events.payload[here])


@dataclass(frozen=True)
class Trace:
    """A run: the state before its first step and after each, [steps + 1, n] by slot; outputs [steps, n]; fired [steps, n]."""

    states: Mapping[str, Array]
    outputs: Mapping[str, Array]
    fired: Array

    @property
    def finite(self) -> bool:
        """Whether every state is, all along."""
        return all(bool(np.isfinite(a).all()) for a in self.states.values())


@dataclass(frozen=True)
class Trial:
    """A program with its parameters bound, what drives it, and what the reference does."""

    program: Program
    stimulus: Stimulus
    trace: Trace


def finite_part(trial: Trial) -> Trial | None:
    """The trial up to where a state of the reference leaves the finite range; None where that is in the first step."""
    trace = trial.trace
    finite = np.all([np.isfinite(a[1:]).all(axis=1) for a in trace.states.values()], axis=0)
    if np.all(finite):
        return trial
    steps = int(np.argmin(finite))
    if steps == 0:
        return None
    states = {name: a[: steps + 1] for name, a in trace.states.items()}
    part = Trace(states, {name: a[:steps] for name, a in trace.outputs.items()}, trace.fired[:steps])
    return Trial(trial.program, trial.stimulus.window(0, steps), part)


@dataclass(frozen=True)
class After:
    """What a target makes of each step alone: states, outputs and fired, all [steps, n]."""

    states: Mapping[str, Array]
    outputs: Mapping[str, Array]
    fired: Array


def initial(program: Program, step: Step, dtype: Dtype) -> dict[str, Array]:
    """Fresh arrays of the initial state in a number type."""
    types = types_of(step, dtype)
    return {name: a.astype(types[name]) for name, a in program.bound.state.items()}


def job_of(program: Program, stimulus: Stimulus, state: Mapping[str, Array], record: Mapping[str, Array] | None = None) -> Job:
    """The stimulus as a job that starts from a state."""
    return Job(
        n=stimulus.n,
        start=stimulus.start,
        steps=stimulus.steps,
        bind=program.bound.values,
        state=state,
        inputs=stimulus.inputs,
        events=stimulus.events,
        record=record or {},
        seed=program.setting.seed,
        streams=program.streams,
        tables=program.bound.tables,
    )


def run_free(
    runner: Runner, step: Step, dtype: Dtype, program: Program, stimulus: Stimulus, state: Mapping[str, Array] | None = None
) -> Trace:
    """Run the whole stimulus from a state (the initial one, if none is given), recording everything."""
    now = initial(program, step, dtype) if state is None else {name: a.copy() for name, a in state.items()}
    first = {name: a.copy() for name, a in now.items()}
    record = recording(step, dtype, stimulus)
    spikes = runner.run(job_of(program, stimulus, now, record))
    states = {s.name: np.vstack([first[s.name][None], record[s.name]]) for s in step.slots}
    return Trace(states, {o.name: record[o.name] for o in step.outputs}, raster(spikes, stimulus))


def recording(step: Step, dtype: Dtype, stimulus: Stimulus) -> dict[str, Array]:
    """Room for every slot and output at every step."""
    return {name: np.zeros((stimulus.steps, stimulus.n), kind) for name, kind in types_of(step, dtype).items()}


def types_of(step: Step, dtype: Dtype) -> dict[str, type[np.generic]]:
    """The NumPy type of every slot and output of a run in a number type."""
    return {s.name: INTEGERS.get(s.kind, FLOATS[dtype]) for s in step.slots} | {o.name: FLOATS[dtype] for o in step.outputs}


def raster(spikes: Spikes, stimulus: Stimulus) -> Array:
    """Who fired in which step, [steps, n]; what is reported for another time is left out."""
    fired = np.zeros((stimulus.steps, stimulus.n), np.bool_)
    row = spikes.stamp - stimulus.start - 1
    inside = (row >= 0) & (row < stimulus.steps)
    fired[row[inside], spikes.index[inside]] = True
    return fired


def abreast(program: Program, steps: int) -> Program:
    """The program for that many steps side by side: what differs between neurons, once for each step."""
    values = {name: np.tile(v, steps) if np.ndim(v) else v for name, v in program.bound.values.items()}
    return replace(program, bound=replace(program.bound, values=values))


LANES = 1 << 16
"""Steps by neurons that are run side by side, at most, unless there are more neurons."""


def run_lock_step(runner: Runner, step: Step, dtype: Dtype, trial: Trial) -> After:
    """Each step from the reference's own state: side by side, unless noise ties a neuron to its place and time."""
    whole = trial.stimulus
    after = recording(step, dtype, whole)
    fired = np.zeros((whole.steps, whole.n), np.bool_)
    most = 1 if step.noises else max(1, LANES // whole.n)
    for first in range(0, whole.steps, most):
        part = whole.window(first, min(most, whole.steps - first))
        rows, shape, wide = slice(first, first + part.steps), (part.steps, part.n), part.abreast()
        state = {s.name: trial.trace.states[s.name][rows].reshape(-1).astype(after[s.name].dtype) for s in step.slots}
        outputs = {o.name: np.zeros((1, wide.n), after[o.name].dtype) for o in step.outputs}
        spikes = runner.run(job_of(abreast(trial.program, part.steps), wide, state, outputs))
        fired[rows] = raster(spikes, wide).reshape(shape)
        for name, values in (*state.items(), *outputs.items()):
            after[name][rows] = values.reshape(shape)
    return After({s.name: after[s.name] for s in step.slots}, {o.name: after[o.name] for o in step.outputs}, fired)


def with_values(program: Program, more: Mapping[str, object]) -> Program:
    """The program with more bind values."""
    return replace(program, bound=replace(program.bound, values={**program.bound.values, **more}))
