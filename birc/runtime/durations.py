"""Times that a person gives: the step, how long to run, how often to record."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from birc.errors import BircError, Diagnostic
from birc.frontend.quantity import parse_quantity
from birc.units import NAMES

MOST_STEPS = 10**11
"""More steps than that are a slip of the pen."""


def parse_time(value: str | float, what: str) -> float:
    """A time in ms, from text with its unit or a number of ms. Raises I141 for NaN and infinity."""
    if isinstance(value, str):
        time = _parsed(value, what)
    else:
        try:
            time = float(value)
        except (TypeError, ValueError) as error:
            raise BircError("I141", f"{what}: expected a time such as `1 s`, not {value!r}") from error
    if not math.isfinite(time):
        raise BircError("I141", f"{what}: {value} is not finite")
    return time


@lru_cache(maxsize=256)
def _parsed(text: str, what: str) -> float:
    """A time in ms; programs run again and again with the same few texts, and reading one takes half a millisecond."""
    return parse_quantity(text, NAMES["ms"], what)


def step_length(dt: str | float) -> float:
    """The step in ms. Raises I140 unless it is above 0."""
    h = parse_time(dt, "dt")
    if h <= 0:
        raise BircError("I140", f"the step must be longer than 0, and it is {h:g} ms", help='for example dt="0.1 ms"')
    return h


def count_steps(duration: str | float, h: float) -> tuple[int, tuple[Diagnostic, ...]]:
    """A duration in steps, with a warning (I142) where it is no whole number of them. Raises I141 for less than one or far too many."""
    time = parse_time(duration, "duration")
    ratio = time / h
    if not ratio <= MOST_STEPS:
        raise BircError("I141", f"{time:g} ms are {ratio:.3g} steps of {h:g} ms, and a run has at most {MOST_STEPS:.0e}")
    steps = math.floor(ratio + 0.5)
    if steps < 1:
        raise BircError("I141", f"a run of {time:g} ms is shorter than one step of {h:g} ms")
    return steps, _uneven("the duration", time, steps, h)


def record_interval(every: str | int, h: float) -> tuple[int, tuple[Diagnostic, ...]]:
    """Every how many steps to record, from a number of steps or a time as text. Raises I143 for less than one."""
    if isinstance(every, str):
        time = parse_time(every, "every")
        steps = math.floor(min(time / h, MOST_STEPS) + 0.5)
        warnings = _uneven("the recording interval", time, steps, h)
    else:
        steps, warnings = int(every), ()
    if steps < 1:
        raise BircError("I143", f"recording every {every} is less than one step of {h:g} ms")
    return steps, warnings


def off_grid(time: Any, h: float) -> Any:
    """Whether times differ from a whole number of steps by more than 1e-6 of a step (and more than their own rounding)."""
    return np.abs(time - np.floor(time / h + 0.5) * h) > 1e-6 * h + 1e-15 * np.abs(time)


def _uneven(what: str, time: float, steps: int, h: float) -> tuple[Diagnostic, ...]:
    if not off_grid(time, h):
        return ()
    message = f"{what} of {time:g} ms is no multiple of the step of {h:g} ms"
    return (Diagnostic("I142", message, help=f"it is taken as {steps} steps, {steps * h:g} ms", severity="warning"),)
