"""A model on the test bench: what drives it, from where it fires, how fast, and how it answers a step of its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from birc import driver
from birc.backends import load_backend
from birc.cards.find import Found
from birc.checks import Ran, drive, has_events, held_rows
from birc.errors import BircError
from birc.ir.model import Check, Model
from birc.ir.step import Port, Step
from birc.runtime.bind import parameter_values
from birc.runtime.durations import step_length
from birc.runtime.result import Result
from birc.runtime.values import Setting

Array = npt.NDArray[np.float64]

DURATION = 1000.0
"""How long (ms) each input is held for a firing rate."""
SCANNED = 49
DRAWN = 61
MOST_TRIES = 12


@dataclass(frozen=True)
class Curve:
    """Firing rates (Hz) by input: of the first interval, and of the second half of `DURATION`; `onset` is the least input that fires."""

    inputs: Array
    first: Array
    steady: Array
    onset: float

    @property
    def strong(self) -> float:
        """An input well inside steady firing."""
        firing = self.steady > 0.0
        begin = float(self.inputs[int(np.argmax(firing))]) if firing.any() else self.onset
        return max(1.5 * begin, 1.3 * self.onset)


@dataclass(frozen=True)
class Answer:
    """What a model does while its input steps to each amplitude at `on` and back at `off` (ms)."""

    amplitudes: tuple[float, ...]
    on: float
    off: float
    result: Result


@dataclass(frozen=True)
class Bench:
    """A compiled model, with the continuous port that is driven (None: it has none)."""

    found: Found
    model: Model
    compiled: driver.Compiled

    @cached_property
    def step(self) -> Step:
        """The step program."""
        return self.compiled.step

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """The checks of this model that hold its inputs and send it nothing."""
        return tuple(check for check in self.found.loaded.module.checks if check.model == self.model.name and not has_events(check))

    @cached_property
    def port(self) -> Port | None:
        """The input that the checks drive, else the first."""
        driven = {drive.port for check in self.checks for drive in check.drives}
        ports = sorted(self.step.inputs, key=lambda port: port.name not in driven)
        return ports[0] if ports else None

    def held(self, check: Check) -> Mapping[str, Array]:
        """What a check holds at each step, by port, in internal units."""
        setting = Setting(self.step.name, 1, 0, 1, step_length(check.dt or driver.DT), 0)
        return held_rows(check, parameter_values(self.step, setting, {}, check.preset), setting.h)

    def liveliest(self, preset: str, record: tuple[str, ...]) -> Ran | None:
        """The check of a preset in which it fires most, run under the scheme of the preset's first one; None without a check."""
        own = [check for check in self.checks if check.preset == preset and check.drives]
        same = [check for check in own if (check.dt, check.solver, check.spikes) == (own[0].dt, own[0].solver, own[0].spikes)]
        return max((self.driven(check, record) for check in same), key=lambda ran: len(ran.out.stamps), default=None)

    @cached_property
    def scale(self) -> float:
        """The largest input, in the port's unit, that a check of the same preset holds; of any preset, if none does; else 1."""
        if self.port is None:
            return 1.0
        own = [check for check in self.checks if check.preset == self.found.preset]
        for checks in (own, self.checks):
            largest = 0.0
            for check in checks:
                rows = self.held(check).get(self.port.name)
                if rows is not None and rows.size:
                    largest = max(largest, float(np.abs(rows).max() / self.port.unit.scale))
            if largest > 0.0:
                return largest
        return 1.0

    @property
    def noisy(self) -> bool:
        """Whether every run is another one."""
        return bool(self.model.noises)

    def under(self, preset: str) -> Bench:
        """The same model with a preset."""
        return replace(self, found=replace(self.found, preset=preset))

    def driven(self, check: Check, record: tuple[str, ...]) -> Ran:
        """A run as a check drives it, under the scheme that the check names."""
        compiled = self.compiled
        if check.solver is not None or check.spikes is not None:
            assert isinstance(self.found.item, Model)
            compiled = driver.build(driver.lower(self.found.item, check.solver, spikes=check.spikes)[1], compiled.artifact.target)
        return drive(check, compiled.step, compiled.runner, check.dt or driver.DT, record)

    def run(self, rows: Mapping[str, Array], steps: int, record: tuple[str, ...] = ()) -> Result:
        """A run; rows of shape [n] are held, those of shape [steps, n] change."""
        n = max((r.shape[-1] for r in rows.values()), default=1)
        return self.compiled.run(steps=steps, n=n, inputs=rows, record=record, preset=self.found.preset, seed=1)

    def steps(self, duration: float) -> int:
        """How many steps a duration (ms) has."""
        return int(duration / step_length(self.compiled.dt) + 0.5)

    def fired(self, inputs: Array) -> Result:
        """A run with each input held for `DURATION`. Raises R001 where one drives the model out of all bounds."""
        assert self.port is not None
        return self.run({self.port.name: inputs}, self.steps(DURATION))


