"""A target's run against the reference's: errors relative to each variable's scale, spikes, and the first place beyond a bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from birc.backends import Array
from birc.ir.step import Step
from birc.verification.oracle import Oracle
from birc.verification.trial import After, Trace, Trial, job_of

SPIKE = "spike"
"""Stands for the spikes among the names of variables (a reserved word, so no variable has this name)."""


@dataclass(frozen=True)
class First:
    """The earliest difference beyond a bound: in step `k` of a trial, at `neuron`, in `variable`."""

    k: int
    neuron: int
    variable: str
    got: float
    expected: float


@dataclass(frozen=True)
class Differences:
    """The worst relative error, which variable has it, and the first difference beyond the bound."""

    worst: float
    variable: str
    first: First | None


def scales(trace: Trace) -> dict[str, float]:
    """The largest magnitude of each variable along the reference run."""
    return {name: scale(a) for name, a in (*trace.states.items(), *trace.outputs.items())}


def scale(a: Array) -> float:
    """The largest magnitude in an array, 1 if it is all zero."""
    return float(np.abs(np.asarray(a, float)).max(initial=0.0)) or 1.0


def differ(got: After | Trace, trial: Trial, bound: float, ties: Array | None = None) -> Differences:
    """Compare step by step; where `ties` is true the reference itself is undecided, and nothing is."""
    trace = trial.trace
    steps = trial.stimulus.steps
    right = {**{n: a[1:] for n, a in trace.states.items()}, **trace.outputs}
    found = {n: a[len(a) - steps :] for n, a in (*got.states.items(), *got.outputs.items())}
    undecided = np.zeros_like(trace.fired) if ties is None else ties
    largest = scales(trace)
    errors = {name: np.where(undecided, 0.0, _errors(found[name], right[name], largest[name])) for name in right}
    worst = {name: float(e.max(initial=0.0)) for name, e in errors.items()}
    variable = max(worst, key=lambda n: worst[n], default="")
    wrong_spike = (got.fired != trace.fired) & ~undecided
    first = _first(errors, wrong_spike, bound)
    if first is None:
        return Differences(worst.get(variable, 0.0), variable, None)
    k, neuron, name = first
    values = (got.fired, trace.fired) if name == SPIKE else (found[name], right[name])
    return Differences(worst.get(variable, 0.0), variable, First(k, neuron, name, *(float(a[k, neuron]) for a in values)))


def _errors(got: Array, right: Array, largest: float) -> Array:
    """Differences over the variable's scale; infinite where one is NaN."""
    with np.errstate(all="ignore"):
        difference = np.abs(np.asarray(got, float) - np.asarray(right, float)) / largest
    same = np.asarray(got == right)
    return np.where(same, 0.0, np.where(np.isnan(difference), np.inf, difference))


def _first(errors: Mapping[str, Array], wrong_spike: Array, bound: float) -> tuple[int, int, str] | None:
    """The earliest step (then neuron, then variable in the order of the program) beyond the bound."""
    beyond = {name: e > bound for name, e in errors.items()} | {SPIKE: wrong_spike}
    candidates: list[tuple[int, int, int, str]] = []
    for i, (name, wrong) in enumerate(beyond.items()):
        if wrong.any():
            k, neuron = np.argwhere(wrong)[0]
            candidates.append((int(k), int(neuron), i, name))
    if not candidates:
        return None
    k, neuron, _, name = min(candidates)
    return k, neuron, name


def undecided(step: Step, trial: Trial, fired: Array, bound: float) -> Array:
    """Where a spike differs and the reference itself is undecided: it changes its mind when its state moves by the bound."""
    trace = trial.trace
    ties = np.zeros_like(fired)
    if bound <= 1e-15:
        return ties
    oracle = Oracle(step, "f64")
    for k in np.unique(np.argwhere(fired != trace.fired)[:, 0]):
        minds = []
        for sign in (-1.0, 1.0):
            state = {}
            for name, a in trace.states.items():
                moved = a[k] if a.dtype.kind != "f" else a[k] + sign * bound * scale(a)
                state[name] = moved.astype(a.dtype)
            one = trial.stimulus.at(int(k))
            spikes = oracle.run(job_of(trial.program, one, state))
            minds.append(np.isin(np.arange(one.n), spikes.index))
        ties[k] = (fired[k] != trace.fired[k]) & (minds[0] != minds[1])
    return ties


def worst_shift(got: Array, right: Array) -> int:
    """The largest shift between the j-th spikes of a neuron, in steps; a spike too many or too few may only be the last."""
    worst = 0
    steps = len(got)
    for i in range(got.shape[1]):
        a, b = np.flatnonzero(got[:, i]), np.flatnonzero(right[:, i])
        m = min(len(a), len(b))
        if m:
            worst = max(worst, int(np.abs(a[:m] - b[:m]).max()))
        if len(a) != len(b):
            extra = (a if len(a) > len(b) else b)[m]
            worst = max(worst, steps - int(extra))
    return worst
