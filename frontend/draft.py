"""A model under construction: its parts, its names, and what has been built of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from birc.errors import Span
from birc.frontend import ast
from birc.frontend.body import Entry, Part
from birc.frontend.constants import Inliner
from birc.frontend.infer import infer
from birc.frontend.names import Kind, Scope
from birc.frontend.report import Report
from birc.frontend.typed import Place, Typed, is_condition
from birc.ir.expr import Expr
from birc.ir.model import Cell, Function, Let, Model, Param, State
from birc.units import Unit

E = TypeVar("E", bound=Entry)

CONSTANT = frozenset[Kind]()
PARAMETERS = frozenset[Kind]({"param"})
INITIAL = frozenset[Kind]({"param", "state", "host"})
FUNCTION = frozenset[Kind]({"param", "argument"})
CONTINUOUS = frozenset[Kind]({"param", "state", "host", "input", "elapsed"})
EQUATION = CONTINUOUS | frozenset[Kind]({"noise"})
HANDLER = CONTINUOUS | frozenset[Kind]({"payload", "trace"})
LET = CONTINUOUS | frozenset[Kind]({"trace"})
AFTER_A_RUN = frozenset[Kind]({"param", "state", "input", "output", "measure"})
ON_MEMBRANE = PARAMETERS | frozenset[Kind]({"place"})


@dataclass(slots=True)
class Draft:
    """A model under construction.

    `defaults` are the values of the parameters as far as they are known; `sends` is the unit of what a synapse sends.
    `factors` multiply derivatives.
    """

    item: ast.Item
    parts: tuple[Part, ...]
    report: Report
    scope: Scope = field(default_factory=Scope)
    inliner: Inliner = field(default_factory=Inliner)
    defaults: dict[str, float] = field(default_factory=dict)
    params: dict[str, Param] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    factors: list[tuple[ast.Expr, Expr, Unit]] = field(default_factory=list)
    lets: dict[str, Let] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    sends: Unit | None = None

    def all_of(self, kind: type[E]) -> list[E]:
        """The entries of a kind, in order."""
        return [p.entry for p in self.parts if isinstance(p.entry, kind)]

    def read(self, node: ast.Expr, what: str, allowed: frozenset[Kind], scope: Scope | None = None) -> Typed:
        """An expression of this model, and its type; `what` says where it stands."""
        return infer(node, scope or self.scope, Place(what, allowed), self.report)

    def condition(self, node: ast.Expr, what: str, word: str, allowed: frozenset[Kind]) -> Expr | None:
        """A condition of this model; None where it is none, which is reported."""
        typed = self.read(node, what, allowed)
        return typed.expr if is_condition(typed, node, self.report, word) else None

    def value(self, e: Expr) -> float | bool | None:
        """The value of an expression of parameters, with their defaults; None where that says nothing."""
        return self.inliner.value(e, self.defaults)

    def inlined(self, e: Expr) -> Expr:
        """An expression with the names of `let`s and the calls of functions replaced by what they stand for."""
        return self.inliner.without_calls(self.inliner.without_lets(e))

    def error(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        """A mistake in this model."""
        self.report.error(code, message, span, help)


@dataclass(frozen=True, slots=True)
class Finished:
    """A model that was built, its names (for checks and networks), and the unit of what it sends as a synapse.

    A `broken` one lacks what has a mistake; it serves only to find the mistakes in what uses it.
    """

    model: Model | Cell
    scope: Scope
    sends: Unit | None = None
    broken: bool = False

    def is_doubtful(self, name: str) -> bool:
        """Whether a name is declared with a mistake, so that nothing is said about its use."""
        symbol = self.scope.symbols.get(name)
        return symbol is not None and symbol.unit is None
