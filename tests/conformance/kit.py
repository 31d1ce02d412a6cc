"""One row of the conformance kit: a tiny model, what drives it, and the spike stamps and values that a calculation by hand gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from birc.backends import Dtype, Runner
from birc.driver import lower
from birc.errors import BircError
from birc.ir.step import Step
from birc.runtime.result import Result
from birc.runtime.simulate import simulate
from birc.sources import choose, load

MODELS = Path(__file__).parent / "cases"
Numbers = float | tuple[float, ...]


@dataclass(frozen=True)
class Case:
    """A run of `steps` steps of `n` neurons and what must come of it.

    stamps: of each neuron, the stamps of its spikes; nobody else fires. values: by variable and stamp, one number for all neurons or
    one for each. warns: the codes of the warnings. exact: also holds in float32, since every number is exact there or far from a tie.
    """

    name: str
    model: str
    steps: int
    stamps: tuple[tuple[int, ...], ...] = ()
    values: Mapping[str, Mapping[int, Numbers]] = field(default_factory=dict)
    n: int = 1
    dt: str = "1 ms"
    inputs: Mapping[str, object] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    every: int = 1
    seed: int = 0
    warns: tuple[str, ...] = ()
    exact: bool = False
    tolerance: float = 1e-12


@cache
def step_of(model: str) -> Step:
    """The step program of a model of the kit."""
    return lower(choose(load(MODELS / f"{model}.birc"), None)[0])[1]


def run(case: Case, runner: Runner, dtype: Dtype = "f64") -> Result:
    """The case's run."""
    step = step_of(case.model)
    return simulate(
        runner,
        step,
        dt=case.dt,
        steps=case.steps,
        n=case.n,
        dtype=dtype,
        inputs=case.inputs,
        params=case.params,
        record=case.values,
        every=case.every,
        seed=case.seed,
    )


def differences(case: Case, runner: Runner, dtype: Dtype = "f64") -> list[str]:
    """Everything in which a run differs from the row; empty where it holds."""
    try:
        out = run(case, runner, dtype)
    except BircError as error:
        return [str(error)]
    found = []
    for neuron in range(case.n):
        wanted = case.stamps[neuron] if neuron < len(case.stamps) else ()
        got = tuple(int(s) for s in out.stamps[out.index == neuron])
        if got != wanted:
            found.append(f"neuron {neuron} fires at {got}, not at {wanted}")
    tolerance = case.tolerance if dtype == "f64" else max(case.tolerance, 1e-6)
    rows = {round(t / out.dt): r for r, t in enumerate(out.time)}
    for variable, by_stamp in case.values.items():
        scale = max(1.0, *(float(np.max(np.abs(v))) for v in by_stamp.values()))
        for stamp, numbers in by_stamp.items():
            got_values = out[variable][rows[stamp]]
            if not np.all(np.abs(got_values - np.asarray(numbers)) <= tolerance * scale):
                found.append(f"{variable} is {got_values.tolist()} at stamp {stamp}, not {numbers}")
    codes = tuple(d.code for d in out.warnings)
    if codes != case.warns:
        found.append(f"it warns of {codes}, not of {case.warns}")
    return found
