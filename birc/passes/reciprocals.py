"""Gather what is fixed during a run into one factor of each product of the flow, so that nothing is divided by it step by step.

    mul %.h, (div %x, %tau)                ->  mul (div %.h, %tau), %x
    div (neg %x), 18.0                     ->  mul (div -1.0, 18.0), %x
    div %x, (div %y, 4.0)                  ->  div (mul 4.0, %x), %y

The factor is computed once, in float64. Products associate anew, so the last bits change, and they change for every target alike; a
division by a power of two stays exact. What several expressions share stays whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce

from birc.ir.expr import Expr, const, op, rebuild, rewrite, topo
from birc.ir.step import Step
from birc.passes.expressions import map_flow
from birc.passes.fold_constants import fold
from birc.passes.simplify import simplify


def run(step: Step) -> Step:
    """Rewrite every product of the flow that holds more than one fixed factor, a fixed divisor, or a sign and a fixed factor."""
    roots: list[Expr] = []

    def look(e: Expr) -> Expr:
        roots.append(e)
        return e

    map_flow(step, look)
    return map_flow(step, Gather(roots, {d.name for d in step.bind}).rewrite)


@dataclass
class Factors:
    """A product: fixed and other factors, above and below the line."""

    negative: bool = False
    inverted: bool = False
    """Whether a fixed factor stands, or stood, below a line; divided by twice, it is above."""
    fixed: tuple[list[Expr], list[Expr]] = field(default_factory=lambda: ([], []))
    other: tuple[list[Expr], list[Expr]] = field(default_factory=lambda: ([], []))

    @property
    def worth_while(self) -> bool:
        """Whether anything is saved."""
        return bool(self.other[0] or self.other[1]) and (self.inverted or len(self.fixed[0]) + self.negative > 1)

    def expr(self) -> Expr:
        """The fixed factor times the others, divided by those below the line."""
        above, below = self.fixed
        sign = [const(-1.0)] if self.negative else []
        factor = _product([*sign, *above]) if sign or above else const(1.0)
        if below:
            factor = op("div", factor, _product(below))
        top = _product([rewrite(factor, fold, simplify), *self.other[0]])
        return op("div", top, _product(self.other[1])) if self.other[1] else top


class Gather:
    """The rewriting of expressions that may share parts."""

    def __init__(self, roots: Iterable[Expr], bound: set[str]) -> None:
        roots = list(roots)
        self.users = Counter(a for node in topo(*roots) for a in node.args) + Counter(roots)
        self.fixed: dict[Expr, bool] = {}
        for e in topo(*roots):
            if e.op in ("const", "value"):
                self.fixed[e] = e.op == "const" or str(e.attr) in bound
            else:
                self.fixed[e] = bool(e.args) and all(self.fixed[a] for a in e.args)
        self.done: dict[Expr, Expr] = {}

    def rewrite(self, root: Expr) -> Expr:
        """The expression with its products gathered."""
        for node in topo(root):
            if node not in self.done:
                self.done[node] = node if self.fixed[node] else self._product(node) or rebuild(node, tuple(self.done[a] for a in node.args))
        return self.done[root]

    def _product(self, node: Expr) -> Expr | None:
        """A product in its new form, if it has one."""
        if node.op not in ("mul", "div"):
            return None
        found = Factors()
        stack = [(a, int(node.op == "div") * i, False) for i, a in reversed(list(enumerate(node.args)))]
        while stack:
            e, lines, whole = stack.pop()  # the lines it stands below
            below = lines % 2
            alone = self.users[e] == 1 and not whole
            if self.fixed[e]:
                found.fixed[below].append(e)
                found.inverted |= lines > 0
            elif e.op == "neg":  # costs nothing to repeat
                found.negative = not found.negative
                stack.append((e.args[0], lines, not alone))
            elif alone and e.op in ("mul", "div"):
                stack.extend((a, lines + int(e.op == "div") * i, False) for i, a in reversed(list(enumerate(e.args))))
            elif alone and (opposite := self._opposite(e)) is not None:
                found.negative = not found.negative
                found.other[below].append(opposite)
            else:
                found.other[below].append(self.done[e])
        return found.expr() if found.worth_while else None

    def _opposite(self, e: Expr) -> Expr | None:
        """-e, where `e` is -a - b - … : that is a + b + …, but for the sign of a zero."""
        taken: list[Expr] = []
        while e.op == "sub" and (not taken or self.users[e] == 1):
            taken.append(self.done[e.args[1]])
            e = e.args[0]
        return reduce(lambda a, b: op("add", a, b), reversed(taken), self.done[e.args[0]]) if taken and e.op == "neg" else None


def _product(factors: list[Expr]) -> Expr:
    return reduce(lambda a, b: op("mul", a, b), factors)
