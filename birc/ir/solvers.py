"""The table of solvers: what equations each fits, its order, and what its inner stages see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fits = Literal["constant", "affine", "any"]
"""Equations linear with constant coefficients; each affine in its own variable; any."""


@dataclass(frozen=True)
class Solver:
    """A row of the table."""

    name: str
    fits: Fits
    order: int
    """Of convergence; 0 stands for exact."""
    title: str
    staged: bool = False
    """Whether it reads the states of exact blocks at times inside the step, not only at its start."""
    guarded: bool = False
    """Whether it evaluates rates at states that are not on the solution, which a runaway guard keeps below the threshold."""
    most_states: int | None = None
    """The largest block that it takes."""


ELIMINATED = 16
"""States of the largest block whose linear systems are written out."""

TABLE: tuple[Solver, ...] = (
    Solver("exact", "constant", 0, "the exact propagator"),
    Solver("exponential", "affine", 1, "exponential steps in sequence"),
    Solver("exponential_euler", "affine", 1, "exponential Euler, all states from the start of the step"),
    Solver("strang", "affine", 2, "exponential steps, there and back", staged=True),
    Solver("strang4", "affine", 4, "exponential steps, there and back, extrapolated", staged=True),
    Solver("rk4", "any", 4, "classical Runge-Kutta", staged=True, guarded=True),
    Solver("heun", "any", 2, "the explicit trapezoidal rule", staged=True, guarded=True),
    Solver("euler", "any", 1, "forward Euler"),
    Solver("sequential_euler", "any", 1, "Euler steps, one equation after the other"),
    Solver("implicit_euler", "any", 1, "backward Euler", True, True, ELIMINATED),
    Solver("rosenbrock", "any", 2, "a Rosenbrock method, L-stable", True, True, ELIMINATED),
)

SOLVERS: dict[str, Solver] = {s.name: s for s in TABLE}
