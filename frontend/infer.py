"""Unit inference: an expression of the syntax tree becomes one of the IR, in internal units, and gets a unit.

All mistakes in an expression are reported; a part that has one is of type `WRONG`, and nothing more is said about what contains it.
"""

from __future__ import annotations

from birc.frontend import ast
from birc.frontend.infer_calls import infer_call
from birc.frontend.infer_names import infer_celsius, infer_name, infer_number
from birc.frontend.infer_operations import infer_operation, infer_power
from birc.frontend.names import Scope, postorder
from birc.frontend.report import Report
from birc.frontend.typed import BOOL, NOTHING, Place, Typed
from birc.ir.expr import const


def infer(node: ast.Expr, scope: Scope, place: Place, report: Report) -> Typed:
    """The expression in internal units and its type."""
    celsius = infer_celsius(node, report)
    if celsius is not None:
        return celsius
    done: dict[int, Typed] = {}
    for part in postorder(node):
        done[id(part)] = _infer(part, done, scope, place, report)
    return done[id(node)]


def _infer(node: ast.Expr, done: dict[int, Typed], scope: Scope, place: Place, report: Report) -> Typed:
    match node:
        case ast.Number():
            return infer_number(node, scope, report)
        case ast.Bool(value=value):
            return Typed(const(value), BOOL)
        case ast.Name() | ast.Member():
            return infer_name(node, scope, place, report)
        case ast.Call():
            return infer_call(node, done, scope, place, report)
        case ast.Unary(op=name, operand=operand):
            return infer_operation(name, (operand,), done, node, scope, report)
        case ast.Binary(op="pow"):
            return infer_power(node, done, scope, report)
        case ast.Binary(op=name, left=left, right=right):
            return infer_operation(name, (left, right), done, node, scope, report)
        case ast.Conditional(condition=condition, then=then, otherwise=otherwise):
            return infer_operation("select", (condition, then, otherwise), done, node, scope, report)
        case ast.Text(span=span) | ast.Slice(span=span):
            report.error("N105", "this cannot stand in an expression", span)
            return NOTHING
