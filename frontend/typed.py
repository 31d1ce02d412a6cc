"""What is known of an expression: its type, and what it must be where it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from birc.errors import Label
from birc.frontend import ast
from birc.frontend.mismatch import Side, a_kind, likely_fix, mark
from birc.frontend.names import Kind, Scope
from birc.frontend.report import Report
from birc.ir.expr import Expr, const
from birc.units import Unit


class Special(Enum):
    """Types that are no unit: a truth value, what takes any unit (`inf`), and what has a mistake in it."""

    BOOL = "a condition"
    ANY = "inf"
    WRONG = "wrong"


BOOL, ANY, WRONG = Special.BOOL, Special.ANY, Special.WRONG
Type = Unit | Special


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression and its type."""

    expr: Expr
    type: Type


NOTHING = Typed(const(math.nan), WRONG)
AS_NUMBER = "turn it into a number with `if … then 1 else 0`"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands, and which kinds of names may be read there."""

    what: str
    allowed: frozenset[Kind]
    draws: bool = False


def fits(
    typed: Typed, wanted: Unit, node: ast.Expr, scope: Scope, report: Report, code: str, message: str, labels: tuple[Label, ...] = ()
) -> bool:
    """Whether an expression has a unit (any, for `inf`); if not, `message` is completed with what it has."""
    match typed.type:
        case Special.WRONG:
            return False
        case Special.ANY:
            return True
        case Special.BOOL:
            report.error("U106", f"{message}, not a condition", node.span, AS_NUMBER)
            return False
        case Unit() as unit:
            if unit.dimension == wanted.dimension:
                return True
            help = likely_fix(scope, Side(node, unit), wanted)
            report.error(code, f"{message}, not {a_kind(unit.dimension)}", node.span, help, mark(unit), labels)
            return False


def is_condition(typed: Typed, node: ast.Expr, report: Report, what: str) -> bool:
    """Whether an expression is a condition; if not, it is reported."""
    if isinstance(typed.type, Unit) or typed.type is ANY:
        unit = mark(typed.type) if isinstance(typed.type, Unit) else ""
        report.error("U106", f"{what} needs a condition, this is a number", node.span, "compare it: `v >= v_th`", mark=unit)
    return typed.type is BOOL
