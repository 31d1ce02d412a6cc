"""Linear systems written out as operations: Gaussian elimination on the diagonal, in an order that fills in little (Markowitz 1957).

There is no pivoting by size: the matrix is 1 - c h J with c h small against what grows, and where its diagonal vanishes the result is
not finite and is reported as such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from birc.ir.expr import Expr, const, op
from birc.ir.linear import ZERO, mul, sub

Name = Callable[[str, Expr], Expr]
"""Give an expression a name, and return what stands for it."""


class Factors:
    """The triangular factors of a matrix of expressions; structural zeros stay such. `name` gets `L.1.0`, `U.0.1` and `R.0`."""

    def __init__(self, matrix: Sequence[Sequence[Expr]], name: Name) -> None:
        n = len(matrix)
        rows = [list(row) for row in matrix]
        self.order: list[int] = []
        self.lower: dict[int, list[tuple[int, Expr]]] = {}
        self.reciprocal: dict[int, Expr] = {}
        left = list(range(n))
        while left:
            p = min(left, key=lambda i: self._fill(rows, left, i))
            left.remove(p)
            self.order.append(p)
            self.reciprocal[p] = name(f"R.{p}", op("div", const(1.0), rows[p][p]))
            below = [i for i in left if rows[i][p] is not ZERO]
            self.lower[p] = [(i, name(f"L.{i}.{p}", mul(rows[i][p], self.reciprocal[p]))) for i in below]
            for i, factor in self.lower[p]:
                for j in left:
                    if rows[p][j] is not ZERO:
                        rows[i][j] = name(f"U.{i}.{j}.{p}", sub(rows[i][j], mul(factor, rows[p][j])))
        self.upper = {p: [(j, rows[p][j]) for j in self.order[k + 1 :] if rows[p][j] is not ZERO] for k, p in enumerate(self.order)}

    @staticmethod
    def _fill(rows: list[list[Expr]], left: list[int], i: int) -> int:
        """At most how many zeros are lost when state `i` is eliminated next."""
        down = sum(rows[j][i] is not ZERO for j in left if j != i)
        across = sum(rows[i][j] is not ZERO for j in left if j != i)
        return down * across

    def solve(self, right: Sequence[Expr], name: Name) -> list[Expr]:
        """x of matrix x = right; `name` gets `y.0` (on the way down, where something is subtracted) and `x.0`."""
        x = list(right)
        for p in self.order:
            for i, factor in self.lower[p]:
                x[i] = name(f"y.{i}.{p}", sub(x[i], mul(factor, x[p])))
        for p in reversed(self.order):
            total = x[p]
            for j, entry in self.upper[p]:
                total = sub(total, mul(entry, x[j]))
            x[p] = name(f"x.{p}", mul(total, self.reciprocal[p]))
        return x
