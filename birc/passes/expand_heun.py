"""The explicit trapezoidal rule, of order 2, on a whole block (Heun 1900).

    integrate heun %v, %u                  ->   %v.k1, %u.k1, %v.k2, %u.k2, %v.1, %u.1

The second stage is a forward Euler step: it sees a held state as constant, a guarded one at most at its limit, and the states of an
exact block at the end of the step.
"""

from __future__ import annotations

from birc.ir.expr import const, op, substitute, value
from birc.ir.step import Define, Integrate, Step
from birc.passes.solver_steps import Constants, expand, finish, spans, stage, step_length, unless_held


def run(step: Step) -> Step:
    """Expand every Heun block."""
    return expand(step, "heun", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """The two stages and the states after the step."""
    h = step_length(integrate)
    out: list[Define] = []
    for i, state in enumerate(integrate.states):
        out.append(Define(f"{state}.k1", unless_held(integrate, i, integrate.rates[i], const(0.0)), spans(integrate)[i]))
    starts = list(zip(integrate.states, integrate.initial, strict=True))
    seen = stage(integrate, "2", [op("add", start, op("mul", h, value(f"{state}.k1"))) for state, start in starts], "end", out)
    for i, state in enumerate(integrate.states):
        rate = unless_held(integrate, i, substitute(integrate.rates[i], seen), const(0.0))
        out.append(Define(f"{state}.k2", rate, spans(integrate)[i]))
    half = op("mul", const(0.5), h)
    new = [op("add", start, op("mul", half, op("add", value(f"{state}.k1"), value(f"{state}.k2")))) for state, start in starts]
    return out + finish(integrate, new, h)
