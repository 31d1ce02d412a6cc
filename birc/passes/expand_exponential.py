"""Exponential steps in a declared sequence: each equation is solved with its own coefficients frozen, those before it already done.

    integrate exponential %m, %v           ->   %m.1 = … at %v;  %v.1 = … at %m.1

x' = a x + b with a and b frozen gives x + (a x + b) h exprel(a h) (Rush & Larsen 1978; the sequence halves the error of one at a time).
"""

from __future__ import annotations

from birc.ir.expr import Expr, op, substitute, value
from birc.ir.linear import add, linear_form, mul
from birc.ir.step import Define, Integrate, Step
from birc.passes.solver_steps import Constants, euler_maruyama, expand, is_zero, step_length, unless_held


def run(step: Step) -> Step:
    """Expand every exponential block."""
    return expand(step, "exponential", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """The states after the step, in sequence."""
    h = step_length(integrate)
    out: list[Define] = []
    done: dict[Expr, Expr] = {}
    for i, state in enumerate(integrate.states):
        rate = integrate.rates[i]
        form = linear_form(rate, frozenset({state}), "value")
        assert form is not None, "only equations affine in their own variable are given exponential steps"
        slope = substitute(form.of(state), done)
        length = h if is_zero(slope) else mul(h, op("exprel", mul(slope, h)))
        start = integrate.initial[i]
        new = add(start, mul(substitute(rate, done), length))
        noise = euler_maruyama(integrate, i, h)  # coefficients at k, as Itô's integral wants them
        name = integrate.results[i]
        out.append(Define(name, unless_held(integrate, i, add(new, noise), start), integrate.spans[i] if integrate.spans else None))
        done[value(state)] = value(name)
    return out
