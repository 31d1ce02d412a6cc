"""What an expectation says, held against the stretch of a run that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.errors import Diagnostic
from birc.ir.evaluate import evaluate_names
from birc.ir.expr import Expr, leaves
from birc.ir.model import Expect, Window

Array = npt.NDArray[Any]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class CheckResult:
    """One expectation of a check: `diagnostic` says why it does not hold, None that it holds."""

    model: str
    expect: Expect
    diagnostic: Diagnostic | None


@dataclass(frozen=True)
class Stretch:
    """The stretch of a run of `steps` steps of h ms that an expectation is about; `names` are parameters, for the ends of its window."""

    steps: int
    h: float
    during: Window | None
    names: Values

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Its ends in ms, inside the run."""
        whole = 0.0, self.steps * self.h
        if self.during is None:
            return whole
        low, high = (float(evaluate_names(e, self.names)) for e in (self.during.low, self.during.high))
        return max(low, whole[0]), min(high, whole[1])

    def holds(self, times: Array) -> Array:
        """Which times are in it; those of stamps are on its ends where they should be, but for rounding."""
        if self.during is None:
            return np.ones(len(times), np.bool_)
        low, high = self.ends
        slack = 1e-6 * self.h
        above = times >= low - slack if self.during.low_closed else times > low + slack
        inside: Array = above & (times <= high + slack if self.during.high_closed else times < high - slack)
        return inside

    @cached_property
    def rows(self) -> Array:
        """Which stamps are in it."""
        return self.holds(np.arange(1, self.steps + 1) * self.h)

    def of(self, given: Values) -> dict[str, Array]:
        """Values, of those over all stamps the part in this stretch."""
        return {name: np.asarray(x[self.rows] if np.shape(x) == self.rows.shape else x) for name, x in given.items()}


def asked(expect: Expect) -> frozenset[str]:
    """The names that an expectation reads."""
    return frozenset[str]().union(*(leaves(e, "var") for e in _parts(expect)))


def _parts(expect: Expect) -> Iterator[Expr]:
    yield from (e for e in (expect.actual, expect.expected, expect.low, expect.high) if e is not None)


def compare(expect: Expect, stretch: Stretch, values: Values, missing: Mapping[str, str]) -> Diagnostic | None:
    """None if the expectation holds. `values` are those of the stretch; `missing` says of a measure that is NaN why there is none."""
    h = stretch.h

    def number(e: Expr | None) -> Any:
        x = np.atleast_1d(np.asarray(evaluate_names(e, values))) if e is not None else np.zeros(1)
        return x if expect.always else x[-1:]

    for name, why in missing.items():
        if name in asked(expect) and np.isnan(values[name]):
            return Diagnostic("C002", why, expect.span)
    if not stretch.rows.any():
        return Diagnostic("C002", f"the run, of {stretch.steps * h:g} ms, has no stamp in this stretch", expect.span)
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
    stamp = int(np.flatnonzero(stretch.rows)[at]) + 1 if expect.always and len(good) > 1 else at + 1
    where = f" at stamp {stamp} ({stamp * h:g} ms)" if expect.always else ""
    shown = bool(actual[at]) if actual.dtype == bool else f"{float(actual[at]):.10g}"
    return Diagnostic("C001", f"expected {wanted}, got {shown}{where} (internal units: ms, mV, pA, nS …)", expect.span)
