"""What must hold of every expression: arities, plain literals, leaves of the right level, kinds that fit."""

from __future__ import annotations

from collections.abc import Iterator

from birc.ir.expr import Expr, topo
from birc.ir.infer import Names, Type, of_node
from birc.ir.ops import LEAVES, OPS


def breaches(e: Expr, names: Names, leaves: frozenset[str], known: dict[Expr, Type] | None = None) -> Iterator[str]:
    """What is wrong below `e`; `leaves` are the ops without a row that may occur. Nodes in `known` are not looked at again."""
    types = {} if known is None else known
    for node in topo(e):
        if node not in types:
            args = tuple(types[a] for a in node.args)
            yield from _breaches(node, args, leaves)
            types[node] = of_node(node, args, names)


def _breaches(node: Expr, args: tuple[Type, ...], leaves: frozenset[str]) -> Iterator[str]:
    row = OPS.get(node.op)
    if node.op == "const":
        if type(node.attr) not in (bool, int, float) or args:
            yield f"literal {node.attr!r} is no plain number"
    elif row is None:
        if node.op not in leaves:
            yield f"op `{node.op}` does not belong here"
        elif node.op in LEAVES and (args or isinstance(node.attr, str) == (node.op == "step_size")):
            yield f"leaf `{node.op}` with attribute {node.attr!r} and {len(args)} arguments"
    elif row.arity >= 0 and (row.arity != len(args) or node.attr is not None):
        yield f"`{node.op}` with {len(args)} arguments and attribute {node.attr!r}"
    elif row.arity < 0:
        yield from _entry_breaches(node)
    elif misfit := _misfit(row.unit, args):
        yield f"{misfit} as argument of `{node.op}`"


def _entry_breaches(node: Expr) -> Iterator[str]:
    """An entry `n,i,j` of a matrix function has the step and the matrices' entries as arguments."""
    parts = str(node.attr).split(",")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        yield f"`{node.op}` with attribute {node.attr!r}"
        return
    n, i, j = (int(part) for part in parts)
    matrices = 2 if node.op == "noise_factor" else 1
    if len(node.args) != 1 + matrices * n * n or not (i < n and j < n):
        yield f"`{node.op}[{node.attr}]` with {len(node.args)} arguments"


def _misfit(rule: str, args: tuple[Type, ...]) -> str:
    """The kind that does not fit: a bool among numbers, or a number where a bool belongs."""
    conditions = [a.kind == "bool" for a in args]
    match rule:
        case "logic":
            return "" if all(conditions) else "a number"
        case "select":
            return "a number" if not conditions[0] else "a condition beside a number" if conditions[1] != conditions[2] else ""
        case "compare":
            return "" if conditions[0] == conditions[1] else "a condition beside a number"
        case _:
            return "a condition" if any(conditions) else ""
