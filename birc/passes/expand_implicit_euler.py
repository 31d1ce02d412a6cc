"""Backward Euler steps on a whole block, of order 1 and L-stable, by three iterations of Newton's method (Hairer & Wanner 1996).

    integrate implicit_euler %v            ->   %v.n1.x.0 …, %v.n2.x.0 …, %v.n3.x.0 …, %v.1

Each iteration has its own Jacobian, from symbolic derivatives, and starts where the one before ended; the first at the state itself. A
guarded state is seen at most at its limit, and those of an exact block at the end of the step. Blocks of up to 16 states.
"""

from __future__ import annotations

from birc.ir.expr import op
from birc.ir.linear import ZERO, add, sub
from birc.ir.step import Define, Integrate, Step
from birc.passes.implicit_steps import Implicit
from birc.passes.solver_steps import Constants, expand, finish, stage, step_length

ITERATIONS = 3


def run(step: Step) -> Step:
    """Expand every backward Euler block."""
    return expand(step, "implicit_euler", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """y such that y = x + h f(y), from y = x."""
    h = step_length(integrate)
    out: list[Define] = []
    block = Implicit(integrate, out)
    y = list(integrate.initial)
    for k in range(1, ITERATIONS + 1):
        seen = stage(integrate, str(k), y, "end", out)
        factors = block.factor(f"w{k}", seen, h)
        rates = block.rates(f"f{k}", seen)
        missing = [add(ZERO if a is x else sub(x, a), op("mul", h, f)) for a, x, f in zip(y, integrate.initial, rates, strict=True)]
        y = [op("add", a, s) for a, s in zip(y, block.solve(f"n{k}", factors, missing), strict=True)]
    return out + finish(integrate, y, h)
