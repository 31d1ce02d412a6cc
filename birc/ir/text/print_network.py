"""A cell, a network and a check as text.

network @Cortex {
  param %n : 1 = 800.0
  population E of LIF (tau_m = 10.0) count 800 size %n
  source bg of poisson (rate = 2.0) count 800
  project bg -> E.exc rule one_to_one (w = 40.0, axon = 0.1)
  project E[0:5]@dend(0.5) -> I.exc synapse STDP preset FAST (A_p = 0.1) rule random (p = 0.1) flags self
  record E.spikes
}
check LIF {
  drive I = 250.0 for 500.0
  expect %v in [-80.0, -50.0] always
}
"""

from __future__ import annotations

from birc.ir import model as m
from birc.ir.text import words
from birc.ir.text.layout import HERE, Line, packed, place
from birc.ir.text.print_model import Clause, arguments, clauses, doc, joined, line_of_model, param
from birc.ir.text.scope import Scope


def line_of_cell(cell: m.Cell) -> Line:
    """A cell as a block."""
    scope = Scope("var", {})
    lines = [line_of_model(cell.base, "base")]
    for section in cell.sections:
        parent = ""
        if section.parent is not None or section.position is not None:
            parent = f" from {_or_nothing(section.parent)}"
            parent += "" if section.position is None else f" at {words.number(section.position)}"
        lines.append(arguments(f"section {words.name(section.name)}{parent}", section.properties, scope, place(section.span)))
    if cell.morphology is not None:
        lines.append(Line(f"morphology {words.quote(cell.morphology)}"))
    if cell.regions:
        lines.append(Line(f"regions {_names(cell.regions)}"))
    if cell.membrane:
        lines.append(arguments("membrane", cell.membrane, scope))
    for insert in cell.inserts:
        regions = f" in {_names(insert.regions)}" if insert.regions else ""
        head = arguments(f"insert {words.name(insert.alias)}", insert.arguments, scope, place(insert.span), f"{regions} of")
        lines += joined(head, Line("{", HERE, (line_of_model(insert.channel),)))
    return Line("cell {", place(cell.span), tuple(lines))


def line_of_network(network: m.Network) -> Line:
    """A network as a block."""
    scope = Scope("var", {})
    lines = doc(network.doc)
    lines += [line_of_cell(model) if isinstance(model, m.Cell) else line_of_model(model) for model in network.models]
    lines += packed([param(p, scope) for p in network.params])
    lines += [arguments(f"preset {words.name(p.name)}", p.values, scope, place(p.span)) for p in network.presets]
    for population in network.populations:
        lines += _group(
            f"population {words.name(population.name)} of {words.name(population.model)}{_preset(population.preset)}", population
        )
    for source in network.sources:
        lines += _group(f"source {words.name(source.name)} of {words.name(source.kind)}", source)
    lines += [arguments(f"signal {words.name(s.name)}", s.properties, scope, place(s.span)) for s in network.signals]
    for projection in network.projections:
        lines += _projection(projection, scope)
    lines += [_third(t, scope) for t in network.thirds]
    lines += [_record(r, scope) for r in network.records]
    return Line(f"network @{words.name(network.name)} {{", place(network.span), tuple(lines))


def _group(head: str, group: m.Population | m.NetworkSource) -> list[Line]:
    scope = Scope("var", {})
    first = arguments(head, group.arguments, scope, place(group.span), f" count {group.count}")
    if group.size is None:
        return [first]
    line, *more = clauses("size", [("", group.size)], scope, HERE)
    return [*joined(first, line), *more]


