"""Engines that learn against the compiler's own derivative: the adjoint of the step, interpreted over the first steps of the stimulus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from birc.backends import Array, Artifact, Engine, Learned, Learns, Lesson
from birc.errors import BircError
from birc.ir.random import normal
from birc.ir.step import Step
from birc.ir.surrogates import TABLE
from birc.passes import adjoint, dense_events
from birc.runtime.gradients import Seen, backward, forward, of_parameters, of_start
from birc.verification.report import Report
from birc.verification.trial import Stimulus, Trial, initial

STEPS, NEURONS = 60, 12
CLOSE = {"L1": 1e-7, "L2": 1e-3}
"""Of the largest derivative of a kind by one neuron's inputs, in L2 by those of all: roundings grow on the way back through every step."""
SURROGATE = "sigmoid"


def verify_gradients(backend: Learns, artifact: Artifact, head: Report, trial: Trial, h: float) -> list[Report]:
    """A row for each engine; a program without a derivative, or one that draws random numbers, has none."""
    step = artifact.step
    if step.noises or step.tables or not (step.inputs or step.events):
        return []
    task = _Task(step, backend.learnable(artifact), trial, h)
    return [_judged(engine, artifact, replace(head, reader=engine.name), task) for engine in backend.engines]


class _Task:
    """A lesson, and what is right."""

    def __init__(self, step: Step, learnable: tuple[str, ...], trial: Trial, h: float) -> None:
        program, stimulus = trial.program, trial.stimulus
        plain = dense_events.run(step)
        self.n = min(NEURONS, stimulus.n)
        first = _start(trial)
        inputs = {p.name: _rows(stimulus, p.name, first, self.n) for p in plain.inputs}
        params = program.bound.params
        learn = tuple(name for name in learnable if np.ndim(params[name]) == 0 and np.isfinite(params[name]))
        bind = {name: a if np.ndim(a) == 0 else a[: self.n] for name, a in program.bound.values.items()}
        state = {name: a[: self.n] for name, a in initial(program, step, "f64").items()}
        self.right = forward(plain, bind, state, inputs)
        self.up = _weights(self.right)
        adjoined = adjoint.run(plain, TABLE[SURROGATE])
        values = {d.name: d.value.attr for d in adjoined.bind if d.value.op == "const"} | bind
        self.gradients = backward(adjoined, values, self.right, inputs, self.up)
        self.params = of_parameters(step, bind, params, of_start(step, self.gradients))
        scales = {p.name: float(p.unit.scale) for p in step.params}
        own = {name: float(value) / scales[name] for name, value in params.items() if np.ndim(value) == 0}
        self.lesson = Lesson(inputs, self.up, own, learn, SURROGATE, h)

    def compared(self, learned: Learned) -> Iterator[tuple[str, Array, Array]]:
        """What the engine found, and what is right, by what it is."""
        everything = {"spikes": self.right.spikes, **self.right.states, **self.right.outputs}
        yield from ((name, a, everything[name]) for name, a in learned.seen.items())
        yield from ((f"dL/d{name}", a, self.gradients.inputs[name]) for name, a in learned.inputs.items())
        yield from ((f"dL/d{name}", a, self.params[name]) for name, a in learned.params.items())


def _start(trial: Trial) -> int:
    """Where in the stimulus to begin: so that some neurons spike early in what follows from rest."""
    return 0 if len(trial.trace.fired) < 4 * STEPS else int(np.argmax(trial.trace.fired[: len(trial.trace.fired) - STEPS].any(axis=1))) // 2


def _rows(stimulus: Stimulus, port: str, first: int, n: int) -> Array:
    """A port's input [STEPS, n]; of events, one at most at a time."""
    if port in stimulus.inputs:
        rows = np.broadcast_to(stimulus.inputs[port], (stimulus.steps, stimulus.n))
        return rows[first : first + STEPS, :n].astype(float)
    events = stimulus.events[port]
    rows = np.zeros((stimulus.steps, stimulus.n))
    rows[np.repeat(np.arange(stimulus.steps), np.diff(events.offsets)), events.index] = events.payload
    return rows[first : first + STEPS, :n]


def _weights(seen: Seen) -> dict[str, Array]:
    """dL/d of all that is seen: random, and so that everything counts about as much."""
    real = {name: a for name, a in (seen.states | seen.outputs).items() if a.dtype.kind == "f"}
    found = {}
    for i, (name, a) in enumerate({"spikes": seen.spikes, **real}.items()):
        drawn = np.array([normal(0, i, k, np.arange(a.shape[1]), 0) for k in range(len(a))])
        found[name] = drawn / (1 + np.abs(a).max())
    return found


def _judged(engine: Engine, artifact: Artifact, head: Report, task: _Task) -> Report:
    missing = engine.missing()
    if missing is not None:
        return replace(head, status="unavailable", reason=f"lacks {missing.what}: {missing.how}")
    try:
        learned = engine.learn(artifact, task.lesson)
    except BircError as error:
        return replace(head, status="fail", reason=error.diagnostics[0].message)
    worst = 0.0
    for what, found, right in task.compared(learned):
        each = right.ndim > 1 and engine.level == "L1"
        scale = np.abs(right).max(axis=0, initial=0.0) if each else np.abs(right).max(initial=0.0)
        off = np.abs(found - right) / (scale + 1e-12)
        worst = max(worst, float(off.max(initial=0.0)))
        if not np.isfinite(found).all() or off.max(initial=0.0) > CLOSE[engine.level]:
            place = np.unravel_index(int(np.argmax(np.where(np.isfinite(found), off, np.inf))), found.shape)
            where = f"step {place[0]}, neuron {place[1]}" if found.ndim > 1 else f"neuron {place[0]}"
            reason = f"{what} is {found[place]:.6g}, not {right[place]:.6g} ({where})"
            return replace(head, status="fail", worst=worst, variable=what, reason=reason)
    derivatives = sum(1 for what, _, _ in task.compared(learned) if what.startswith("dL/d"))
    profile = f"forward and {derivatives} derivatives over {STEPS} steps, {int(task.right.spikes.sum())} spikes"
    return replace(head, status="pass", level=engine.level, worst=worst, profile=profile)
