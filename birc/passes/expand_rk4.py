"""The classical Runge–Kutta method of order 4 on a whole block (Kutta 1901).

    integrate rk4 %v, %u                   ->   %v.k1 … %v.k4, %u.k1 … %u.k4, %v.1, %u.1

Stages see a held state as constant, a guarded one at most at its limit, and the states of an exact block at their own times.
"""

from __future__ import annotations

from birc.ir.expr import Expr, const, op, substitute, value
from birc.ir.linear import add, mul
from birc.ir.step import Define, Integrate, Step
from birc.passes.solver_steps import Constants, euler_maruyama, expand, step_length, unless_held


def run(step: Step) -> Step:
    """Expand every RK4 block."""
    return expand(step, "rk4", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """The four stages and the states after the step."""
    h = step_length(integrate)
    half = op("mul", const(0.5), h)
    out: list[Define] = []
    spans = integrate.spans or (None,) * len(integrate.states)
    for stage, length in ((1, None), (2, half), (3, half), (4, h)):
        seen: dict[Expr, Expr] = {}
        if length is not None:
            for feed in integrate.feeds:
                seen[value(feed.state)] = value(feed.middle if stage < 4 else feed.end)
            for i, state in enumerate(integrate.states):
                at = op("add", integrate.initial[i], op("mul", length, value(f"{state}.k{stage - 1}")))
                out.append(Define(f"{state}.at{stage}", at, spans[i]))
                seen[value(state)] = value(f"{state}.at{stage}")
            for state, limit in integrate.guards:
                name = f"{state}.seen{stage}"
                out.append(Define(name, op("min", seen[value(state)], substitute(limit, seen)), spans[integrate.states.index(state)]))
                seen[value(state)] = value(name)
        for i, state in enumerate(integrate.states):
            rate = unless_held(integrate, i, substitute(integrate.rates[i], seen), const(0.0))
            out.append(Define(f"{state}.k{stage}", rate, spans[i]))
    sixth = op("div", h, const(6.0))
    for i, state in enumerate(integrate.states):
        k1, k2, k3, k4 = (value(f"{state}.k{stage}") for stage in (1, 2, 3, 4))
        slope = op("add", op("add", k1, op("mul", const(2.0), op("add", k2, k3))), k4)
        start = integrate.initial[i]
        new = add(op("add", start, mul(sixth, slope)), euler_maruyama(integrate, i, h))
        out.append(Define(integrate.results[i], unless_held(integrate, i, new, start), spans[i]))
    return out
