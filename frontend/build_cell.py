"""A cell: what it shares with point models, its sections, and what their membrane carries."""

from __future__ import annotations

from collections.abc import Sequence

from birc.errors import Label
from birc.frontend import ast
from birc.frontend.build_model import Channels, model_of
from birc.frontend.build_use import build_arguments
from birc.frontend.check_values import check_value_is_finite
from birc.frontend.draft import ON_MEMBRANE, PARAMETERS, Draft, Finished
from birc.frontend.events import position_of
from birc.frontend.mismatch import a_kind
from birc.frontend.names import Symbol, in_order
from birc.frontend.typed import fits
from birc.ir import model as ir
from birc.ir.expr import Expr
from birc.units import CURRENT, LENGTH, ONE, VOLTAGE, Unit, internal_unit, over, parse_unit, power

UM, MV = internal_unit(LENGTH), internal_unit(VOLTAGE)
DENSITY = over(CURRENT, power(LENGTH, 2))
SECTION = {"length": UM, "diam": UM, "split": ONE}
MEMBRANE = {"C": parse_unit("pF/um^2"), "R_axial": parse_unit("Gohm*um"), "v": MV}
PLACES = (Symbol("path", "place", UM), Symbol("diam", "place", UM))


def build_cell(draft: Draft, channels: Channels) -> Finished:
    """A cell; its mistakes are reported."""
    before = draft.report.errors
    base = model_of(draft, channels, "neuron")
    sections = draft.all_of(ast.Section)
    morphologies = draft.all_of(ast.Morphology)
    regions = {s.name for s in sections} | {r.name for m in morphologies for r in m.regions}
    _check_tree(sections, morphologies, draft)
    _check_places(regions, draft)
    membranes = draft.all_of(ast.Membrane)
    cell = ir.Cell(
        base=base,
        sections=tuple(_section(s, draft) for s in sections),
        morphology=morphologies[0].file.value if morphologies else None,
        regions=tuple(r.name for r in morphologies[0].regions) if morphologies else (),
        membrane=_properties(membranes[0].properties, MEMBRANE, "the membrane", draft) if membranes else (),
        inserts=tuple(i for entry in draft.all_of(ast.Insert) for i in _inserts(entry, channels, regions, draft)),
        span=draft.item.span,
    )
    return Finished(cell, draft.scope, broken=draft.report.errors != before)


def _section(section: ast.Section, draft: Draft) -> ir.Section:
    properties = _properties(section.properties, SECTION, "a section", draft)
    parent = section.parent.section if section.parent is not None else None
    return ir.Section(section.name, parent, position_of(section.parent, draft), properties, section.span)


def _properties(keywords: Sequence[ast.Keyword], known: dict[str, Unit], what: str, draft: Draft) -> ir.Properties:
    built: dict[str, Expr] = {}
    for keyword in keywords:
        unit = known.get(keyword.name)
        typed = draft.read(keyword.value, f"a property of {what}", PARAMETERS)
        if unit is None:
            near = draft.report.nearest(keyword.name, known)
            help = f"did you mean `{near}`?" if near else f"it has {', '.join(known)}"
            draft.error("N121", f"{what} has no property `{keyword.name}`", keyword.name_span, help)
        elif keyword.name in built:
            draft.error("N102", f"`{keyword.name}` is given twice", keyword.name_span)
        elif fits(typed, unit, keyword.value, draft.scope, draft.report, "U107", f"`{keyword.name}` is {a_kind(unit.dimension)}"):
            value = draft.value(typed.expr)
            if check_value_is_finite(value, keyword.value, draft) and value is not None and keyword.name != "v" and not value > 0:
                draft.error("M111", f"`{keyword.name}` must be greater than zero", keyword.value.span)
            built[keyword.name] = draft.inliner.without_lets(typed.expr)
    return tuple(built.items())


def _check_tree(sections: Sequence[ast.Section], morphologies: Sequence[ast.Morphology], draft: Draft) -> None:
    """M125, N120: the sections of a cell form one tree; a cell has sections or a morphology."""
    if sections and morphologies:
        draft.error("M125", "a cell has sections of its own or a morphology, not both", morphologies[0].span)
    if not sections and not morphologies and not {"section", "morphology"} & draft.report.forgiven:
        draft.error(
            "M125", f"the cell `{draft.item.name}` has no sections", draft.item.name_span, "write `section soma: length = …, diam = …`"
        )
    names = {s.name: s for s in sections}
    for section in sections:
        if section.parent is not None and section.parent.section not in names:
            _no_region(section.parent.section, section.parent, set(names), draft)
        for needed in ("length", "diam"):
            if needed not in {k.name for k in section.properties}:
                draft.error("M125", f"the section `{section.name}` has no `{needed}`", section.name_span)
    needs = {s.name: [s.parent.section] if s.parent is not None else [] for s in sections}
    for cycle in in_order(list(needs), needs)[1]:
        draft.error("M125", f"the section `{cycle[0]}` is its own parent", names[cycle[0]].name_span)
    roots = [s for s in sections if s.parent is None]
    for extra in roots[1:]:
        labels = (Label(roots[0].name_span, "first"),)
        help = f"attach it: `section {extra.name} from {roots[0].name}(1): …`"
        draft.report.error("M125", "a cell has one section without a parent", extra.name_span, help, labels=labels)


def _no_region(name: str, node: ast.Location | ast.Name, regions: set[str], draft: Draft) -> None:
    if name in draft.report.forgiven:
        return
    near = draft.report.nearest(name, sorted(regions))
    draft.error("N120", f"there is no section `{name}`", node.span, f"did you mean `{near}`?" if near else None)


def _check_places(regions: set[str], draft: Draft) -> None:
    """N120: ports lie on sections that exist."""
    places = [entry.at for entry in draft.all_of(ast.Input)] + [entry.at for entry in draft.all_of(ast.OnEvent)]
    for at in places:
        if at is not None and at.section not in regions:
            _no_region(at.section, at, regions, draft)


def _inserts(entry: ast.Insert, channels: Channels, regions: set[str], draft: Draft) -> list[ir.Insert]:
    for region in entry.regions:
        if region.name not in regions:
            _no_region(region.name, region, regions, draft)
    built: list[ir.Insert] = []
    scope = draft.scope.inside(PLACES)
    for mechanism in entry.mechanisms:
        channel = channels.get(mechanism.name)
        if channel is None:
            continue
        for let in channel.lets:
            if let.outward and let.unit.dimension != DENSITY:
                message = f"`{channel.name}.{let.name}` is {a_kind(let.unit.dimension)}; on a membrane it must be a current density"
                draft.error("U107", message, mechanism.span)
        arguments = build_arguments(mechanism.arguments, channel, draft, scope, ON_MEMBRANE)
        built.append(ir.Insert(channel, mechanism.name, arguments, tuple(r.name for r in entry.regions), mechanism.span))
    return built
