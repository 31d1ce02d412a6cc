"""Forward Euler steps, for comparison with published schemes that use them (Euler 1768).

    integrate euler %v { rate }            ->   %v.1 = add %v, (mul h, rate)
"""

from __future__ import annotations

from birc.ir.linear import add, mul
from birc.ir.step import Define, Integrate, Step
from birc.passes.solver_steps import Constants, expand, finish, step_length


def run(step: Step) -> Step:
    """Expand every Euler block."""
    return expand(step, "euler", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """All states advance from their values at k."""
    h = step_length(integrate)
    new = [add(start, mul(h, rate)) for start, rate in zip(integrate.initial, integrate.rates, strict=True)]
    return finish(integrate, new, h)
