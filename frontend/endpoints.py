"""Places in a network: `E`, `E[0:5].v`, `P.dend(0.5).exc`."""

from __future__ import annotations

from dataclasses import dataclass

from birc.errors import Span
from birc.frontend import ast
from birc.frontend.network_draft import Group, NetworkDraft
from birc.ir import model as ir
from birc.units import ONE, VOLTAGE, Unit, internal_unit


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint with what it begins with, how many instances it covers, and where it was written."""

    end: ir.Endpoint
    group: Group
    count: int
    span: Span


def endpoint(node: ast.Expr, net: NetworkDraft) -> Place | None:
    """The place that a path names; None where there is none, which is reported."""
    links: list[ast.Expr] = []
    inner = node
    while not isinstance(inner, ast.Name):
        links.append(inner)
        match inner:
            case ast.Member(base=base) | ast.Slice(base=base) | ast.Call(function=base):
                inner = base
            case _:
                net.error("N118", "a population, or one of its ports, stands here", node.span, "write `E.exc`, `E[0:5].v`")
                return None
    group = net.groups.get(inner.name)
    if group is None:
        if inner.name not in net.report.forgiven:
            near = net.report.nearest(inner.name, net.groups)
            help = f"did you mean `{near}`?" if near else None
            net.error("N118", f"there is no population, source or signal `{inner.name}` in this network", inner.span, help)
        return None
    if group.broken:
        return None
    return _follow(list(reversed(links)), group, node.span, net)


def _follow(links: list[ast.Expr], group: Group, span: Span, net: NetworkDraft) -> Place | None:
    start = stop = section = position = port = None
    for i, link in enumerate(links):
        match link:
            case ast.Slice() if i == 0:
                start, stop = link.start, link.stop
                low, high = start or 0, group.count if stop is None else stop
                if not low < high <= group.count:
                    net.error(
                        "M128",
                        f"`{group.name}` has the instances 0 to {group.count - 1}",
                        link.span,
                        "the end of a slice is not part of it",
                    )
                    return None
            case ast.Member(name=name) if port is None and section is None and name in _sections(group):
                section = name
            case ast.Member(name=name) if port is None:
                port = name
            case ast.Call(args=(at,), keywords=()) if section is not None and position is None and port is None:
                position = _position(at, net)
                if position is None:
                    return None
            case _:
                net.error("N118", "this is no place in a network", link.span, "write `E.exc`, `E[0:5].v`, `P.dend(0.5).exc`")
                return None
    count = (group.count if stop is None else stop) - (start or 0)
    return Place(ir.Endpoint(group.name, start, stop, section, position, port), group, count, span)


def _position(node: ast.Expr, net: NetworkDraft) -> float | None:
    value = net.quantity(node, ONE, "a location")
    known = net.bounds(value) if value is not None else ()
    if known and not 0 <= known[0] <= 1:
        net.error("M108", f"a location is a number from 0 to 1, not {known[0]:g}", node.span)
        return None
    return known[0] if known else None


def _sections(group: Group) -> tuple[str, ...]:
    if group.model is None or not isinstance(group.model.model, ir.Cell):
        return ()
    return (*(s.name for s in group.model.model.sections), *group.model.model.regions)


# --- what a place gives and takes


def gives(place: Place, net: NetworkDraft) -> Unit | str | None:
    """`"events"`, or the unit of the continuous value that a place gives; None where it gives nothing, which is reported."""
    group, port = place.group, place.end.port
    if group.kind == "source":
        if port is None:
            return "events" if group.unit is None else group.unit
        net.error("N118", f"the source `{group.name}` has no ports", place.span)
        return None
    if group.kind == "signal":
        net.error("N118", f"`{group.name}` is a signal: projections raise it, and synapses read it by name", place.span)
        return None
    base = group.base
    if base is None:
        return None
    if port is None or port == "spikes":
        if base.spike is not None:
            return "events"
        outputs = [o.name for o in base.outputs]
        help = f"did you mean `{group.name}.{outputs[0]}`?" if outputs else None
        net.error("M132", f"`{group.name}` never spikes: `{base.name}` has no `spike`", place.span, help)
        return None
    for output in base.outputs:
        if output.name == port:
            return output.unit
    state = next((s for s in base.states if s.name == port), None)
    if state is not None:
        return state.unit
    if place.end.section is not None and port == "v":
        return internal_unit(VOLTAGE)
    _no_port(place, [o.name for o in base.outputs] + [s.name for s in base.states], "output", net)
    return None


def takes(place: Place, net: NetworkDraft) -> tuple[str, Unit] | None:
    """What a place takes: `"events"` or `"continuous"`, and the unit; None where it takes nothing, which is reported."""
    base = place.group.base
    port = place.end.port
    if place.group.kind == "source":
        net.error("N118", f"`{place.group.name}` is a source and takes nothing", place.span)
        return None
    if base is None:
        return None
    ports = list(dict.fromkeys([h.port for h in base.handlers] + [i.name for i in base.inputs]))
    if port is None:
        shown = ", ".join(f"`{place.group.name}.{p}`" for p in ports)
        net.error(
            "N118", f"say at which port of `{place.group.name}` this arrives", place.span, f"it has {shown}" if ports else "it has none"
        )
        return None
    for handler in base.handlers:
        if handler.port == port:
            return None if handler.unit is None else ("events", handler.unit)
    for entry in base.inputs:
        if entry.name == port:
            return "continuous", entry.unit
    _no_port(place, ports, "port", net)
    return None


def _no_port(place: Place, ports: list[str], what: str, net: NetworkDraft) -> None:
    port = place.end.port or ""
    model = place.group.model
    if port in net.report.forgiven or (model is not None and model.is_doubtful(port)):
        return
    near = net.report.nearest(port, ports)
    name = place.group.name
    help = f"did you mean `{name}.{near}`?" if near else f"it has {', '.join(f'`{p}`' for p in ports)}" if ports else None
    net.error("N118", f"`{name}` has no {what} `{port}`", place.span, help)
