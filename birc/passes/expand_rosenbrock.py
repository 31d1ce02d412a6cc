"""A Rosenbrock method of order 2 on a whole block, L-stable: ROS2 with c = 1 - 1/√2 (Verwer, Spee, Blom & Hundsdorfer 1999).

    integrate rosenbrock %v, %u            ->   %v.w.R.0 … (1 - c h J, factored), %v.k1.x.0 …, %v.k2.x.0 …, %v.1, %u.1

For stiff equations: two linear systems with the Jacobian's symbolic derivatives, no iteration. Any J gives order 2, so that leaving a
runaway state's growth out of it (see `guard-runaway`) costs none. Blocks of up to 16 states.
"""

from __future__ import annotations

from math import sqrt

from birc.ir.expr import const, op
from birc.ir.linear import add, mul, sub
from birc.ir.step import Define, Integrate, Step
from birc.passes.implicit_steps import Implicit
from birc.passes.solver_steps import Constants, expand, fed, finish, stage, step_length

GAMMA = const(1.0 - 1.0 / sqrt(2.0))


def run(step: Step) -> Step:
    """Expand every Rosenbrock block."""
    return expand(step, "rosenbrock", solve)


def solve(integrate: Integrate, constants: Constants) -> list[Define]:
    """(1 - c h J) k1 = f(x) + c df and (1 - c h J) k2 = f(x + h k1) - c df - 2 k1, df being what feeds add to f in the step."""
    h = step_length(integrate)
    out: list[Define] = []
    block = Implicit(integrate, out)
    factors = block.factor("w", {}, op("mul", GAMMA, h))
    f = block.rates("f", {})
    right = f
    drift = [const(0.0) for _ in f]
    if integrate.feeds:
        later = block.rates("later", fed(integrate, "end"))
        drift = [block.name(f"drift.{i}", mul(GAMMA, sub(b, a))) for i, (a, b) in enumerate(zip(f, later, strict=True))]
        right = [add(a, d) for a, d in zip(f, drift, strict=True)]
    k1 = block.solve("k1", factors, right)
    seen = stage(integrate, "2", [op("add", x, op("mul", h, k)) for x, k in zip(integrate.initial, k1, strict=True)], "end", out)
    ahead = block.rates("ahead", seen)
    right = [sub(sub(a, d), op("mul", const(2.0), k)) for a, d, k in zip(ahead, drift, k1, strict=True)]
    k2 = block.solve("k2", factors, right)
    most, least = op("mul", const(1.5), h), op("mul", const(0.5), h)
    new = [add(add(x, mul(most, a)), mul(least, b)) for x, a, b in zip(integrate.initial, k1, k2, strict=True)]
    return out + finish(integrate, new, h)
