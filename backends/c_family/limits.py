"""Limits that are literals as selections, which compilers make one instruction of: a NaN can then come from one side only.

min %x, 30.0                           ->  select (gt %x, 30.0), 30.0, %x
max %x, 0.0                            ->  select (le %x, 0.0), 0.0, %x

To the bit: where both sides are equal they are the same number, but for zeros of two signs, of which the second argument comes out.
"""

from __future__ import annotations

from birc.backends.c_family.statements import change_statements
from birc.ir.expr import Expr, op, rewrite
from birc.ir.step import Step

BEYOND, AT = {"min": "gt", "max": "lt"}, {"min": "ge", "max": "le"}
TINY = 1e-30
"""What is less may be 0 in float32."""


def turn_limits(step: Step) -> Step:
    """The same program; the same object where nothing is limited by a literal."""
    return change_statements(step, lambda root: rewrite(root, _turn))


def _turn(e: Expr) -> Expr | None:
    if e.op not in BEYOND:
        return None
    second = _is_limit(e.args[1])
    x, limit = e.args if second else reversed(e.args)
    if not _is_limit(limit):
        return None
    test = AT if second and abs(float(limit.attr or 0)) < TINY else BEYOND
    return op("select", op(test[e.op], x, limit), limit, x)


def _is_limit(e: Expr) -> bool:
    """A real literal that is a number."""
    return e.op == "const" and isinstance(e.attr, float) and e.attr == e.attr
