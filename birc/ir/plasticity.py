"""The plasticity graph in normal form: what an event adds to a state of a synapse, as a sum of products."""

from __future__ import annotations

from dataclasses import dataclass, field

from birc.errors import Span
from birc.ir.expr import Expr


@dataclass(frozen=True, slots=True)
class Term:
    """`factor`, an expression of parameters, times `parts`: variables, repeated for powers, or expressions that are no polynomials."""

    factor: Expr
    parts: tuple[Expr, ...]

    @property
    def is_product(self) -> bool:
        """Whether all its parts are variables."""
        return all(p.op == "var" for p in self.parts)


@dataclass(frozen=True, slots=True)
class Change:
    """What an event of one side adds to a state: the sum of `terms`. With `absolute` it is the state's new value instead."""

    side: str
    state: str
    terms: tuple[Term, ...]
    absolute: bool
    span: Span | None = field(default=None, compare=False, repr=False)
