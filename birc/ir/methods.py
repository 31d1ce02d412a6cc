"""The methods of integration from their definitions, on numbers: the interpreter's own, against which the passes are checked.

Derivatives are difference quotients here and linear systems are left to LAPACK, so that nothing is shared with what is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from birc.ir.matrix import expm

Array = npt.NDArray[np.float64]
States = list[Array]

ROS2 = 1 - 1 / np.sqrt(2)
NEWTON = 3


@dataclass(frozen=True)
class Flow:
    """What a method may ask: `rates` at states and a fraction of the step (held ones are 0), `guard`: the states as a stage sees them."""

    rates: Callable[[States, float], States]
    guard: Callable[[States, float], States]
    guarded: tuple[int, ...] = ()


Method = Callable[[Flow, States, float, States], States]


def _stage(flow: Flow, x: States, time: float) -> States:
    return flow.rates(flow.guard(x, time), time)


def euler(flow: Flow, x: States, h: float, noise: States) -> States:
    return [a + h * k + z for a, k, z in zip(x, flow.rates(x, 0.0), noise, strict=True)]


def sequential_euler(flow: Flow, x: States, h: float, noise: States) -> States:
    """One variable after the other, each with its noise."""
    now = list(x)
    for i in range(len(x)):
        now[i] = now[i] + h * flow.rates(now, 0.0)[i] + noise[i]
    return now


def rk4(flow: Flow, x: States, h: float, noise: States) -> States:
    k1 = flow.rates(x, 0.0)
    k2 = _stage(flow, [a + h / 2 * k for a, k in zip(x, k1, strict=True)], 0.5)
    k3 = _stage(flow, [a + h / 2 * k for a, k in zip(x, k2, strict=True)], 0.5)
    k4 = _stage(flow, [a + h * k for a, k in zip(x, k3, strict=True)], 1.0)
    return [a + h / 6 * (p + 2 * q + 2 * r + t) + z for a, p, q, r, t, z in zip(x, k1, k2, k3, k4, noise, strict=True)]


def heun(flow: Flow, x: States, h: float, noise: States) -> States:
    k1 = flow.rates(x, 0.0)
    k2 = _stage(flow, [a + h * k for a, k in zip(x, k1, strict=True)], 1.0)
    return [a + h / 2 * (p + q) + z for a, p, q, z in zip(x, k1, k2, noise, strict=True)]


# --- exponential steps


def _relax(flow: Flow, x: States, i: int, h: float, time: float) -> Array:
    """State `i` after `h` with all others frozen; the slope of an affine equation is a difference quotient."""
    f = flow.rates(x, time)[i]
    delta = np.maximum(1.0, np.abs(x[i]))
    slope = (flow.rates([a + delta if j == i else a for j, a in enumerate(x)], time)[i] - f) / delta
    grown = np.where(np.abs(slope * h) < 1e-12, h, np.expm1(slope * h) / np.where(slope == 0, 1.0, slope))
    return np.asarray(x[i] + f * grown)


def exponential(flow: Flow, x: States, h: float, noise: States) -> States:
    """One variable after the other, each with its noise."""
    now = list(x)
    for i in range(len(x)):
        now[i] = _relax(flow, now, i, h, 0.0) + noise[i]
    return now


def exponential_euler(flow: Flow, x: States, h: float, noise: States) -> States:
    return [_relax(flow, x, i, h, 0.0) + z for i, z in enumerate(noise)]


def _there_and_back(flow: Flow, x: States, h: float, start: float, end: float) -> States:
    """Half steps from the last variable to the first and back, exact blocks being read at `start`, then at `end`."""
    now = list(x)
    for i in reversed(range(len(x))):
        now[i] = _relax(flow, now, i, h / 2, start)
    for i in range(len(x)):
        now[i] = _relax(flow, now, i, h / 2, end)
    return now


def strang(flow: Flow, x: States, h: float, noise: States) -> States:
    return [a + z for a, z in zip(_there_and_back(flow, x, h, 0.5, 0.5), noise, strict=True)]


def strang4(flow: Flow, x: States, h: float, noise: States) -> States:
    coarse = _there_and_back(flow, x, h, 0.0, 1.0)
    fine = _there_and_back(flow, _there_and_back(flow, x, h / 2, 0.0, 0.5), h / 2, 0.5, 1.0)
    return [(4 * b - a) / 3 + z for a, b, z in zip(coarse, fine, noise, strict=True)]


# --- implicit methods


def _jacobian(flow: Flow, x: States, time: float) -> Array:
    """[m, n, n] by central differences of order 6; a guarded state grows explicitly, and the others see it so."""
    n, m = len(x), len(x[0])
    found = np.zeros((m, n, n))
    for j in range(n):
        d = 2e-3
        for k, weight in ((1, 45.0), (2, -9.0), (3, 1.0)):
            up, down = (flow.rates([a + s * k * d if i == j else a for i, a in enumerate(x)], time) for s in (1, -1))
            found[:, :, j] += weight / (60 * d) * np.stack([np.broadcast_to(p - q, m) for p, q in zip(up, down, strict=True)], axis=1)
    for j in flow.guarded:
        own = np.minimum(found[:, j, j], 0.0)
        found[:, :, j] = 0.0
        found[:, j, j] = own
    return found


def _solve(matrix: Array, b: States) -> States:
    """x of matrix x = b, instance by instance."""
    rows = np.stack(b, axis=1)[:, :, None]
    return list(np.linalg.solve(matrix, rows)[:, :, 0].T)


def implicit_euler(flow: Flow, x: States, h: float, noise: States) -> States:
    y = list(x)
    for _ in range(NEWTON):
        seen = flow.guard(y, 1.0)
        excess = [a - b - h * f for a, b, f in zip(y, x, flow.rates(seen, 1.0), strict=True)]
        step = _solve(np.eye(len(x)) - h * _jacobian(flow, seen, 1.0), excess)
        y = [a - s for a, s in zip(y, step, strict=True)]
    return [a + z for a, z in zip(y, noise, strict=True)]


def rosenbrock(flow: Flow, x: States, h: float, noise: States) -> States:
    matrix = np.eye(len(x)) - ROS2 * h * _jacobian(flow, x, 0.0)
    f, later = flow.rates(x, 0.0), flow.rates(x, 1.0)
    k1 = _solve(matrix, [a + ROS2 * (b - a) for a, b in zip(f, later, strict=True)])
    ahead = _stage(flow, [a + h * k for a, k in zip(x, k1, strict=True)], 1.0)
    k2 = _solve(matrix, [a - ROS2 * (b - c) - 2 * k for a, b, c, k in zip(ahead, later, f, k1, strict=True)])
    return [a + 1.5 * h * p + 0.5 * h * q + z for a, p, q, z in zip(x, k1, k2, noise, strict=True)]


# --- linear blocks


def exact(flow: Flow, x: States, h: float, noise: States) -> States:
    """x + ∫0^h e^{As} ds f(x), with A read off the (linear) rates, per instance."""
    n, m = len(x), len(x[0])
    f = np.stack([np.broadcast_to(k, m) for k in flow.rates(x, 0.0)])
    matrix = linear_matrix(flow, x)
    out = np.stack(x).astype(np.float64)
    for instance in range(m):
        block = np.zeros((n + 1, n + 1))
        block[:n, :n] = matrix[instance] * h
        block[:n, n] = f[:, instance] * h
        out[:, instance] += expm(block)[:n, n]
    return [a + z for a, z in zip(out, noise, strict=True)]


def linear_matrix(flow: Flow, x: States) -> Array:
    """The derivatives of linear rates, [m, n, n], as difference quotients column by column."""
    n, m = len(x), len(x[0])
    f = np.stack([np.broadcast_to(k, m) for k in flow.rates(x, 0.0)])
    matrix = np.zeros((m, n, n))
    for j in range(n):
        scale = np.maximum(1.0, np.abs(x[j]))
        moved = [a + scale if i == j else a for i, a in enumerate(x)]
        column = np.stack([np.broadcast_to(k, m) for k in flow.rates(moved, 0.0)])
        matrix[:, :, j] = ((column - f) / scale).T
    return matrix


METHODS: dict[str, Method] = {
    "exact": exact,
    "exponential": exponential,
    "exponential_euler": exponential_euler,
    "strang": strang,
    "strang4": strang4,
    "rk4": rk4,
    "heun": heun,
    "euler": euler,
    "sequential_euler": sequential_euler,
    "implicit_euler": implicit_euler,
    "rosenbrock": rosenbrock,
}
