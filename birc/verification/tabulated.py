"""A program with tables against the same without, step by step from the states of a run without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from birc.backends import Array, Runner, load_backend
from birc.ir.step import Step
from birc.ir.tables import Pieces
from birc.runtime.durations import count_steps, step_length
from birc.runtime.simulate import Program, prepare
from birc.verification.case import INSTANCES, STEPS
from birc.verification.compare import scales
from birc.verification.report import Report
from birc.verification.stimulus import make_stimulus, probes
from birc.verification.trial import Trial, finite_part, initial, job_of, run_free

COMPARED = 200
"""Steps of a run that are compared, at most; evenly spaced."""
SECOND_ORDER = 1.05
"""The bound is that of first order in the tables' errors, which are small, and this much of it."""
ROUNDING = 1e-12


def verify_tables(
    step: Step,
    tabled: Step,
    *,
    dt: str,
    duration: str | None = None,
    n: int | None = None,
    seed: int = 0,
    params: Mapping[str, object] | None = None,
    preset: str | None = None,
) -> Report:
    """Whether each state, after one step from the states of the run without tables, is as near as the error of the tables says.

    The bound of a state is the sum of what each function of each table moves it by when that function is off by its error. Where only
    one of the two fires, or a table was left, nothing is compared.
    """
    name = f"{step.name}.{preset}" if preset else step.name
    error = max(table.error for table in tabled.tables)
    head = Report("tables", name, "pass", dt=dt, dtype="f64")
    numpy = load_backend("numpy")
    exact, rough = (numpy.load(numpy.emit(program, "f64")) for program in (step, tabled))
    h = step_length(dt)
    steps = STEPS if duration is None else count_steps(duration, h)[0]
    count = n or INSTANCES

    def program_of(program: Step, runner: Runner, neurons: int) -> Program:
        return prepare(runner, program, h=h, steps=steps, dtype="f64", n=neurons, params=params, preset=preset, seed=seed, threads=1)

    whole = program_of(step, exact, count)
    stimulus = make_stimulus(step, exact, whole, program_of(step, exact, probes()), steps, count, seed)
    trial = finite_part(Trial(whole, stimulus, run_free(exact, step, "f64", whole, stimulus)))
    if trial is None:
        return replace(
            head, status="not exercised", reason="the run without tables leaves the finite range in the first step", span=step.span
        )
    bound = program_of(tabled, rough, count)
    moved = [replace(bound, bound=replace(bound.bound, tables=tables)) for tables in _moved(bound.bound.tables, tabled)]
    largest = scales(trial.trace)
    worst, compared = 0.0, 0
    for k in range(0, trial.stimulus.steps, max(1, trial.stimulus.steps // COMPARED)):
        right, fired = _after(exact, step, trial.program, trial, k)
        got, also = _after(rough, tabled, bound, trial, k)
        allowed = {slot: ROUNDING * largest[slot] for slot in got}
        for other in moved:
            shifted, _ = _after(rough, tabled, other, trial, k)
            allowed = {slot: allowed[slot] + SECOND_ORDER * np.abs(shifted[slot] - got[slot]) for slot in got}
        inside = np.all([np.isfinite(a) for a in got.values()], axis=0) & (fired == also)
        compared += int(inside.sum())
        for slot in got:
            off = np.where(inside, np.abs(got[slot] - right[slot]), 0.0)
            worst = max(worst, float(off.max()) / largest[slot])
            wrong = inside & (off > allowed[slot])
            if wrong.any():
                neuron = int(np.argmax(wrong))
                most = float(np.broadcast_to(allowed[slot], off.shape)[neuron])
                reason = f"`{slot}` is off by {off[neuron]:.2g} after one step, more than the {most:.2g} of its tables"
                return replace(head, status="fail", worst=worst, reason=reason, step=k, variable=slot, span=step.span)
    if not compared:
        return replace(head, status="not exercised", reason="every compared step leaves the range of a table", span=step.span)
    return replace(head, level=f"{error:g}", worst=worst)


def _moved(tables: Mapping[str, Pieces], step: Step) -> list[dict[str, Pieces]]:
    """The tables with one function at a time moved by its error, on each piece."""
    found = []
    u = np.linspace(-0.5, 0.5, 33)
    for table in step.tables:
        pieces = tables[table.name]
        powers = np.vander(u, pieces.degree + 1, increasing=True)
        for i, coefficients in enumerate(pieces.coefficients):
            changed = pieces.coefficients.copy()
            changed[i, 0] += table.error * np.abs(powers @ coefficients).max(axis=0)
            found.append({**tables, table.name: replace(pieces, coefficients=changed)})
    return found


def _after(runner: Runner, step: Step, program: Program, trial: Trial, k: int) -> tuple[dict[str, Array], Array]:
    """The numbers of the states, and who fired, after one step from those of the run at stamp k."""
    state = initial(program, step, "f64")
    for name, a in state.items():
        a[:] = trial.trace.states[name][k]
    one = trial.stimulus.at(k)
    record = {output.name: np.zeros((1, one.n)) for output in step.outputs}
    spikes = runner.run(job_of(program, one, state, record))
    return {slot.name: state[slot.name] for slot in step.slots if slot.kind == "real"}, np.isin(np.arange(one.n), spikes.index)
