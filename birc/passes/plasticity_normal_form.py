"""What each event does to a synapse as a sum of products: a factor of parameters times traces, states and inputs.

    on pre { update w = w - A_m * w_max * y }   ->   pre: w += -(A_m * w_max) * y

Learning engines of hardware and eligibility traces are made from it. A factor that is no polynomial, such as (1 - w / w_max)^mu, stays
whole and is marked: a target with a fixed list of operations can refuse it by name. The limits of a state are not part of the form.
"""

from __future__ import annotations

from birc.ir.expr import Expr, const, is_const, leaves, op, var
from birc.ir.linear import add, mul, neg, sub
from birc.ir.model import Model, Update
from birc.ir.plasticity import Change, Term
from birc.passes.classify_odes import bind_time

MOST_TERMS = 64
"""A rule that expands to more products than that is shown as it stands."""


def run(model: Model) -> tuple[Change, ...]:
    """The changes of a synapse's handlers in order, each in the values current at its line; functions and lets must be inlined."""
    fixed = bind_time(model)
    found = []
    for handler in model.handlers:
        if handler.port not in ("pre", "post"):
            continue
        for line in handler.body:
            if isinstance(line, Update):
                found.append(_change(handler.port, line, fixed))
    return tuple(found)


def _change(side: str, line: Update, fixed: frozenset[str]) -> Change:
    terms = expand(line.value, fixed)
    own = Term(const(1.0), (var(line.target),))
    if own in terms:
        return Change(side, line.target, tuple(t for t in terms if t != own), False, line.span)
    return Change(side, line.target, terms, True, line.span)


def expand(e: Expr, fixed: frozenset[str]) -> tuple[Term, ...]:
    """An expression as a sum of products, products of the same variables gathered."""
    sums = _expand(e, fixed)
    if sums is None or len(sums) > MOST_TERMS:
        return (Term(const(1.0), (e,)),)
    return tuple(Term(factor, parts) for parts, factor in sums.items() if not is_const(factor, 0.0))


Sums = dict[tuple[Expr, ...], Expr]


def _expand(e: Expr, fixed: frozenset[str]) -> Sums | None:
    if leaves(e, "var") <= fixed:
        return {(): e}
    match e.op, e.args:
        case "neg", (a,):
            return _times(_expand(a, fixed), {(): const(-1.0)})
        case "add", (a, b):
            return _plus(_expand(a, fixed), _expand(b, fixed))
        case "sub", (a, b):
            return _plus(_expand(a, fixed), _times(_expand(b, fixed), {(): const(-1.0)}))
        case "mul", (a, b):
            return _times(_expand(a, fixed), _expand(b, fixed))
        case "div", (a, b) if leaves(b, "var") <= fixed:
            return _times(_expand(a, fixed), {(): op("div", const(1.0), b)})
        case _:
            return {(e,): const(1.0)}


def _plus(a: Sums | None, b: Sums | None) -> Sums | None:
    if a is None or b is None:
        return None
    found = dict(a)
    for parts, factor in b.items():
        found[parts] = _sum(found[parts], factor) if parts in found else factor
    return found if len(found) <= 4 * MOST_TERMS else None


def _sum(a: Expr, b: Expr) -> Expr:
    """The sum of two factors; what cancels is 0."""
    if a is neg(b) or b is neg(a):
        return const(0.0)
    if a.op == b.op == "const" and isinstance(a.attr, float) and isinstance(b.attr, float):
        return const(a.attr + b.attr)
    return sub(a, b.args[0]) if b.op == "neg" else add(a, b)


def _times(a: Sums | None, b: Sums | None) -> Sums | None:
    if a is None or b is None or len(a) * len(b) > 4 * MOST_TERMS:
        return None
    found: Sums = {}
    for left, x in a.items():
        for right, y in b.items():
            parts = tuple(sorted((*left, *right), key=_order))
            product = mul(x, y)
            found[parts] = _sum(found[parts], product) if parts in found else product
    return found


def _order(e: Expr) -> tuple[bool, str]:
    """Variables by name, then what is none."""
    return e.op != "var", str(e.attr) if e.op == "var" else repr(e)
