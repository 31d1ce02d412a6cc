"""Exponential steps in a declared sequence: each equation is solved with its own coefficients frozen, those before it already done.

    integrate exponential %m, %v           ->   %m.1 = … at %v;  %v.1 = … at %m.1

After Rush & Larsen (1978). In sequence, a step is half of one away from a step of Strang's, so that the timing of an oscillation
is of order 2.
"""

from __future__ import annotations

from birc.ir.expr import Expr, value
from birc.ir.linear import add
from birc.ir.step import Define, Integrate, Step
from birc.passes.exponential_steps import relaxed
from birc.passes.solver_steps import Constants, euler_maruyama, expand, spans, step_length, unless_held


def run(step: Step) -> Step:
    """Expand every exponential block."""
    return expand(step, "exponential", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """The states after the step, in sequence."""
    h = step_length(integrate)
    out: list[Define] = []
    done: dict[Expr, Expr] = {}
    for i, (state, start, name) in enumerate(zip(integrate.states, integrate.initial, integrate.results, strict=True)):
        noise = euler_maruyama(integrate, i, h)  # coefficients at k, as Itô's integral wants them
        new = add(relaxed(integrate, i, start, done, h), noise)
        out.append(Define(name, unless_held(integrate, i, new, start), spans(integrate)[i]))
        done[value(state)] = value(name)
    return out
