"""What can be known of an expression's type from the types of its names: kind, and dimension.

Literals have lost their unit, so a dimension may be unknown (None); a kind never is. Nothing here judges: `ir.check` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from birc.ir.expr import Expr, topo
from birc.ir.ops import OPS, Kind
from birc.units import NONE, TIME, Dimension, internal_unit, over, power, times


@dataclass(frozen=True, slots=True)
class Type:
    """A kind and, of a real whose dimension is known, the dimension."""

    kind: Kind
    dimension: Dimension | None = None

    def __str__(self) -> str:
        """As it stands behind a colon in the text; "" for what needs no mark (bool, dimensionless, unknown)."""
        if self.kind == "int":
            return "int"
        if self.kind == "bool" or self.dimension is None or self.dimension == NONE:
            return ""
        return internal_unit(self.dimension).text


REAL = Type("real")
INT = Type("int", NONE)
BOOL = Type("bool")

Names = Mapping[tuple[str, str], Type]
"""Types of leaves, by op and name."""


def types(roots: Iterable[Expr], names: Names) -> dict[Expr, Type]:
    """The type of every node below the roots."""
    found: dict[Expr, Type] = {}
    for node in topo(*roots):
        found[node] = of_node(node, tuple(found[a] for a in node.args), names)
    return found


def type_of(root: Expr, names: Names) -> Type:
    """The type of one expression."""
    return types((root,), names)[root]


def of_literal(value: object) -> Type:
    """The type of a literal: of unknown dimension, if it is a real."""
    return BOOL if isinstance(value, bool) else INT if isinstance(value, int) else REAL


def of_node(e: Expr, args: tuple[Type, ...], names: Names) -> Type:
    """The type of one node, from those of its arguments."""
    if e.op == "const":
        return of_literal(e.attr)
    if e.op == "step_size":
        return Type("real", TIME)
    row = OPS.get(e.op)
    if row is None:
        return names.get((e.op, str(e.attr)), REAL)
    if row.kind == "bool":
        return BOOL
    if row.kind == "int":
        return INT
    values = args[1:] if row.unit == "select" else args
    if row.kind == "args" and values and all(a.kind == values[0].kind for a in values) and values[0].kind != "real":
        return values[0]
    return Type("real", _dimension(row.unit, e, values))


def _dimension(rule: str, e: Expr, args: tuple[Type, ...]) -> Dimension | None:
    of = [a.dimension for a in args]
    match rule, of:
        case (("same" | "select"), _):
            known = {d for d in of if d is not None}
            return known.pop() if len(known) == 1 else None
        case "product", [tuple() as a, tuple() as b]:
            return times(a, b)
        case "quotient", [tuple() as a, tuple() as b]:
            return over(a, b)
        case "root", [tuple() as a]:
            return power(a, Fraction(1, 2))
        case "power", [tuple() as a, *_]:
            return NONE if a == NONE else _literal_power(a, e.args[-1])
        case (("none" | "sign"), _):
            return NONE
        case _:
            return None


def _literal_power(base: Dimension, exponent: Expr) -> Dimension | None:
    if exponent.op != "const" or isinstance(exponent.attr, (bool, str)) or exponent.attr is None or abs(exponent.attr) > 99:
        return None
    exact = Fraction(exponent.attr).limit_denominator(64)
    return power(base, exact) if float(exact) == exponent.attr else None
