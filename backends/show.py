"""Expressions of a model as people write them, for messages, plans and explanations."""

from __future__ import annotations

from birc.backends.text import Syntax, lines
from birc.ir.expr import Expr
from birc.ir.ops import USER_FUNCTIONS

INFIX = {
    "mul": ("*", 12), "div": ("/", 12), "add": ("+", 11), "sub": ("-", 11), "and": ("and", 5), "or": ("or", 4),
    "lt": ("<", 6), "le": ("<=", 6), "gt": (">", 6), "ge": (">=", 6), "eq": ("==", 6), "ne": ("!=", 6),
}  # fmt: skip
PREFIX = {"neg": ("-", 13), "not": ("not ", 5)}
CALL = {name: f"{name}({', '.join(f'{{{i}}}' for i in range(arity))})" for name, arity in USER_FUNCTIONS.items()}
CALL |= {"pow": "({0})^({1})", "select": "({1} if {0} else {2})"}
SYNTAX = Syntax(INFIX, PREFIX, CALL, lambda x: f"{x:g}" if isinstance(x, float) else str(x).lower(), lambda e: str(e.attr))


def show(e: Expr) -> str:
    """The expression on one line; parts that repeat or grow long are cut out."""
    return lines([("", e)], SYNTAX, iter(lambda: "…", ""))[-1].text
