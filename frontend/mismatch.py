"""What to say when two units do not go together: both units, and the likeliest fix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from birc.frontend import ast
from birc.frontend.names import Scope, Symbol, text_of
from birc.units import NAMES, NONE, TIME, Dimension, Unit, describe, internal_unit, over, times


@dataclass(frozen=True, slots=True)
class Side:
    """An expression in a mismatch, and its unit."""

    node: ast.Expr
    unit: Unit


def prose(dimension: Dimension) -> str:
    """What a dimension is called in a sentence: `voltage`, `mV^2`."""
    return "a dimensionless number" if dimension == NONE else describe(dimension)


def a_kind(dimension: Dimension) -> str:
    """What a value of a dimension is: `a voltage`, `a quantity in mV^2`."""
    said = prose(dimension)
    if dimension == NONE:
        return said
    return f"a quantity in {said}" if said == internal_unit(dimension).text else f"a {said}"


def mark(unit: Unit) -> str:
    """What stands behind the carets."""
    return "no unit" if unit.dimension == NONE else unit.text


def likely_fix(scope: Scope, wrong: Side, wanted: Unit, whole: ast.Expr | None = None) -> str | None:
    """What was probably meant where `wrong` should have had the unit `wanted`; None where nothing is likely.

    `whole` is the sum or comparison in which it stands.
    """
    rules: tuple[Callable[[Scope, Side, Unit, ast.Expr | None], str | None], ...] = (
        _power_of_a_unit,
        _bare_number,
        _unit_that_is_a_name,
        _bare_initial_value,
        _payload,
        _missing_factor,
        _other_input,
    )
    return next((fix for rule in rules if (fix := rule(scope, wrong, wanted, whole)) is not None), None)


def _power_of_a_unit(scope: Scope, wrong: Side, wanted: Unit, whole: ast.Expr | None) -> str | None:
    """`5 ms-1`"""
    match whole:
        case ast.Binary("sub", ast.Number(text=text, unit=str(unit)) as left, ast.Number(text=power, unit=None) as right):
            close = left.span.line == right.span.line and left.span.end_column + 1 == right.span.column
            return f"a power of a unit is written `{text} {unit}^-{power}`" if close and power.isdigit() else None
        case _:
            return None


def _bare_number(scope: Scope, wrong: Side, wanted: Unit, whole: ast.Expr | None) -> str | None:
    number = bare_number(wrong.node)
    if number is None or wanted.dimension == NONE:
        return None
    return f"a bare number has no unit; did you mean `{number} {wanted.text}`?"


def bare_number(node: ast.Expr) -> str | None:
    """The text of a literal without a unit, with its sign; None for anything else."""
    match node:
        case ast.Number(text=text, unit=None):
            return text
        case ast.Unary(op="neg", operand=ast.Number(text=text, unit=None)):
            return f"-{text}"
        case _:
            return None


def _unit_that_is_a_name(scope: Scope, wrong: Side, wanted: Unit, whole: ast.Expr | None) -> str | None:
    match wrong.node:
        case ast.Number(text=text, unit=str(unit)) if unit in scope.symbols and unit in NAMES:
            return f"behind a number `{unit}` is a unit; for the name write `{text} * {unit}`"
        case _:
            return None


def _bare_initial_value(scope: Scope, wrong: Side, wanted: Unit, whole: ast.Expr | None) -> str | None:
    symbol = _named(scope, wrong.node)
    number = bare_number(symbol.value) if symbol is not None and symbol.value is not None else None
    if symbol is None or number is None or symbol.span is None or wanted.dimension == NONE:
        return None
    what = "initial value" if symbol.kind == "state" else "value"
    return f"`{symbol.name}` has no unit because its {what} on line {symbol.span.line} has none; did you mean `{number} {wanted.text}`?"


def _payload(scope: Scope, wrong: Side, wanted: Unit, whole: ast.Expr | None) -> str | None:
    symbol = _named(scope, wrong.node)
    if symbol is None or symbol.kind != "payload":
        return None
    return f"the payload `{symbol.name}` is declared in {mark(wrong.unit)}; did you mean `{symbol.name}: {wanted.text}`?"


def _missing_factor(scope: Scope, wrong: Side, wanted: Unit, whole: ast.Expr | None) -> str | None:
    if not isinstance(wrong.node, (ast.Name, ast.Member)):
        return None
    name = text_of(wrong.node.span)
    for symbol in scope.of_kind("param"):
        if symbol.unit is None or symbol.unit.dimension == NONE or "." in symbol.name:
            continue
        if times(symbol.unit.dimension, wrong.unit.dimension) == wanted.dimension:
            return f"`{symbol.name}` ({symbol.unit.text}) makes it fit: did you mean `{symbol.name} * {name}`?"
        if over(wrong.unit.dimension, symbol.unit.dimension) == wanted.dimension:
            return f"`{symbol.name}` ({symbol.unit.text}) makes it fit: did you mean `{name} / {symbol.name}`?"
    return None


def _other_input(scope: Scope, wrong: Side, wanted: Unit, whole: ast.Expr | None) -> str | None:
    symbol = _named(scope, wrong.node)
    fitting = [s for s in scope.of_kind("input") if s.unit is not None and s.unit.dimension == wanted.dimension and s is not symbol]
    if symbol is None or len(fitting) != 1 or fitting[0].span is None or wanted.dimension == NONE:
        return None
    match = fitting[0]
    said = f"`{match.name}` ({match.unit}) is an input declared on line {fitting[0].span.line}"
    if not isinstance(whole, ast.Binary) or whole.right is not wrong.node:
        return f"{said}; did you mean `{match.name}`?"
    signs = {"add": "+", "sub": "-", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
    return f"{said}; did you mean `{text_of(whole.left.span)} {signs.get(whole.op, '+')} {match.name}`?"


def _named(scope: Scope, node: ast.Expr) -> Symbol | None:
    return scope.symbols.get(node.name) if isinstance(node, ast.Name) and node.order == 0 else None


def missing_rate(scope: Scope, target: str, left: Unit, right: Unit) -> str | None:
    """The fix for an equation whose sides differ by a parameter: `tau * v' = …`."""
    wanted = over(right.dimension, left.dimension)
    fitting = [s for s in scope.of_kind("param") if s.unit is not None and s.unit.dimension == wanted and "." not in s.name]
    if not fitting or wanted == NONE:
        return "the right side must be a rate: divide it by a time" if wanted == TIME else None
    named = sorted(fitting, key=lambda s: not s.name.startswith(("tau", "C")))
    return f"`{named[0].name}` ({named[0].unit}) makes them fit: did you mean `{named[0].name} * {target} = …`?"


def shown(dimension: Dimension, unit: Unit | None = None) -> Unit:
    """The unit to show for a dimension: as the user wrote it where that is known."""
    return unit if unit is not None and unit.dimension == dimension else internal_unit(dimension)
