"""Checks of neurons and astrocytes: driven alone, on the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from birc.backends import Runner
from birc.checks.compare import Array, CheckResult, Stretch, asked, compare
from birc.checks.drives import arrivals, held_rows, length
from birc.errors import BircError, Diagnostic
from birc.ir.model import Check
from birc.ir.step import Step
from birc.runtime.bind import parameter_values
from birc.runtime.durations import step_length
from birc.runtime.result import Result
from birc.runtime.simulate import simulate
from birc.runtime.values import Setting


@dataclass(frozen=True)
class Ran:
    """A check that ran: what its ports were held at over each step, in internal units, and what came out."""

    out: Result
    params: Mapping[str, Any]
    driven: Mapping[str, Array]


def run_check(check: Check, step: Step, runner: Runner, dt: str | float) -> list[CheckResult]:
    """Drive the model, then compare what it did with each expectation. Raises C003 for a check that would take too long."""
    names = {s.name for s in step.slots if s.kind == "real"} | {o.name for o in step.outputs}
    read = sorted(names & frozenset().union(*(asked(x) for x in check.expects)))
    try:
        ran = drive(check, step, runner, dt, read)
    except BircError as failure:
        broken = failure.diagnostics[0]
        if broken.code in ("C003", "C004"):
            raise
        return [CheckResult(step.name, x, Diagnostic("C002", f"the run failed: {broken.message}", x.span)) for x in check.expects]
    silent = {p.name: np.zeros(1) for p in step.inputs}
    given = {**ran.params, **silent, **ran.driven, **{name: ran.out.recorded[name][:, 0] for name in read}}
    found = []
    for x in check.expects:
        stretch = Stretch(ran.out.steps, ran.out.dt, x.during, given)
        measured = _measures(ran.out, stretch)
        fired = f"the model fired {measured['count']:g} times"
        missing = {name: f"there is no {what}: {fired}" for name, what in MISSING.items() if name not in given}
        found.append(CheckResult(step.name, x, compare(x, stretch, measured | stretch.of(given), missing)))
    return found


def drive(check: Check, step: Step, runner: Runner, dt: str | float, record: Sequence[str]) -> Ran:
    """Run a model as a check drives it. Raises C003 for a check that would take too long, C004 for one that drives nothing."""
    h = step_length(dt)
    params = parameter_values(step, Setting(step.name, 1, 0, 1, h, 0), {}, check.preset)
    driven = held_rows(check, params, h)
    units = {p.name: float(p.unit.scale) for p in (*step.inputs, *step.events)}
    inputs: dict[str, object] = {port: rows / units[port] for port, rows in driven.items()}
    for port, events in arrivals(check, params, h).items():
        inputs[port] = np.zeros(len(events.stamp)), events.stamp * h, events.weight / units[port]
    total = length(check, params, h)
    out = simulate(runner, step, dt=dt, steps=total, inputs=inputs, preset=check.preset, record=record, seed=check.seed or 0)
    return Ran(out, params, driven)


MISSING = {"isi": "last interval", "first": "first spike", "last": "last spike"}


def _measures(out: Result, stretch: Stretch) -> dict[str, Any]:
    """What is said of the spikes in a stretch."""
    times = out.spikes.time
    times = times[stretch.holds(times)]
    low, high = stretch.ends
    return {
        "count": float(len(times)),
        "rate": len(times) / (high - low) if high > low else np.nan,
        "first": float(times[0]) if len(times) else np.nan,
        "last": float(times[-1]) if len(times) else np.nan,
        "isi": float(times[-1] - times[-2]) if len(times) > 1 else np.nan,
        "elapsed": out.dt,
    }
