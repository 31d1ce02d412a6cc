"""Where an adaptive solver's step crosses a threshold: found on the interpolant, then sharpened on the solution itself.

The interpolant of a method of order 8 has order 7, that of Radau 3, so that a root on it is only a first guess.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Level = Callable[[list[float]], float]

GOLDEN = (math.sqrt(5) - 1) / 2
SECTIONS = 40
BISECTIONS = 50
SHARPENED = 3
"""Newton steps on the solution; the guess is good to six digits or better."""


@dataclass
class Guard:
    """A level that must not reach 0 unnoticed. It is armed while it is below; `rising` is how it goes at the end of the last step."""

    level: Level
    armed: bool
    spike: bool = False
    rising: bool = True


@dataclass(frozen=True)
class Crossing:
    """The first guard whose level reached 0, when, and the states there."""

    guard: Guard
    t: float
    y: list[float]


def first_crossing(solver: Any, again: Callable[[float], Any], guards: Iterable[Guard]) -> Crossing | None:
    """The first armed guard to reach 0 in the step that `solver` has just made.

    `again(t)` is a new solver from the start of the step to t, which leads to the states there.
    """
    found: list[tuple[float, Guard]] = []
    for guard in guards:
        span = _bracket(solver, guard)
        if span is not None:
            found.append((_root(solver, guard.level, *span), guard))
    if not found:
        return None
    t, guard = min(found, key=lambda pair: pair[0])
    return Crossing(guard, *_sharpen(solver, again, guard.level, t))


def _bracket(solver: Any, guard: Guard) -> tuple[float, float] | None:
    """Two times around the first crossing, if there is one; keeps the guard's record of how its level goes."""
    end = solver.y.tolist()
    value, was_rising = guard.level(end), guard.rising
    nudge = 1e-6 * (solver.t - solver.t_old)
    guard.rising = guard.level((solver.y + nudge * np.asarray(solver.f)).tolist()) > value
    if not guard.armed:
        guard.armed = value < 0
        return None
    if value >= 0:
        return solver.t_old, solver.t
    if was_rising and not guard.rising:
        peak = _peak(solver, guard.level)
        if guard.level(solver.dense_output()(peak).tolist()) >= 0:
            return solver.t_old, peak
    return None


def _peak(solver: Any, level: Level) -> float:
    """Where the level is highest inside the step, by golden sections (Kiefer 1953)."""
    dense = solver.dense_output()
    low, high = float(solver.t_old), float(solver.t)
    for _ in range(SECTIONS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if level(dense(left).tolist()) < level(dense(right).tolist()):
            low = left
        else:
            high = right
    return 0.5 * (low + high)


def _root(solver: Any, level: Level, early: float, late: float) -> float:
    """The root on the interpolant, by bisection of a bracket whose ends may be off by rounding."""
    dense = solver.dense_output()
    for _ in range(BISECTIONS):
        middle = 0.5 * (early + late)
        early, late = (early, middle) if level(dense(middle).tolist()) >= 0 else (middle, late)
    return float(late)


def _sharpen(solver: Any, again: Callable[[float], Any], level: Level, t: float) -> tuple[float, list[float]]:
    """The root on the solution itself, with the states there."""
    low, high = solver.t_old, solver.t
    state, slope = _at(again, t)
    for _ in range(SHARPENED):
        value = level(state.tolist())
        nudge = 1e-7 * (high - low)
        speed = (level((state + nudge * slope).tolist()) - value) / nudge
        moved = t - value / speed if speed > 0 else t
        if not low < moved <= high or moved == t:
            break
        t = moved
        state, slope = _at(again, t)
    return t, state.tolist()


def _at(again: Callable[[float], Any], t: float) -> tuple[Array, Array]:
    """The states at a time inside the step, and how fast they change."""
    solver = again(t)
    while solver.status == "running":
        solver.step()
    return solver.y, np.asarray(solver.f)
