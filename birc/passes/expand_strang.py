"""Exponential steps there and back: symmetric, and therefore of order 2 (Strang 1968).

    integrate strang %m, %v                ->   %v.half = … at %m;  %m.1 = … at %v.half;  %v.1 = … at %m.1

Half steps from the last variable to the first and back; what is done twice in a row is done once, as are gates that do not read one
another. The states of an exact block are read at the middle of the step.
"""

from __future__ import annotations

from birc.ir.expr import Expr
from birc.ir.step import Define, Integrate, Step
from birc.passes.exponential_steps import Journey
from birc.passes.solver_steps import Constants, expand, fed, finish, step_length


def run(step: Step) -> Step:
    """Expand every block of Strang steps."""
    return expand(step, "strang", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """There and back over the step."""
    out: list[Define] = []
    middle = fed(integrate, "middle")
    new: list[Expr] = Journey(integrate, out).travel("s", list(integrate.initial), 1.0, middle, middle)
    return out + finish(integrate, new, step_length(integrate))
