"""The `check` blocks of a file: doc-tests of a model, run on the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import Runner
from birc.errors import BircError, Diagnostic
from birc.ir.evaluate import evaluate_names
from birc.ir.expr import Expr, leaves
from birc.ir.model import Check, Expect
from birc.ir.step import Step
from birc.runtime.bind import parameter_values
from birc.runtime.durations import step_length
from birc.runtime.result import Result
from birc.runtime.simulate import simulate
from birc.runtime.values import Setting

Array = npt.NDArray[Any]

MOST_STEPS = 2_000_000
"""Beyond this a check is no quick doc-test any more."""


@dataclass(frozen=True)
class CheckResult:
    """One expectation of a check: `diagnostic` says why it does not hold, None that it holds."""

    model: str
    expect: Expect
    diagnostic: Diagnostic | None


def run_check(check: Check, step: Step, runner: Runner, dt: str) -> list[CheckResult]:
    """Drive the model, then compare what it did with each expectation. Raises C003 for a check that would take too long."""
    h = step_length(dt)
    params = parameter_values(step, Setting(step.name, 1, 0, 1, h, 0), {}, check.preset)
    driven = held_rows(check, params, h)
    total = max((len(rows) for rows in driven.values()), default=0)
    if total == 0:
        raise BircError("C004", "this check drives nothing, so there is nothing to run", check.span, "add `drive PORT = quantity for T`")
    units = {p.name: p.unit for p in (*step.inputs, *step.events)}
    inputs = {port: rows / float(units[port].scale) for port, rows in driven.items()}
    names = {s.name for s in step.slots if s.kind == "real"} | {o.name for o in step.outputs}
    silent = {p.name: np.zeros(1) for p in step.inputs}
    read = sorted(names & frozenset().union(*(leaves(e, "var") for x in check.expects for e in _parts(x))))
    try:
        out = simulate(runner, step, dt=dt, steps=total, inputs=inputs, preset=check.preset, record=read)
    except BircError as failure:
        broken = failure.diagnostics[0]
        return [CheckResult(step.name, x, Diagnostic("C002", f"the run failed: {broken.message}", x.span)) for x in check.expects]
    return [CheckResult(step.name, x, _compare(x, _values(out, {**params, **silent, **driven}, step, read), h)) for x in check.expects]


def held_rows(check: Check, params: Mapping[str, Any], h: float) -> dict[str, Array]:
    """What a check's `drive` lines hold at each step, by port, all of one length, in internal units. Raises C003 where that is too long."""
    counts: dict[str, int] = {}
    pieces: dict[str, list[tuple[int, float]]] = {}
    for drive in check.drives:
        steps = float(evaluate_names(drive.duration, params)) / h
        if not steps + counts.get(drive.port, 0) <= MOST_STEPS:
            message = f"this check would take {steps:.3g} steps of {h:g} ms; a check may take {MOST_STEPS}"
            raise BircError("C003", message, drive.span, "make it shorter, or run it with `birc run`")
        count = int(steps + 0.5)
        pieces.setdefault(drive.port, []).append((count, float(evaluate_names(drive.value, params))))
        counts[drive.port] = counts.get(drive.port, 0) + count
    total = max(counts.values(), default=0)
    found = {}
    for port, held in pieces.items():
        rows = np.zeros(total)
        rows[: counts[port]] = np.repeat([v for _, v in held], [c for c, _ in held])
        found[port] = rows
    return found


def _values(out: Result, given: Mapping[str, Any], step: Step, read: list[str]) -> dict[str, Any]:
    """What expectations may speak of; inputs and recorded variables as arrays over stamps, in internal units."""
    stamps = out.stamps
    found: dict[str, Any] = {**given, "count": np.asarray(float(len(stamps))), "rate": np.asarray(len(stamps) / (out.steps * out.dt))}
    ends = stamps if out.offsets is None else stamps + out.offsets
    found["isi"] = np.asarray(float(ends[-1] - ends[-2]) * out.dt if len(stamps) > 1 else np.nan)
    found["elapsed"] = np.asarray(out.dt)
    return found | {name: out.recorded[name][:, 0] for name in read}


def _parts(expect: Expect) -> list[Expr]:
    return [e for e in (expect.actual, expect.expected, expect.low, expect.high) if e is not None]


def _compare(expect: Expect, values: Mapping[str, Any], h: float) -> Diagnostic | None:
    """None if the expectation holds."""

    def number(e: Expr | None) -> Any:
        x = np.atleast_1d(np.asarray(evaluate_names(e, values))) if e is not None else np.zeros(1)
        return x if expect.always else x[-1:]

    if "isi" in frozenset().union(*(leaves(e, "var") for e in _parts(expect))) and np.isnan(values["isi"]):
        return Diagnostic("C002", f"there is no last interval: the model fired {int(values['count'])} times", expect.span)
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
    where = f" at stamp {at + 1} ({(at + 1) * h:g} ms)" if expect.always else ""
    shown = bool(actual[at]) if actual.dtype == bool else f"{float(actual[at]):.10g}"
    return Diagnostic("C001", f"expected {wanted}, got {shown}{where} (internal units: ms, mV, pA, nS …)", expect.span)
