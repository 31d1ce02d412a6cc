"""The projections of a network: what they connect, with which weights and delays."""

from __future__ import annotations

from birc.errors import Label, Span
from birc.frontend import ast
from birc.frontend.endpoints import Place, endpoint, gives, takes
from birc.frontend.feeds import Ends
from birc.frontend.mismatch import a_kind, mark
from birc.frontend.network_draft import NetworkDraft
from birc.frontend.projection_parts import Parts, check_rule_fits, read_parts
from birc.frontend.typed import fits
from birc.frontend.wiring import DELAYS, DURATION
from birc.ir import model as ir
from birc.ir.expr import Expr
from birc.units import NONE, ONE, Unit, internal_unit, over


def build_projection(project: ast.Project, net: NetworkDraft) -> ir.Projection | None:
    """A projection; None where it has a mistake, which is reported."""
    before = net.report.errors
    source, target = endpoint(project.source, net), endpoint(project.target, net)
    parts = read_parts(project, Ends(source, target), net)
    given = gives(source, net) if source is not None else None
    if source is None or target is None or given is None:
        return None
    if given == "events":
        if "gap" in parts.flags:
            net.error("M133", "a gap junction passes a continuous value, and this passes spikes", project.span, "write `E.v -> E.I`")
        properties = _event_properties(project, parts, target, net)
    else:
        properties = _continuous_properties(project, parts, source, target, given, net)
    if net.report.errors != before or properties is None:
        return None
    check_rule_fits(project, parts, source, target, net)
    synapse = parts.synapse.model.name if parts.synapse is not None else None
    built = ir.Projection(
        source.end,
        target.end,
        synapse,
        parts.preset,
        parts.arguments,
        parts.rule,
        parts.rule_arguments,
        parts.flags,
        properties,
        project.span,
    )
    return built if net.report.errors == before else None


# --- events


def _event_properties(project: ast.Project, parts: Parts, target: Place, net: NetworkDraft) -> ir.Properties | None:
    unit = _payload(target, net)
    if unit is None and target.group.kind != "signal":
        return None
    weight = next((k for k in project.properties if k.name == "w"), None)
    if parts.synapse is not None and parts.synapse_span is not None:
        _check_what_is_sent(parts, parts.synapse_span, target, unit, net)
        if weight is not None:
            name = parts.synapse.model.name
            net.error("M129", "a synapse has its own weight", weight.span, f"set its parameter: `{name}(w = …)`")
    elif weight is None and not parts.failed:
        shown = f"1 {unit}" if unit is not None and unit.dimension != NONE else "1"
        net.error("M129", "this projection has no synapse and no weight", project.span, f"write a weight, e.g. `w = {shown}`")
    return _read_properties(project, ("w", *DELAYS), unit, target, net)


def _payload(target: Place, net: NetworkDraft) -> Unit | None:
    """The unit of what arrives; None for a signal whose unit is not known yet, or where there is a mistake, which is reported."""
    if target.group.kind == "signal":
        return net.signals[target.group.name]
    taken = takes(target, net)
    if taken is None:
        return None
    how, unit = taken
    if how == "events":
        return unit
    base = target.group.base
    ports = [h.port for h in base.handlers] if base is not None else []
    help = f"its event ports are {', '.join(f'`{p}`' for p in ports)}" if ports else f"`{target.group.name}` has no event port"
    net.error("M133", f"spikes cannot arrive at `{target.end.port}`, which takes a continuous value", target.span, help)
    return None


def _check_what_is_sent(parts: Parts, span: Span, target: Place, unit: Unit | None, net: NetworkDraft) -> None:
    """U107: what a synapse sends is in the unit of the port."""
    sent = parts.synapse.sends if parts.synapse is not None else None
    if sent is None:
        return
    if unit is None:
        net.signals[target.group.name] = sent
    elif sent.dimension != unit.dimension:
        labels = (Label(target.span, mark(unit)),)
        message = (
            f"this synapse sends {a_kind(sent.dimension)}, and `{target.end.port or target.group.name}` takes {a_kind(unit.dimension)}"
        )
        net.report.error("U107", message, span, None, mark(sent), labels)


# --- continuous values


