"""Forward Euler steps, for comparison with published schemes that use them.

    integrate euler %v { rate }            ->   %v.1 = add %v, (mul h, rate)
"""

from __future__ import annotations

from birc.ir.linear import add, mul
from birc.ir.step import Define, Integrate, Step
from birc.passes.solver_steps import Constants, euler_maruyama, expand, step_length, unless_held


def run(step: Step) -> Step:
    """Expand every Euler block."""
    return expand(step, "euler", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """All states advance from their values at k."""
    h = step_length(integrate)
    out = []
    for i, name in enumerate(integrate.results):
        start = integrate.initial[i]
        new = add(add(start, mul(h, integrate.rates[i])), euler_maruyama(integrate, i, h))
        out.append(Define(name, unless_held(integrate, i, new, start), integrate.spans[i] if integrate.spans else None))
    return out
