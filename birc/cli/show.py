"""What the commands print: tables (drawn in a terminal, plain otherwise), JSON, warnings, progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from birc.errors import Diagnostic, Span

Progress = Callable[[int, int], None]
"""Called with the steps done and the steps to do."""


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output; plain columns, two spaces apart, where that is no terminal."""
    if sys.stdout.isatty():
        _drawn(heads, rows)
    else:
        print(plain(heads, rows))


def plain(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table as plain text."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def _drawn(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        drawn.add_column(head, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell, _STYLES.get(cell, "")) for cell in row))
    Console().print(drawn)


_STYLES = {"pass": "green", "ok": "green", "fail": "bold red", "failed": "bold red", "refused": "yellow", "not exercised": "yellow"}


def warnings(diagnostics: Iterable[Diagnostic]) -> None:
    """Warnings, on standard error."""
    for diagnostic in diagnostics:
        print(diagnostic, file=sys.stderr)


def as_json(value: Any) -> None:
    """A value as JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def json_diagnostics(diagnostics: Iterable[Diagnostic]) -> str:
    """Diagnostics for an editor: a JSON list; lines and columns count from 1."""
    return json.dumps([diagnostic_record(d) for d in diagnostics], indent=2, ensure_ascii=False)


def diagnostic_record(diagnostic: Diagnostic) -> dict[str, Any]:
    """One diagnostic as a table."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "span": span_record(diagnostic.span),
        "mark": diagnostic.mark,
        "labels": [{"span": span_record(label.span), "text": label.text} for label in diagnostic.labels],
        "help": diagnostic.help,
    }


def span_record(span: Span | None) -> dict[str, Any] | None:
    """A place as a table."""
    if span is None:
        return None
    return {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def count(number: int, noun: str) -> str:
    """`1 spike`, `2 spikes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@contextmanager
def progress(title: str) -> Iterator[Progress | None]:
    """A progress bar on standard error, in a terminal only; it shows once the work takes longer than a moment."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn(title),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(title, total=None)
    with bar:
        yield lambda done, total: bar.update(task, completed=done, total=total)
