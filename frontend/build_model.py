"""A neuron, channel, synapse or astrocyte from its parts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from birc.frontend import ast
from birc.frontend.body import declared_name
from birc.frontend.build_use import build_uses
from birc.frontend.check_options import build_options
from birc.frontend.check_presets import build_presets
from birc.frontend.declare import declare
from birc.frontend.draft import Draft, Finished
from birc.frontend.dynamics import build_dynamics
from birc.frontend.events import build_handlers, build_outputs, build_refractory, build_spike, build_traces, position_of
from birc.ir import model as ir

Channels = dict[str, ir.Model | None]
T = TypeVar("T")


def build_model(draft: Draft, channels: Channels) -> Finished:
    """A model; its mistakes are reported."""
    before = draft.report.errors
    item = draft.item
    match item.kind:
        case "neuron" | "channel" | "synapse" | "astrocyte":
            built = model_of(draft, channels, item.kind)
        case "cell" | "network" | "check":
            raise ValueError(f"a {item.kind} is no model")
    return Finished(built, draft.scope, draft.sends, broken=draft.report.errors != before)


def model_of(draft: Draft, channels: Channels, kind: ir.ModelKind) -> ir.Model:
    """What could be built of a model; all its mistakes are reported."""
    declare(draft, channels)
    odes, step_rules = build_dynamics(draft)
    handlers = build_handlers(draft)
    return ir.Model(
        name=draft.item.name,
        kind=kind,
        doc=draft.item.doc,
        params=_positive_factors(_in_file_order(draft, draft.params), draft),
        states=_in_file_order(draft, draft.states),
        inputs=tuple(_inputs(draft)),
        lets=_in_file_order(draft, draft.lets),
        functions=_in_file_order(draft, draft.functions),
        uses=build_uses(draft, channels),
        odes=odes,
        step_rules=step_rules,
        traces=build_traces(draft),
        noises=tuple(ir.Noise(n.name, n.span) for n in draft.all_of(ast.Name)),
        handlers=handlers,
        spike=build_spike(draft),
        refractory=build_refractory(draft),
        outputs=build_outputs(draft),
        presets=build_presets(draft),
        options=build_options(draft),
        span=draft.item.span,
    )


def _positive_factors(params: tuple[ir.Param, ...], draft: Draft) -> tuple[ir.Param, ...]:
    """Parameters that multiply a derivative are positive where they state no range of their own, so that a run refuses others too."""
    factors = {factor.attr for _, factor, _ in draft.factors if factor.op == "var"}
    positive = ir.Range(0.0, math.inf, False, False)
    return tuple(replace(p, range=positive) if p.name in factors and p.range is None else p for p in params)


def _in_file_order(draft: Draft, built: dict[str, T]) -> tuple[T, ...]:
    names = (named[0] for p in draft.parts if (named := declared_name(p.entry)) is not None)
    return tuple(built[name] for name in names if name in built)


def _inputs(draft: Draft) -> Iterable[ir.Input]:
    for entry in draft.all_of(ast.Input):
        unit = draft.scope.symbols[entry.name].unit
        section = None if entry.at is None else entry.at.section
        if entry.at is not None and draft.item.kind != "cell":
            draft.error("M117", "only the ports of a cell have a place", entry.at.span)
        if unit is not None:
            yield ir.Input(entry.name, unit, section, position_of(entry.at, draft), entry.span)
