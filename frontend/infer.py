"""Unit inference: an expression of the syntax tree becomes one of the IR, in internal units, and gets a unit.

All mistakes in an expression are reported; a part that has one is of type `WRONG`, and nothing more is said about what contains it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from birc.errors import Label, Span
from birc.frontend import ast
from birc.frontend.mismatch import Side, likely_fix, mark, prose
from birc.frontend.names import CALLED, Kind, Scope, Symbol, path_of, postorder
from birc.frontend.report import Report
from birc.frontend.unit_names import read_unit
from birc.ir.expr import Expr, const, make, op, var
from birc.ir.ops import OPS, USER_FUNCTIONS, UnitMismatch, unit_of
from birc.suggest import closest
from birc.units import NONE, ONE, TEMPERATURE, Dimension, Unit, internal_unit, literal


class Special(Enum):
    """Types that are no unit: a truth value, what takes any unit (`inf`), and what has a mistake in it."""

    BOOL = "a condition"
    ANY = "inf"
    WRONG = "wrong"


BOOL, ANY, WRONG = Special.BOOL, Special.ANY, Special.WRONG
Type = Unit | Special

CONSTANTS = {"pi": math.pi, "e": math.e}
DRAWS = ("uniform", "normal")


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


def infer(node: ast.Expr, scope: Scope, place: Place, report: Report) -> Typed:
    """The expression in internal units and its type."""
    celsius = _celsius(node, report)
    if celsius is not None:
        return celsius
    done: dict[int, Typed] = {}
    for part in postorder(node):
        done[id(part)] = _infer(part, done, scope, place, report)
    return done[id(node)]


def _infer(node: ast.Expr, done: dict[int, Typed], scope: Scope, place: Place, report: Report) -> Typed:
    match node:
        case ast.Number():
            return _number(node, scope, report)
        case ast.Bool(value=value):
            return Typed(const(value), BOOL)
        case ast.Name() | ast.Member():
            return _name(node, scope, place, report)
        case ast.Call():
            return _call(node, done, scope, place, report)
        case ast.Unary(op=name, operand=operand):
            return _apply(name, (operand,), done, node, scope, report)
        case ast.Binary(op="pow"):
            return _power(node, done, scope, report)
        case ast.Binary(op=name, left=left, right=right):
            return _apply(name, (left, right), done, node, scope, report)
        case ast.Conditional(condition=condition, then=then, otherwise=otherwise):
            return _apply("select", (condition, then, otherwise), done, node, scope, report)
        case ast.Text(span=span) | ast.Slice(span=span):
            report.error("N105", "this cannot stand in an expression", span)
            return NOTHING


# --- leaves


def _celsius(node: ast.Expr, report: Report) -> Typed | None:
    """A temperature in degC, which is legal only as a literal standing alone."""
    match node:
        case ast.Number(text=text, unit="degC"):
            value = literal(text, "degC")
        case ast.Unary(op="neg", operand=ast.Number(text=text, unit="degC")):
            value = literal(f"-{text}", "degC")
        case _:
            return None
    if value < 0:
        report.error("U108", "there is no temperature below -273.15 degC", node.span)
        return NOTHING
    return Typed(const(value), internal_unit(TEMPERATURE))


def _number(node: ast.Number, scope: Scope, report: Report) -> Typed:
    if node.unit == "degC":
        help = "write the temperature in K, or make it a parameter of its own: `param T = 20 degC`"
        report.error("U108", "a temperature in degC must stand alone", node.span, help)
        return NOTHING
    unit = ONE if node.unit is None else read_unit(node.unit, node.unit_span or node.span, report, scope, node.text)
    if unit is None:
        return NOTHING
    try:
        value = literal(node.text, node.unit)
    except OverflowError:
        value = math.inf
    if math.isinf(value):
        report.error("M110", f"`{node.text}` is too large a number", node.span, "the largest is about 1.8e308")
        return NOTHING
    return Typed(const(value), unit)


def _name(node: ast.Name | ast.Member, scope: Scope, place: Place, report: Report) -> Typed:
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
            help = "on the right a prime may stand only for a lower order of the same state; write the right side of its equation as a `let`"
            report.error("M105", f"`{path}` is no quantity here", node.span, help)
        return NOTHING
    if isinstance(node, ast.Member) and first in scope.symbols:
        _no_member(path, first, node.span, scope, report)
        return NOTHING
    near = closest(path, (n for n in scope.symbols if "." not in n or "." in path))
    help = f"did you mean `{near}`?" if near else None
    if path in USER_FUNCTIONS:
        help = f"`{path}` is a function: write `{path}({', '.join('xyz'[: USER_FUNCTIONS[path]])})`"
    report.error("N101", f"there is no `{path}` here", node.span, help)
    return NOTHING


def _no_member(path: str, first: str, span: Span, scope: Scope, report: Report) -> None:
    rest = path[len(first) + 1 :]
    members = [n[len(first) + 1 :] for n in scope.symbols if n.startswith(f"{first}.")]
    symbol = scope.symbols[first]
    if symbol.unit is None:
        return
    near = closest(rest, members)
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
    match kind:
        case "noise":
            report.error("M116", f"{said} and can stand only in an equation", span, f"not in {place.what}")
        case "trace":
            report.error("M121", f"{said}, which is read only in handlers", span, f"not in {place.what}")
        case "output":
            report.error("M118", f"{said}, which is for others to read", span, "give its expression a name with `let` and read that")
        case _:
            allowed = "it may depend on parameters" if place.allowed <= {"param", "argument"} else None
            if place.allowed == frozenset():
                allowed = "it must be a constant"
            report.error("M118", f"{said}, which {place.what} cannot read", span, allowed)
    return False


# --- calls


def _call(node: ast.Call, done: dict[int, Typed], scope: Scope, place: Place, report: Report) -> Typed:
    path = path_of(node.function)
    if path is None:
        report.error("N105", "this is no function", node.function.span)
        return NOTHING
    for keyword in node.keywords:
        report.error("N106", f"the arguments of `{path}` have no names", keyword.span, f"write `{path}(…)` with the values alone")
    symbol = scope.find(path)
    if symbol is not None and symbol.kind != "function":
        if symbol.unit is not None:
            help = f"to multiply write `{path} * (…)`" if len(node.args) == 1 else None
            report.error("N105", f"`{path}` is {CALLED[symbol.kind]}, not a function", node.function.span, help)
        return NOTHING
    if symbol is not None:
        return _call_own(node, symbol, done, scope, report)
    arity = USER_FUNCTIONS.get(path, 2 if path in DRAWS and place.draws else None)
    if arity is None:
        return _no_function(node, path, scope, report)
    return _apply(path, node.args, done, node, scope, report) if _check_arity(node, path, arity, report) else NOTHING


def _no_function(node: ast.Call, path: str, scope: Scope, report: Report) -> Typed:
    if path in report.forgiven:
        return NOTHING
    if path in DRAWS:
        help = "draws stand in the brackets of a population or projection; random input over time is a `noise`"
        report.error("N104", f"`{path}` cannot be drawn here", node.function.span, help)
        return NOTHING
    near = closest(path, (*(s.name for s in scope.of_kind("function")), *USER_FUNCTIONS, *DRAWS))
    report.error("N104", f"there is no function `{path}`", node.function.span, f"did you mean `{near}`?" if near else _functions())
    return NOTHING


def _functions() -> str:
    return f"the functions are {', '.join(sorted(USER_FUNCTIONS))}"


def _check_arity(node: ast.Call, name: str, arity: int, report: Report) -> bool:
    if len(node.args) == arity:
        return not node.keywords
    count = "one argument" if arity == 1 else f"{arity} arguments"
    report.error("N106", f"`{name}` takes {count}, not {len(node.args)}", node.span)
    return False


def _call_own(node: ast.Call, symbol: Symbol, done: dict[int, Typed], scope: Scope, report: Report) -> Typed:
    if symbol.unit is None:
        return NOTHING
    parameters = symbol.parameters
    if not _check_arity(node, symbol.name, len(parameters), report):
        return NOTHING
    args = [done[id(a)] for a in node.args]
    good = True
    for (name, unit), arg, given in zip(parameters, node.args, args, strict=True):
        what = f"the argument `{name}` of `{symbol.name}`"
        good &= fits(given, unit, arg, scope, report, "U104", f"{what} is {prose(unit.dimension)}")
    if not good:
        return NOTHING
    return Typed(make("call", tuple(a.expr for a in args), symbol.name), BOOL if symbol.truth else symbol.unit)


# --- operations


def _power(node: ast.Binary, done: dict[int, Typed], scope: Scope, report: Report) -> Typed:
    base, exponent = done[id(node.left)], done[id(node.right)]
    if not isinstance(base.type, Unit) or not isinstance(exponent.type, Unit):
        return _apply("pow", (node.left, node.right), done, node, scope, report)
    exact = exact_number(node.right)
    if exact is not None and abs(exact) <= 1000 and exact.denominator <= 1000:
        unit = base.type if exact == 1 else _result(unit_of("pow", (base.type.dimension, NONE), exact))
        return Typed(op("pow", base.expr, const(float(exact))), unit)
    if exponent.type.dimension != NONE:
        report.error("U105", f"an exponent is dimensionless, this one is in {exponent.type}", node.right.span, mark=mark(exponent.type))
        return NOTHING
    if base.type.dimension != NONE:
        help = f"divide by a quantity first: `({base.type} …)^…` has a unit only for a fixed exponent such as 2 or (1/3)"
        labels = (Label(node.left.span, mark(base.type)),)
        message = f"{prose(base.type.dimension)} can be raised only to a power written as a number"
        report.error("U105", message, node.right.span, help, labels=labels)
        return NOTHING
    return Typed(op("pow", base.expr, exponent.expr), ONE)


def exact_number(node: ast.Expr) -> Fraction | None:
    """The value of a literal rational (`2`, `0.5`, `-1`, `1/3`); None for anything else."""
    match node:
        case ast.Number(text=text, unit=None) if "e" not in text.lower() and len(text) <= 20:
            return Fraction(text)
        case ast.Unary(op="neg", operand=ast.Number() as operand):
            value = exact_number(operand)
            return None if value is None else -value
        case ast.Binary(op="div", left=ast.Number() | ast.Unary() as left, right=ast.Number() as right):
            over, under = exact_number(left), exact_number(right)
            return over / under if over is not None and under else None
        case _:
            return None


def _result(dimension: Dimension | None) -> Type:
    return BOOL if dimension is None else internal_unit(dimension)


def _apply(name: str, nodes: tuple[ast.Expr, ...], done: dict[int, Typed], node: ast.Expr, scope: Scope, report: Report) -> Typed:
    """An operation of the op table, or a draw, on arguments that have their types."""
    args = tuple(done[id(n)] for n in nodes)
    if any(a.type is WRONG for a in args):
        return NOTHING
    like = "add" if name in DRAWS else name
    rule = OPS[like].unit
    if not _kinds_fit(name, rule, nodes, args, report):
        return NOTHING
    expr = make(name, tuple(a.expr for a in args))
    alike = args[1:] if rule == "select" else args
    if any(a.type is ANY for a in alike):
        return Typed(expr, _type_with_any(rule, alike))
    try:
        found = unit_of(like, tuple(a.type.dimension if isinstance(a.type, Unit) else None for a in args))
    except UnitMismatch:
        _mismatch(name, rule, nodes, args, node, scope, report)
        return NOTHING
    return Typed(expr, alike[0].type if rule in ("same", "select") else _result(found))


def _type_with_any(rule: str, alike: tuple[Typed, ...]) -> Type:
    """The type of an operation on `inf`, which takes the unit of its partner."""
    match rule:
        case "compare":
            return BOOL
        case "none" | "sign":
            return ONE
        case "same" | "select":
            return next((a.type for a in alike if isinstance(a.type, Unit)), ANY)
        case _:
            return ANY


def _kinds_fit(name: str, rule: str, nodes: tuple[ast.Expr, ...], args: tuple[Typed, ...], report: Report) -> bool:
    """Whether conditions stand where conditions are wanted and numbers where numbers are; the first misfit is reported."""
    truths = [a.type is BOOL for a in args]
    if rule == "select":
        wanted = [True, truths[1], truths[1]]
    elif name in ("eq", "ne") and all(truths):
        wanted = truths
    else:
        wanted = [rule == "logic"] * len(args)
    for node, arg, has, wants in zip(nodes, args, truths, wanted, strict=True):
        if has != wants:
            _wrong_kind(name, node, arg, wants, report)
            return False
    return True


def _wrong_kind(name: str, node: ast.Expr, arg: Typed, wants_condition: bool, report: Report) -> None:
    if wants_condition:
        unit = mark(arg.type) if isinstance(arg.type, Unit) else ""
        what = "if" if name == "select" else name
        report.error("U106", f"`{what}` needs a condition, this is a number", node.span, "compare it: `… > 0`", mark=unit)
    else:
        report.error("U106", "this is a condition, not a number", node.span, AS_NUMBER)


_SIGNS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


def _mismatch(
    name: str, rule: str, nodes: tuple[ast.Expr, ...], args: tuple[Typed, ...], node: ast.Expr, scope: Scope, report: Report
) -> None:
    if rule in ("none", "root", "sign", "power"):
        for inner, arg in zip(nodes, args, strict=True):
            if isinstance(arg.type, Unit) and arg.type.dimension != NONE:
                help = f"divide by a quantity of the same unit, e.g. `{name}(x / 1 {arg.type})`"
                message = f"`{name}` takes a dimensionless number, this is {prose(arg.type.dimension)}"
                report.error("U104", message, inner.span, help, mark=mark(arg.type))
        return
    (left_node, left), (right_node, right) = list(zip(nodes, args, strict=True))[-2:]
    if not isinstance(left.type, Unit) or not isinstance(right.type, Unit):
        return
    a, b = prose(left.type.dimension), prose(right.type.dimension)
    match name:
        case "add":
            message = f"cannot add {a} and {b}"
        case "sub":
            message = f"cannot subtract {b} from {a}"
        case "select":
            message = f"the two sides of `if` differ: {a} and {b}"
        case _ if name in _SIGNS:
            message = f"cannot compare {a} with {b}"
        case _:
            message = f"`{name}` needs two values of one unit, not {a} and {b}"
    help = likely_fix(scope, Side(right_node, right.type), left.type, node)
    help = help or likely_fix(scope, Side(left_node, left.type), right.type, None)
    labels = (Label(left_node.span, mark(left.type)),)
    report.error("U102", message, right_node.span, help, mark(right.type), labels)


# --- what an expression must be


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
            report.error(code, f"{message}, not {prose(unit.dimension)}", node.span, help, mark(unit), labels)
            return False


def is_condition(typed: Typed, node: ast.Expr, report: Report, what: str) -> bool:
    """Whether an expression is a condition; if not, it is reported."""
    if isinstance(typed.type, Unit) or typed.type is ANY:
        unit = mark(typed.type) if isinstance(typed.type, Unit) else ""
        report.error("U106", f"{what} needs a condition, this is a number", node.span, "compare it: `v >= v_th`", mark=unit)
    return typed.type is BOOL