def _continuous_properties(
    project: ast.Project, parts: Parts, source: Place, target: Place, given: Unit | str, net: NetworkDraft
) -> ir.Properties | None:
    if not isinstance(given, Unit):
        return None
    if target.group.kind == "signal":
        net.error("M133", "only spikes raise a signal", source.span)
        return None
    taken = takes(target, net)
    if taken is None:
        return None
    how, unit = taken
    if how == "events":
        net.error("M133", f"`{target.end.port}` takes events, and this is a continuous value", source.span)
        return None
    if parts.synapse_span is not None:
        net.error("M133", "a continuous value passes no synapse", parts.synapse_span)
    weight = next((k for k in project.properties if k.name == "w"), None)
    if "gap" in parts.flags:
        _check_gap(project, weight, source, target, given, unit, net)
    elif weight is None and given.dimension != unit.dimension:
        labels = (Label(target.span, mark(unit)),)
        message = f"this is {a_kind(given.dimension)}, and `{target.end.port}` takes {a_kind(unit.dimension)}"
        net.report.error("U107", message, source.span, "a weight converts it: `w = …`", mark(given), labels)
        return None
    return _read_properties(project, ("w", "lag"), internal_unit(over(unit.dimension, given.dimension)), target, net)


def _check_gap(
    project: ast.Project, weight: ast.Keyword | None, source: Place, target: Place, given: Unit, unit: Unit, net: NetworkDraft
) -> None:
    """M129, N118, U107: a gap junction has a conductance, and the variable that it couples on both sides."""
    name = source.end.port
    base = target.group.base
    if name is None or base is None:
        net.error("M133", "a gap junction couples a variable of neurons, and this is a source", source.span)
        return
    known = {**{s.name: s.unit for s in base.states}, **{o.name: o.unit for o in base.outputs}}
    if name not in known:
        message = f"a gap junction couples `{name}` on both sides, and `{target.group.name}` has no `{name}`"
        net.error("N118", message, target.span, f"it has {', '.join(f'`{n}`' for n in known)}" if known else None)
    elif known[name].dimension != given.dimension:
        labels = (Label(source.span, mark(given)),)
        message = f"a gap junction couples `{name}` on both sides, and that of `{target.group.name}` is {a_kind(known[name].dimension)}"
        net.report.error("U107", message, target.span, None, mark(known[name]), labels)
    elif weight is None:
        shown = internal_unit(over(unit.dimension, given.dimension))
        net.error("M129", "a gap junction needs a weight", project.span, f"write a weight, e.g. `w = 1 {shown}`")


# --- what stands behind the wiring


def _read_properties(project: ast.Project, known: tuple[str, ...], unit: Unit | None, target: Place, net: NetworkDraft) -> ir.Properties:
    built: dict[str, Expr] = {}
    for keyword in project.properties:
        if keyword.name not in known:
            near = net.report.nearest(keyword.name, known)
            help = f"did you mean `{near}`?" if near else f"it has {', '.join(known)}"
            net.error("N121", f"this projection has no `{keyword.name}`", keyword.name_span, help)
        elif keyword.name in built:
            net.error("N102", f"`{keyword.name}` is given twice", keyword.name_span)
        elif keyword.name == "w":
            value = _weight(keyword, unit, target, net)
            if value is not None:
                built["w"] = value
        else:
            value = net.quantity(keyword.value, ONE if keyword.name == "lag" else DURATION, keyword.name, draws=keyword.name != "lag")
            if value is not None:
                built[keyword.name] = value
                if any(v < 0 for v in net.bounds(value)):
                    net.error("M111", f"`{keyword.name}` cannot be negative", keyword.value.span)
    return tuple(built.items())


def _weight(keyword: ast.Keyword, unit: Unit | None, target: Place, net: NetworkDraft) -> Expr | None:
    typed = net.read(keyword.value, "a weight", draws=True)
    if typed.expr.op == "array":
        return typed.expr
    if unit is None:
        if isinstance(typed.type, Unit):
            net.signals[target.group.name] = typed.type
        return typed.expr if net.is_finite(typed.expr, keyword.value) else None
    labels = (Label(target.span, mark(unit)),)
    good = fits(typed, unit, keyword.value, net.scope, net.report, "U107", f"this weight is {a_kind(unit.dimension)}", labels)
    return typed.expr if good and net.is_finite(typed.expr, keyword.value) else None
