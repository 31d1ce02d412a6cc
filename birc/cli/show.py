"""What the commands print: tables (drawn in a terminal, plain otherwise), JSON, warnings, progress."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from birc.errors import Diagnostic, Span


class Progress(Protocol):
    """Called with the steps done and the steps to do, and of a network with the spikes so far."""

    def __call__(self, done: int, total: int, spikes: int | None = None) -> None: ...


SECONDS = 10.0
"""Between two lines of progress where there is no terminal."""


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
def progress(title: str, n: int | None = None) -> Iterator[Progress | None]:
    """Progress on standard error: a bar in a terminal, else a line now and then for work that takes long.

    With `n` neurons it tells the rate, in updates (one neuron by one step) per second.
    """
    if not sys.stderr.isatty():
        yield _lines(title, n)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn(title),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(title, total=None, rate="")
    began = time.monotonic()
    with bar:

        def tell(done: int, total: int, spikes: int | None = None) -> None:
            seconds = time.monotonic() - began
            bar.update(task, completed=done, total=total, rate=" ".join((rate_of(n, done, seconds), spikes_of(spikes, seconds))))

        yield tell


def _lines(title: str, n: int | None) -> Progress:
    """A line every `SECONDS`; none for what is done before."""
    began = said = time.monotonic()

    def tell(done: int, total: int, spikes: int | None = None) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < SECONDS or done >= total:
            return
        said = now
        left = (now - began) * (total - done) / max(done, 1)
        rates = rate_of(n, done, now - began), spikes_of(spikes, now - began)
        parts = [f"{100 * done / total:.0f} %", *rates, f"about {span_of(left)} left"]
        print(f"{title}: {', '.join(part for part in parts if part)}", file=sys.stderr, flush=True)

    return tell


def rate_of(n: int | None, done: int, seconds: float) -> str:
    """`93 M updates/s`; empty where nothing can be said."""
    return "" if n is None or seconds <= 0.0 or not done else f"{_scaled(n * done / seconds)} updates/s"


def spikes_of(spikes: int | None, seconds: float) -> str:
    """How many spikes a network makes in a second of the clock; empty where nothing can be said."""
    return "" if spikes is None or seconds <= 0.0 else f"{_scaled(spikes / seconds)} spikes/s"


def _scaled(number: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.3g}"


def span_of(seconds: float) -> str:
    """A stretch of time for people: `12 s`, `3 min`, `1.5 h`."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
