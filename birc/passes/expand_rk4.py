"""The classical Runge–Kutta method of order 4 on a whole block (Kutta 1901).

    integrate rk4 %v, %u                   ->   %v.k1 … %v.k4, %u.k1 … %u.k4, %v.1, %u.1

Stages see a held state as constant, a guarded one at most at its limit, and the states of an exact block at their own times.
"""

from __future__ import annotations

from birc.ir.expr import Expr, const, op, substitute, value
from birc.ir.linear import mul
from birc.ir.step import Define, Integrate, Step
from birc.passes.solver_steps import Constants, Time, expand, finish, spans, stage, step_length, unless_held


def run(step: Step) -> Step:
    """Expand every RK4 block."""
    return expand(step, "rk4", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """The four stages and the states after the step."""
    h = step_length(integrate)
    half = op("mul", const(0.5), h)
    out: list[Define] = []
    stages: tuple[tuple[int, Expr | None, Time], ...] = ((1, None, "start"), (2, half, "middle"), (3, half, "middle"), (4, h, "end"))
    for k, length, time in stages:
        seen: dict[Expr, Expr] = {}
        if length is not None:
            starts = zip(integrate.states, integrate.initial, strict=True)
            at = [op("add", start, op("mul", length, value(f"{state}.k{k - 1}"))) for state, start in starts]
            seen = stage(integrate, str(k), at, time, out)
        for i, state in enumerate(integrate.states):
            rate = unless_held(integrate, i, substitute(integrate.rates[i], seen), const(0.0))
            out.append(Define(f"{state}.k{k}", rate, spans(integrate)[i]))
    sixth = op("div", h, const(6.0))
    new = []
    for state, start in zip(integrate.states, integrate.initial, strict=True):
        k1, k2, k3, k4 = (value(f"{state}.k{k}") for k in (1, 2, 3, 4))
        slope = op("add", op("add", k1, op("mul", const(2.0), op("add", k2, k3))), k4)
        new.append(op("add", start, mul(sixth, slope)))
    return out + finish(integrate, new, h)
