"""A network: its parameters, populations, sources and signals, what connects them, and what is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from birc.errors import Label
from birc.frontend import ast
from birc.frontend.body import Part
from birc.frontend.build_check import no_preset
from birc.frontend.check_presets import build_presets
from birc.frontend.check_unused import check_everything_is_used
from birc.frontend.declare import declare
from birc.frontend.draft import Draft
from birc.frontend.endpoints import Place, endpoint, gives, takes
from birc.frontend.mismatch import a_kind
from birc.frontend.names import in_order, path_of
from birc.frontend.network_draft import FindModel, FinishedNetwork, Group, NetworkDraft
from birc.frontend.projection_parts import model_arguments
from birc.frontend.projections import build_projection
from birc.frontend.report import Report
from birc.frontend.resolve import File
from birc.frontend.typed import Typed
from birc.frontend.wiring import DURATION, SOURCES, misfit
from birc.ir import model as ir
from birc.ir.expr import Expr
from birc.units import ONE, Unit

T = TypeVar("T")


def build_network(item: ast.Item, file: File, parts: tuple[Part, ...], find_model: FindModel, report: Report) -> FinishedNetwork:
    """A network; its mistakes are reported."""
    before = report.errors
    draft = Draft(item, parts, report)
    declare(draft, {})
    net = NetworkDraft(draft, file, find_model)
    entries = [p.entry for p in parts]
    built = {id(e): _population_group(e, net) for e in entries if isinstance(e, ast.Population)}
    sources = _present(_source(e, net) for e in entries if isinstance(e, ast.SourceOf))
    signals = [_signal(e, net) for e in entries if isinstance(e, ast.Signal)]
    written = [e for e in entries if isinstance(e, ast.Project)]
    raising = [e for e in written if isinstance(e.target, ast.Name) and e.target.name in net.signals]
    # what raises a signal says its unit, so it is read before what uses the signal
    projections = {id(e): build_projection(e, net) for e in raising}
    populations = _present(_population(e, built[id(e)], net) for e in entries if isinstance(e, ast.Population))
    projections |= {id(e): build_projection(e, net) for e in written if id(e) not in projections}
    in_order_of_text = _present(projections[id(e)] for e in written)
    check_no_cycle_without_delay(in_order_of_text, net)
    thirds = _present(_third(e, in_order_of_text, net) for e in entries if isinstance(e, ast.Third))
    records = [record for e in entries if isinstance(e, ast.Record) for record in _records(e, net)]
    if not populations and report.errors == before and "population" not in report.forgiven:
        net.error("M127", f"the network `{item.name}` has no population", item.name_span, "write `population E: LIF[100]`")
    presets = tuple(_inlined(p, draft) for p in build_presets(draft))
    if report.errors != before:
        return FinishedNetwork(net, None)
    check_everything_is_used(draft)
    network = ir.Network(
        name=item.name,
        doc=item.doc,
        models=tuple(net.models.values()),
        populations=tuple(populations),
        sources=tuple(sources),
        signals=tuple(signals),
        projections=tuple(in_order_of_text),
        thirds=tuple(thirds),
        records=tuple(records),
        params=tuple(replace(p, value=draft.inlined(p.value)) for p in draft.params.values()),
        presets=presets,
        span=item.span,
    )
    return FinishedNetwork(net, network)


def _inlined(preset: ir.Preset, draft: Draft) -> ir.Preset:
    return replace(preset, values=tuple((name, draft.inlined(e)) for name, e in preset.values))


def _present(found: Iterable[T | None]) -> list[T]:
    return [x for x in found if x is not None]


def _population_group(entry: ast.Population, net: NetworkDraft) -> Group:
    name, _, _ = (path_of(entry.model) or "").partition(".")
    count, size = net.count(entry.count)
    finished = net.find_model(name, entry.model.span, net.file, ("neuron", "cell", "astrocyte"), "neuron")
    net.groups[entry.name] = group = Group(entry.name, "population", count, finished, broken=finished is None, size=size)
    if finished is not None:
        net.models.setdefault(finished.model.name, finished.model)
    return group


def _population(entry: ast.Population, group: Group, net: NetworkDraft) -> ir.Population | None:
    _, _, preset = (path_of(entry.model) or "").partition(".")
    finished, base = group.model, group.base
    if finished is None or base is None:
        return None
    if preset and preset not in {p.name for p in base.presets}:
        no_preset(preset, base.name, [p.name for p in base.presets], entry.model.span, net.report)
    arguments = model_arguments(entry.arguments, finished, base, net)
    return ir.Population(entry.name, finished.model.name, preset or None, arguments, group.count, entry.span, group.size)


def _source(entry: ast.SourceOf, net: NetworkDraft) -> ir.NetworkSource | None:
    count, size = net.count(entry.count)
    kind = SOURCES.get(entry.kind.name)
    if kind is None:
        net.groups[entry.name] = Group(entry.name, "source", count, broken=True)
        near = net.report.nearest(entry.kind.name, SOURCES)
        help = f"did you mean `{near}`?" if near else f"there are {', '.join(SOURCES)}"
        net.error("N104", f"there is no source `{entry.kind.name}`", entry.kind.span, help)
        return None
    before = net.report.errors
    arguments = net.arguments(kind, entry.kind.name, entry.arguments, (), entry.kind.span)
    unit = None if kind.events else _unit_of_source(entry, net)
    broken = net.report.errors != before
    net.groups[entry.name] = Group(entry.name, "source", count, unit=unit, broken=broken)
    return None if broken else ir.NetworkSource(entry.name, entry.kind.name, arguments, count, entry.span, size)


def _unit_of_source(entry: ast.SourceOf, net: NetworkDraft) -> Unit | None:
    free = {a.name for a in SOURCES[entry.kind.name].arguments if a.unit is None}
    for keyword in entry.arguments:
        if keyword.name in free:
            typed: Typed = net.read(keyword.value, f"`{keyword.name}`")
            return typed.type if isinstance(typed.type, Unit) else None
    return None


def _signal(entry: ast.Signal, net: NetworkDraft) -> ir.Signal:
    built: dict[str, Expr] = {}
    unit: Unit | None = None
    for keyword in entry.properties:
        if keyword.name == "tau":
            value = net.quantity(keyword.value, DURATION, "tau")
            if value is not None:
                built["tau"] = value
                if any(not v > 0 for v in net.bounds(value)):
                    net.error("M111", "a time constant must be greater than zero", keyword.value.span)
        elif keyword.name == "w":
            typed = net.read(keyword.value, "`w`")
            unit = typed.type if isinstance(typed.type, Unit) else None
            if net.is_finite(typed.expr, keyword.value):
                built["w"] = typed.expr
        else:
            near = net.report.nearest(keyword.name, ("tau", "w"))
            help = f"did you mean `{near}`?" if near else "it has tau and w"
            net.error("N121", f"a signal has no `{keyword.name}`", keyword.name_span, help)
    if "tau" not in {k.name for k in entry.properties}:
        net.error("N106", f"the signal `{entry.name}` needs `tau`", entry.name_span, f"write `signal {entry.name}: tau = 200 ms`")
    net.groups[entry.name] = Group(entry.name, "signal", 1)
    net.signals[entry.name] = unit
    return ir.Signal(entry.name, tuple(built.items()), entry.span)


def check_no_cycle_without_delay(projections: list[ir.Projection], net: NetworkDraft) -> None:
    """M135: a cycle of projections has a delay somewhere; else a spike would act before it was made."""
    edges: dict[str, dict[str, ir.Projection]] = {name: {} for name in net.groups}
    for projection in projections:
        given = {name: net.value(e) for name, e in projection.properties}
        if "lag" in given or any(given.get(d, 0) != 0 for d in ("axon", "dend") if d in given) or _is_continuous(projection, net):
            continue
        edges[projection.source.population].setdefault(projection.target.population, projection)
    for cycle in in_order(list(edges), {name: list(targets) for name, targets in edges.items()})[1]:
        links = [edges[a][b] for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True)]
        spans = [link.span for link in links if link.span is not None]
        shown = " -> ".join([*cycle, cycle[0]])
        labels = tuple(Label(span, "") for span in spans[:-1])
        help = "a spike needs time around a cycle: give one of them a delay, `axon = 1 ms`"
        net.report.error("M135", f"the cycle {shown} has no delay", spans[-1], help, labels=labels)


def _is_continuous(projection: ir.Projection, net: NetworkDraft) -> bool:
    base = net.groups[projection.target.population].base
    return base is not None and any(i.name == projection.target.port for i in base.inputs)


def _third(entry: ast.Third, projections: list[ir.Projection], net: NetworkDraft) -> ir.Third | None:
    before = net.report.errors
    source, target, via = (endpoint(node, net) for node in (entry.source, entry.target, entry.via))
    if source is None or target is None or via is None:
        return None
    if not any(p.source == source.end and p.target == target.end for p in projections) and not net.report.forgiven & {"project"}:
        net.error("N118", "there is no projection between these two that a third party could join", entry.span)
    taken = takes(via, net)
    if taken is None:
        return None
    how, unit = taken
    if how != "events":
        net.error("M133", f"spikes cannot arrive at `{via.end.port}`, which takes a continuous value", via.span)
    properties: dict[str, Expr] = {}
    for keyword in entry.properties:
        wanted = {"p": ONE, "w": unit}.get(keyword.name)
        if wanted is None:
            net.error("N121", f"a third party has no `{keyword.name}`", keyword.name_span, "it has p and w")
            continue
        value = net.quantity(keyword.value, wanted, keyword.name, draws=keyword.name == "w")
        if value is None:
            continue
        properties[keyword.name] = value
        wrong = [bad for v in net.bounds(value) if keyword.name == "p" and (bad := misfit(v, "probability")) is not None]
        if wrong:
            net.error("M108", f"`p` {wrong[0]}", keyword.value.span)
    for needed in ("p", "w"):
        if needed not in {k.name for k in entry.properties}:
            net.error(
                "N106", f"a third party needs `{needed}`", entry.span, f"its weight is {a_kind(unit.dimension)}" if needed == "w" else None
            )
    return ir.Third(source.end, target.end, via.end, tuple(properties.items()), entry.span) if net.report.errors == before else None


def _records(entry: ast.Record, net: NetworkDraft) -> list[ir.Record]:
    every: Expr | None = None
    if entry.every is not None:
        every = net.quantity(entry.every, DURATION, "every")
        if every is not None and any(not v > 0 for v in net.bounds(every)):
            net.error("M111", "the time between two records must be greater than zero", entry.every.span)
    places = [place for node in entry.paths if (place := endpoint(node, net)) is not None]
    return [ir.Record(place.end, every, place.span) for place in places if _can_be_recorded(place, net)]


def _can_be_recorded(place: Place, net: NetworkDraft) -> bool:
    """N118: what is recorded exists: spikes, a state, an output, a `let`; of a signal its level."""
    base, port = place.group.base, place.end.port
    if (place.group.kind == "signal" and port is None) or (place.group.kind == "source" and port in (None, "spikes")):
        return True
    if port is None and base is not None:
        help = f"write `{place.group.name}.spikes` or a state, `{place.group.name}.v`"
        net.error("N118", "say what of it is recorded", place.span, help)
        return False
    if base is not None and port in {let.name for let in base.lets}:
        return True
    return gives(place, net) is not None
