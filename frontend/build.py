"""From the syntax tree to the model IR: every item of a file, with all its mistakes reported at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from birc.errors import Label, Span
from birc.frontend import ast
from birc.frontend.body import Part, entries, extended
from birc.frontend.build_cell import build_cell
from birc.frontend.build_check import build_check, build_network_check
from birc.frontend.build_model import build_model
from birc.frontend.build_network import build_network
from birc.frontend.check_names import check_names_are_unique, check_statements_belong
from birc.frontend.check_unused import check_everything_is_used
from birc.frontend.draft import Draft, Finished
from birc.frontend.events import article
from birc.frontend.network_draft import FinishedNetwork
from birc.frontend.report import Report
from birc.frontend.resolve import File, Found
from birc.ir import model as ir


def build_module(file: File, report: Report) -> ir.Module:
    """All items and checks of a file; what could not be built is missing from it, and reported."""
    builder = Builder(report, file)
    imported: dict[str, ir.Item] = {}
    items: list[ir.Item] = []
    checks: list[ir.Check] = []
    for item in file.module.items:
        if item.kind == "check":
            check = builder.check(item, file)
            if check is not None:
                checks.append(check)
                found = file.find(check.model)
                if found is not None and found.file is not file:
                    network = builder.network(found).network if found.item.kind == "network" else None
                    imported[check.model] = network or builder.model(found).model
        elif file.items[item.name].item is item:
            built = builder.item(Found(item, file))
            if built is not None:
                items.append(built)
    return ir.Module((*imported.values(), *items), tuple(checks))


@dataclass(slots=True)
class Builder:
    """Builds items, each once, as they are needed."""

    report: Report
    main: File
    finished: dict[int, Finished] = field(default_factory=dict)
    networks: dict[int, FinishedNetwork] = field(default_factory=dict)
    parts: dict[int, tuple[Part, ...]] = field(default_factory=dict)

    def item(self, found: Found) -> ir.Item | None:
        """An item of any kind but a check; None where it could not be built, which is reported."""
        if found.item.kind == "network":
            return self.network(found).network
        built = self.model(found)
        return None if built.broken else built.model

    def network(self, found: Found) -> FinishedNetwork:
        """A network; its mistakes are reported."""
        key = id(found.item)
        if key not in self.networks:
            parts = self._checked_parts(found)
            self.networks[key] = build_network(found.item, found.file, parts, self.find_model, self.report)
        return self.networks[key]

    def model(self, found: Found) -> Finished:
        """A neuron, channel, synapse, astrocyte or cell; its mistakes are reported."""
        key = id(found.item)
        if key not in self.finished:
            before = self.report.errors
            parts = self._checked_parts(found)
            draft = Draft(found.item, parts, self.report)
            build = build_cell if found.item.kind == "cell" else build_model
            built = build(draft, self.channels(draft))
            if self.report.errors == before and found.file is self.main:
                check_everything_is_used(draft)
            self.finished[key] = built
        return self.finished[key]

    def check(self, item: ast.Item, file: File) -> ir.Check | None:
        """A check; None where it has a mistake, which is reported."""
        found = file.find(item.name)
        if found is None:
            self._no_item(item.name, item.name_span, file, ("neuron", "cell", "synapse", "astrocyte", "channel", "network"), "model")
            return None
        if found.item.kind == "network":
            return build_network_check(item, self.network(found), self.report)
        if found.item.kind == "channel":
            message = f"`{item.name}` is a channel; a check runs a neuron, a cell, an astrocyte, a synapse or a network"
            self.report.error("N109", message, item.name_span)
            return None
        built = self.model(found)
        return build_check(item, built, self.report)

    def find_model(self, name: str, span: Span, file: File, kinds: tuple[ast.ItemKind, ...], what: str) -> Finished | None:
        """The model of a name, of one of these kinds; None where there is none, which is reported."""
        found = file.find(name)
        if found is None:
            self._no_item(name, span, file, kinds, what)
            return None
        if found.item.kind not in kinds:
            labels = (Label(found.item.name_span, "declared here"),)
            self.report.error("N109", f"`{name}` is {article(found.item.kind)}, not {article(what)}", span, labels=labels)
            return None
        return self.model(found)

    def channels(self, draft: Draft) -> dict[str, ir.Model | None]:
        """The channels that a model uses, by alias."""
        found: dict[str, ir.Model | None] = {}
        for part in draft.parts:
            if isinstance(part.entry, ast.Mechanism):
                found[part.entry.alias or part.entry.name] = self.channel(part.entry, part.file)
            if isinstance(part.entry, ast.Insert):
                for mechanism in part.entry.mechanisms:
                    found[mechanism.name] = self.channel(mechanism, part.file)
        return found

    def channel(self, mechanism: ast.Mechanism, file: File) -> ir.Model | None:
        """The channel that a mechanism names; None where there is none, which is reported."""
        built = self.find_model(mechanism.name, mechanism.name_span, file, ("channel",), "channel")
        return built.model if built is not None and not built.broken and isinstance(built.model, ir.Model) else None

    def _no_item(self, name: str, span: Span, file: File, kinds: tuple[ast.ItemKind, ...], what: str) -> None:
        if name in self.report.forgiven:
            return
        near = self.report.nearest(name, (n for n, f in file.items.items() if f.item.kind in kinds))
        help = f"did you mean `{near}`?" if near else f"declare it in this file, or import it: `from birc use {name}`"
        self.report.error("N108", f"there is no {what} `{name}`", span, help)

    def _checked_parts(self, found: Found) -> tuple[Part, ...]:
        parts = check_statements_belong(found.item.kind, self._parts(found), self.report)
        return check_names_are_unique(found.item.kind, parts, self.report)

    def _parts(self, found: Found) -> tuple[Part, ...]:
        """The parts of an item, with those of what it extends."""
        chain = [found]
        while id(chain[-1].item) not in self.parts and (base := self._base(chain[-1])) is not None:
            if any(base.item is link.item for link in chain):
                names = [link.item.name for link in chain]
                circle = [*names[names.index(base.item.name) :], base.item.name]
                first = chain[names.index(min(circle))].item
                self.report.error("N117", f"these extend one another: {' -> '.join(_from_smallest(circle))}", first.name_span)
                break
            chain.append(base)
        parts = self.parts.get(id(chain[-1].item), ())
        for link in reversed(chain):
            own = tuple(Part(entry, link.file) for entry in entries(link.item.body))
            parts = extended(parts, own) if link is not chain[-1] else parts or own
            self.parts[id(link.item)] = parts
        return parts

    def _base(self, found: Found) -> Found | None:
        item = found.item
        if item.extends is None:
            return None
        if item.kind not in ("neuron", "synapse"):
            self.report.error("N109", f"{article(item.kind)} cannot extend; neurons and synapses can", item.extends.span)
            return None
        base = found.file.find(item.extends.name)
        if base is None:
            self._no_item(item.extends.name, item.extends.span, found.file, (item.kind,), item.kind)
        elif base.item.kind != item.kind:
            message = f"{article(item.kind)} extends {article(item.kind)}, and `{base.item.name}` is {article(base.item.kind)}"
            self.report.error("N109", message, item.extends.span)
        else:
            return base
        return None


def _from_smallest(circle: list[str]) -> list[str]:
    """A closed circle of names, begun at its smallest, so that it reads the same from wherever it was entered."""
    start = circle.index(min(circle))
    return [*circle[start:-1], *circle[: start + 1]]
