"""Types of operations, by the unit rules of the op table, and what to say where they do not hold."""

from __future__ import annotations

from fractions import Fraction

from birc.errors import Label
from birc.frontend import ast
from birc.frontend.mismatch import Side, a_kind, likely_fix, mark, prose
from birc.frontend.names import Scope
from birc.frontend.report import Report
from birc.frontend.typed import ANY, AS_NUMBER, BOOL, NOTHING, WRONG, Type, Typed
from birc.ir.expr import const, make, op
from birc.ir.ops import OPS, UnitMismatch, unit_of
from birc.units import NONE, ONE, Dimension, Unit, internal_unit

LONGEST_UNIT_IN_ADVICE = 12
DRAWS = ("uniform", "normal")


def infer_power(node: ast.Binary, done: dict[int, Typed], scope: Scope, report: Report) -> Typed:
    """A power, whose exponent may have to be a number as written."""
    base, exponent = done[id(node.left)], done[id(node.right)]
    if not isinstance(base.type, Unit) or not isinstance(exponent.type, Unit):
        return infer_operation("pow", (node.left, node.right), done, node, scope, report)
    exact = exact_number(node.right)
    if exact is not None and abs(exact) <= 1000 and exact.denominator <= 1000:
        unit = base.type if exact == 1 else _result(unit_of("pow", (base.type.dimension, NONE), exact))
        return Typed(op("pow", base.expr, const(float(exact))), unit)
    if exponent.type.dimension != NONE:
        report.error("U105", f"an exponent is dimensionless, this one is in {exponent.type}", node.right.span, mark=mark(exponent.type))
        return NOTHING
    if base.type.dimension != NONE:
        help = f"make the base dimensionless: `(x / 1 {base.type})^n`; the unit of a power is known only for an exponent such as 2 or (1/3)"
        labels = (Label(node.left.span, mark(base.type)),)
        message = f"{a_kind(base.type.dimension)} can be raised only to a power written as a number"
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


def infer_operation(name: str, nodes: tuple[ast.Expr, ...], done: dict[int, Typed], node: ast.Expr, scope: Scope, report: Report) -> Typed:
    """An operation of the op table, or a draw, on arguments that have their types."""
    args = tuple(done[id(n)] for n in nodes)
    if any(a.type is WRONG for a in args):
        return NOTHING
    like = "add" if name in DRAWS else name
    rule = OPS[like].unit
    if not _kinds_fit(name, rule, nodes, args, report):
        return NOTHING
    expr = make(name, tuple(a.expr for a in args))
    if name == "neg" and isinstance(args[0].expr.attr, float):
        expr = const(-args[0].expr.attr)  # a negative literal
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
                plain = len(arg.type.text) <= LONGEST_UNIT_IN_ADVICE
                help = f"divide by a quantity of the same unit, e.g. `{name}(x / 1 {arg.type})`" if plain else None
                message = f"`{name}` takes a dimensionless number, this is {a_kind(arg.type.dimension)}"
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
    fix = likely_fix(scope, Side(right_node, right.type), left.type, node)
    fix = fix or likely_fix(scope, Side(left_node, left.type), right.type, None)
    labels = (Label(left_node.span, mark(left.type)),)
    report.error("U102", message, right_node.span, fix, mark(right.type), labels)
