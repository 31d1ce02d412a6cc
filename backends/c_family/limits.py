"""Limits that are no NaN as selections, which compilers make one instruction of, or two: a NaN can then come from one side only.

min %x, 30.0                           ->  select (gt %x, 30.0), 30.0, %x
max %x, 0.0                            ->  select (le %x, 0.0), 0.0, %x
min %x, %w_max                         ->  select (ge %x, %w_max), %w_max, %x

To the bit: where both sides are equal they are the same number, but for zeros of two signs, of which the second argument comes out.
"""

from __future__ import annotations

from birc.backends.c_family.statements import change_statements
from birc.ir.checked import never_nan
from birc.ir.expr import Expr, op, rewrite
from birc.ir.step import Step

BEYOND, AT = {"min": "gt", "max": "lt"}, {"min": "ge", "max": "le"}
TINY = 1e-30
"""What is less may be 0 in float32."""


def turn_limits(step: Step) -> Step:
    """The same program; the same object where nothing is limited by a literal or a constant. A backend that is handed constants which
    nobody has checked for NaN cannot have it so."""
    numbers = never_nan(step)

    def is_limit(e: Expr) -> bool:
        if e.op == "value":
            return str(e.attr) in numbers
        return e.op == "const" and isinstance(e.attr, float) and e.attr == e.attr

    def turn(e: Expr) -> Expr | None:
        if e.op not in BEYOND:
            return None
        second = is_limit(e.args[1])
        x, limit = e.args if second else reversed(e.args)
        if not is_limit(limit):
            return None
        test = AT if second and may_be_zero(limit) else BEYOND
        return op("select", op(test[e.op], x, limit), limit, x)

    return change_statements(step, lambda root: rewrite(root, turn))


def may_be_zero(limit: Expr) -> bool:
    """Whether a limit is 0 for some constants, or in some type of number."""
    return limit.op == "value" or abs(float(limit.attr or 0)) < TINY
