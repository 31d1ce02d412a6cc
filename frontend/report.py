"""Where the front end collects what it has to say about a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from birc.errors import Diagnostic, Label, Severity, Span
from birc.suggest import closest


@dataclass(slots=True)
class Report:
    """Diagnostics in the order in which they were found, each once.

    `forgiven` holds the words of lines that could not be read: a name that is unknown only because its declaration is
    among them is no second mistake. `errors` counts them, also those that were found before.
    `comparisons` is how many names may still be compared to find the nearest.
    """

    forgiven: frozenset[str] = frozenset()
    errors: int = 0
    comparisons: int = 500_000
    _found: dict[Diagnostic, None] = field(default_factory=dict)

    def error(self, code: str, message: str, span: Span, help: str | None = None, mark: str = "", labels: tuple[Label, ...] = ()) -> None:
        """A mistake; the file gives no model."""
        self.add(Diagnostic(code, message, span, help, mark, labels))

    def warn(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        """Something that is legal and hardly meant."""
        self.add(Diagnostic(code, message, span, help, severity="warning"))

    def add(self, diagnostic: Diagnostic) -> None:
        """A diagnostic that was made elsewhere."""
        self.errors += diagnostic.severity == "error"
        self._found.setdefault(diagnostic)

    def nearest(self, name: str, candidates: Iterable[str]) -> str | None:
        """What was probably meant by a name. A file with thousands of wrong names gets no more advice after the first of them."""
        known = list(candidates)
        self.comparisons -= len(known)
        return closest(name, known) if self.comparisons > 0 else None

    def of(self, severity: Severity) -> tuple[Diagnostic, ...]:
        """The errors, or the warnings."""
        return tuple(d for d in self._found if d.severity == severity)
