"""Quantities and calls as they stand on a command line or in Python: `250 pA`, `2 * 5 ms`, `poisson(2 kHz, 40 pA)`."""

from __future__ import annotations

import math

from birc.errors import BircError, Source
from birc.frontend import ast
from birc.frontend.constants import value_of
from birc.frontend.infer import infer
from birc.frontend.mismatch import a_kind
from birc.frontend.names import Scope, path_of
from birc.frontend.parser import parse_expression
from birc.frontend.report import Report
from birc.frontend.typed import Place, Typed, fits
from birc.units import Unit


def parse_quantity(text: str, expected: Unit, what: str = "value") -> float:
    """The internal value of a constant expression of a unit; `what` names it in messages (`--input I`).

    Raises a `BircError`: S… for what is no expression, U112 for another unit.
    """
    node = parse_expression(Source(what, text, argument=True))
    return quantity_of(node, expected, what)


def quantity_of(node: ast.Expr, expected: Unit, what: str = "value") -> float:
    """The internal value of a constant expression that was read already. Raises as `parse_quantity` does."""
    report = Report()
    scope = Scope()
    typed = infer(node, scope, Place(f"`{what}`", frozenset()), report)
    fits(typed, expected, node, scope, report, "U112", f"{what} is {a_kind(expected.dimension)}")
    return _value(typed, report)


def _value(typed: Typed, report: Report) -> float:
    errors = report.of("error")
    if errors:
        raise BircError.of(errors)
    value = value_of(typed.expr, {})
    return math.nan if value is None else float(value)


def parse_call(text: str, what: str = "value") -> tuple[str, tuple[ast.Expr, ...], tuple[ast.Keyword, ...]] | None:
    """The name, arguments and named arguments of a call such as `poisson(2 kHz, 40 pA)`; None for any other expression."""
    node = parse_expression(Source(what, text, argument=True))
    if not isinstance(node, ast.Call):
        return None
    name = path_of(node.function)
    if name is None:
        raise BircError("N105", "this is no function", node.function.span)
    return name, node.args, node.keywords
