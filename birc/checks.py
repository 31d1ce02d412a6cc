"""The `check` blocks of a file: doc-tests of a model, run on the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import Runner
from birc.errors import BircError, Diagnostic
from birc.ir.evaluate import evaluate_names
from birc.ir.expr import Expr, leaves
from birc.ir.model import Check, Drive, Expect, Waveform, Window
from birc.ir.step import Port, Step
from birc.runtime.bind import parameter_values
from birc.runtime.durations import step_length
from birc.runtime.inputs import waveform
from birc.runtime.result import Result
from birc.runtime.simulate import simulate
from birc.runtime.values import Setting
from birc.units import ONE

Array = npt.NDArray[Any]

MOST_STEPS = 2_000_000
"""Beyond this a check is no quick doc-test any more."""


@dataclass(frozen=True)
class CheckResult:
    """One expectation of a check: `diagnostic` says why it does not hold, None that it holds."""

    model: str
    expect: Expect
    diagnostic: Diagnostic | None


@dataclass(frozen=True)
class Ran:
    """A check that ran: what its ports were held at over each step, in internal units, and what came out."""

    out: Result
    params: Mapping[str, Any]
    driven: Mapping[str, Array]


def run_check(check: Check, step: Step, runner: Runner, dt: str | float) -> list[CheckResult]:
    """Drive the model, then compare what it did with each expectation. Raises C003 for a check that would take too long."""
    names = {s.name for s in step.slots if s.kind == "real"} | {o.name for o in step.outputs}
    read = sorted(names & frozenset().union(*(leaves(e, "var") for x in check.expects for e in _parts(x))))
    try:
        ran = drive(check, step, runner, dt, read)
    except BircError as failure:
        broken = failure.diagnostics[0]
        if broken.code in ("C003", "C004"):
            raise
        return [CheckResult(step.name, x, Diagnostic("C002", f"the run failed: {broken.message}", x.span)) for x in check.expects]
    silent = {p.name: np.zeros(1) for p in step.inputs}
    given = {**ran.params, **silent, **ran.driven, **{name: ran.out.recorded[name][:, 0] for name in read}}
    return [CheckResult(step.name, x, _compare(x, Moments(ran.out, given, x.during))) for x in check.expects]


def drive(check: Check, step: Step, runner: Runner, dt: str | float, record: Sequence[str]) -> Ran:
    """Run a model as a check drives it. Raises C003 for a check that would take too long, C004 for one that drives nothing."""
    h = step_length(dt)
    params = parameter_values(step, Setting(step.name, 1, 0, 1, h, 0), {}, check.preset)
    driven = held_rows(check, params, h)
    total = max((len(rows) for rows in driven.values()), default=0)
    if total == 0:
        raise BircError("C004", "this check drives nothing, so there is nothing to run", check.span, "add `drive PORT = quantity for T`")
    units = {p.name: p.unit for p in (*step.inputs, *step.events)}
    inputs = {port: rows / float(units[port].scale) for port, rows in driven.items()}
    return Ran(simulate(runner, step, dt=dt, steps=total, inputs=inputs, preset=check.preset, record=record), params, driven)


def held_rows(check: Check, params: Mapping[str, Any], h: float) -> dict[str, Array]:
    """What a check's `drive` lines hold at each step, by port, all of one length, in internal units. Raises C003 where that is too long."""
    pieces: dict[str, list[Array]] = {}
    for drive in check.drives:
        before = sum(map(len, pieces.setdefault(drive.port, [])))
        steps = float(evaluate_names(drive.duration, params)) / h
        if not steps + before <= MOST_STEPS:
            message = f"this check would take {steps:.3g} steps of {h:g} ms; a check may take {MOST_STEPS}"
            raise BircError("C003", message, drive.span, "make it shorter, or run it with `birc run`")
        pieces[drive.port].append(_rows(drive, params, int(steps + 0.5), h))
    total = max((sum(map(len, held)) for held in pieces.values()), default=0)
    return {port: np.concatenate([*held, np.zeros(total - sum(map(len, held)))]) for port, held in pieces.items()}


def _rows(drive: Drive, params: Mapping[str, Any], count: int, h: float) -> Array:
    """What one drive holds at each of its steps."""
    if not isinstance(drive.value, Waveform):
        return np.full(count, float(evaluate_names(drive.value, params)))
    arguments = {name: float(evaluate_names(e, params)) for name, e in drive.value.arguments}
    what = f"the drive of `{drive.port}`"
    try:
        made = waveform(drive.value.name, arguments, Port(drive.port, ONE), Setting("check", 1, 0, count, h, 0), what)
    except BircError as failure:
        raise BircError.of(replace(d, span=drive.span) for d in failure.diagnostics) from None
    return np.asarray(made.rows(0, count), np.float64)[:, 0]


