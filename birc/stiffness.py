"""Whether a step is short enough for the methods of a model: the Jacobian along a reference run, held against what they bear.

An explicit method multiplies a component of eigenvalue z/h by R(z) in each step, its stability function; where the equations damp it
and the method does not, the run blows up (Hairer and Wanner 1996, section IV.2). Exact, exponential and implicit methods are stable for
any step; a step longer than the fastest time constant is then only inaccurate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.errors import BircError, Diagnostic
from birc.exact.drive import Drive
from birc.exact.system import System, drift
from birc.exact.verify import pose
from birc.ir.model import Block, Model, Network
from birc.ir.network import NetworkProgram
from birc.ir.solvers import SOLVERS
from birc.ir.step import Step
from birc.lowering import lower_network
from birc.runtime.bind import parameter_values
from birc.runtime.durations import step_length
from birc.runtime.values import Setting
from birc.sources import Loaded, choose, load

Array = npt.NDArray[np.float64]
Eigenvalues = npt.NDArray[Any]

STABILITY: Mapping[str, tuple[float, ...]] = {
    "euler": (1.0, 1.0),
    "heun": (1.0, 1.0, 1 / 2),
    "rk4": (1.0, 1.0, 1 / 2, 1 / 6, 1 / 24),
}
"""The explicit methods' stability functions, by their coefficients from order 0 on."""
DAMPED = ("implicit_euler", "rosenbrock")
"""L-stable methods: what is faster than the step dies out in them, as it should."""
ROUNDING = 1e-9
SAFETY = 1.1
"""At the very bound a component is not damped, but swings on."""

MOST_POINTS = 2000
"""Of the reference run, which ends there."""
FEWEST_POINTS = 200
PART = 0.5
"""Of the fastest time constant that the reference run steps by."""


@dataclass(frozen=True)
class Point:
    """A place of the reference run: when, and the derivatives of all rates by all states."""

    t: float
    matrix: Array


def step_faults(lowered: Model, system: System, drive: Drive, points: int = MOST_POINTS) -> tuple[Diagnostic, ...]:
    """L120 for each block whose method is unstable with the drive's step, L121 for each whose fastest time constant is shorter than it."""
    with np.errstate(all="ignore"):  # a run that blows up ends there
        run = list(reference_run(system, drive, points))
    found = []
    for block in lowered.blocks:
        rows = [system.states.index(s) for s in block.states]
        matrices = np.stack([point.matrix[np.ix_(rows, rows)] for point in run])
        values = np.linalg.eigvals(np.where(np.isfinite(matrices), matrices, 0.0))
        fault = _unstable(lowered, block, values, run, drive.h) or _unresolved(lowered, block, values, run, drive.h)
        found += [fault] if fault else []
    return tuple(found)


def step_faults_of(file: str | Path | Loaded, **options: Any) -> tuple[Diagnostic, ...]:
    """The same for a model of a file as `birc.exact.verify.pose` takes it, driven as its first `check` drives it.

    Of a network, `network_faults`.
    """
    loaded = load(file)
    if loaded.step is None and isinstance(item := choose(loaded, options.get("model"))[0], Network):
        return network_faults(lower_network(item, options["solver"], options["skip"]), options["dt"])
    posed = pose(file, smooth=True, **options)
    return step_faults(posed.lowered, posed.system, posed.drive)


def network_faults(program: NetworkProgram, dt: str) -> tuple[Diagnostic, ...]:
    """L120 for the populations of a network, as far as their initial states tell."""
    found = [d for p in program.populations for d in first_step_faults(p.step, dt, {}, p.population.preset)]
    return tuple(dict.fromkeys(found))


def first_step_faults(step: Step, dt: str, params: Mapping[str, object], preset: str | None) -> tuple[Diagnostic, ...]:
    """L120 as far as the initial state alone tells, without input: quick enough for every run.

    Parameters that do not fit, or differ between neurons, are left to the run.
    """
    model = step.model
    if model is None or not any(block.method in STABILITY for block in model.blocks):
        return ()
    h = step_length(dt)
    try:
        values = parameter_values(step, Setting(step.name, 1, 0, 1, h, 0), params, preset)
    except BircError:
        return ()
    still = Drive(h, 1, {i.name: np.zeros(1) for i in model.inputs}, {})
    return tuple(f for f in step_faults(model, drift(model, values, h), still, 1) if f.code == "L120")


def stable(method: str, z: Eigenvalues) -> bool:
    """Whether an explicit method damps all components that the equations damp, z being their eigenvalues times the step."""
    growth = np.abs(np.polynomial.polynomial.polyval(z, STABILITY[method]))
    return bool((growth[z.real < 0] <= 1 + ROUNDING).all())


