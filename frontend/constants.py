"""The value of an expression of known names: what can be said of a model before it is bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from birc.ir.expr import Expr, rebuild, substitute, topo, var
from birc.ir.model import Function
from birc.ir.ops import OPS, evaluate_op

LARGEST_EXPANSION = 200_000
"""Nodes that a function may have once all calls in it are replaced by bodies."""


@dataclass(slots=True)
class Inliner:
    """Replaces calls of functions and names of `let`s by what they stand for; both must be given callees first."""

    _bodies: dict[str, tuple[tuple[str, ...], Expr, int]] = field(default_factory=dict)
    _lets: dict[Expr, Expr] = field(default_factory=dict)

    def add_function(self, function: Function) -> bool:
        """Make a function known; False, and nothing known, where it would become too large."""
        size = 0
        for node in topo(function.value):
            size += self._bodies[str(node.attr)][2] if node.op == "call" and node.attr in self._bodies else 1
        if size > LARGEST_EXPANSION:
            return False
        self._bodies[function.name] = (tuple(name for name, _ in function.parameters), self.without_calls(function.value), size)
        return True

    def add_let(self, name: str, value: Expr) -> None:
        """Make a `let` known."""
        self._lets[var(name)] = substitute(value, self._lets)

    def without_lets(self, e: Expr) -> Expr:
        """The expression with the names of `let`s replaced."""
        return substitute(e, self._lets)

    def without_calls(self, e: Expr) -> Expr:
        """The expression with the calls of known functions replaced."""
        done: dict[Expr, Expr] = {}
        for node in topo(e):
            args = tuple(done[a] for a in node.args)
            if node.op == "call" and node.attr in self._bodies:
                names, body, _ = self._bodies[str(node.attr)]
                done[node] = substitute(body, {var(n): a for n, a in zip(names, args, strict=True)})
            else:
                done[node] = rebuild(node, args)
        return done[e]

    def value(self, e: Expr, values: Mapping[str, float]) -> float | bool | None:
        """The value of an expression over named values; None where it reads anything else."""
        return value_of(self.without_calls(self.without_lets(e)), values)


def value_of(e: Expr, values: Mapping[str, float]) -> float | bool | None:
    """The value of an expression without calls over named values; None where it reads anything else."""
    done: dict[Expr, float | bool | None] = {}
    with np.errstate(all="ignore"):
        for node in topo(e):
            done[node] = _value(node, tuple(done[a] for a in node.args), values)
    return done[e]


def _value(node: Expr, args: tuple[float | bool | None, ...], values: Mapping[str, float]) -> float | bool | None:
    if node.op == "const" and not isinstance(node.attr, str):
        return node.attr
    if node.op == "var":
        return values.get(str(node.attr))
    if node.op not in OPS or any(a is None for a in args):
        return None
    result = evaluate_op(node, args)
    return bool(result) if OPS[node.op].kind == "bool" else float(result)
