"""Lines, blocks and source places, laid out as text.

A line's place is its comment `# lif.birc:5`, else that of the line above it; `# -` says that there is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from birc.errors import Source, Span

WIDTH = 100
PACKED_WIDTH = 84
COMMENT_COLUMN = 46
INDENT = "  "

HERE = "same"
"""The place of a line that has none of its own to tell: it does not change the place."""

Place = str | None
_PLACE = re.compile(r'#\s+(?:(-)|("(?:[^"\\]|\\.)*"|[^\s"#][^"#]*):([0-9]{1,9}))\s*$')


@dataclass(frozen=True)
class Line:
    """A line of text with its place and the lines of the block that it opens (its text then ends in `{`)."""

    text: str
    place: Place = HERE
    block: tuple[Line, ...] = ()
    tail: str = ""
    """What follows the closing brace."""
    note: str = ""
    """A comment for the reader, where there is no place to tell."""

    @property
    def opens(self) -> bool:
        """Whether a block follows."""
        return self.text.endswith("{")


def place(span: Span | None) -> Place:
    """File and line of a span, as they stand in a comment."""
    if span is None:
        return None
    file = span.source.name
    usual = re.fullmatch(r'[^\s"#][^"#\x00-\x1f\x7f-\x9f\u2028\u2029]*', file) and not file.endswith(" ") and file.isprintable()
    return f"{file if usual else json.dumps(file)}:{span.line}"


def block(head: str, lines: Iterable[Line], at: Place = HERE, tail: str = "", note: str = "") -> Line:
    """`head { lines } tail`: on one line where that is short and hides no place."""
    body = tuple(lines)
    one = inline(head, body, tail)
    if one is not None and all(line.place in (HERE, at) for line in body) and not note:
        return Line(one, at)
    return Line(f"{head} {{", at, body, tail, note)


def inline(head: str, body: tuple[Line, ...], tail: str) -> str | None:
    """The block on one line, if its lines are few and short."""
    if len(body) > 2 or any(line.opens for line in body):
        return None
    text = f"{head} {{ {'  '.join(line.text for line in body)}{' ' if body else ''}}}{tail}"
    return text if len(text) <= WIDTH else None


def render(lines: Iterable[Line]) -> str:
    """The text of these lines, each place told where it changes."""
    out: list[str] = []
    told: Place = None
    for depth, line, closes in _walk(tuple(lines)):
        if closes:
            out.append(f"{INDENT * depth}}}{line.tail}")
            continue
        text = INDENT * depth + line.text
        if line.place != HERE and line.place != told:
            told = line.place
            text = f"{text:<{COMMENT_COLUMN}}  # {told or '-'}" if text else text
        elif line.note:
            text = f"{text:<{COMMENT_COLUMN}}  # {line.note}"
        out.append(text)
    return "\n".join(out) + "\n"


def _walk(lines: tuple[Line, ...]) -> Iterator[tuple[int, Line, bool]]:
    """Each line with its depth; a line that opens a block a second time, where the block closes."""
    stack: list[tuple[int, Line, bool]] = [(0, line, False) for line in reversed(lines)]
    while stack:
        depth, line, closes = stack.pop()
        yield depth, line, closes
        if line.opens and not closes:
            stack.append((depth, line, True))
            stack.extend((depth + 1, inner, False) for inner in reversed(line.block))


def packed(lines: Iterable[Line]) -> list[Line]:
    """Neighbours that come from one source line share a line, as far as they fit."""
    out: list[Line] = []
    for line in lines:
        before = out[-1] if out else None
        if (
            before is not None
            and not line.opens
            and not before.opens
            and line.place == before.place
            and line.place not in (None, HERE)
            and len(before.text) + len(line.text) + 3 <= PACKED_WIDTH
        ):
            out[-1] = Line(f"{before.text}   {line.text}", line.place)
        else:
            out.append(line)
    return out


def places(text_lines: list[str]) -> list[Span | None]:
    """The place that holds on each line of a text."""
    sources: dict[str, Source] = {}
    found: list[Span | None] = []
    now: Span | None = None
    for line in text_lines:
        match = _PLACE.search(line) if "#" in line else None
        if match is not None and match[1]:
            now = None
        elif match is not None:
            file = _file(match[2])
            source = sources.setdefault(file, Source(file, ""))
            number = max(int(match[3]), 1)
            now = Span(source, number, 1, number, 1)
        found.append(now)
    return found


def _file(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except json.JSONDecodeError:
        return text