def bench(found: Found) -> Bench:
    """The model compiled for the native target where this machine has a compiler, else for NumPy: both give the same."""
    assert isinstance(found.item, Model)
    target = "numpy" if load_backend("native").missing() else "native"
    model, step = driver.lower(found.item)
    return Bench(found, model, driver.build(step, target, preset=found.preset))


def curve(on: Bench) -> Curve | None:
    """Firing rate by input, around where firing begins; None for a model that no input makes fire."""
    top, grown = 1.5 * on.scale, False
    if on.port is None or on.model.spike is None:
        return None
    for _ in range(MOST_TRIES):
        inputs = np.linspace(0.0, top, SCANNED)
        counts = _counts(on, inputs)
        if counts is None and grown:
            return None
        if counts is not None and counts.any():
            break
        grown = counts is not None
        top *= 4.0 if grown else 0.5
    else:
        return None
    for _ in range(2):
        i = int(np.argmax(counts > 0))
        if i == 0:
            break
        inputs = np.linspace(inputs[i - 1], inputs[i], SCANNED)
        counts = np.asarray(on.fired(inputs).counts)
    onset = float(inputs[int(np.argmax(counts > 0))])
    return _drawn(on, onset, max(2.5 * onset, 1.2 * on.scale))


def _counts(on: Bench, inputs: Array) -> Array | None:
    """How often each input makes the model fire; None where one drives it out of all bounds."""
    try:
        return np.asarray(on.fired(inputs).counts)
    except BircError as error:
        if error.code != "R001":
            raise
        return None


def _drawn(on: Bench, onset: float, top: float) -> Curve | None:
    """The curve from half the onset to `top`, with more points behind the onset, where it is steep."""
    for _ in range(MOST_TRIES):
        near = onset * (1.0 + np.array([1e-3, 3e-3, 0.01, 0.02, 0.03])) if onset > 0.0 else np.zeros(1)
        inputs = np.unique(np.concatenate([np.linspace(0.5 * onset, top, DRAWN), near]))
        try:
            result = on.fired(inputs)
        except BircError as error:
            if error.code != "R001":
                raise
            top = onset + 0.5 * (top - onset)
            continue
        index, time = result.spikes
        rates = np.array([_rates(time[index == i]) for i in range(len(inputs))])
        return Curve(inputs, rates[:, 0], rates[:, 1], onset)
    return None


def _rates(times: Array) -> tuple[float, float]:
    """The rate of the first interval and the mean rate of the second half, in Hz; 0 for less than two spikes."""
    late = times[times > 0.5 * DURATION]
    first = 1e3 / (times[1] - times[0]) if len(times) > 1 else 0.0
    return first, 1e3 * (len(late) - 1) / (late[-1] - late[0]) if len(late) > 1 else 0.0


def answer(on: Bench, rates: Curve | None, record: tuple[str, ...]) -> Answer:
    """Three steps of the input: below the onset of firing, just above it, and well inside steady firing."""
    if on.port is None:
        return Answer((0.0,), 0.0, 300.0, on.run({}, on.steps(300.0), record))
    length = 200.0
    amplitudes: tuple[float, ...] = (0.25 * on.scale, 0.5 * on.scale, on.scale)
    if rates is not None:
        if rates.onset > 0.0:
            amplitudes = (0.9 * rates.onset, 1.1 * rates.onset, rates.strong)
        speed = float(np.interp(amplitudes[-1], rates.inputs, rates.steady))
        length = float(np.clip(8e3 / speed, 100.0, 800.0)) if speed > 0.0 else 300.0
    amplitudes = tuple(float(f"{a:.3g}") for a in amplitudes)
    begin, end = 0.15 * length, 1.15 * length
    total = on.steps(1.4 * length)
    for _ in range(MOST_TRIES):
        rows = np.zeros((total, len(amplitudes)))
        rows[on.steps(begin) : on.steps(end)] = amplitudes
        try:
            return Answer(amplitudes, begin, end, on.run({on.port.name: rows}, total, record))
        except BircError as error:
            if error.code != "R001":
                raise
            amplitudes = tuple(0.5 * a for a in amplitudes)
    raise BircError("R001", f"`{on.model.name}` leaves the finite range with every input that was tried", on.model.span)
