"""A network under construction: its populations, sources and signals by name, and the places that paths name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from birc.errors import Span
from birc.frontend import ast
from birc.frontend.constants import value_of
from birc.frontend.draft import PARAMETERS, Draft, Finished
from birc.frontend.infer import infer
from birc.frontend.mismatch import a_kind
from birc.frontend.names import Scope
from birc.frontend.report import Report
from birc.frontend.resolve import File
from birc.frontend.typed import Place, Typed, fits
from birc.frontend.wiring import Argument, Kind, misfit
from birc.ir import model as ir
from birc.ir.expr import Expr, const, leaves, make, op
from birc.units import ONE, Unit

FindModel = Callable[[str, Span, File, tuple[ast.ItemKind, ...], str], Finished | None]
MOST = 2**31 - 1
"""Instances are counted in 32 bits, because the random numbers are."""


@dataclass(frozen=True, slots=True)
class Group:
    """What a path can begin with. A population has a model (None where it is wrong); a source of a continuous value has a unit."""

    name: str
    kind: str
    count: int
    model: Finished | None = None
    unit: Unit | None = None
    broken: bool = False
    size: Expr | None = None

    @property
    def base(self) -> ir.Model | None:
        """What the population's cells share with point models, or are."""
        if self.model is None:
            return None
        return self.model.model.base if isinstance(self.model.model, ir.Cell) else self.model.model


@dataclass(slots=True)
class NetworkDraft:
    """A network under construction. `signals` is the unit of each signal, None until a projection says it."""

    draft: Draft
    file: File
    find_model: FindModel
    groups: dict[str, Group] = field(default_factory=dict)
    signals: dict[str, Unit | None] = field(default_factory=dict)
    models: dict[str, ir.Model | ir.Cell] = field(default_factory=dict)

    @property
    def report(self) -> Report:
        """Where its mistakes go."""
        return self.draft.report

    @property
    def scope(self) -> Scope:
        """Its parameters, `let`s and functions."""
        return self.draft.scope

    def error(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        """A mistake in this network."""
        self.report.error(code, message, span, help)

    def read(self, node: ast.Expr, what: str, *, draws: bool = False) -> Typed:
        """An expression of parameters, or a draw; a file name stands for the array in it."""
        if isinstance(node, ast.Text) and draws:
            return Typed(make("array", (), node.value), ONE)
        typed = infer(node, self.scope, Place(what, PARAMETERS, draws), self.report)
        return Typed(self.draft.inlined(typed.expr), typed.type)

    def value(self, e: Expr) -> float | bool | None:
        """The value of an expression with the defaults of the parameters; None where it draws."""
        return value_of(e, self.draft.defaults)

    def quantity(self, node: ast.Expr, unit: Unit, name: str, *, draws: bool = False) -> Expr | None:
        """A value of a unit; None where it has a mistake, which is reported. An array is taken to be in the unit."""
        typed = self.read(node, f"`{name}`", draws=draws)
        if typed.expr.op == "array":
            return typed.expr
        good = fits(typed, unit, node, self.scope, self.report, "U107", f"`{name}` is {a_kind(unit.dimension)}")
        return typed.expr if good and self.is_finite(typed.expr, node) else None

    def is_finite(self, e: Expr, node: ast.Expr) -> bool:
        """M110: what is known of a quantity is finite."""
        if all(math.isfinite(value) for value in self.bounds(e)):
            return True
        self.error("M110", "this value is not finite", node.span)
        return False

    def bounds(self, e: Expr) -> tuple[float, ...]:
        """The values that are known of an expression or a uniform draw; nothing of others."""
        ends = e.args if e.op == "uniform" else (e,)
        return tuple(float(v) for end in ends if (v := self.value(end)) is not None)

    def arguments(self, kind: Kind, name: str, given: Sequence[ast.Keyword], positional: Sequence[ast.Expr], span: Span) -> ir.Properties:
        """The arguments of a source or rule, in the order of its declaration; mistakes are reported."""
        known = {a.name: a for a in kind.arguments}
        values = dict(zip(known, positional, strict=False))
        for extra in positional[len(known) :]:
            self.error("N106", f"`{name}` takes {len(known)} arguments", extra.span)
        for keyword in given:
            if keyword.name not in known:
                near = self.report.nearest(keyword.name, known)
                help = f"did you mean `{near}`?" if near else f"it takes {', '.join(known)}" if known else "it takes none"
                self.error("N121", f"`{name}` takes no `{keyword.name}`", keyword.name_span, help)
            elif keyword.name in values:
                self.error("N102", f"`{keyword.name}` is given twice", keyword.name_span)
            else:
                values[keyword.name] = keyword.value
        for argument in kind.arguments:
            if argument.required and argument.name not in values:
                self.error("N106", f"`{name}` needs `{argument.name}`", span, f"write `{name}({argument.name} = …)`")
        unit: Unit | None = None
        built: dict[str, Expr] = {}
        for argument in kind.arguments:
            if argument.name in values:
                value, unit = self._argument(argument, values[argument.name], unit)
                if value is not None:
                    built[argument.name] = value
        return tuple(built.items())

    def _argument(self, argument: Argument, node: ast.Expr, shared: Unit | None) -> tuple[Expr | None, Unit | None]:
        """The value, and the unit that all arguments of any unit share."""
        if isinstance(node, ast.Text) and argument.file:
            return make("array", (), node.value), shared
        if not argument.number:
            self.error("U107", f'`{argument.name}` is a file name: `"{argument.name}.npz"`', node.span)
            return None, shared
        typed = self.read(node, f"`{argument.name}`")
        wanted = argument.unit or shared or (typed.type if isinstance(typed.type, Unit) else ONE)
        message = f"`{argument.name}` is {a_kind(wanted.dimension)}"
        if not fits(typed, wanted, node, self.scope, self.report, "U107", message) or not self.is_finite(typed.expr, node):
            return None, shared
        expr = _rounded(typed.expr) if argument.domain == "count" else typed.expr
        value = self.value(expr)
        wrong = misfit(float(value), argument.domain) if value is not None else None
        if wrong is not None:
            self.error("M108", f"`{argument.name}` {wrong}", node.span)
        if value is not None and argument.domain == "count" and wrong is None and not leaves(expr, "var"):
            expr = const(int(value))
        return expr, shared if argument.unit is not None else wanted

    def count(self, node: ast.Expr) -> tuple[int, Expr | None]:
        """A number of instances, and, where it depends on parameters, its expression; 1 where it is wrong, which is reported."""
        typed = self.read(node, "a count")
        size = _rounded(typed.expr)
        value = self.value(size)
        if not fits(typed, ONE, node, self.scope, self.report, "U107", "a count is a whole number") or value is None:
            return 1, None
        if misfit(float(value), "count") is None and value <= MOST:
            return int(value), size if leaves(size, "var") else None
        self.error("M127", f"a count is a whole number from 1 to {MOST}", node.span)
        return 1, None


def _rounded(count: Expr) -> Expr:
    """A count that depends on parameters is rounded; one that does not is written as a whole number."""
    return op("floor", op("add", count, const(0.5))) if leaves(count, "var") else count


@dataclass(frozen=True, slots=True)
class FinishedNetwork:
    """A network that was read, with its names (for checks); `network` is None where it has a mistake, which is reported."""

    draft: NetworkDraft
    network: ir.Network | None
