"""`python -m tests.peers`: compare library neurons with those of other simulators; `--write` puts the figures into docs/conventions.md.

The environments are made by `python -m tests.bench.peers make`. The exit code is 1 where a bound does not hold, 3 where one is missing.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench.page import table
from tests.bench.peers import ENVIRONMENTS, ROOT
from tests.peers.both import installed
from tests.peers.comparisons import COMPARISONS, Comparison
from tests.peers.figures import Figure

PAGE = ROOT / "docs" / "conventions.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
TITLES = {"nest": "NEST", "brian2": "Brian2", "neuron": "NEURON"}


def row(comparison: Comparison, figure: Figure) -> tuple[str, ...]:
    """A figure as it stands in the page."""
    unit = "" if figure.unit == "1" else f" {figure.unit}"
    measured, bound = (f"{x:.1e}{unit}" if x else "0" for x in (figure.measured, figure.bound))
    return comparison.ours, comparison.theirs, TITLES[comparison.environment], figure.what, measured, bound, figure.why


def main(arguments: list[str]) -> int:
    """Run what is named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.peers", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(c.name for c in COMPARISONS)}; all, if none is named")
    parser.add_argument("--write", action="store_true", help="put all figures into docs/conventions.md")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - {c.name for c in COMPARISONS}:
        parser.error(f"no comparison {', '.join(sorted(unknown))}")
    if options.write and options.names:
        parser.error("--write is for all comparisons together")
    chosen = [c for c in COMPARISONS if not options.names or c.name in options.names]
    if missing := sorted({c.environment for c in chosen if not installed(c.environment)}):
        print(f"missing: python -m tests.bench.peers make {' '.join(missing)}", file=sys.stderr)
        return 3
    rows, holds = [], True
    for comparison in chosen:
        for figure in comparison.run():
            rows.append(row(comparison, figure))
            holds &= figure.holds
            print("ok  " if figure.holds else "FAIL", comparison.name, *rows[-1][3:6], sep=" | ", flush=True)
    if options.write and holds:
        write(table(("birc", "peer's model", "peer", "compared", "largest difference", "bound", "what remains"), rows, left=7))
    return 0 if holds else 1


def write(figures: str) -> None:
    """Put the figures between their marks."""
    versions = ", ".join(ENVIRONMENTS[name][0].replace("==", " ") for name in TITLES)
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{figures}\n\nWith {versions}.\n\n{END}{rest.split(END)[1]}", "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
