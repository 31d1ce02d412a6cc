"""Expressions as lines: one numbered line for each node that is no mere name or number.

    { %0 = mul %R, %I   %1 = sub %0, %v   yield %1 }

A node that is met again is referred to by its number. A block inside a block goes on with the numbers and may use those outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from birc.ir.expr import Expr
from birc.ir.infer import Type, of_node
from birc.ir.ops import LEAVES
from birc.ir.text import layout, words
from birc.ir.text.layout import HERE, Line, Place


class Scope:
    """The numbered nodes of a region; `leaf` is the op of the names that are written with a bare `%`."""

    def __init__(self, leaf: str, names: dict[tuple[str, str], Type], outer: Scope | None = None) -> None:
        self.leaf = leaf
        self.names = names
        self.next: int = outer.next if outer else 0
        self.numbers: dict[Expr, str] = dict(outer.numbers) if outer else {}
        self.types: dict[Expr, Type] = dict(outer.types) if outer else {}

    def inner(self) -> Scope:
        """A scope inside this one."""
        return Scope(self.leaf, self.names, self)

    def operand(self, e: Expr) -> str | None:
        """How a node is written inside a line; None for one that needs a line of its own first."""
        if e.op == "const" and not e.args and isinstance(e.attr, (bool, int, float)):
            return words.number(e.attr)
        if e.op == self.leaf and not e.args and isinstance(e.attr, str):
            return words.ref(e.attr)
        return self.numbers.get(e)

    def lines(self, roots: Iterable[Expr], at: Place = HERE) -> list[Line]:
        """Lines for the nodes below the roots (and themselves) that have none yet."""
        out = []
        for node in self._without_line(roots):
            out.append(Line(f"%{self.next} = {self.application(node)}", at))
            self.numbers[node] = f"%{self.next}"
            self.next += 1
        return out

    def application(self, e: Expr) -> str:
        """The right side of a line, with its type; the arguments have their lines already."""
        if e.op in LEAVES and isinstance(e.attr, str) and words.name(e.attr) == e.attr:
            text = f"{e.op} {e.attr}"
        else:
            text = f"{e.op}{words.attribute(e.attr)}"
            if e.args:
                text += " " + ", ".join(str(self.operand(a)) for a in e.args)
            elif e.op not in LEAVES:
                text += "()"
        mark = str(self.type(e))
        return f"{text} : {mark}" if mark else text

    def type(self, e: Expr) -> Type:
        """The type of a node whose arguments have their lines already."""
        found = self.types.get(e)
        if found is None:
            found = self.types[e] = of_node(e, tuple(self.type(a) for a in e.args), self.names)
        return found

    def learn(self, name: str, type: Type) -> None:
        """From here on the name is known to have this type."""
        self.names[self.leaf, name] = type

    def define(self, name: str, e: Expr, at: Place) -> list[Line]:
        """Lines that give a node a name of its own."""
        operand = self.operand(e)
        if operand is not None:
            return [Line(f"{words.ref(name)} = {operand}", at)]
        before = self.lines(e.args, at)
        return [*before, Line(f"{words.ref(name)} = {self.application(e)}", at)]

    def statement(self, head: str, e: Expr, at: Place) -> list[Line]:
        """`head operand`, and before it the lines that the operand needs."""
        before, operand = self.use(e, at)
        return [*before, Line(f"{head} {operand}", at)]

    def use(self, e: Expr, at: Place) -> tuple[list[Line], str]:
        """The lines that a node needs, and how it is then written."""
        return self.lines((e,), at), str(self.operand(e))

    def value(self, head: str, e: Expr, at: Place = HERE, tail: str = "", region: bool = False) -> Line:
        """`head operand tail`, or `head { … yield operand } tail` (always so with `region`)."""
        inside = self.inner()
        before, operand = inside.use(e, HERE)
        if not before and not region:
            return Line(f"{head} {operand}{tail}", at)
        return layout.block(head, [*before, Line(f"yield {operand}")], at, tail)

    def _without_line(self, roots: Iterable[Expr]) -> Iterator[Expr]:
        """The nodes that are not yet written in any way, arguments before users."""
        stack = [(r, False) for r in reversed(tuple(roots))]
        while stack:
            node, ready = stack.pop()
            if self.operand(node) is not None:
                continue
            if ready:
                yield node
            else:
                stack.append((node, True))
                stack.extend((a, False) for a in reversed(node.args))
