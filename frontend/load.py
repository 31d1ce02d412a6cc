"""The one entry to the front end: a source becomes a module of the model IR, or every mistake in it is reported."""

from __future__ import annotations

from pathlib import Path

from birc.errors import BircError, Diagnostic, Source
from birc.frontend.build import build_module
from birc.frontend.report import Report
from birc.frontend.resolve import Library, read_file
from birc.ir.model import Module


def load(source: Source, library: Library | None = None) -> Module:
    """The items and checks of a source, imports resolved. Raises one `BircError` with all mistakes, in order.

    Files that it imports lie beside or below the file that the source names; `library` replaces birc's own.
    """
    module, diagnostics = load_partial(source, library)
    if module is None:
        raise BircError.of(d for d in diagnostics if d.severity == "error")
    return module


def load_partial(source: Source, library: Library | None = None) -> tuple[Module | None, tuple[Diagnostic, ...]]:
    """The module and the warnings on it; or None, and all mistakes."""
    report = Report()
    file = read_file(source, _folder(source), report, library)
    module = build_module(file, report)
    errors = report.of("error")
    if errors:
        return None, BircError.of(errors).diagnostics
    return module, report.of("warning")


def _folder(source: Source) -> Path | None:
    try:
        path = Path(source.name)
        return path.parent if path.is_file() else None
    except (OSError, ValueError):
        return None