def _projection(p: m.Projection, scope: Scope) -> list[Line]:
    """One line; where an argument is an expression, a line for each part."""
    parts = [Line(f"project {endpoint(p.source)} -> {endpoint(p.target)}", place(p.span))]
    if p.synapse is not None or p.preset is not None or p.arguments:
        parts.append(arguments(f"synapse {_or_nothing(p.synapse)}{_preset(p.preset)}", p.arguments, scope))
    parts.append(arguments(f"rule {words.name(p.rule)}", p.rule_arguments, scope))
    if p.flags:
        parts.append(Line(f"flags {_names(p.flags)}"))
    if p.properties:
        parts.append(arguments("where", p.properties, scope))
    lines = parts[:1]
    for part in parts[1:]:
        lines[-1:] = joined(lines[-1], part)
    return lines


def _third(t: m.Third, scope: Scope) -> Line:
    head = f"third {endpoint(t.source)} -> {endpoint(t.target)} via {endpoint(t.via)} where"
    return arguments(head, t.properties, scope, place(t.span))


def _record(r: m.Record, scope: Scope) -> Line:
    head = f"record {endpoint(r.what)}"
    return Line(head, place(r.span)) if r.every is None else scope.value(f"{head} every", r.every, place(r.span))


def endpoint(e: m.Endpoint) -> str:
    """`E[0:5]@dend(0.5).exc`."""
    text = words.plain(e.population)
    if e.start is not None or e.stop is not None:
        text += f"[{'' if e.start is None else e.start}:{'' if e.stop is None else e.stop}]"
    if e.section is not None or e.position is not None:
        text += f"@{words.NOTHING if e.section is None else words.plain(e.section)}{_position(e.position)}"
    return text if e.port is None else f"{text}.{words.plain(e.port)}"


def line_of_check(check: m.Check) -> Line:
    """A check as a block."""
    scope = Scope("var", {})
    lines: list[Line] = [] if check.dt is None else [Line(f"dt {words.number(check.dt)}")]
    lines += [] if check.seed is None else [Line(f"seed {check.seed}")]
    lines += [] if check.run is None else clauses("run for", [("", check.run)], scope, HERE)
    lines += [Line(f"{key} {words.name(x)}") for key, x in (("solver", check.solver), ("spikes", check.spikes)) if x is not None]
    for drive in check.drives:
        lines += _drive(drive, scope)
    for expect in check.expects:
        lines += _expect(expect, scope)
    return Line(f"check {words.name(check.model)}{_preset(check.preset)} {{", place(check.span), tuple(lines))


def _drive(drive: m.Drive, scope: Scope) -> list[Line]:
    head = f"drive {words.name(drive.port)} ="
    if not isinstance(drive.value, m.Waveform):
        return clauses(head, [("", drive.value), ("for", drive.duration)], scope, place(drive.span))
    first = arguments(f"{head} waveform {words.name(drive.value.name)}", drive.value.arguments, scope, place(drive.span))
    line, *more = clauses("for", [("", drive.duration)], scope, HERE)
    return [*joined(first, line), *more]


def _expect(e: m.Expect, scope: Scope) -> list[Line]:
    parts: list[Clause] = [("", e.actual)]
    if e.expected is not None:
        parts.append(("==", e.expected))
    if e.tolerance is not None or e.in_steps:
        parts.append(("within", e.tolerance))
        parts += ["steps"] if e.in_steps else []
    if e.low is not None or e.high is not None or not e.low_closed or not e.high_closed:
        parts += [("in [" if e.low_closed else "in (", e.low), (",", e.high), "]" if e.high_closed else ")"]
    parts += ["always"] if e.always else []
    if e.during is not None:
        low, high = "[" if e.during.low_closed else "(", "]" if e.during.high_closed else ")"
        parts += [(f"during {low}", e.during.low), (",", e.during.high), high]
    return clauses("expect", parts, scope, place(e.span))


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(words.name(name) for name in names)


def _preset(name: str | None) -> str:
    return "" if name is None else f" preset {words.name(name)}"


def _or_nothing(name: str | None) -> str:
    return words.NOTHING if name is None else words.name(name)


def _position(position: float | None) -> str:
    return "" if position is None else f"({words.number(position)})"
