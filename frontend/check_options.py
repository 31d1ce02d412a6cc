"""`with` lines: each names a solver, surrogate, number type or place of spikes that there is, with arguments and states that suit it."""

from __future__ import annotations

from collections.abc import Iterable

from birc.errors import Label, Span
from birc.frontend import ast
from birc.frontend.draft import CONSTANT, Draft
from birc.frontend.mismatch import a_kind
from birc.frontend.names import CALLED
from birc.frontend.typed import fits
from birc.ir import model as ir
from birc.ir.expr import Expr, const
from birc.ir.options import SOLVERS, SPIKES, STORES, SURROGATES
from birc.ir.surrogates import fits_surrogate
from birc.units import ONE

NAMES: dict[str, Iterable[str]] = {"solver": SOLVERS, "surrogate": SURROGATES, "store": STORES, "spikes": SPIKES}
CALLED_HERE = {"solver": "solver", "surrogate": "surrogate", "store": "number type", "spikes": "place of spikes"}
OF_THE_SPIKE = {"surrogate": "a surrogate stands for the derivative of a spike", "spikes": "this line says where spikes are"}


def build_options(draft: Draft) -> tuple[ir.Option, ...]:
    """The `with` lines: what never changes a model's meaning."""
    lines = draft.all_of(ast.With)
    for kind in OF_THE_SPIKE:
        check_one([line for line in lines if line.kind == kind], kind, draft)
    return tuple(_option(line, draft) for line in lines)


def check_one(lines: list[ast.With], kind: str, draft: Draft) -> None:
    """M112, M113, M117: a model that spikes has one surrogate, and one place of spikes; they are the spike's and no state's."""
    called = CALLED_HERE[kind]
    for line in lines[1:]:
        draft.report.error("M112", f"a model has one {called}", line.name_span, labels=(Label(lines[0].name_span, "first"),))
    for line in lines:
        if line.targets:
            span = line.targets[0].span.to(line.targets[-1].span)
            draft.error("M117", f"a {called} belongs to the spike, not to a state", span, f"write `with {kind} {line.name}`")
    if lines and not draft.all_of(ast.Spike) and "spike" not in draft.report.forgiven:
        draft.error("M113", f"{OF_THE_SPIKE[kind]}, and this model has none", lines[0].name_span, "add `spike when …`, or drop this line")


def _option(line: ast.With, draft: Draft) -> ir.Option:
    known = check_name(line, draft)
    arguments: dict[str, Expr] = {}
    for keyword in line.arguments:
        typed = draft.read(keyword.value, "an option", CONSTANT)
        if known and not check_argument(keyword, line, draft):
            continue
        if keyword.name in arguments:
            draft.error("N102", f"`{keyword.name}` is given twice", keyword.name_span)
        elif fits(typed, ONE, keyword.value, draft.scope, draft.report, "U107", f"`{keyword.name}` is {a_kind(ONE.dimension)}"):
            value = draft.value(typed.expr)
            check_value(keyword, value, draft)
            arguments[keyword.name] = typed.expr if value is None else const(float(value))
    targets = tuple(name for node in line.targets if (name := _target(node.name + "'" * node.order, node.span, line, draft)))
    return ir.Option(line.kind, line.name, tuple(arguments.items()), targets, line.span)


def check_name(line: ast.With, draft: Draft) -> bool:
    """N122: what a `with` line names exists."""
    names = tuple(NAMES[line.kind])
    if line.name in names:
        return True
    near = draft.report.nearest(line.name, names)
    help = f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{n}`' for n in names)}"
    draft.error("N122", f"there is no {CALLED_HERE[line.kind]} `{line.name}`", line.name_span, help)
    return False


def check_argument(keyword: ast.Keyword, line: ast.With, draft: Draft) -> bool:
    """N121: only surrogates have arguments, each its own."""
    names = SURROGATES[line.name] if line.kind == "surrogate" else ()
    if keyword.name in names:
        return True
    near = draft.report.nearest(keyword.name, names)
    help = f"did you mean `{near}`?" if near else f"it has {', '.join(f'`{n}`' for n in names)}" if names else None
    message = f"the {line.kind} `{line.name}` has no argument" + (f" `{keyword.name}`" if names else "s")
    draft.error("N121", message, keyword.name_span, help)
    return False


def check_value(keyword: ast.Keyword, value: float | None, draft: Draft) -> None:
    """M108: what shapes a surrogate is above 0 and finite."""
    if value is not None and not fits_surrogate(keyword.name, value):
        draft.error("M108", f"`{keyword.name}` is {value:g}; it shapes a surrogate when it is above 0 and finite", keyword.value.span)


def _target(name: str, span: Span, line: ast.With, draft: Draft) -> str | None:
    symbol = draft.scope.symbols.get(name)
    if line.kind == "solver" and symbol is not None and symbol.kind == "state" and not has_equation(name, draft):
        draft.error("M114", f"`{name}` has no equation, so there is nothing to solve", span)
        return None
    if symbol is not None and (symbol.kind == "state" or (line.kind == "store" and symbol.kind in ("param", "trace"))):
        return name
    if symbol is not None:
        draft.error("M114", f"`{name}` is {CALLED[symbol.kind]}; `with {line.kind}` is about states", span)
    elif name not in draft.report.forgiven:
        near = draft.report.nearest(name, (s.name for s in draft.scope.of_kind("state")))
        draft.error("N101", f"there is no state `{name}`", span, f"did you mean `{near}`?" if near else None)
    return None


def has_equation(state: str, draft: Draft) -> bool:
    """Whether an equation of this model, a gate's included, or of a channel that it uses advances a state."""
    first = state.rstrip("'")
    if "." in state or any(g.name == state for g in draft.all_of(ast.Gate)):
        return True
    return first in draft.report.forgiven or any(e.target.name == first for e in draft.all_of(ast.Equation))
