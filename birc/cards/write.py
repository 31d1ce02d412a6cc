"""Cards as files: Markdown beside its figures, and a page that lists them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from birc.cards.facts import Card, card_of
from birc.cards.find import FAMILIES, Found, entries
from birc.cards.markdown import page
from birc.runtime.output import write_atomic
from birc.runtime.plot import require_matplotlib

INDEX = "README.md"


def write_card(folder: str | Path, found: Found) -> list[Path]:
    """Write `NAME.md` and, for neurons, `NAME.png` and `NAME-presets.png` into a folder, the figures first.

    Raises X101 without matplotlib, X102 where the folder cannot be written.
    """
    card = card_of(found)
    folder = Path(folder)
    written = []
    if has_figure(card):
        from birc.cards.bench import bench
        from birc.cards.figure import overview, png, presets

        on = bench(found)
        drawn = {f"{card.title}.png": overview(on), f"{card.title}-presets.png": presets(on)}
        written = [write_atomic(folder / name, png(figure)) for name, figure in drawn.items() if figure is not None]
    return [*written, write_atomic(folder / f"{card.title}.md", page(card, has_figure(card)))]


def pages(chosen: Sequence[Found]) -> dict[str, str]:
    """What `write_cards` writes as text, by file."""
    cards = [card_of(found) for found in chosen]
    return {INDEX: index_page(chosen), **{f"{card.title}.md": page(card, has_figure(card)) for card in cards}}


def has_figure(card: Card) -> bool:
    """Whether a model can be simulated by itself."""
    return card.kind == "neuron" and bool(card.states)


def write_cards(folder: str | Path, chosen: Sequence[Found], tell: Callable[[int, int], None] | None = None) -> list[Path]:
    """The cards of several models of the library, made by a process per core, and `README.md`, which lists them by family."""
    require_matplotlib()
    written = []
    # Processes are spawned: a fork would copy the threads of a native run that came before only by halves.
    with ProcessPoolExecutor(os.cpu_count() or 1, multiprocessing.get_context("spawn")) as pool:
        for done, paths in enumerate(pool.map(_write_one, [(str(folder), found.file, found.item.name) for found in chosen])):
            written += paths
            if tell is not None:
                tell(done + 1, len(chosen))
    return [*written, write_atomic(Path(folder) / INDEX, index_page(chosen))]


def _write_one(case: tuple[str, str, str]) -> list[Path]:
    folder, file, model = case
    return write_card(folder, next(found for found in entries(file) if found.item.name == model))


def index_page(chosen: Sequence[Found]) -> str:
    """The list of cards, by family."""
    lines = [
        "# Models of the library",
        "",
        "A card for each model: equations, parameters, solver, figures. `birc models NAME` prints one,",
        "`birc models NAME --card DIR` writes it; `python docs/generate.py cards` has written these.",
    ]
    for family in FAMILIES:
        members = [found for found in chosen if found.family == family]
        if members:
            lines += ["", f"## {family.capitalize()}", "", "| model | what it is | file |", "|---|---|---|"]
            lines += [f"| [{m.item.name}]({m.item.name}.md) | {m.summary} | `{m.file}` |" for m in members]
    return "\n".join(lines) + "\n"
