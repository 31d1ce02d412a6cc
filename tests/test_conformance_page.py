"""The page of conformance is that of this library: every neuron on every target, none of them wrong, every refusal with its reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from birc import conformance
from birc.backends import BACKENDS
from birc.errors import Source, Span
from birc.verification import Report

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "conformance.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
GOOD = re.compile(r"L[012]( \(\de-\d\d\))?|refused|unavailable")


def rows(text: str) -> dict[str, list[str]]:
    """The cells of a table of targets, by what stands in the first."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    start = cells.index(["model", *BACKENDS])
    return {row[0]: row[1:] for row in cells[start + 2 :] if len(row) == len(cells[start])}


def part(heading: str) -> str:
    """What stands under a heading of the page."""
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("heading", ["float64", "float32"])
def test_every_neuron_is_there_and_none_is_wrong(heading: str) -> None:
    table = rows(part(heading))
    assert list(table) == [model for _, model in conformance.neurons()]
    assert {model: cells for model, cells in table.items() if not all(GOOD.fullmatch(cell) for cell in cells)} == {}
    said = {tuple(line.removeprefix("- ").partition(":")[0].split(", ")) for line in part("Refusals").splitlines()}
    refused = {(target, model) for model, cells in table.items() for target, cell in zip(BACKENDS, cells, strict=True) if cell == "refused"}
    assert refused and refused <= said


def test_the_readme_shows_some_of_it() -> None:
    some = rows(README.partition("<!-- conformance -->")[2].partition("<!-- /conformance -->")[0])
    whole = rows(part("float64"))
    assert set(some) == {model for _, model in conformance.neurons(conformance.SHORT)}
    assert some == {model: whole[model] for model in some}


def test_what_stands_below_the_tables() -> None:
    span = Span(Source("a.birc", "one\ntwo"), 2, 1, 2, 4)
    reports = [
        Report("cuda", "A", "pass", "L1", 2e-7, dtype="f64", emulated="emulated"),
        Report("cuda", "B", "pass", "L0", 0.0, dtype="f64", emulated="emulated"),
        Report("keras", "A", "unavailable", reason="lacks Keras: pip", dtype="f64"),
        Report("nir", "A", "refused", reason="no node", span=span, dtype="f64"),
        Report("nir", "A", "refused", reason="no node", span=span, dtype="f32"),
        Report("onnx", "A", "pass", "L2", 1e-7, reason="2 of 32 neurons are driven more weakly", dtype="f32"),
        Report("cuda", "A", "pass", "L2", 1e-7, reason="2 of 32 neurons are driven more weakly", dtype="f32", emulated="emulated"),
    ]
    assert conformance.notes(reports) == ["cuda: emulated", "keras: lacks Keras: pip", "nir, A: no node (a.birc:2)"]
    assert conformance.reservations(reports) == ["A on onnx, cuda: 2 of 32 neurons are driven more weakly"]
    assert conformance.matrix([report for report in reports if report.dtype == "f64"]) == (
        ["model", "cuda", "keras", "nir"],
        [["A", "L1 (2e-07)", "unavailable", "refused"], ["B", "L0", "", ""]],
    )
