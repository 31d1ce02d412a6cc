"""Reads a model file: what is no text, too large or not there is said plainly."""

from __future__ import annotations

from pathlib import Path

from birc.errors import BircError, Source, Span
from birc.suggest import closest

MAX_BYTES = 1_000_000


def read_source(path: str | Path) -> Source:
    """The file's text, under its path as the name that messages show."""
    path = Path(path)
    shown = str(path)
    if "\0" in shown:
        raise BircError("I001", f"there is no file {shown!r}")
    try:
        if path.is_dir():
            raise BircError("I002", f"{shown} is a folder, not a model file", help=_models_in(path))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BircError("I001", f"there is no file {shown}", help=_near(path)) from None
    except NotADirectoryError:
        raise BircError("I001", f"there is no file {shown}", help="a part of its path is a file, not a folder") from None
    except OSError as error:
        raise BircError("I003", f"{shown} cannot be read: {error.strerror or error}") from None
    return Source(shown, decode(shown, data))


def decode(name: str, data: bytes) -> str:
    """The bytes of a model file as text, without a byte order mark; what is no UTF-8 text is refused."""
    start = Span(Source(name, ""), 1, 1, 1, 1)
    if len(data) > MAX_BYTES:
        raise BircError("S014", f"a model file of more than {MAX_BYTES // 1_000_000} MB", start, "split it, or put data into .npz files")
    zero = data.find(b"\0")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start if zero < 0 else min(zero, error.start)
        raise BircError("S015", f"not a text file: byte {offset} is not UTF-8", start, "a model file is UTF-8 text") from None
    if zero >= 0:
        raise BircError("S015", f"not a text file: byte {zero} is zero", start, "a model file is UTF-8 text")
    return text


def _near(path: Path) -> str | None:
    """A file beside the missing one with almost its name."""
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return f"there is no folder {path.parent} either" if not path.parent.exists() else None
    near = closest(path.name, [name for name in names if name.endswith(".birc")] or names)
    return f"did you mean {path.parent / near}?" if near else None


def _models_in(folder: Path) -> str | None:
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.suffix == ".birc")
    except OSError:
        return None
    return f"it holds {', '.join(names[:5])}{' …' if len(names) > 5 else ''}" if names else None
