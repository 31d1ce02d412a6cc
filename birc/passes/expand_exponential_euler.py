"""Exponential Euler steps: each equation is solved with its own coefficients frozen at the start of the step (Rush & Larsen 1978).

    integrate exponential_euler %m, %v     ->   %m.1 = … at %v;  %v.1 = … at %m

All at once, as several simulators have it: kept for comparison with them. Of order 1 also in the timing of oscillations.
"""

from __future__ import annotations

from birc.ir.step import Define, Integrate, Step
from birc.passes.exponential_steps import relaxed
from birc.passes.solver_steps import Constants, expand, finish, step_length


def run(step: Step) -> Step:
    """Expand every exponential Euler block."""
    return expand(step, "exponential_euler", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """All states advance from their values at k."""
    h = step_length(integrate)
    return finish(integrate, [relaxed(integrate, i, start, {}, h) for i, start in enumerate(integrate.initial)], h)
