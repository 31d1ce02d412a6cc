"""Rules on numbers that are known before a model runs: finite, inside their ranges, time constants positive."""

from __future__ import annotations

import math

from birc.errors import Span
from birc.frontend import ast
from birc.frontend.draft import CONSTANT, PARAMETERS, Draft
from birc.frontend.mismatch import a_kind
from birc.frontend.typed import ANY, fits
from birc.ir.expr import Expr
from birc.ir.model import Range
from birc.units import TIME, Unit, internal_unit

Value = float | bool | None


def quantity(value: float, unit: Unit) -> str:
    """A value in internal units as the user would write it, in `unit`."""
    number = f"{float(value / float(unit.scale)):.6g}"
    return number if unit.text == "1" else f"{number} {unit.text}"


def check_value_is_finite(value: Value, node: ast.Expr, draft: Draft) -> bool:
    """M110: no parameter, initial value or duration is infinite or no number."""
    if value is None or math.isfinite(value):
        return True
    what = "no number" if math.isnan(value) else "infinite"
    draft.error("M110", f"this value is {what}", node.span)
    return False


def check_range(value: float, allowed: Range | None, unit: Unit, span: Span, what: str, draft: Draft) -> bool:
    """M108: every value that is known lies in the range that its parameter states."""
    if allowed is None or allowed.holds(value):
        return True
    draft.error("M108", f"{what} is {quantity(value, unit)}, outside its range {shown_range(allowed, unit)}", span)
    return False


def shown_range(allowed: Range, unit: Unit) -> str:
    """A range as the user would write it."""
    ends = (f"{'-' if end < 0 else ''}inf" if math.isinf(end) else quantity(end, unit) for end in (allowed.low, allowed.high))
    return f"{'[' if allowed.low_closed else '('}{', '.join(ends)}{']' if allowed.high_closed else ')'}"


def check_positive(value: Value, span: Span, message: str, draft: Draft) -> None:
    """M111: time constants, and whatever multiplies a derivative, are greater than zero."""
    if value is not None and not value > 0:
        draft.error("M111", f"{message}; it must be greater than zero", span)


def range_of(interval: ast.Interval, unit: Unit, draft: Draft) -> Range | None:
    """The range of a parameter, whose ends are constants of its unit; None where it has a mistake, which is reported."""
    ends: list[float] = []
    for node in (interval.low, interval.high):
        typed = draft.read(node, "the range of a parameter", CONSTANT)
        value = draft.value(typed.expr)
        if (
            fits(typed, unit, node, draft.scope, draft.report, "U103", f"each end of this range is {a_kind(unit.dimension)}")
            and value is not None
        ):
            ends.append(float(value))
    if len(ends) != 2 or not check_ends(ends, interval, draft):
        return None
    return Range(ends[0], ends[1], interval.low_closed, interval.high_closed)


def check_ends(ends: list[float], interval: ast.Interval, draft: Draft) -> bool:
    """M109: a range holds at least one value."""
    low, high = ends
    closed = interval.low_closed and interval.high_closed
    if low < high or (low == high and closed and math.isfinite(low)):
        return True
    draft.error("M109", "this range holds no value", interval.span, "write the smaller end first")
    return False


def limits_of(interval: ast.Interval, unit: Unit, draft: Draft) -> tuple[Expr | None, Expr | None] | None:
    """The limits of a state: expressions of parameters, closed where finite. None where there is a mistake, which is reported."""
    ends: list[Expr | None] = []
    for node, closed in ((interval.low, interval.low_closed), (interval.high, interval.high_closed)):
        typed = draft.read(node, "the range of a state", PARAMETERS)
        if not fits(typed, unit, node, draft.scope, draft.report, "U103", f"each limit of this state is {a_kind(unit.dimension)}"):
            return None
        infinite = typed.type is ANY
        if not infinite and not closed:
            help = "a state is clipped to its range, so a finite end belongs to it: write `[` and `]`"
            draft.error("M109", "the range of a state is closed", interval.span, help)
            return None
        ends.append(None if infinite else draft.inliner.without_lets(typed.expr))
    low, high = ends
    known = [draft.value(e) if e is not None else sign * math.inf for e, sign in ((low, -1), (high, 1))]
    if known[0] is not None and known[1] is not None and not check_ends([float(known[0]), float(known[1])], interval, draft):
        return None
    return low, high


def check_inside(value: float, low: Expr | None, high: Expr | None, unit: Unit, span: Span, draft: Draft) -> None:
    """M108: a state starts inside its range."""
    ends = [draft.value(e) if e is not None else None for e in (low, high)]
    below = ends[0] is not None and value < ends[0]
    above = ends[1] is not None and value > ends[1]
    if below or above:
        said = f"below {quantity(float(ends[0] or 0), unit)}" if below else f"above {quantity(float(ends[1] or 0), unit)}"
        draft.error("M108", f"the initial value is {quantity(value, unit)}, {said}, where its range ends", span)


def constant_duration(node: ast.Expr, what: str, draft: Draft, *, positive: bool) -> Expr | None:
    """A duration made of parameters, not negative (or greater than zero); None where it has a mistake, which is reported."""
    typed = draft.read(node, what, PARAMETERS)
    if not fits(typed, internal_unit(TIME), node, draft.scope, draft.report, "U103", f"{what} is a time"):
        return None
    value = draft.value(typed.expr)
    if not check_value_is_finite(value, node, draft):
        return None
    if positive and value is not None:
        check_positive(value, node.span, f"{what} is {value:g} ms", draft)
    elif value is not None and value < 0:
        draft.error("M111", f"{what} is negative: {value:g} ms", node.span)
    return draft.inliner.without_lets(typed.expr)
