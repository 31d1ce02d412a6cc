"""Exponential steps there and back, extrapolated from one step and two half steps: of order 4 (Strang 1968; Richardson 1911).

    integrate strang4 %m, %v               ->   %v.1 = add %v.fine, (div (sub %v.fine, %v.coarse), 3.0)

The error of a symmetric step has even powers of its length only, so that (4 fine - coarse) / 3 is two orders better. Exponential steps
being stable for any step length, so is this. The states of an exact block are read at the ends of each part, never inside it.
"""

from __future__ import annotations

from birc.ir.expr import Expr, const, op
from birc.ir.linear import add
from birc.ir.step import Define, Integrate, Step
from birc.passes.exponential_steps import Journey
from birc.passes.solver_steps import Constants, expand, fed, finish, step_length


def run(step: Step) -> Step:
    """Expand every block of extrapolated Strang steps."""
    return expand(step, "strang4", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """One step there and back, two half as long, and what they tell about a step of no length."""
    out: list[Define] = []
    start, middle, end = fed(integrate, "start"), fed(integrate, "middle"), fed(integrate, "end")
    journey = Journey(integrate, out)
    coarse = journey.travel("c", list(integrate.initial), 1.0, start, end)
    first = journey.travel("f", list(integrate.initial), 0.5, start, middle)
    fine = journey.travel("g", first, 0.5, middle, end)
    new: list[Expr] = [add(b, op("div", op("sub", b, a), const(3.0))) for a, b in zip(coarse, fine, strict=True)]
    return out + finish(integrate, new, step_length(integrate))
