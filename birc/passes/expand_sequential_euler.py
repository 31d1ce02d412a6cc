"""Euler steps of one equation after the other, in the order in which they stand: each sees the new values of those before it.

    integrate sequential_euler %v, %u      ->   %v.1 = … at %v, %u;  %u.1 = … at %v.1, %u

The symplectic Euler method (Vogelaere 1956; Hairer, Lubich & Wanner 2006, section VI.3), the scheme of the script behind the figure
of Izhikevich (2004), IEEE Trans. Neural Netw. 15:1063.
"""

from __future__ import annotations

from birc.ir.expr import Expr, substitute, value
from birc.ir.linear import add, mul
from birc.ir.step import Define, Integrate, Step
from birc.passes.solver_steps import Constants, euler_maruyama, expand, spans, step_length, unless_held


def run(step: Step) -> Step:
    """Expand every block of Euler steps in sequence."""
    return expand(step, "sequential_euler", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """The states after the step, in sequence."""
    h = step_length(integrate)
    out: list[Define] = []
    done: dict[Expr, Expr] = {}
    for i, (state, start, name) in enumerate(zip(integrate.states, integrate.initial, integrate.results, strict=True)):
        noise = euler_maruyama(integrate, i, h)  # coefficients at k, as Itô's integral wants them
        new = add(add(start, mul(h, substitute(integrate.rates[i], done))), noise)
        out.append(Define(name, unless_held(integrate, i, new, start), spans(integrate)[i]))
        done[value(state)] = value(name)
    return out
