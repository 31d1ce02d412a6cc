"""Files and the names that they share: imports from the library and from neighbouring files, each file read once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

from birc.errors import BircError, Diagnostic, Label, Source, Span
from birc.frontend import ast
from birc.frontend.parser import parse_partial, read_source
from birc.frontend.report import Report

Library = Callable[[str], Source | None]
"""Finds the source in which the library declares an item."""
Opened = tuple[Source, Path | None]
DEEPEST_IMPORT = 50


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """An item, and the file in which its names are looked up."""

    item: ast.Item
    file: File


@dataclass(eq=False, slots=True)
class File:
    """A file that was read: its own items and those it imports, by name. `folder` is where its imports lie."""

    module: ast.Module
    folder: Path | None
    items: dict[str, Found] = field(default_factory=dict)
    forgiven: frozenset[str] = frozenset()

    def find(self, name: str) -> Found | None:
        """The item of a name."""
        return self.items.get(name)


def read_file(source: Source, folder: Path | None, report: Report, library: Library | None = None) -> File:
    """A file and everything it imports. Syntax errors, and what is wrong with imports and the names of items, go to the report."""
    own = () if folder is None else (str((folder / Path(source.name).name).resolve()),)
    return _Reader(report, library or library_source).read(source, folder, own)


@dataclass(slots=True)
class _Reader:
    report: Report
    library: Library
    files: dict[str, File] = field(default_factory=dict)

    def read(self, source: Source, folder: Path | None, above: tuple[str, ...]) -> File:
        """A file; `above` holds the keys of the files that are being read just now, its own last."""
        module, diagnostics = parse_partial(source)
        for diagnostic in diagnostics:
            self.report.add(diagnostic)
        file = File(module, folder, forgiven=words_of(diagnostics))
        self.report.forgiven |= file.forgiven
        self._add_items(file)
        for statement in module.imports:
            self._import(statement, file, above)
        return file

    def _add_items(self, file: File) -> None:
        for item in file.module.items:
            if item.kind == "check":
                continue
            first = file.items.setdefault(item.name, Found(item, file)).item
            if first is not item:
                labels = (Label(first.name_span, "first"),)
                self.report.error("N102", f"there are two items `{item.name}` in this file", item.name_span, labels=labels)

    def _import(self, statement: ast.Import, file: File, above: tuple[str, ...]) -> None:
        for name in statement.names:
            found = self._from_library(name, above) if statement.file is None else self._from_file(statement.file, name, file, above)
            if found is None:
                self.report.forgiven |= {name.name}
                continue
            own = file.items.setdefault(name.name, found)
            if own.item is not found.item:
                labels = (Label(own.item.name_span, "the other"),)
                self.report.error("N102", f"there are two items `{name.name}` in this file", name.span, labels=labels)

    def _from_library(self, name: ast.Name, above: tuple[str, ...]) -> Found | None:
        source = self.library(name.name)
        if source is None:
            near = self.report.nearest(name.name, library_index())
            help = f"did you mean `{near}`?" if near else "`birc models` lists the library"
            self.report.error("N110", f"the library has no `{name.name}`", name.span, help)
            return None
        file = self._file(f"birc:{source.name}", name.span, above, lambda: (source, None))
        return file.find(name.name) if file is not None else None

    def _from_file(self, text: ast.Text, name: ast.Name, file: File, above: tuple[str, ...]) -> Found | None:
        path = self._path(text, file)
        if path is None:
            return None
        other = self._file(str(path), text.span, above, lambda: self._opened(path, text, file))
        if other is None:
            return None
        found = other.items.get(name.name)
        if found is None or found.file is not other:
            own = [n for n, f in other.items.items() if f.file is other]
            near = self.report.nearest(name.name, own)
            help = f"did you mean `{near}`?" if near else f"it has {', '.join(f'`{n}`' for n in own)}" if own else None
            if name.name not in other.forgiven:
                self.report.error("N114", f'there is no item `{name.name}` in "{text.value}"', name.span, help)
            return None
        return found

    def _file(self, key: str, span: Span, above: tuple[str, ...], opened: Callable[[], Opened | None]) -> File | None:
        """The file of a key, read when it is first asked for; None where that is not possible, which is reported."""
        if key in above:
            help = "imports form no cycles: move what both use to a third file"
            self.report.error("N113", "that file imports this one in turn", span, help)
            return None
        if key not in self.files:
            if len(above) > DEEPEST_IMPORT:
                self.report.error("N113", f"imports nest more than {DEEPEST_IMPORT} deep here", span)
                return None
            found = opened()
            if found is None:
                return None
            self.files[key] = self.read(*found, (*above, key))
        return self.files[key]

    def _opened(self, path: Path, text: ast.Text, file: File) -> Opened | None:
        try:
            source = read_source(path)
        except BircError as error:
            for diagnostic in error.diagnostics:
                self.report.error("N112", f'"{text.value}" cannot be read: {diagnostic.message}', text.span, diagnostic.help)
            return None
        shown = Path(file.module.source.name).parent / text.value
        return Source(str(shown), source.text), path.parent

    def _path(self, text: ast.Text, file: File) -> Path | None:
        """The real path of an import: beside or below the importing file, also behind links."""
        written = Path(text.value)
        if file.folder is None:
            self.report.error("N111", "a text without a folder can import only from the library", text.span, "`from birc use …`")
            return None
        if written.is_absolute() or ".." in written.parts or "\\" in text.value or "\0" in text.value or not text.value:
            self.report.error(
                "N111", f'"{text.value}" does not lie beside or below this file', text.span, "move it here, or import from the library"
            )
            return None
        folder = file.folder.resolve()
        try:
            path = (folder / written).resolve()
        except (OSError, RuntimeError):
            path = folder / written
        if not path.is_relative_to(folder):
            self.report.error(
                "N111", f'"{text.value}" leads out of the folder of this file', text.span, "move it here, or import from the library"
            )
            return None
        if not path.is_file():
            near = self.report.nearest(text.value, (p.name for p in folder.glob("*.birc")))
            help = f'did you mean "{near}"?' if near else None
            self.report.error("N112", f'there is no file "{text.value}"', text.span, help)
            return None
        return path


def words_of(diagnostics: tuple[Diagnostic, ...]) -> frozenset[str]:
    """The words on lines that could not be read."""
    lines = (d.span.source.line(d.span.line) for d in diagnostics if d.span is not None)
    return frozenset(word for line in lines for word in re.findall(r"[A-Za-z_][A-Za-z_0-9]*", line[:10_000]))


# --- the library

_HEADER = re.compile(r"^(?:neuron|channel|synapse|cell|astrocyte|network)[ ]+([A-Za-z_][A-Za-z_0-9]*)", re.MULTILINE)


@cache
def library_index() -> dict[str, str]:
    """In which file of the library each item stands."""
    folder = resources.files("birc").joinpath("library")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".birc")), key=lambda f: f.name)
    return {name: f.name for f in files for name in _HEADER.findall(f.read_text("utf-8"))}


@cache
def _library_file(name: str) -> Source:
    return Source(f"birc/library/{name}", resources.files("birc").joinpath("library", name).read_text("utf-8"))


def library_source(item: str) -> Source | None:
    """The source in which the library declares an item."""
    name = library_index().get(item)
    return None if name is None else _library_file(name)
