"""Channels inside models: what a `use` or `insert` sets of their parameters."""

from __future__ import annotations

from collections.abc import Sequence

from birc.errors import Label
from birc.frontend import ast
from birc.frontend.check_values import check_range, check_value_is_finite
from birc.frontend.draft import PARAMETERS, Draft
from birc.frontend.mismatch import a_kind
from birc.frontend.names import Kind, Scope
from birc.frontend.typed import fits
from birc.ir import model as ir
from birc.ir.expr import Expr
from birc.units import VOLTAGE

Channels = dict[str, ir.Model | None]


def build_uses(draft: Draft, channels: Channels) -> tuple[ir.Use, ...]:
    """The channels of a point model."""
    uses: list[ir.Use] = []
    for entry in draft.all_of(ast.Mechanism):
        alias = entry.alias or entry.name
        channel = channels.get(alias)
        if channel is None:
            continue
        check_host_has_a_voltage(entry, draft)
        arguments = build_arguments(entry.arguments, channel, draft, draft.scope, PARAMETERS)
        uses.append(ir.Use(channel, alias, arguments, entry.span))
    return tuple(uses)


def check_host_has_a_voltage(entry: ast.Mechanism, draft: Draft) -> None:
    """M123: what uses a channel has a state `v`, a voltage."""
    voltage = draft.scope.symbols.get("v")
    if voltage is None or voltage.kind != "state":
        if "v" not in draft.report.forgiven:
            draft.error("M123", f"the channel `{entry.name}` needs a state `v` of its host", entry.span, "declare it: `state v = -65 mV`")
    elif voltage.unit is not None and voltage.unit.dimension != VOLTAGE:
        labels = () if voltage.span is None else (Label(voltage.span, voltage.unit.text),)
        message = f"the channel `{entry.name}` needs a voltage `v`, this one is {a_kind(voltage.unit.dimension)}"
        draft.report.error("M123", message, entry.span, labels=labels)


def build_arguments(
    keywords: Sequence[ast.Keyword], channel: ir.Model, draft: Draft, scope: Scope, allowed: frozenset[Kind]
) -> tuple[tuple[str, Expr], ...]:
    """What replaces the defaults of a channel's parameters."""
    params = {p.name: p for p in channel.params}
    built: dict[str, Expr] = {}
    for keyword in keywords:
        typed = draft.read(keyword.value, f"an argument of `{channel.name}`", allowed, scope)
        param = params.get(keyword.name)
        if param is None:
            near = draft.report.nearest(keyword.name, params)
            help = f"did you mean `{near}`?" if near else f"it has {', '.join(f'`{n}`' for n in params)}" if params else "it has none"
            draft.error("N121", f"`{channel.name}` has no parameter `{keyword.name}`", keyword.name_span, help)
        elif keyword.name in built:
            draft.error("N102", f"`{keyword.name}` is given twice", keyword.name_span)
        else:
            what = f"`{param.name}` of `{channel.name}` is {a_kind(param.unit.dimension)}"
            if fits(typed, param.unit, keyword.value, scope, draft.report, "U107", what):
                built[param.name] = draft.inliner.without_lets(typed.expr)
                value = draft.value(typed.expr)
                if check_value_is_finite(value, keyword.value, draft) and value is not None:
                    check_range(float(value), param.range, param.unit, keyword.value.span, f"`{param.name}`", draft)
    return tuple(built.items())
