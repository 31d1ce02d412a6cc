"""Sources, spans and diagnostics: how birc says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, eq=False)
class Source:
    """A text that was read, under the name shown to the user; `argument` if it was given in a call or on the command line."""

    name: str
    text: str
    argument: bool = False

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines, without their ends."""
        return self.text.splitlines()

    def line(self, number: int) -> str:
        """Line `number`, counted from 1; empty past the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


@dataclass(frozen=True)
class Span:
    """A stretch of a source: from (line, column) to before (end_line, end_column), all counted from 1."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    @property
    def where(self) -> str:
        """File and line, as IR dumps show it."""
        return f"{self.source.name}:{self.line}"

    def to(self, other: Span) -> Span:
        """The stretch from the start of this one to the end of `other`."""
        return Span(self.source, self.line, self.column, other.end_line, other.end_column)


@dataclass(frozen=True)
class Label:
    """A second place that matters to a diagnostic, with a word on it."""

    span: Span
    text: str


@dataclass(frozen=True)
class Diagnostic:
    """One thing to tell the user.

    `span` is the main place; `mark` is the word drawn behind its carets; `labels` are other places.
    """

    code: str
    message: str
    span: Span | None = None
    help: str | None = None
    mark: str = ""
    labels: tuple[Label, ...] = ()
    severity: Severity = field(default="error")

    def __str__(self) -> str:
        return render(self)


class BircError(Exception):
    """Mistakes in what the user gave (a model, an input, a command) or gaps in the environment; never a bug in birc."""

    def __init__(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        help: str | None = None,
        *,
        mark: str = "",
        labels: tuple[Label, ...] = (),
    ) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = (Diagnostic(code, message, span, help, mark, labels),)
        super().__init__(code, message)

    @classmethod
    def of(cls, diagnostics: Iterable[Diagnostic]) -> BircError:
        """One error that carries several diagnostics, in order of their place."""
        ordered = tuple(sorted(diagnostics, key=_place))
        error = cls(ordered[0].code, ordered[0].message)
        error.diagnostics = ordered
        return error

    @property
    def code(self) -> str:
        """The first diagnostic's code."""
        return self.diagnostics[0].code

    def __str__(self) -> str:
        return "\n\n".join(render(d) for d in self.diagnostics)


def _place(diagnostic: Diagnostic) -> tuple[str, int, int]:
    span = diagnostic.span
    return (span.source.name, span.line, span.column) if span else ("", 0, 0)


TAB = "    "


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as text: headline, place, source lines with carets, help."""
    out = [f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    span = diagnostic.span
    if span is not None:
        out.append(f"  {span}")
        marks = [Label(span, diagnostic.mark), *diagnostic.labels]
        here = [m for m in marks if m.span.source is span.source]
        width = max(len(str(m.span.line)) for m in here)
        for line in sorted({m.span.line for m in here}):
            on_line = [m for m in here if m.span.line == line]
            out.extend(_draw(line, on_line, width, span))
        out.extend(f"  {m.span}: {m.text}" for m in marks if m.span.source is not span.source)
    if diagnostic.help:
        first, *rest = diagnostic.help.split("\n")
        out.append(f"  help: {first}")
        out.extend(f"        {line}" for line in rest)
    return "\n".join(out)


@dataclass(frozen=True)
class _Mark:
    """Carets under columns `start` up to before `stop` of a line as shown, and the word behind them."""

    start: int
    stop: int
    sign: str
    text: str


def _draw(line: int, labels: list[Label], width: int, main: Span) -> list[str]:
    """A source line and the carets below it (`^` under the main place, `~` under others, words behind them).

    Of a long line a window is shown; once more for a place that lies outside it.
    """
    text = labels[0].span.source.line(line)
    if not text.strip():
        return []
    marks = sorted((_mark(m, text, line, main) for m in labels), key=lambda m: m.start)
    shown = text.replace("\t", TAB)
    out: list[str] = []
    for group in _together(marks, len(shown)):
        left = max(0, group[0].start - BEFORE_MARK) if len(shown) > LONGEST_LINE else 0
        right = left + LONGEST_LINE
        head = "…" if left else ""
        tail = "…" if right < len(shown) else ""
        out.append(f"  {line:>{width}} | {head}{shown[left:right]}{tail}")
        out += [f"{' ' * (width + 3)}| {row}" for row in _rows(group, left - len(head), right)]
    return out


LONGEST_LINE = 160
BEFORE_MARK = 60
"""How much of a long line is shown at once, and how much of that before its first mark."""


def _mark(label: Label, text: str, line: int, main: Span) -> _Mark:
    start = len(text[: label.span.column - 1].replace("\t", TAB))
    end = label.span.end_column if label.span.end_line == line else len(text.rstrip()) + 1
    stop = max(start + 1, len(text[: end - 1].replace("\t", TAB)))
    return _Mark(start, stop, "^" if label.span is main else "~", label.text)


def _together(marks: list[_Mark], length: int) -> list[list[_Mark]]:
    """The marks that are seen in one window: all, unless the line is long."""
    groups = [marks[:1]]
    for mark in marks[1:]:
        if length > LONGEST_LINE and mark.start - groups[-1][0].start > LONGEST_LINE - BEFORE_MARK - 1:
            groups.append([mark])
        else:
            groups[-1].append(mark)
    return groups


def _rows(marks: list[_Mark], left: int, right: int) -> list[str]:
    """The rows below a line that is shown from column `left` up to `right`; words that would overlap get rows of their own."""
    rows: list[str] = []
    row = ""
    for mark in marks:
        start = mark.start - left
        drawn = mark.sign * (min(mark.stop, max(right, mark.start + 1)) - mark.start) + (f" {mark.text}" if mark.text else "")
        if row and len(row) >= start:
            rows.append(row)
            row = ""
        row = row.ljust(start) + drawn
    return [*rows, row]
