"""Write the pages made from the code: `docs/errors.md`, `docs/passes.md`, the tables of `docs/nn.md`, and the cards of `docs/models`.

python docs/generate.py                # writes the first three
python docs/generate.py --check        # exit 1 if one of them is out of date
python docs/generate.py cards          # writes the cards, with their figures
python docs/generate.py cards --check  # exit 1 if a card is out of date; figures are not compared
python docs/generate.py patterns       # runs the published patterns, writes their table and their figure
python docs/generate.py conformance    # verifies the library on every target, writes its page and the short table of the README (minutes)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from birc import codes
from birc.passes import PASSES

if TYPE_CHECKING:
    from birc.backends import Dtype
    from birc.cards import Found
    from birc.verification import Report

DOCS = Path(__file__).parent

KINDS = {
    "S": "Syntax",
    "N": "Names",
    "U": "Units",
    "M": "Rules of models",
    "L": "Lowering and targets",
    "I": "Inputs and arguments of a run",
    "R": "Run time",
    "V": "Verification",
    "C": "Checks",
    "A": "Command line",
    "X": "Environment",
}

LEVELS = {
    "model": "model → model",
    "lower": "model → step",
    "step": "step → step",
    "target": "step → step, for some targets",
    "adjoint": "step → its derivative",
}


def errors() -> str:
    """All codes, by kind."""
    lines = [
        "# Codes",
        "",
        "Every message carries a code; `birc explain CODE` prints its page. The exit code of the command line is 1 where the model or a",
        "verification is at fault, 2 for wrong usage, 3 where the environment lacks something.",
        "This page is written by `python docs/generate.py` from `birc/codes.md`.",
    ]
    table = codes.load()
    for letter, kind in KINDS.items():
        entries = [entry for code, entry in sorted(table.items()) if code[0] == letter]
        if entries:
            lines += ["", f"## {kind}", ""]
        for entry in entries:
            lines += [f"### {entry.code}: {entry.title}", "", entry.page, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def passes() -> str:
    """All passes, in their order."""
    lines = [
        "# Passes",
        "",
        "In the order in which they run. `birc dump FILE --after PASS` shows a program as it stands behind one, `--after-all` behind each;",
        "`--without PASS` leaves one out, unless it is needed. Invariants are checked between passes.",
        "This page is written by `python docs/generate.py` from the passes' own files.",
        "",
        "| pass | works on | needed | what it does |",
        "|---|---|---|---|",
    ]
    for entry in PASSES:
        summary = entry.summary.replace("|", "\\|")
        lines.append(f"| `{entry.name}` | {LEVELS[entry.level]} | {'yes' if entry.needed else 'no'} | {summary} |")
    return "\n".join(lines) + "\n"


def nn() -> str:
    """The page of the layers, with its tables."""
    from birc.nn import tables

    text = (DOCS / "nn.md").read_text("utf-8")
    for name, (heads, rows) in {"drives": tables.drives(), "arguments": tables.arguments()}.items():
        text = _between(text, name, _table(heads, rows))
    return text


PAGES = {"errors.md": errors, "passes.md": passes, "nn.md": nn}


TYPES: dict[Dtype, str] = {"f64": "float64", "f32": "float32"}


def conformance() -> None:
    """Verify the library on every target in both number types: the page of it, and the table of some of its neurons in the README."""
    from birc.backends import target_names
    from birc.cli import show
    from birc.conformance import SHORT, library_reports, matrix, neurons, surroundings

    reports: list[Report] = []
    total = len(neurons()) * len(target_names()) * len(TYPES)
    with show.progress("verify") as progress:
        for report in library_reports(target_names(), tuple(TYPES)):
            reports.append(report)
            if progress is not None:
                progress(len(reports), total)
    (DOCS / "conformance.md").write_text(conformance_page(reports), "utf-8")
    short = {model for _, model in neurons(SHORT)}
    table = _table(*matrix([report for report in reports if report.model in short and report.dtype == "f64"]))
    _put(DOCS.parent / "README.md", "conformance", [*table, "", *_listed(surroundings(reports))])


def conformance_page(reports: list[Report]) -> str:
    """`docs/conformance.md`."""
    from birc import conformance

    count = len({report.model for report in reports})
    lines = [
        "# Conformance",
        "",
        f"All {count} neurons of the library on every target: the level reached, and the worst relative error of a step, if any.",
        "L0: the same bits as the reference; L1: the same spikes, and rounding in the last bits; L2: in float32, with spikes at most one",
        "step apart ([what exactly](semantics.md)). `refused`: the target cannot take the model, for the reasons below.",
        f"Written by `python docs/generate.py conformance`; `birc verify MODEL --all` says more of one model.{engine()}",
        "",
        *_listed(conformance.surroundings(reports)),
    ]
    for dtype, name in TYPES.items():
        own = [report for report in reports if report.dtype == dtype]
        lines += ["", f"## {name}", "", *_table(*conformance.matrix(own))]
        remarks = conformance.reservations(own)
        lines += ["", *_listed(remarks)] if remarks else []
    return "\n".join([*lines, "", "## Refusals", "", *_listed(conformance.refusals(reports))]) + "\n"


def engine() -> str:
    """With what Keras computed, where it is installed."""
    from birc.backends import load_backend

    if load_backend("keras").missing() is not None:
        return ""
    from birc.backends.keras.run import load_keras

    return f" Keras computed with {load_keras().backend.backend()}."


def _listed(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines] or ["- none"]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]


def _put(path: Path, name: str, lines: Sequence[str]) -> None:
    """Put lines between the two comments of a page that bear this name."""
    path.write_text(_between(path.read_text("utf-8"), name, lines), "utf-8")


def _between(text: str, name: str, lines: Sequence[str]) -> str:
    """The text with these lines between the two comments of this name."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = text.partition(begin)
    return "\n".join([before + begin, "", *lines, "", end + rest.partition(end)[2]])


