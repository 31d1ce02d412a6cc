"""Every code that a message carries has a page, and every page belongs to a message."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from birc import codes
from birc.cli import main

ROOT = Path(__file__).parent.parent
CODE = re.compile(r"""["']([A-Z]\d{3})["']""")
FOLDERS = (ROOT / "birc", ROOT / "frontend", ROOT / "backends")


def used() -> dict[str, str]:
    """Every code in the source, with a file that uses it."""
    found = {}
    for folder in FOLDERS:
        for file in sorted(folder.rglob("*.py")):
            for code in CODE.findall(file.read_text("utf-8")):
                found[code] = str(file.relative_to(ROOT))
    return found


TABLE = codes.load()


def test_every_code_has_a_page() -> None:
    assert {code: file for code, file in used().items() if code not in TABLE} == {}


def test_every_page_belongs_to_a_code() -> None:
    assert sorted(set(TABLE) - set(used())) == []


@pytest.mark.parametrize("code", sorted(TABLE))
def test_a_page_explains(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    entry = TABLE[code]
    assert main(["explain", code]) == 0
    assert capsys.readouterr().out == f"{code}: {entry.title}\n\n{entry.page}\n"
    assert entry.code[0] in codes.EXIT_OF_LETTER
    assert entry.title and not entry.title.endswith(".")
    assert len(entry.page) > 40


def test_pages_stand_in_order_and_once() -> None:
    text = (ROOT / "birc" / "codes.md").read_text("utf-8")
    names = re.findall(r"^## (\w+)", text, re.MULTILINE)
    assert names == sorted(set(names))
