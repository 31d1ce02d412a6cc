"""Run a loaded artifact: bind, feed, step in short stretches, record, and say where a state left the finite range."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import FLOATS, Dtype, Job, Runner
from birc.errors import BircError, Diagnostic
from birc.ir import random
from birc.ir.step import Slot, Step
from birc.runtime.bind import Bound, bind, show
from birc.runtime.durations import MOST_STEPS, count_steps, record_interval, step_length
from birc.runtime.events import EventSource, event_inputs
from birc.runtime.inputs import Continuous, check_names, continuous_inputs
from birc.runtime.located import longest, run_located
from birc.runtime.memory import require
from birc.runtime.recording import Recording, declared_units, recorded_names
from birc.runtime.result import Parameter, Result, State
from birc.runtime.shown import in_unit
from birc.runtime.streaming import StreamedRecording
from birc.runtime.tables import guarded_ranges
from birc.runtime.values import Setting
from birc.units import Unit

Array = npt.NDArray[Any]
Progress = Callable[[int, int], None]

STRETCH = 0.2
"""Seconds after which a run should come back from the backend, to see Ctrl-C and to show progress."""
MOST_VALUES = 1 << 20
"""Input values and events that are made at a time, about."""
MOST_NEURONS = 2**31 - 1


@dataclass(frozen=True)
class Program:
    """What stays the same over a run."""

    runner: Runner
    step: Step
    setting: Setting
    bound: Bound
    streams: Mapping[str, int]
    threads: int

    def job(
        self, state: Mapping[str, Array], start: int, steps: int, inputs: Mapping[str, Continuous], events: Mapping[str, EventSource]
    ) -> Job:
        """A stretch of the run that records nothing."""
        return Job(
            n=self.setting.n,
            start=start,
            steps=steps,
            bind=self.bound.values,
            state=state,
            inputs={name: np.ascontiguousarray(source.rows(start, steps)) for name, source in inputs.items()},
            events={name: source.events(start, steps) for name, source in events.items()},
            record={},
            seed=self.setting.seed,
            streams=self.streams,
            threads=self.threads,
            tables=self.bound.tables,
        )


def simulate(
    runner: Runner,
    step: Step,
    *,
    dt: str | float,
    duration: str | float | None = None,
    steps: int | None = None,
    dtype: Dtype = "f64",
    n: int | None = None,
    inputs: Mapping[str, object] | None = None,
    params: Mapping[str, object] | None = None,
    preset: str | None = None,
    init: Mapping[str, object] | None = None,
    record: str | Iterable[str] = (),
    every: str | int = 1,
    seed: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    state: State | None = None,
    manifest: Mapping[str, Any] | None = None,
    stream: str | Path | None = None,
) -> Result:
    """Run `duration` (or `steps` steps) of `n` neurons, from the initial state or from where `state` stood.

    stream: a folder for unnamed files that hold what is recorded, in place of memory; they vanish with the result.
    Raises BircError: I… for what does not fit the model or the machine, R001 where a state leaves the finite range. Ctrl-C ends the
    run; the result then holds what was recorded until then.
    """
    h = step_length(dt)
    count, warnings = _count(duration, steps, h)
    names = recorded_names(record, step)
    interval, more = record_interval(every, h)
    inputs = inputs or {}
    check_names(inputs, (*step.inputs, *step.events))
    program = prepare(
        runner, step, h=h, steps=count, dtype=dtype, n=n, params=params, preset=preset, init=init, seed=seed, threads=threads, state=state
    )
    setting = program.setting
    where = (names, step, dtype, setting.n, setting.start, count, interval)
    kept = Recording(*where) if stream is None else StreamedRecording(Path(stream), *where)
    values = start_values(program, state)
    done, reason = _run(
        program,
        values,
        continuous_inputs(inputs, step.inputs, setting),
        event_inputs(inputs, step.events, setting),
        kept,
        progress,
    )
    arrays, spikes = kept.finish(done)
    return Result(
        model=step.name,
        n=setting.n,
        dt=h,
        start=setting.start,
        stop=done,
        every=interval,
        seed=setting.seed,
        stamps=spikes.stamp,
        index=spikes.index,
        offsets=spikes.offset,
        recorded=arrays,
        declared=declared_units(step, names),
        state=State(step.name, done, h, setting.seed, values),
        interrupted=reason,
        warnings=(*warnings, *more, *program.bound.warnings),
        manifest=dict(manifest or {}),
        parameters={p.name: _parameter(program.bound.params[p.name], p.unit) for p in step.params},
    )


def _parameter(value: Any, unit: Unit) -> Parameter:
    shown = in_unit(np.asarray(value, dtype=np.float64), unit)
    return Parameter(shown if shown.ndim else float(shown), unit.text)


def _count(duration: str | float | None, steps: int | None, h: float) -> tuple[int, tuple[Diagnostic, ...]]:
    if (duration is None) == (steps is None):
        raise BircError("I141", "say how long to run: either a duration or a number of steps")
    if duration is not None:
        return count_steps(duration, h)
    whole = _whole(steps, "I141", "the number of steps", 1, MOST_STEPS)
    return whole, ()


def _whole(value: object, code: str, what: str, low: int, high: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and low <= value <= high:
        return int(value)
    raise BircError(code, f"{what} must be a whole number from {low} to {high}, not {value!r}")


def prepare(
    runner: Runner,
    step: Step,
    *,
    h: float,
    steps: int,
    dtype: Dtype,
    n: int | None = None,
    params: Mapping[str, object] | None = None,
    preset: str | None = None,
    init: Mapping[str, object] | None = None,
    seed: int | None = None,
    threads: int | None = None,
    state: State | None = None,
) -> Program:
    """Check the arguments of a run and bind its parameters."""
    if state is not None:
        n, seed = _from_state(step, state, h, n, seed, init)
    neurons = _whole(1 if n is None else n, "I144", "the number of neurons", 1, MOST_NEURONS)
    number = _whole(0 if seed is None else seed, "I146", "the seed", 0, 2**64 - 1)
    width = np.dtype(FLOATS[dtype]).itemsize
    require(2 * neurons * width * max(1, len(step.slots)), f"the state of {neurons} neurons", "run fewer neurons at a time")
    setting = Setting(step.name, neurons, 0 if state is None else state.stamp, steps, h, number)
    bound = bind(step, setting, dtype, params or {}, preset, init)
    named = random.streams(f"{step.name}.{noise.name}" for noise in step.noises)
    streams = {noise.name: named[f"{step.name}.{noise.name}"] for noise in step.noises}
    return Program(runner, step, setting, bound, streams, _threads(threads, neurons))


def _from_state(step: Step, state: State, h: float, n: int | None, seed: int | None, init: Mapping[str, object] | None) -> tuple[int, int]:
    """The number of neurons and the seed of a run that goes on from a state. Raises I147 where it does not fit."""
    problem = None
    if set(state.values) != {slot.name for slot in step.slots}:
        problem = f"it is a state of `{state.model}`, with {', '.join(f'`{name}`' for name in state.values)}"
    elif n is not None and n != state.n:
        problem = f"it has {state.n} neurons, and n is {n}"
    elif state.dt != h:
        problem = f"it was made with a step of {state.dt:g} ms, and this is {h:g} ms"
    elif init:
        problem = "initial values cannot be given along with it"
    if problem:
        raise BircError("I147", f"the run cannot go on from this state: {problem}")
    return state.n, state.seed if seed is None else seed


def _threads(threads: int | None, n: int) -> int:
    if threads is not None:
        return _whole(threads, "I148", "the number of threads", 1, 4096)
    if n < 4096:  # starting threads would cost more than they save
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start_values(program: Program, state: State | None) -> dict[str, Array]:
    """The arrays that a run changes in place: those of its initial state, or copies of the state it goes on from."""
    if state is None:
        return dict(program.bound.state)
    return {name: state.values[name].astype(array.dtype) for name, array in program.bound.state.items()}


def _run(
    program: Program,
    values: dict[str, Array],
    inputs: Mapping[str, Continuous],
    events: Mapping[str, EventSource],
    kept: Recording,
    progress: Progress | None,
) -> tuple[int, str]:
    """Step to the end or to an interruption; gives the last stamp that counts, and why it is not the end.

    A stretch counts as a whole: where Ctrl-C falls inside one, its state is put back and its spikes and rows are left out.
    """
    setting = program.setting
    width = sum(source.width for source in inputs.values()) + sum(source.width for source in events.values())
    most = max(1, int(MOST_VALUES / max(width, setting.n / 32)))
    if kept.longest is not None:
        most = min(most, kept.longest)
    if kept.located:
        most = min(most, longest(setting.n, len(kept.types) if kept.every > 1 else 0))
    length = min(64, most)
    stop = setting.start + setting.steps
    mark, spare = (setting.start, _copy(values)), _copy(values)
    try:
        while mark[0] < stop:
            if kept.full:
                return mark[0], f"stopped at {mark[0] * setting.h:g} ms: {kept.full}"
            start, before = mark
            steps = min(length, stop - start)
            began = time.perf_counter()
            job, rows = program.job(values, start, steps, inputs, events), kept.window(start, steps)
            if kept.located:
                spikes = run_located(program.runner, job, rows, kept.every)
            else:
                spikes = program.runner.run(replace(job, record=rows, every=kept.every, room=kept.room))
            if not finite(values, program.step):
                raise left_range(program, before, start, steps, inputs, events)
            kept.add(spikes)
            _put(values, spare)
            mark, spare = (start + steps, spare), before
            if progress is not None:
                progress(mark[0] - setting.start, setting.steps)
            took = max(time.perf_counter() - began, 1e-6)
            length = max(1, min(most, 4 * length, int(steps * STRETCH / took)))
    except KeyboardInterrupt:
        _put(mark[1], values)
        return mark[0], f"interrupted at {mark[0] * setting.h:g} ms"
    return stop, ""


def _copy(values: Mapping[str, Array]) -> dict[str, Array]:
    return {name: array.copy() for name, array in values.items()}


def _put(source: Mapping[str, Array], target: Mapping[str, Array]) -> None:
    for name, array in source.items():
        target[name][...] = array


def real_slots(step: Step) -> tuple[Slot, ...]:
    """The slots whose values must stay finite."""
    return tuple(slot for slot in step.slots if slot.kind == "real")


def finite(values: Mapping[str, Array], step: Step) -> bool:
    """Whether every state of every neuron is."""
    return all(bool(np.isfinite(values[slot.name]).all()) for slot in real_slots(step))


def left_range(
    program: Program,
    before: Mapping[str, Array],
    start: int,
    steps: int,
    inputs: Mapping[str, Continuous],
    events: Mapping[str, EventSource],
) -> BircError:
    """R001 with the stamp, the neuron and the variable: the stretch is run again from its start, in halves."""
    low, high, good = 0, steps, dict(before)

    def after(count: int) -> dict[str, Array]:
        trial = _copy(good)
        program.runner.run(program.job(trial, start + low, count, inputs, events))
        return trial

    while high - low > 1:
        half = (high - low) // 2
        trial = after(half)
        if finite(trial, program.step):
            low, good = low + half, trial
        else:
            high = low + half
    return _out_of_range(program, start + low, good, after(1))


def _outside_table(program: Program, stamp: int, good: Mapping[str, Array], bad: Mapping[str, Array]) -> BircError | None:
    """R002 where a state, or an inner value of its solver, has left the range of its table: the program makes that state NaN."""
    for slot, ends in guarded_ranges(program.step, program.bound.values):
        lost = np.isnan(bad[slot.name])
        if lost.any():
            neuron = int(np.argmax(lost))
            last = show(float(good[slot.name][neuron]), slot.unit)
            where = f"at stamp {stamp + 1} ({(stamp + 1) * program.setting.h:g} ms)"
            message = f"`{slot.name}` of neuron {neuron} left the range {ends} of its table {where}; it was {last} before"
            return BircError("R002", message, slot.span, "give the table a wider range, or run without tables")
    return None


def _out_of_range(program: Program, stamp: int, good: Mapping[str, Array], bad: Mapping[str, Array]) -> BircError:
    step, setting = program.step, program.setting
    stray = _outside_table(program, stamp, good, bad)
    if stray is not None:
        return stray
    left = {slot.name: ~np.isfinite(bad[slot.name]) for slot in real_slots(step)}
    neuron = min(int(np.argmax(mask)) for mask in left.values() if mask.any())
    slot = next(slot for slot in real_slots(step) if left[slot.name][neuron])
    shown = ", ".join(f"{s.name} = {show(float(good[s.name][neuron]), s.unit)}" for s in real_slots(step))
    became = "not a number" if np.isnan(bad[slot.name][neuron]) else "infinite"
    return BircError(
        "R001",
        f"`{slot.name}` of neuron {neuron} became {became} at stamp {stamp + 1} ({(stamp + 1) * setting.h:g} ms)",
        slot.span,
        f"at the stamp before: {shown}\na shorter step may help; else look at the parameters and the input of this neuron",
    )