def patterns() -> None:
    """Put the table of the published patterns of Izhikevich into their page, and draw them."""
    from birc.cli.patterns import HEADS, row
    from birc.patterns import draw
    from birc.patterns import patterns as run

    found = list(run("izhikevich"))
    _put(DOCS / "izhikevich_patterns.md", "patterns", _table(HEADS, [row(pattern) for pattern in found]))
    draw(found, DOCS / "izhikevich_patterns.png")


def cards() -> None:
    """Write the cards of the library's neurons, and take away those of models that are gone."""
    from birc.cards import write_cards

    folder = DOCS / "models"
    written = write_cards(folder, _neurons())
    for old in set(folder.iterdir()) - set(written):
        old.unlink()


def stale_cards() -> list[str]:
    """The files of cards that are out of date, missing, or of models that are gone."""
    from birc.cards import pages

    folder = DOCS / "models"
    wanted = pages(_neurons())
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    shown = {name for text in wanted.values() for name in re.findall(r"\]\((\S+\.png)\)", text)}
    figures = {path.name for path in folder.glob("*.png")}
    return sorted({name for name in {*wanted, *there} if wanted.get(name) != there.get(name)} | (shown ^ figures))


def _neurons() -> list[Found]:
    from birc.cards import entries

    return [found for found in entries() if found.kind == "neuron"]


def main(arguments: list[str]) -> int:
    """Write or compare the pages."""
    if arguments == ["conformance"]:
        conformance()
        return 0
    if arguments == ["patterns"]:
        patterns()
        return 0
    if arguments == ["cards"]:
        cards()
        return 0
    if arguments == ["cards", "--check"]:
        old = stale_cards()
        print("".join(f"models/{name} is out of date: run `python docs/generate.py cards`\n" for name in old), end="")
        return 1 if old else 0
    stale = 0
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if arguments == ["--check"]:
            if not path.exists() or path.read_text("utf-8") != text:
                print(f"{path.name} is out of date: run `python docs/generate.py`")
                stale += 1
        else:
            path.write_text(text, "utf-8")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
