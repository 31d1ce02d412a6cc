"""`birc verify --exact`: from a file to the report."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from birc import driver
from birc.backends import Dtype, Runner, load_backend
from birc.checks import has_events, held_rows
from birc.errors import BircError
from birc.exact.compare import ExactReport, compare_with_exact
from birc.exact.drive import Drive, make_drive
from birc.exact.system import System, drift, system
from birc.ir.model import Model
from birc.ir.step import Step
from birc.runtime.bind import parameter_values
from birc.runtime.durations import count_steps, step_length
from birc.runtime.inputs import check_names
from birc.runtime.simulate import Program, Progress, prepare
from birc.runtime.values import Setting
from birc.sources import Loaded, choose, load

STEPS = 2000
"""Of a run whose length neither the user nor a `check` of the model says."""


@dataclass(frozen=True)
class Posed:
    """A model with its parameters bound and what drives it: the same problem for the scheme and for the exact solution."""

    lowered: Model
    step: Step
    system: System
    drive: Drive
    params: Mapping[str, object]
    preset: str | None
    seed: int

    def bound(self, runner: Runner, drive: Drive, dtype: Dtype) -> Program:
        """The scheme with its parameters bound for the drive's step."""
        return prepare(
            runner, self.step, h=drive.h, steps=drive.steps, dtype=dtype, n=1, params=self.params, preset=self.preset, seed=self.seed
        )


def pose(
    file: str | Path | Loaded,
    *,
    model: str | None = None,
    preset: str | None = None,
    dt: str = driver.DT,
    solver: str | Sequence[str] | None = None,
    skip: Iterable[str] = (),
    duration: str | None = None,
    inputs: Mapping[str, object] | None = None,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    smooth: bool = False,
    spikes: str | None = None,
) -> Posed:
    """The problem: where no input is given, what drives the model's first `check`, its last values being held on.

    With `smooth` only what the equations say between events, of any model; else V101 is raised for one without an exact solution.
    """
    loaded = load(file)
    item, named = choose(loaded, model)
    lowered, step = driver.lower(item, solver, skip, spikes=spikes)
    chosen = preset or named
    h = step_length(dt)
    values = parameter_values(step, Setting(step.name, 1, 0, 1, h, seed), params or {}, chosen)
    steps = None if duration is None else count_steps(duration, h)[0]
    if inputs is None:
        drive = _of_check(loaded, step, values, chosen, h, steps)
    else:
        check_names(inputs, (*step.inputs, *step.events))
        drive = make_drive(step, Setting(step.name, 1, 0, steps or STEPS, h, seed), inputs)
    assert isinstance(item, Model)  # nothing else is lowered
    automaton = drift(item, values, h) if smooth else system(item, values)
    return Posed(lowered, step, automaton, drive, params or {}, chosen, seed)


def _of_check(loaded: Loaded, step: Step, params: Mapping[str, float], preset: str | None, h: float, steps: int | None) -> Drive:
    checks = (c for c in loaded.module.checks if c.model == step.name and c.preset == preset and c.drives and not has_events(c))
    first = next(checks, None)
    rows = held_rows(first, params, h) if first else {}
    count = steps or max((len(r) for r in rows.values()), default=STEPS)
    scales = {p.name: float(p.unit.scale) for p in (*step.inputs, *step.events)}
    ports = {p.name for p in step.inputs}
    inputs = {}
    for port, held in rows.items():
        more = count - len(held)
        last = held[-1] if port in ports else 0.0
        inputs[port] = np.concatenate([held[:count], np.full(max(more, 0), last)]) / scales[port]
    return make_drive(step, Setting(step.name, 1, 0, count, h, 0), inputs)


def verify_exact(posed: Posed, target: str = "numpy", dtype: Dtype = "f64", progress: Progress | None = None) -> ExactReport:
    """The scheme at step lengths around the drive's, on a target, against the exact solution. Raises X331 without scipy."""
    if importlib.util.find_spec("scipy") is None:
        raise BircError("X331", "the exact solution needs the package scipy, which is not installed", help='pip install "birc[exact]"')
    runner = driver.build(posed.step, target, dtype=dtype).runner
    return compare_with_exact(
        posed.lowered, posed.step, posed.system, posed.drive, runner, lambda drive: posed.bound(runner, drive, dtype), dtype, progress
    )


def quickest_target() -> str:
    """The native target where it runs, else the reference."""
    return "native" if load_backend("native").missing() is None else "numpy"
