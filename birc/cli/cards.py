"""`birc models`: the library by family, the card of a model in a terminal, and cards as files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from birc.cli import show
from birc.errors import BircError

if TYPE_CHECKING:
    from birc.cards import Card, Found


def models(arguments: argparse.Namespace) -> int:
    """List the library, show a model's card or source, or write cards into a folder."""
    from birc.cards import card_of, entries, find

    if arguments.source and (arguments.card or arguments.name is None):
        raise BircError("A007", "`--source` prints the file of one model", help="`birc models lif --source`")
    chosen = entries() if arguments.name is None else find(arguments.name)
    if arguments.card:
        return _write(arguments, chosen)
    if arguments.name is None:
        _list(chosen, arguments.json)
    elif arguments.source:
        print(chosen[0].loaded.source.text.rstrip("\n"))
    elif arguments.json:
        show.as_json([asdict(card_of(found)) for found in chosen])
    else:
        for i, found in enumerate(chosen):
            if i:
                print("\n")
            _print(card_of(found))
    return 0


def _list(chosen: Sequence[Found], json: bool) -> None:
    """The library by family, a line for each model."""
    from birc.cards.find import FAMILIES

    ordered = sorted(chosen, key=lambda found: FAMILIES.index(found.family))
    rows = [(found.family, found.item.name, found.file, found.summary) for found in ordered]
    if json:
        records = [dict(zip(("family", "model", "file", "summary"), row, strict=True)) for row in rows]
        show.as_json([record | {"kind": found.kind} for record, found in zip(records, ordered, strict=True)])
        return
    before = ""
    for i, row in enumerate(rows):
        rows[i], before = (row[0] if row[0] != before else "", *row[1:]), row[0]
    show.table(("family", "model", "file", "what it is"), rows)


def _write(arguments: argparse.Namespace, chosen: Sequence[Found]) -> int:
    """The cards of the models that were named, or of all neurons with a page that lists them."""
    from birc.cards import write_card, write_cards

    if arguments.name is None:
        neurons = [found for found in chosen if found.kind == "neuron"]
        with show.progress("cards") as progress:
            written = write_cards(arguments.card, neurons, progress)
    else:
        written = [path for found in chosen for path in write_card(arguments.card, found)]
    if arguments.json:
        show.as_json({"written": [str(path) for path in written]})
    else:
        print("\n".join(f"wrote {path}" for path in written))
    return 0


def _print(card: Card) -> None:
    """A card as text."""
    from birc.cards.markdown import words

    print(f"{card.title}: {card.summary}")
    if card.about:
        print("\n" + "\n".join(f"  {line.strip()}" for line in card.about.splitlines()))
    print(f"\n  {card.kind}, {card.family}, in {card.file}.birc" + (f"; for example: {card.command}" if card.command else ""))
    for group in card.equations:
        print(f"\n{group.title or 'equations'}")
        print("\n".join(f"  {line}" for line in group.lines))
    learned = any(p.learn for p in card.params)
    rows = [(p.name, p.default, p.range, *(["yes" if p.learn else ""] if learned else [])) for p in card.params]
    _section(("parameter", "default", "range", *(["learned"] if learned else [])), rows)
    _section(
        ("state", "unit", "starts at", "limits", "solver", "why"),
        [(s.name, s.unit, s.start, s.limits, s.solver, s.why) for s in card.states],
    )
    _section(("port", "kind", "unit"), [(p.name, p.kind, p.unit) for p in card.ports])
    _section(("preset", "values"), [(p.name, ", ".join(f"{name} = {value}" for name, value in p.values)) for p in card.presets])
    _section(("target", "takes it"), [(name, words(reason)) for name, reason in card.targets])
    if card.approximations:
        print("\nnot exact\n" + "\n".join(f"  {text}" for text in card.approximations))


def _section(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table without the columns in which nothing stands."""
    kept = [i for i in range(len(heads)) if any(row[i] for row in rows)]
    if rows:
        print()
        show.table([heads[i] for i in kept], [[row[i] for i in kept] for row in rows])
