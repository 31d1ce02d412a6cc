"""The event graph of a model: handlers, spikes, refractoriness, traces, and what it gives to others."""

from __future__ import annotations

from birc.errors import Label
from birc.frontend import ast
from birc.frontend.check_dynamics import check_target_is_a_state
from birc.frontend.check_events import check_hold, check_one_of_each, check_ports, check_refractory_has_a_spike, check_synapse_sends
from birc.frontend.check_values import constant_duration
from birc.frontend.draft import CONTINUOUS, HANDLER, PARAMETERS, Draft
from birc.frontend.mismatch import a_kind
from birc.frontend.names import CALLED, Scope, Symbol
from birc.frontend.typed import Typed, fits
from birc.frontend.unit_names import read_unit
from birc.ir.expr import is_const, op, var
from birc.ir.model import Handler, Output, Refractory, Send, Spike, Trace, Update
from birc.units import ONE, TIME, Unit, internal_unit

DURATION = internal_unit(TIME)


def build_handlers(draft: Draft) -> tuple[Handler, ...]:
    """What events do."""
    check_one_of_each(draft)
    check_ports(draft)
    handlers = tuple(_handler(h, draft) for h in draft.all_of(ast.OnEvent))
    check_synapse_sends(draft)
    return handlers


def _handler(handler: ast.OnEvent, draft: Draft) -> Handler:
    scope, payload, unit = draft.scope, handler.payload, None
    if payload is not None:
        unit = read_unit(payload.unit.text, payload.unit.span, draft.report)
        hidden = scope.symbols.get(payload.name)
        if hidden is not None:
            labels = () if hidden.span is None else (Label(hidden.span, "declared"),)
            message = f"the payload `{payload.name}` has the name of {CALLED[hidden.kind]}"
            draft.report.error("N102", message, payload.span, "give the payload a name of its own", labels=labels)
        else:
            scope = scope.inside([Symbol(payload.name, "payload", unit, payload.span)])
    body = tuple(built for statement in handler.body if (built := _action(statement, scope, draft)) is not None)
    section = handler.at.section if handler.at is not None else None
    return Handler(
        handler.port, payload.name if payload is not None else None, unit, body, section, position_of(handler.at, draft), handler.span
    )


def position_of(at: ast.Location | None, draft: Draft) -> float | None:
    """Where on its section a location lies, 0 to 1; None where it does not say."""
    if at is None or at.position is None:
        return None
    typed = draft.read(at.position, "a location", PARAMETERS)
    value = draft.value(typed.expr)
    if fits(typed, ONE, at.position, draft.scope, draft.report, "U103", "a location is a number from 0 to 1") and value is not None:
        if 0 <= value <= 1:
            return float(value)
        draft.error("M108", f"a location is a number from 0 to 1, not {value:g}", at.position.span)
    return None


def _action(statement: ast.Assign | ast.Send, scope: Scope, draft: Draft) -> Update | Send | None:
    return update(statement, scope, draft, "a handler") if isinstance(statement, ast.Assign) else _send(statement, scope, draft)


def update(assign: ast.Assign, scope: Scope, draft: Draft, what: str) -> Update | None:
    """An assignment with its operation spelled out; None where it has a mistake, which is reported."""
    allowed = HANDLER if what == "a handler" else CONTINUOUS
    value = draft.read(assign.value, what, allowed, scope)
    target = assign.target
    name = target.name + "'" * target.order
    if target.name in scope.symbols and scope.symbols[target.name].kind == "payload":
        draft.error("M101", f"`{name}` is the payload of an event; only states are assigned", target.span)
        return None
    if not check_target_is_a_state(target, what, draft):
        return None
    state = draft.scope.symbols.get(name)
    if state is None:
        help = f"declare it with its initial value: `state {target.name} = …, {name} = …`"
        draft.error("M106", f"`{name}` is no state of this model", target.span, help)
        return None
    if state.unit is None:
        return None
    unit, message = state.unit, f"`{name}` is {a_kind(state.unit.dimension)}"
    if assign.op in ("mul", "div"):
        unit, message = ONE, f"`{name}` keeps its unit only if this is a dimensionless number"
    labels = () if state.span is None else (Label(state.span, "declared here"),)
    if not fits(value, unit, assign.value, scope, draft.report, "U103", message, labels):
        return None
    new = value.expr if assign.op is None else op(assign.op, var(name), value.expr)
    return Update(name, new, assign.span)


def _send(send: ast.Send, scope: Scope, draft: Draft) -> Send | None:
    if draft.item.kind != "synapse":
        draft.error("M117", f"`send` stands only in a synapse, not in {article(draft.item.kind)}", send.span)
        return None
    typed = draft.read(send.value, "a handler", HANDLER, scope)
    if not isinstance(typed.type, Unit):
        fits(typed, ONE, send.value, scope, draft.report, "U103", "what a synapse sends is a number")
        return None
    if draft.sends is None:
        draft.sends = typed.type
    elif not fits(
        typed, draft.sends, send.value, scope, draft.report, "U103", f"this synapse sends {a_kind(draft.sends.dimension)} elsewhere"
    ):
        return None
    return Send(typed.expr, send.span)


def article(kind: str) -> str:
    """A kind of item with its article."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def build_spike(draft: Draft) -> Spike | None:
    """When the model fires, and its reset."""
    spikes = draft.all_of(ast.Spike)
    if not spikes:
        return None
    spike = spikes[0]
    condition = draft.condition(spike.condition, "a spike condition", "`spike`", CONTINUOUS)
    if condition is not None and is_const(condition):
        draft.error("M124", "this condition is always the same", spike.condition.span, "compare a state with a threshold: `v >= v_th`")
    body = tuple(u for assign in spike.body if (u := update(assign, draft.scope, draft, "a reset")) is not None)
    return None if condition is None else Spike("rise" if spike.mode == "rise" else "level", condition, body, spike.span)


def build_refractory(draft: Draft) -> Refractory | None:
    """How long the model cannot fire, and what is frozen for as long."""
    found = draft.all_of(ast.Refractory)
    if not found:
        return None
    refractory = found[0]
    check_refractory_has_a_spike(refractory, draft)
    hold = check_hold(refractory, draft)
    duration = constant_duration(refractory.duration, "the refractory period", draft, positive=False)
    return None if duration is None else Refractory(duration, hold, refractory.span)


def build_traces(draft: Draft) -> tuple[Trace, ...]:
    """The traces of a synapse."""
    traces = []
    for trace in draft.all_of(ast.Trace):
        tau = constant_duration(trace.tau, "this time constant", draft, positive=True)
        if tau is not None:
            traces.append(Trace(trace.name, trace.of, tau, trace.nearest, trace.span))
    return tuple(traces)


def build_outputs(draft: Draft) -> tuple[Output, ...]:
    """The continuous values that others may read."""
    outputs = []
    for output in draft.all_of(ast.Output):
        typed: Typed = draft.read(output.value, "an output", CONTINUOUS)
        unit = draft.scope.symbols[output.name].unit
        if unit is None:
            continue
        labels = (Label(output.unit.span, "declared here"),)
        if fits(
            typed, unit, output.value, draft.scope, draft.report, "U109", f"the output `{output.name}` is {a_kind(unit.dimension)}", labels
        ):
            outputs.append(Output(output.name, unit, typed.expr, output.span))
    return tuple(outputs)
