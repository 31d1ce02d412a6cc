"""Limits that are literals as selections, which compilers make one instruction of: a NaN can then come from one side only.

min %x, 30.0                           ->  select (gt %x, 30.0), 30.0, %x

To the bit: where both sides are equal they are the same number, but for zeros of two signs, and so a limit of 0 stays as it is.
"""

from __future__ import annotations

from birc.backends.c_family.statements import change_statements
from birc.ir.expr import Expr, op, rewrite
from birc.ir.step import Step

BEYOND = {"min": "gt", "max": "lt"}


def turn_limits(step: Step) -> Step:
    """The same program; the same object where nothing is limited by a literal."""
    return change_statements(step, lambda root: rewrite(root, _turn))


def _turn(e: Expr) -> Expr | None:
    if e.op not in BEYOND:
        return None
    x, limit = e.args if _is_limit(e.args[1]) else reversed(e.args)
    return op("select", op(BEYOND[e.op], x, limit), limit, x) if _is_limit(limit) else None


def _is_limit(e: Expr) -> bool:
    """A real literal that is a number other than 0, in float32 too."""
    return e.op == "const" and isinstance(e.attr, float) and abs(e.attr) > 1e-30
