"""A page of sections, of which some are measured anew and the others stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

TITLE = "# How fast\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1) -> str:
    """A Markdown table; all but the columns on the left are aligned to the right."""
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|---" * left + "|---:" * (len(names) - left) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def millions(updates: float) -> str:
    """Updates per second, in millions."""
    return f"{updates / 1e6:,.0f}" if updates >= 1e8 else f"{updates / 1e6:.1f}"


def sections(text: str) -> dict[str, str]:
    """The sections of a page, by their headings."""
    found = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        found[heading] = body.strip("\n")
    return found


def merged(old: str, new: Mapping[str, str], order: Iterable[str]) -> str:
    """The page with new sections put in place of old ones of the same heading, in the order given; other headings of the old page go."""
    every = {**sections(old), **new}
    return TITLE + "".join(f"\n## {heading}\n\n{every[heading]}\n" for heading in order if heading in every)


def write(path: Path, new: Mapping[str, str], order: Iterable[str]) -> None:
    """Put new sections into a page."""
    old = path.read_text("utf-8") if path.exists() else ""
    path.write_text(merged(old, new, order), "utf-8")
