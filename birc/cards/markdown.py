"""A card as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from birc.cards.facts import Card


def page(card: Card, figure: bool) -> str:
    """The page; with `figure` it shows the images that lie beside it."""
    parts = [f"# {card.title}", card.summary, card.about, _place(card)]
    if figure:
        parts.append(f"![Steps of the input, firing rate and phase plane of {card.title}]({card.title}.png)")
    if card.equations:
        parts.append("## Equations")
    for group in card.equations:
        parts += [group.title, "```\n" + "\n".join(group.lines) + "\n```"]
    if card.params:
        rows = [(f"`{p.name}`", p.default, p.range, "yes" if p.learn else "") for p in card.params]
        parts += ["## Parameters", table(("name", "default", "range", "learned"), rows)]
    if card.states:
        rows4 = [(f"`{s.name}`", s.unit, s.start, s.limits, s.solver, s.why) for s in card.states]
        parts += ["## States", table(("name", "unit", "starts at", "limits", "solver", "why"), rows4)]
    if card.ports:
        parts += ["## Ports", table(("name", "kind", "unit"), [(f"`{p.name}`", p.kind, p.unit) for p in card.ports])]
    if card.presets:
        parts += ["## Presets", _presets(card)]
        if figure and card.preset is None:
            parts.append(f"![A trace of each preset of {card.title}]({card.title}-presets.png)")
    if card.approximations:
        parts += ["## Approximations", "\n".join(f"- {text}" for text in card.approximations)]
    if card.targets:
        parts += ["## Targets", table(("target", "takes it"), [(name, words(reason)) for name, reason in card.targets])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _place(card: Card) -> str:
    return f"Family: {card.family}. File: `{card.file}.birc`." + (f" For example: `{card.command}`." if card.command else "")


def words(reason: str) -> str:
    """What a target says to a model, in short."""
    if not reason:
        return "yes"
    first, *others = reason.split("; ")
    return f"no: {first}" + (f" (and {len(others)} more)" if others else "")


def _presets(card: Card) -> str:
    """A row per preset, a column per parameter that one of them sets; empty where the default holds."""
    names = list(dict.fromkeys(name for preset in card.presets for name, _ in preset.values))
    rows = [(f"`{p.name}`", *(dict(p.values).get(name, "") for name in names)) for p in card.presets]
    return table(("preset", *(f"`{name}`" for name in names)), rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; columns in which nothing stands are left out."""
    body = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    kept = [i for i, head in enumerate(heads) if any(row[i] for row in body)]
    lines = [[heads[i] for i in kept], ["---"] * len(kept), *([row[i] for i in kept] for row in body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
