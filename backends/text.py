"""From expressions to infix text, by an op table; shared nodes get a name of their own.

The text keeps the IR's grouping: an operand of equal precedence on the right is bracketed, so no compiler re-associates it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from birc.ir.expr import Expr, topo

ATOM = 100
LONGEST = 100
"""Characters beyond which a subexpression gets a line of its own."""


@dataclass(frozen=True)
class Syntax:
    """How a language writes ops: `infix` symbol and precedence, `prefix` likewise, `call` as a format of the arguments."""

    infix: Mapping[str, tuple[str, int]]
    prefix: Mapping[str, tuple[str, int]]
    call: Mapping[str, str]
    const: Callable[[float | int | bool], str]
    leaf: Callable[[Expr], str]
    entry: Callable[[Expr, Sequence[str]], str] | None = None
    """How an entry of a matrix function is written, from the texts of its arguments; only where the language has them."""

    def takes(self, op: str) -> bool:
        """Whether the language has the op."""
        return op in self.infix or op in self.prefix or op in self.call


@dataclass(frozen=True)
class Line:
    """`name = text`; `node` is what it computes, `defined` whether the name is one of the program's own."""

    name: str
    text: str
    node: Expr
    defined: bool


def lines(defines: Iterable[tuple[str, Expr]], syntax: Syntax, fresh: Iterator[str], known: Mapping[Expr, str] | None = None) -> list[Line]:
    """Assignments that compute `defines` in order; what is used twice, or grows long, is named once, from `fresh`.

    `known` nodes already have names in scope.
    """
    defines = list(defines)
    names: dict[Expr, str] = dict(known or {})
    uses = Counter(a for node in topo(*(e for _, e in defines)) for a in node.args)
    uses.update(e for _, e in defines)
    out: list[Line] = []
    texts: dict[Expr, tuple[str, int]] = {}
    for name, root in defines:
        for node in topo(root):
            if node in texts:
                continue
            if node in names:
                texts[node] = names[node], ATOM
                continue
            text, strength = _write(node, [texts[a] for a in node.args], syntax)
            if node.args and node is not root and (uses[node] > 1 or len(text) > LONGEST):
                names[node] = next(fresh)
                out.append(Line(names[node], text, node, False))
                text, strength = names[node], ATOM
            texts[node] = text, strength
        out.append(Line(name, texts[root][0], root, True))
        if root.args:
            names[root] = name
            texts[root] = name, ATOM
    return out


def _write(node: Expr, args: list[tuple[str, int]], syntax: Syntax) -> tuple[str, int]:
    """The node's text and how tightly it binds."""
    if node.op == "const":
        assert not isinstance(node.attr, str) and node.attr is not None
        text = syntax.const(node.attr)
        return text, syntax.prefix["neg"][1] if text.startswith("-") else ATOM
    if node.op in syntax.infix:
        symbol, strength = syntax.infix[node.op]
        (left, left_strength), (right, right_strength) = args
        comparison = node.op in ("lt", "le", "gt", "ge", "eq", "ne")
        if left_strength < strength or (comparison and left_strength == strength):
            left = f"({left})"
        if right_strength <= strength:
            right = f"({right})"
        return f"{left} {symbol} {right}", strength
    if node.op in syntax.prefix:
        symbol, strength = syntax.prefix[node.op]
        text, inner = args[0]
        return f"{symbol}{text}" if inner > strength else f"{symbol}({text})", strength
    if node.op in syntax.call:
        return syntax.call[node.op].format(*(text for text, _ in args)), ATOM
    if node.args and syntax.entry is not None:
        return syntax.entry(node, [text for text, _ in args]), ATOM
    return syntax.leaf(node), ATOM


def plain(text: str) -> str:
    """Words from outside on one line: what does not print is written as an escape, a backslash as two."""
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode("ascii") for c in text)
