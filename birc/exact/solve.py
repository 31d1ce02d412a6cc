"""The solution of a hybrid system: adaptive steps of high order, each threshold crossing located, each jump at its own time.

Between events the explicit method of Dormand and Prince of order 8(5,3) advances the states, or, where the equations are stiff,
Radau IIA of order 5 (Hairer, Nørsett and Wanner 1993; Hairer and Wanner 1996), both as in scipy, with tolerances of 1e-12.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.errors import BircError
from birc.exact.crossing import Guard, Level, first_crossing
from birc.exact.drive import Drive
from birc.exact.scalar import Vector
from birc.exact.system import System

Array = npt.NDArray[np.float64]

TOLERANCE = 1e-12
LOOK_EVERY = 2000
"""Steps after which it is looked at whether stability bounds them, and not accuracy."""
BOUND_BY_STABILITY = 4.0
"""Step times spectral radius; at tolerances of 1e-12 accuracy allows less than that."""
ROUNDING = 1e-13
MOST_SPIKES = 10**6


@dataclass(frozen=True)
class Solution:
    """Spike times, and the states [checkpoints, states] at the stamps that were asked for."""

    spikes: tuple[float, ...]
    states: Array
    method: str


class _Stiff(Exception):
    """The explicit method takes steps that only stability makes so short."""


def solve(system: System, drive: Drive, checkpoints: Sequence[int] = (), until: float = math.inf) -> Solution:
    """The solution over the drive, or its part before `until`. Raises V102 where there is none, V103 where it cannot be found."""
    try:
        return _Run(system, drive, checkpoints, until, "DOP853").solution()
    except _Stiff:
        return _Run(system, drive, checkpoints, until, "Radau").solution()


@dataclass
class _Run:
    """A solution in the making: time, states, held inputs, and when the refractory period ends."""

    system: System
    drive: Drive
    checkpoints: Sequence[int]
    until: float
    method: str
    t: float = 0.0
    y: list[float] = field(default_factory=list)
    u: list[float] = field(default_factory=list)
    free_at: float = 0.0
    above: bool = False
    steps: int = 0
    spikes: list[float] = field(default_factory=list)

    def solution(self) -> Solution:
        """Segment after segment, from one arrival, change of input or checkpoint to the next."""
        self.y = list(self.system.start)
        found: list[list[float]] = []
        drive, wanted = self.drive, set(self.checkpoints)
        arrivals = {k for events in drive.events.values() for k, _ in events}
        stamps = sorted({drive.steps} | {k for k in (*arrivals, *wanted, *self._changes()) if 0 < k < drive.steps})
        start = 0
        for stamp in stamps:
            u = [float(drive.inputs[name][start]) for name in self.system.inputs]
            if u != self.u or start == 0:
                self.u = u
                self.above = self.system.rise and self._margin() > 0
            self._until(min(stamp * drive.h, self.until))
            if stamp * drive.h > self.until:
                break
            if stamp in arrivals:
                self._deliver(stamp)
            if stamp in wanted:
                found.append(self.y[: len(self.system.observed)])
            start = stamp
        return Solution(tuple(self.spikes), np.array(found).reshape(len(found), len(self.system.observed)), self.method)

    def _changes(self) -> set[int]:
        """Stamps at which an input takes another value."""
        rows = [np.flatnonzero(np.diff(a)) + 1 for a in self.drive.inputs.values()]
        return {int(k) for row in rows for k in row}

    def _margin(self) -> float:
        margin = self.system.margin
        return -1.0 if margin is None else margin(self.y + self.u)[0]

    # --- events

    def _until(self, target: float) -> None:
        """Flow to a time, with all spikes on the way."""
        self._test()
        while self.t < target:
            busy = self.t < self.free_at
            if self._flow(min(target, self.free_at) if busy else target, busy):
                self._fire()
            elif busy and self.t >= self.free_at:
                self.above = self.system.rise and self._margin() > 0
                self._test()

    def _test(self) -> None:
        """A level condition that holds fires at once."""
        if self.system.margin is not None and not self.system.rise and self.t >= self.free_at and self._margin() >= 0:
            self._fire()

    def _fire(self) -> None:
        system = self.system
        self.spikes.append(self.t)
        self.y = system.reset(self.y + self.u)
        self.free_at = self.t + system.refractory
        self.above = system.rise and (not system.jumps or self._margin() > 0)
        if len(self.spikes) > MOST_SPIKES or (not system.rise and system.refractory == 0 and self._margin() >= 0):
            message = f"`{system.name}` fires without pause from {self.t:g} ms on: how often depends on the length of a step"
            raise BircError("V102", message, system.span, "let a spike end: reset to below the threshold, or add a refractory period")

    def _deliver(self, stamp: int) -> None:
        """The events of a stamp, port by port, then the test."""
        system, before, busy = self.system, self.above, self.t < self.free_at
        for port, handling in system.handlers.items():
            payloads = [p for k, p in self.drive.events.get(port, ()) if k == stamp]
            for payload in [math.fsum(payloads)] if handling.summing and payloads else payloads:
                after = handling.jump([*self.y, *self.u, payload])
                self.y = [y if busy and i in system.held else a for i, (y, a) in enumerate(zip(self.y, after, strict=True))]
        if system.rise:
            self.above = self._margin() > 0
            if self.above and not before and not busy:
                self._fire()
        self._test()

    # --- flow

    def _flow(self, target: float, busy: bool) -> bool:
        """Advance to `target`, or to what comes before it: a spike, or a limit that a state reaches or leaves. Whether it is a spike."""
        pinned = self._pinned(busy)
        resting = (*pinned, *(self.system.held if busy else ()))
        guards = self._guards(pinned, busy)
        solver = self._solver(resting, self.t, self.y, target)
        while solver.status == "running":
            old = solver.t, solver.y.tolist()
            self._judge(solver, solver.step(), resting)
            crossing = first_crossing(solver, partial(self._solver, resting, *old), guards)
            if crossing is not None:
                self.t, self.y = float(crossing.t), crossing.y
                return crossing.guard.spike
        self.t, self.y = target, solver.y.tolist()
        return False

    def _pinned(self, busy: bool) -> dict[int, float]:
        """The states that stand at a limit and would leave it, each with +1 at its upper and -1 at its lower limit; they are put on it."""
        if not self.system.bounded:
            return {}
        out = self.system.rates(self.y + self.u)
        found: dict[int, float] = {}
        for i, (low, high) in enumerate(self.system.limits):
            if not (busy and i in self.system.held):
                if self.y[i] >= high - abs(high) * ROUNDING and out[i] > 0:
                    self.y[i], found[i] = high, 1.0
                elif self.y[i] <= low + abs(low) * ROUNDING and out[i] < 0:
                    self.y[i], found[i] = low, -1.0
        return found

    def _guards(self, pinned: Mapping[int, float], busy: bool) -> list[Guard]:
        """What ends a stretch of smooth flow: the spike, a state that reaches a limit, one that turns away from it."""
        system, u = self.system, self.u
        guards = []
        if system.margin is not None and not busy:
            margin = system.margin
            guards.append(Guard(lambda y: margin(y + u)[0], not self.above, spike=True))
        levels: list[Level] = []
        for i, (low, high) in enumerate(system.limits):
            if i in pinned:
                levels.append(partial(_turned, system.rates, u, i, pinned[i]))
            elif high < math.inf:
                levels.append(partial(_beyond, i, high, 1.0))
            if i not in pinned and low > -math.inf:
                levels.append(partial(_beyond, i, low, -1.0))
        return guards + [Guard(level, level(self.y) < 0) for level in levels]

    def _solver(self, resting: tuple[int, ...], t: float, y: Sequence[float], target: float) -> Any:
        """A solver to `target`; held states, and those that push against a limit, rest."""
        from scipy import integrate

        system, u = self.system, self.u

        def f(t: float, y: Array) -> list[float]:
            values = y.tolist()
            out = system.rates(values + u)
            if math.isnan(sum(out)):
                out = _both_sides(system.rates, values, u)
            for i in resting:
                out[i] = 0.0
            return out

        if self.method == "DOP853":
            return integrate.DOP853(f, t, np.array(y), target, rtol=TOLERANCE, atol=TOLERANCE)
        return integrate.Radau(f, t, np.array(y), target, rtol=TOLERANCE, atol=TOLERANCE, jac=lambda t, y: system.jacobian(y, u, resting))

    def _judge(self, solver: Any, message: str | None, resting: tuple[int, ...]) -> None:
        """Raises V103 where no step is short enough, `_Stiff` where only stability keeps the steps short."""
        if solver.status == "failed" or not np.isfinite(solver.y).all():
            problem = message or "a state overflows"
            raise BircError("V103", f"`{self.system.name}` has no finite solution beyond {solver.t:g} ms: {problem}", self.system.span)
        self.steps += 1
        if self.method == "DOP853" and self.steps % LOOK_EVERY == 0:
            radius = np.abs(np.linalg.eigvals(self.system.jacobian(solver.y, self.u, resting))).max(initial=0.0)
            if radius * solver.step_size > BOUND_BY_STABILITY:
                raise _Stiff


def _beyond(i: int, limit: float, side: float, y: Sequence[float]) -> float:
    """How far a state is beyond a limit; `side` is +1 for an upper one."""
    return side * (y[i] - limit)


def _turned(rates: Vector, u: list[float], i: int, side: float, y: Sequence[float]) -> float:
    """How fast a state at its limit would leave it inwards."""
    return -side * rates([*y, *u])[i]


def _both_sides(rates: Vector, y: Sequence[float], u: Sequence[float]) -> list[float]:
    """The rates at a hole such as that of x / (1 - exp(-x)) at 0: the mean of both sides."""
    sides = [rates([x + side * 1e-5 * max(abs(x), 1e-3) for x in y] + list(u)) for side in (1.0, -1.0)]
    return [0.5 * (a + b) for a, b in zip(*sides, strict=True)]
