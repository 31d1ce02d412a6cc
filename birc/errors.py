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


def _draw(line: int, marks: list[Label], width: int, main: Span) -> list[str]:
    """A source line and the carets below it (`^` under the main place, `~` under others, words behind them)."""
    text = marks[0].span.source.line(line)
    if not text.strip():
        return []
    shown = text.replace("\t", TAB)
    margin = " " * (width + 3)
    rows: list[str] = []
    row = ""
    for mark in sorted(marks, key=lambda m: m.span.column):
        start = len(text[: mark.span.column - 1].replace("\t", TAB))
        end = mark.span.end_column if mark.span.end_line == line else len(text.rstrip()) + 1
        stop = max(start + 1, len(text[: end - 1].replace("\t", TAB)))
        sign = "^" if mark.span is main else "~"
        drawn = sign * (stop - start) + (f" {mark.text}" if mark.text else "")
        if row and len(row) >= start:
            rows.append(row)
            row = ""
        row = row.ljust(start) + drawn
    rows.append(row)
    return [f"  {line:>{width}} | {shown}", *(f"{margin}| {r}" for r in rows)]
