"""Linear forms by structure: `e = sum of coefficient * variable + rest`, read off the expression graph, never solved for."""

from __future__ import annotations

from dataclasses import dataclass

from birc.ir.expr import Expr, const, is_const, op, topo

ZERO, ONE = const(0.0), const(1.0)


@dataclass(frozen=True)
class Linear:
    """Coefficients by variable (in order of first occurrence) and the rest, all free of the variables."""

    coefficients: dict[str, Expr]
    rest: Expr

    def of(self, name: str) -> Expr:
        """The coefficient of a variable, 0 if it does not occur."""
        return self.coefficients.get(name, ZERO)


def add(a: Expr, b: Expr) -> Expr:
    """a + b, without neutral elements."""
    return b if is_const(a, 0.0) else a if is_const(b, 0.0) else op("add", a, b)


def sub(a: Expr, b: Expr) -> Expr:
    """a - b, without neutral elements."""
    return a if is_const(b, 0.0) else neg(b) if is_const(a, 0.0) else op("sub", a, b)


def neg(a: Expr) -> Expr:
    """-a, folding literals and double negation."""
    if a.op == "const" and isinstance(a.attr, float):
        return const(-a.attr) if a.attr else a
    return a.args[0] if a.op == "neg" else op("neg", a)


def mul(a: Expr, b: Expr) -> Expr:
    """a * b; a literal 0 here is a structural zero and wins."""
    if is_const(a, 0.0) or is_const(b, 0.0):
        return ZERO
    if is_const(a, 1.0):
        return b
    if is_const(b, 1.0):
        return a
    if is_const(a, -1.0):
        return neg(b)
    return neg(a) if is_const(b, -1.0) else op("mul", a, b)


def div(a: Expr, b: Expr) -> Expr:
    """a / b, without neutral elements."""
    return ZERO if is_const(a, 0.0) else a if is_const(b, 1.0) else op("div", a, b)


def linear_form(e: Expr, names: frozenset[str], leaf: str = "var") -> Linear | None:
    """The linear form of `e` in the leaves (`var` or `value`) called `names`; None if it is not linear in them."""
    forms: dict[Expr, Linear | None] = {}
    for node in topo(e):
        forms[node] = _form(node, names, leaf, forms)
    return forms[e]


def _form(node: Expr, names: frozenset[str], leaf: str, forms: dict[Expr, Linear | None]) -> Linear | None:
    if node.op == leaf and node.attr in names:
        return Linear({str(node.attr): ONE}, ZERO)
    parts = [forms[a] for a in node.args]
    if all(p is not None and not p.coefficients for p in parts):
        return Linear({}, node)
    match node.op, parts:
        case "neg", [Linear() as a]:
            return Linear({n: neg(c) for n, c in a.coefficients.items()}, neg(a.rest))
        case "add", [Linear() as a, Linear() as b]:
            return _both(a, b, add)
        case "sub", [Linear() as a, Linear() as b]:
            return _both(a, b, sub)
        case "mul", [Linear() as a, Linear(coefficients={}) as b] if not b.coefficients:
            return Linear({n: mul(c, b.rest) for n, c in a.coefficients.items()}, mul(a.rest, b.rest))
        case "mul", [Linear() as a, Linear() as b] if not a.coefficients:
            return Linear({n: mul(a.rest, c) for n, c in b.coefficients.items()}, mul(a.rest, b.rest))
        case "div", [Linear() as a, Linear() as b] if not b.coefficients:
            return Linear({n: div(c, b.rest) for n, c in a.coefficients.items()}, div(a.rest, b.rest))
        case "select", [Linear() as c, Linear() as a, Linear() as b] if not c.coefficients:
            return _both(a, b, lambda x, y: x if x is y else op("select", c.rest, x, y))
        case _:
            return None


def _both(a: Linear, b: Linear, combine: object) -> Linear:
    assert callable(combine)
    names = dict.fromkeys((*a.coefficients, *b.coefficients))
    return Linear({n: combine(a.of(n), b.of(n)) for n in names}, combine(a.rest, b.rest))
