"""The stimulus that verification makes by itself: strong enough to cross threshold, varied enough to reach the whole program."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from birc.backends import Array, Events, Runner
from birc.ir.step import Step
from birc.runtime.simulate import Program
from birc.verification.trial import Stimulus, run_free

DECADES = np.arange(-5.0, 7.01, 0.25)
STRENGTHS = np.concatenate([[0.0], 10**DECADES, -(10**DECADES)])
"""Of a trial run; the first is silence."""
PROBE_STEPS = 400
PERIOD = 10
"""Steps between its events."""
HOLDS = (1, 5, 20)
"""For how many steps a value of the noise is held, by turns."""


def make_stimulus(step: Step, runner: Runner, program: Program, probe: Program, steps: int, n: int, seed: int) -> Stimulus:
    """Per continuous port a constant, a ramp and noise; per event port isolated and coincident events; scaled by short trial runs.

    `probe` is the program for as many instances as `probes()` says.
    """
    levels = {name: _level(step, runner, probe, name) for name in _ports(step)}
    for shrink in (1.0, 0.5, 0.25, 0.1, 0.01, 0.0):
        stimulus = _assemble(step, {name: a * shrink for name, a in levels.items()}, steps, n, seed)
        if run_free(runner, step, "f64", program, stimulus).finite:
            return stimulus
    return stimulus


def probes() -> int:
    """How many instances a trial run takes: silence, and each strength with either sign."""
    return len(STRENGTHS)


def _ports(step: Step) -> list[str]:
    return [p.name for p in (*step.inputs, *step.events)]


def _level(step: Step, runner: Runner, probe: Program, port: str) -> float:
    """The strength of one port: 1.5 times the weakest that makes the model fire (at every fourth event of an event port, if there is one);
    where it fires anyway or never, 1.5 times what moves a state by half of its size; else the strongest that keeps the states in reason."""
    n = len(STRENGTHS)
    inputs = {p.name: np.zeros((1, n)) for p in step.inputs}
    events = {p.name: silence(PROBE_STEPS) for p in step.events}
    if port in inputs:
        inputs[port] = STRENGTHS[None]
    else:
        events[port] = _every(PERIOD, PROBE_STEPS, STRENGTHS)
    trace = run_free(runner, step, "f64", probe, Stimulus(n, PROBE_STEPS, inputs, events))
    states = [a.astype(float) for a in trace.states.values() if a.dtype.kind == "f"]
    finite = np.all([np.isfinite(a).all(axis=0) for a in states], axis=0) & (STRENGTHS != 0)
    count = trace.fired.sum(axis=0)
    often = count >= 2
    answering = (count >= PROBE_STEPS // PERIOD // 4) & (port in events)
    with np.errstate(all="ignore"):
        moving = np.any([np.abs(a - a[:, :1]).max(axis=0) >= 0.5 * np.maximum(1.0, np.abs(a[:, :1]).max()) for a in states], axis=0)
        calm = finite & np.all([np.abs(a).max(axis=0) <= 1e3 * (1 + np.abs(a[0])) for a in states], axis=0)
    for wanted in (answering & ~often[0], often & ~often[0], moving):
        if (finite & wanted).any():
            found = STRENGTHS[finite & wanted]
            return float(1.5 * found[np.argmin(np.abs(found))])
    return float(np.max(STRENGTHS[calm])) if calm.any() else 0.0


def _every(period: int, steps: int, payload: Array) -> Events:
    n = len(payload)
    counts = np.where(np.arange(steps) % period == 0, n, 0)
    hits = int((counts > 0).sum())
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Events(offsets, np.tile(np.arange(n, dtype=np.int32), hits), np.tile(payload, hits))


def silence(steps: int) -> Events:
    """No event at all."""
    return Events(np.zeros(steps + 1, np.int64), np.zeros(0, np.int32), np.zeros(0))


def _assemble(step: Step, levels: Mapping[str, float], steps: int, n: int, seed: int) -> Stimulus:
    draws = np.random.default_rng([seed, 7])
    inputs = {}
    for p, port in enumerate(step.inputs):
        inputs[port.name] = _waves(levels[port.name], steps, n, p, draws)
    events = {}
    for p, port in enumerate(step.events):
        events[port.name] = _events(levels[port.name], steps, n, p, draws)
    return Stimulus(n, steps, inputs, events)


def _waves(level: float, steps: int, n: int, port: int, draws: np.random.Generator) -> Array:
    """Instance i: constant, ramp, noise or silence by turns, between half and three times the level, some of them negative."""
    t = np.linspace(0.0, 1.0, steps)
    rows = np.zeros((steps, n))
    for i in range(n):
        strength = level * (0.5 + 2.5 * i / max(1, n - 1)) * (-1.0 if i % 7 == 6 else 1.0)
        kind = (i + port * (1 + i // 4)) % 4
        if kind == 0:
            rows[:, i] = strength
        elif kind == 1:
            rows[:, i] = strength * (2.0 * t - 0.5)
        elif kind == 2:
            hold = HOLDS[(i // 4) % len(HOLDS)]
            held = draws.normal(0.5, 1.0, steps // hold + 1)
            rows[:, i] = strength * np.repeat(held, hold)[:steps]
    return rows


def _events(level: float, steps: int, n: int, port: int, draws: np.random.Generator) -> Events:
    """Isolated events, two or three at one stamp with different payloads, and dense stretches; none for every fourth instance."""
    rows: list[tuple[int, int, float]] = []
    for i in range(n):
        if i % 4 == (3 + port) % 4 and n > 1:
            continue
        rate = 0.1 if i % 5 == 4 else 0.02
        for k in np.flatnonzero(draws.random(steps) < rate):
            for _ in range(int(draws.choice([1, 1, 1, 2, 3]))):
                sign = -1.0 if i % 6 == 5 else 1.0
                rows.append((int(k), i, sign * level * float(draws.uniform(0.3, 2.0))))
    rows.sort(key=lambda r: r[0])
    counts = np.bincount([k for k, _, _ in rows], minlength=steps)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Events(offsets, np.array([i for _, i, _ in rows], np.int32), np.array([w for _, _, w in rows], np.float64))
