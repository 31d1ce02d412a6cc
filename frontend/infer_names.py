"""Types of what stands alone: literals, names, paths."""

from __future__ import annotations

import math

from birc.errors import Span
from birc.frontend import ast
from birc.frontend.names import CALLED, Scope, Symbol, path_of
from birc.frontend.report import Report
from birc.frontend.typed import ANY, BOOL, NOTHING, Place, Typed
from birc.frontend.unit_names import read_unit
from birc.ir.expr import const, var
from birc.ir.ops import USER_FUNCTIONS
from birc.units import NAMES as UNITS
from birc.units import ONE, TEMPERATURE, internal_unit, literal

CONSTANTS = {"pi": math.pi, "e": math.e}
NOT_HERE = {
    "t": "a model does not read the time; what depends on it comes in through an input",
    "time": "a model does not read the time; what depends on it comes in through an input",
    "True": "write `true`",
    "False": "write `false`",
    "None": "every value is a number",
    "dt": "a model has no visible step; in a `step` rule `elapsed` is the time since the last update",
}
"""What to say of names that other languages have."""
LONGEST_NUMBER = 400
LARGEST = f"the largest is about 1.8e308, written in at most {LONGEST_NUMBER} characters"


def infer_celsius(node: ast.Expr, report: Report) -> Typed | None:
    """A temperature in degC, which is legal only as a literal standing alone."""
    match node:
        case ast.Number(text=text, unit="degC"):
            value = _value(text, "degC")
        case ast.Unary(op="neg", operand=ast.Number(text=text, unit="degC")):
            value = _value(f"-{text}", "degC")
        case _:
            return None
    if math.isinf(value):
        report.error("M110", "this number is too large", node.span, LARGEST)
        return NOTHING
    if value < 0:
        report.error("U108", "there is no temperature below -273.15 degC", node.span)
        return NOTHING
    return Typed(const(value), internal_unit(TEMPERATURE))


def infer_number(node: ast.Number, scope: Scope, report: Report) -> Typed:
    """A literal in internal units."""
    if node.unit == "degC":
        help = "write the temperature in K, or make it a parameter of its own: `param T = 20 degC`"
        report.error("U108", "a temperature in degC must stand alone", node.span, help)
        return NOTHING
    unit = ONE if node.unit is None else read_unit(node.unit, node.unit_span or node.span, report, scope, node.text)
    if unit is None:
        return NOTHING
    value = _value(node.text, node.unit)
    if math.isinf(value):
        report.error("M110", "this number is too large", node.span, LARGEST)
        return NOTHING
    return Typed(const(value), unit)


def _value(number: str, unit: str | None) -> float:
    """The internal value of a literal; infinite where it is too large or too long."""
    if len(number) > LONGEST_NUMBER:
        return math.inf
    try:
        return literal(number, unit)
    except OverflowError:
        return math.inf


def infer_name(node: ast.Name | ast.Member, scope: Scope, place: Place, report: Report) -> Typed:
    """A name, or a path through channels and sections."""
    path = path_of(node)
    if path is None:
        report.error("N105", "this cannot stand in an expression", node.span)
        return NOTHING
    symbol = scope.find(path)
    if symbol is None:
        return _undeclared(node, path, scope, report)
    if symbol.unit is None:
        return NOTHING
    if symbol.kind in ("function", "channel", "port"):
        _not_a_value(symbol, node.span, scope, report)
        return NOTHING
    if not _readable(symbol, node.span, place, report):
        return NOTHING
    return Typed(var(path), BOOL if symbol.truth else symbol.unit)


def _undeclared(node: ast.Name | ast.Member, path: str, scope: Scope, report: Report) -> Typed:
    if path == "inf":
        return Typed(const(math.inf), ANY)
    if path in CONSTANTS:
        return Typed(const(CONSTANTS[path]), ONE)
    first = path.split(".")[0].split("(")[0].rstrip("'")
    if first in report.forgiven or path in report.forgiven:
        return NOTHING
    if isinstance(node, ast.Name) and node.order and node.name in scope.symbols:
        state = scope.symbols[node.name]
        if state.unit is not None:
            help = f"give the right side of the equation of `{node.name}` a name with `let`, and read that"
            message = f"`{path}` is no state of this model: only a derivative with an initial value of its own can be read"
            report.error("M105", message, node.span, help)
        return NOTHING
    if isinstance(node, ast.Member) and first in scope.symbols:
        _no_member(path, first, node.span, scope, report)
        return NOTHING
    near = report.nearest(path, (n for n in scope.symbols if "." not in n or "." in path))
    advice = NOT_HERE.get(path) or (f"did you mean `{near}`?" if near else None)
    if advice is None and path in UNITS:
        advice = f"`{path}` is a unit, and a unit is one word behind a number: `2 {path}`, `2 {path}^-1`, `1 uA/cm^2`"
    if path in USER_FUNCTIONS:
        advice = f"it is a function: write `{path}({', '.join('xyz'[: USER_FUNCTIONS[path]])})`"
    report.error("N101", f"there is no `{path}` here", node.span, advice)
    return NOTHING


def _no_member(path: str, first: str, span: Span, scope: Scope, report: Report) -> None:
    rest = path[len(first) + 1 :]
    members = [n[len(first) + 1 :] for n in scope.symbols if n.startswith(f"{first}.")]
    symbol = scope.symbols[first]
    if symbol.unit is None:
        return
    near = report.nearest(rest, members)
    help = f"did you mean `{first}.{near}`?" if near else f"it has {', '.join(f'`{m}`' for m in members)}" if members else None
    report.error("N115", f"`{first}` is {CALLED[symbol.kind]} and has no `{rest}`", span, help)


def _not_a_value(symbol: Symbol, span: Span, scope: Scope, report: Report) -> None:
    help = None
    if symbol.kind == "function":
        help = f"call it: `{symbol.name}(…)`"
    if symbol.kind == "channel":
        members = [n for n, s in scope.symbols.items() if n.startswith(f"{symbol.name}.") and s.kind == "outward"]
        help = f"did you mean `{members[0]}`?" if members else None
    report.error("N105", f"`{symbol.name}` is {CALLED[symbol.kind]}, not a value", span, help)


def _readable(symbol: Symbol, span: Span, place: Place, report: Report) -> bool:
    """Whether a name may be read where it stands; if not, it is reported."""
    bad = next(((k, n) for k, n in symbol.roots.items() if k not in place.allowed), None)
    if bad is None:
        return True
    kind, name = bad
    said = f"`{name}` is {CALLED[kind]}"
    said = said if name == symbol.name else f"`{symbol.name}` reads `{name}`, {CALLED[kind]}"
    code, help = {
        "noise": ("M116", "noise stands in equations, linearly: `… + sigma * xi`"),
        "trace": ("M121", "a trace is read in the handlers of its synapse"),
        "output": ("M118", "an output is for others to read: give its expression a name with `let`, and read that"),
    }.get(kind, ("M118", None))
    if help is None and place.allowed <= {"param", "argument", "place"}:
        help = "it may depend on parameters" if place.allowed else "it must be a constant"
    report.error(code, f"{said}, which {place.what} cannot read", span, help)
    return False
