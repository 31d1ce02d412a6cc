"""Cut long expressions of a step program into definitions of their own, so that no line, and no loop made of lines, grows without bound.

%x = <an expression of 1000 nodes>     ->  %.part.0 = …   %.part.1 = …   …   %x = <at most `MOST` nodes>
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from birc.ir.expr import Expr, rebuild, topo, value
from birc.ir.step import Define, Emit, Phase, Put, Statement, Step, Store

MOST = 60
"""Nodes in one expression, each counted as often as it is written."""


def shorten(step: Step) -> Step:
    """The same program in shorter definitions; the same object where none was long. Bodies of deliveries stay as they are."""
    fresh = (f".part.{i}" for i in count())
    phases = tuple(Phase(phase.name, tuple(s for statement in phase.body for s in _cut(statement, fresh))) for phase in step.phases)
    return step if phases == step.phases else replace(step, phases=phases)


def _cut(statement: Statement, fresh: Iterator[str]) -> Iterator[Statement]:
    match statement:
        case Define(value=root) | Store(value=root) | Put(value=root):
            parts, rest = _parts(root, fresh)
            yield from (Define(name, e, statement.span) for name, e in parts)
            yield statement if rest is root else replace(statement, value=rest)
        case Emit(fired=root):
            parts, rest = _parts(root, fresh)
            yield from (Define(name, e, statement.span) for name, e in parts)
            yield statement if rest is root else replace(statement, fired=rest)
        case _:
            yield statement


def _parts(root: Expr, fresh: Iterator[str]) -> tuple[list[tuple[str, Expr]], Expr]:
    """Named parts in their order, and what is left of the expression."""
    parts: list[tuple[str, Expr]] = []
    short: dict[Expr, Expr] = {}
    sizes: dict[Expr, int] = {}
    for node in topo(root):
        new = rebuild(node, tuple(short[a] for a in node.args))
        size = 1 + sum(sizes[a] for a in node.args)
        if size > MOST and node is not root:
            name = next(fresh)
            parts.append((name, new))
            new, size = value(name), 1
        short[node], sizes[node] = new, size
    return parts, short[root]
