"""Phase plane of a model of two coupled equations, phase line of one of a single equation: rates on a grid, from the equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from birc.cards.bench import Bench
from birc.ir.evaluate import evaluate_names
from birc.ir.expr import leaves
from birc.runtime.bind import bind, parameter_values
from birc.runtime.durations import step_length
from birc.runtime.values import Setting

Array = npt.NDArray[np.float64]

POINTS = 241


@dataclass(frozen=True)
class Plane:
    """Rates of change (internal units per ms) over `axes`, the values of the one or two states in their units: by input, by state."""

    states: tuple[str, ...]
    axes: tuple[Array, ...]
    rates: Mapping[float, tuple[Array, ...]]


def moving(on: Bench) -> tuple[str, ...]:
    """The states of a phase plane (two coupled equations) or of a phase line (one equation); () where there are more."""
    odes = {ode.state: leaves(ode.rhs, "var") for ode in on.model.odes}
    if on.model.step_rules or not 1 <= len(odes) <= 2:
        return ()
    first, *rest = ordered = tuple(s.name for s in on.model.states if s.name in odes)
    if rest and not (rest[0] in odes[first] and first in odes[rest[0]]):
        return ()
    return ordered


def plane(on: Bench, states: tuple[str, ...], extents: tuple[tuple[float, float], ...], inputs: tuple[float, ...]) -> Plane:
    """The rates over a little more than the extents (in the states' units), noise being 0 and what has no equation as at the start."""
    units = {s.name: float(s.unit.scale) for s in on.model.states}
    setting = Setting(on.step.name, 1, 0, 1, step_length(on.compiled.dt), 0)
    bound = bind(on.step, setting, "f64", {}, on.found.preset)
    known = {**parameter_values(on.step, setting, {}, on.found.preset), "elapsed": setting.h}
    known |= {name: float(a[0]) for name, a in bound.state.items()} | {noise.name: 0.0 for noise in on.model.noises}
    known |= {port.name: 0.0 for port in on.step.inputs}
    axes = tuple(np.linspace(low - 0.12 * (high - low or 1.0), high + 0.12 * (high - low or 1.0), POINTS) for low, high in extents)
    grid = np.meshgrid(*axes, indexing="xy")
    at = {name: values * units[name] for name, values in zip(states, grid, strict=True)}
    rhs = {ode.state: ode.rhs for ode in on.model.odes}
    found = {}
    for level in inputs:
        held = {on.port.name: level * float(on.port.unit.scale)} if on.port else {}
        with np.errstate(all="ignore"):
            values = [evaluate_names(rhs[s], {**known, **held, **at}) for s in states]
        found[level] = tuple(np.broadcast_to(np.asarray(v, dtype=float), grid[0].shape) for v in values)
    return Plane(states, axes, found)