def _unstable(model: Model, block: Block, values: Eigenvalues, run: list[Point], h: float) -> Diagnostic | None:
    if block.method not in STABILITY or stable(block.method, values * h):
        return None
    growth = np.abs(np.polynomial.polynomial.polyval(values * h, STABILITY[block.method])) * (values.real < 0)
    at, worst = np.unravel_index(int(growth.argmax()), growth.shape)
    shorter = next((x for x in shorter_steps(h) if stable(block.method, values * x * SAFETY)), None)
    advice = [f'take `--dt "{shorter:g} ms"`'] if shorter else []
    advice += [f"a method that is stable with any step: `--solver {','.join(f'{s}=rosenbrock' for s in block.states)}`"]
    return _warning(
        model,
        block,
        "L120",
        f"{SOLVERS[block.method].title} is unstable for {_names(block)} with a step of {h:g} ms: "
        f"at {run[at].t:.4g} ms the time constant is {_shown(values[at, worst])}",
        " or ".join(advice),
    )


def _unresolved(model: Model, block: Block, values: Eigenvalues, run: list[Point], h: float) -> Diagnostic | None:
    if block.method == "exact" or block.method in DAMPED:
        return None
    damping = np.where(values.real < 0, -values.real, 0.0)
    at, worst = np.unravel_index(int(damping.argmax()), damping.shape)
    fastest = damping[at, worst]
    if fastest * h <= 1:
        return None
    shorter = next(x for x in shorter_steps(h) if fastest * x <= 1)
    return _warning(
        model,
        block,
        "L121",
        f"a step of {h:g} ms is longer than the fastest time constant of {_names(block)}: "
        f"{_shown(values[at, worst])} at {run[at].t:.4g} ms",
        f'`--dt "{shorter:g} ms"` resolves it; `birc verify --exact` tells the error',
    )


def _warning(model: Model, block: Block, code: str, message: str, help: str) -> Diagnostic:
    span = next((o.span for o in model.odes if o.state == block.states[0]), None)
    return Diagnostic(code, message, span, help, severity="warning")


def _names(block: Block) -> str:
    return ", ".join(f"`{s}`" for s in block.states)


def _shown(value: complex) -> str:
    turning = f", turning with a period of {2 * math.pi / abs(value.imag):.3g} ms" if abs(value.imag) > abs(value.real) else ""
    return f"{-1 / value.real:.3g} ms{turning}"


def shorter_steps(h: float) -> Iterator[float]:
    """1, 2 or 5 times a power of ten, all that are shorter than `h`, the longest first."""
    power = math.floor(math.log10(h))
    for exponent in range(power, power - 12, -1):
        yield from (float(f"{digit}e{exponent}") for digit in (5, 2, 1) if float(f"{digit}e{exponent}") < h * (1 - ROUNDING))


# --- the reference run


def reference_run(system: System, drive: Drive, points: int) -> Iterator[Point]:
    """Places along a run whose steps are half of the fastest time constant or less, by classical Runge-Kutta; spikes end on these steps."""
    y, t, free_at = np.array(system.start), 0.0, 0.0
    changes = {int(k) + 1 for rows in drive.inputs.values() for k in np.flatnonzero(np.diff(rows))}
    arrivals = {k for listed in drive.events.values() for k, _ in listed}
    start, count = 0, 0
    for stamp in sorted({k for k in changes | arrivals if k < drive.steps} | {drive.steps}):
        u = [float(drive.inputs[name][start]) for name in system.inputs]
        while t < stamp * drive.h:
            matrix = system.jacobian(y.tolist(), u)
            yield Point(t, matrix)
            count += 1
            if count >= points:
                return
            fastest = float(np.abs(np.linalg.eigvals(matrix)).max(initial=0.0)) if np.isfinite(matrix).all() else math.inf
            h = min(stamp * drive.h - t, PART / fastest if fastest > 0 else math.inf, drive.stop / FEWEST_POINTS)
            if t + h == t:
                return
            was = _margin(system, y, u)
            y = _moved(system, y, u, h, system.held if t < free_at else ())
            t = stamp * drive.h if t + h >= stamp * drive.h else t + h
            now = _margin(system, y, u)
            if t >= free_at and now >= 0 and not (system.rise and was >= 0):
                y, free_at = np.array(system.reset([*y, *u])), t + system.refractory
        y = _after_events(system, drive, stamp, y, u, t < free_at)
        start = stamp


def _margin(system: System, y: Array, u: list[float]) -> float:
    return -1.0 if system.margin is None else system.margin([*y, *u])[0]


def _moved(system: System, y: Array, u: list[float], h: float, held: Iterable[int]) -> Array:
    free = np.ones(len(y))
    free[list(held)] = 0.0

    def rates(at: Array) -> Array:
        out: Array = free * np.array(system.rates([*at.tolist(), *u]))
        return out

    k1 = rates(y)
    k2 = rates(y + h / 2 * k1)
    k3 = rates(y + h / 2 * k2)
    k4 = rates(y + h * k3)
    low, high = np.array(system.limits).T
    after: Array = np.clip(y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), low, high)
    return after


def _after_events(system: System, drive: Drive, stamp: int, y: Array, u: list[float], busy: bool) -> Array:
    for port, handling in system.handlers.items():
        for payload in (p for k, p in drive.events.get(port, ()) if k == stamp):
            after = np.array(handling.jump([*y, *u, payload]))
            if busy:
                after[list(system.held)] = y[list(system.held)]
            y = after
    return y
