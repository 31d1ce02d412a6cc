"""Presets, whose values obey what their parameters state."""

from __future__ import annotations

from birc.frontend import ast
from birc.frontend.check_values import check_positive, check_range, check_value_is_finite, quantity
from birc.frontend.draft import PARAMETERS, Draft
from birc.frontend.mismatch import a_kind
from birc.frontend.names import CALLED, text_of
from birc.frontend.typed import fits
from birc.ir import model as ir
from birc.ir.expr import Expr, leaves


def build_presets(draft: Draft) -> tuple[ir.Preset, ...]:
    """The named sets of parameter values."""
    return tuple(_preset(p, draft) for p in draft.all_of(ast.Preset))


def _preset(preset: ast.Preset, draft: Draft) -> ir.Preset:
    built: dict[str, Expr] = {}
    values: dict[str, float] = {}
    for keyword in preset.values:
        typed = draft.read(keyword.value, "a preset", PARAMETERS)
        symbol = draft.scope.symbols.get(keyword.name)
        if symbol is None or symbol.kind != "param":
            _no_parameter(keyword, draft)
        elif keyword.name in built:
            draft.error("N102", f"`{keyword.name}` stands twice in this preset", keyword.name_span)
        elif symbol.unit is not None:
            message = f"`{keyword.name}` is {a_kind(symbol.unit.dimension)}"
            if not fits(typed, symbol.unit, keyword.value, draft.scope, draft.report, "U107", message):
                continue
            built[keyword.name] = typed.expr
            value = draft.value(typed.expr)
            if check_value_is_finite(value, keyword.value, draft) and value is not None:
                values[keyword.name] = float(value)
                param = draft.params.get(keyword.name)
                check_range(float(value), param.range if param else None, symbol.unit, keyword.value.span, f"`{keyword.name}`", draft)
    _check_factors(preset, values, draft)
    return ir.Preset(preset.name, tuple(built.items()), preset.span)


def _no_parameter(keyword: ast.Keyword, draft: Draft) -> None:
    if keyword.name in draft.report.forgiven:
        return
    symbol = draft.scope.symbols.get(keyword.name)
    if symbol is not None:
        draft.error("N121", f"`{keyword.name}` is {CALLED[symbol.kind]}; a preset sets parameters", keyword.name_span)
        return
    near = draft.report.nearest(keyword.name, (s.name for s in draft.scope.of_kind("param")))
    draft.error("N121", f"there is no parameter `{keyword.name}`", keyword.name_span, f"did you mean `{near}`?" if near else None)


def _check_factors(preset: ast.Preset, values: dict[str, float], draft: Draft) -> None:
    """M111 again, for the factors of derivatives that a preset changes."""
    for node, factor, unit in draft.factors:
        changed = leaves(draft.inliner.without_lets(factor), "var") & values.keys()
        value = draft.inliner.value(factor, {**draft.defaults, **values}) if changed else None
        if value is not None:
            message = f"with this preset `{text_of(node.span)}`, which multiplies a derivative, is {quantity(float(value), unit)}"
            check_positive(value, preset.span, message, draft)