@dataclass(frozen=True)
class Moments:
    """A run, or the stretch of it that an expectation is about: what may be read of it, in internal units."""

    out: Result
    given: Mapping[str, Any]
    during: Window | None

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The stretch in ms, inside the run."""
        whole = 0.0, self.out.steps * self.out.dt
        if self.during is None:
            return whole
        low, high = (float(evaluate_names(e, self.given)) for e in (self.during.low, self.during.high))
        return max(low, whole[0]), min(high, whole[1])

    def holds(self, times: Array) -> Array:
        """Which times are in the stretch; those of stamps are on its ends where they should be, but for rounding."""
        if self.during is None:
            return np.ones(len(times), np.bool_)
        low, high = self.ends
        slack = 1e-6 * self.out.dt
        above = times >= low - slack if self.during.low_closed else times > low + slack
        inside: Array = above & (times <= high + slack if self.during.high_closed else times < high - slack)
        return inside

    @cached_property
    def rows(self) -> Array:
        """Which stamps are in the stretch."""
        return self.holds(np.arange(1, self.out.steps + 1) * self.out.dt)

    @cached_property
    def values(self) -> dict[str, Any]:
        """What expectations may speak of; inputs and recorded variables as arrays over stamps."""
        times = self.out.spikes.time
        times = times[self.holds(times)]
        low, high = self.ends
        found: dict[str, Any] = {
            "count": float(len(times)),
            "rate": len(times) / (high - low) if high > low else np.nan,
            "first": float(times[0]) if len(times) else np.nan,
            "last": float(times[-1]) if len(times) else np.nan,
            "isi": float(times[-1] - times[-2]) if len(times) > 1 else np.nan,
            "elapsed": self.out.dt,
        }
        kept = {name: x[self.rows] if np.shape(x) == self.rows.shape else x for name, x in self.given.items()}
        return {name: np.asarray(x) for name, x in (found | kept).items()}


def _parts(expect: Expect) -> list[Expr]:
    return [e for e in (expect.actual, expect.expected, expect.low, expect.high) if e is not None]


MISSING = {"isi": "last interval", "first": "first spike", "last": "last spike"}


def _compare(expect: Expect, moments: Moments) -> Diagnostic | None:
    """None if the expectation holds."""
    values, h = moments.values, moments.out.dt

    def number(e: Expr | None) -> Any:
        x = np.atleast_1d(np.asarray(evaluate_names(e, values))) if e is not None else np.zeros(1)
        return x if expect.always else x[-1:]

    asked = frozenset[Any]().union(*(leaves(e, "var") for e in _parts(expect)))
    for name, what in MISSING.items():
        if name in asked and name not in moments.given and np.isnan(values[name]):
            return Diagnostic("C002", f"there is no {what}: the model fired {int(values['count'])} times", expect.span)
    if not moments.rows.any():
        return Diagnostic("C002", f"the run, of {moments.out.duration:g} ms, has no stamp in this stretch", expect.span)
    with np.errstate(all="ignore"):
        actual = number(expect.actual)
        if expect.low is not None or expect.high is not None:
            low, high = number(expect.low), number(expect.high)
            above = actual >= low if expect.low_closed else actual > low
            below = actual <= high if expect.high_closed else actual < high
            good = above & below
            wanted = f"in {'[' if expect.low_closed else '('}{low[0]:.10g}, {high[0]:.10g}{']' if expect.high_closed else ')'}"
        elif expect.expected is not None:
            expected = number(expect.expected)
            tolerance = number(expect.tolerance) * (h if expect.in_steps else 1.0) if expect.tolerance is not None else np.zeros(1)
            # A tolerance in steps is meant for the step's grid: half a rounding error of the product is no step.
            good = np.abs(actual - expected) <= tolerance * (1 + 1e-9)
            wanted = f"{expected[-1]:.10g}" + (f" within {tolerance[0]:.10g}" if expect.tolerance is not None else "")
        else:
            good, wanted = actual.astype(bool), "true"
    if bool(np.all(good)):
        return None
    at = int(np.argmin(good))
    stamp = int(np.flatnonzero(moments.rows)[at]) + 1 if expect.always and len(good) > 1 else at + 1
    where = f" at stamp {stamp} ({stamp * h:g} ms)" if expect.always else ""
    shown = bool(actual[at]) if actual.dtype == bool else f"{float(actual[at]):.10g}"
    return Diagnostic("C001", f"expected {wanted}, got {shown}{where} (internal units: ms, mV, pA, nS …)", expect.span)
