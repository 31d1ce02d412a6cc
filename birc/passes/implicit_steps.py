"""What the implicit methods share: the matrix 1 - c J of a block, with symbolic derivatives, factored and named.

A guarded state grows explicitly, and the others see it so: its own growth and its pull on the others are left out of J. Where it runs
away, an implicit equation has no solution, while an explicit step passes the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from birc.ir.derivative import jacobian
from birc.ir.expr import Expr, const, op, substitute, value
from birc.ir.linear import ONE, ZERO, mul, sub
from birc.ir.step import Define, Integrate
from birc.passes.elimination import Factors
from birc.passes.solver_steps import spans, unless_held


class Implicit:
    """A block whose linear systems are written out as definitions appended to `out`."""

    def __init__(self, integrate: Integrate, out: list[Define]) -> None:
        self.integrate = integrate
        self.out = out
        self.rows = [list(row) for row in jacobian(integrate.rates, integrate.states)]
        for state, _ in integrate.guards:
            j = integrate.states.index(state)
            for i, row in enumerate(self.rows):
                row[j] = op("min", row[j], ZERO) if i == j and row[j] is not ZERO else ZERO

    def factor(self, label: str, seen: Mapping[Expr, Expr], length: Expr) -> Factors:
        """The factors of 1 - length J, with J at states and feeds as `seen` has them; a held state's row is that of 1."""
        matrix: list[list[Expr]] = []
        for i, row in enumerate(self.rows):
            matrix.append([])
            for j, slope in enumerate(row):
                entry = mul(length, unless_held(self.integrate, i, substitute(slope, seen), ZERO)) if slope is not ZERO else ZERO
                matrix[i].append(self.name(f"{label}.J.{i}.{j}", sub(ONE if i == j else ZERO, entry)))
        return Factors(matrix, lambda part, e: self.name(f"{label}.{part}", e))

    def solve(self, label: str, factors: Factors, right: Sequence[Expr]) -> list[Expr]:
        """x of (1 - length J) x = right."""
        return factors.solve(right, lambda part, e: self.name(f"{label}.{part}", e))

    def rates(self, label: str, seen: Mapping[Expr, Expr]) -> list[Expr]:
        """The rates at states and feeds as `seen` has them; those of held states are 0."""
        found = [unless_held(self.integrate, i, substitute(rate, seen), const(0.0)) for i, rate in enumerate(self.integrate.rates)]
        return [self.name(f"{label}.{i}", e) for i, e in enumerate(found)]

    def name(self, label: str, e: Expr) -> Expr:
        """`e` under a name of its own, `v.k1.J.0.1` where `v` is the first state of the block; a leaf stays itself."""
        if not e.args:
            return e
        name = f"{self.integrate.states[0]}.{label}"
        self.out.append(Define(name, e, spans(self.integrate)[0]))
        return value(name)
