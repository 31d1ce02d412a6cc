"""Files appear whole or not at all: everything birc writes is written under a temporary name and renamed."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from birc.errors import BircError

Content = str | bytes | Callable[[BinaryIO], None]

MARK = ".birc"
"""Names the files that birc put into a folder, so that it replaces its own and nobody else's."""


def write_atomic(path: str | Path, content: Content) -> Path:
    """Write a file in one go: text (UTF-8), bytes, or what a function writes to an open file.

    The folder is made if it is missing. Raises X102 where it cannot be written; then nothing is left behind.
    """
    path = Path(path)
    with reported(path):
        make_folder(path.parent)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "w+b") as file:  # HDF5 reads what it has written
                _fill(file, content)
                file.flush()
                os.fsync(file.fileno())
            _as_usual(temporary, 0o666)
            os.replace(temporary, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
    return path


def write_folder(path: str | Path, files: Mapping[str, str | bytes], force: bool = False) -> Path:
    """Write a folder of files in one go; a folder that is there is replaced if birc made it.

    Raises I151 for a folder that holds anything else, unless `force` is given (then the other files stay), I152 for a name that
    leaves the folder, X102 where it cannot be written.
    """
    path = Path(path)
    for name in files:
        _inside(path, name)
    with reported(path):
        if path.exists() and not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        kept = _foreign(path)
        if kept and not force:
            shown = ", ".join(f"`{name}`" for name in kept[:3]) + (", …" if len(kept) > 3 else "")
            raise BircError(
                "I151",
                f"the folder `{path}` holds files that birc did not write: {shown}",
                help="choose another folder, or use `--force` to write beside them",
            )
        make_folder(path.absolute().parent)
        temporary = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}.", suffix=".part"))
        try:
            for name, content in {**files, MARK: "".join(f"{name}\n" for name in sorted(files))}.items():
                target = temporary / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    _fill(file, content)
            _as_usual(temporary, 0o777)
            _swap(temporary, path, kept)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return path


def _fill(file: BinaryIO, content: Content) -> None:
    if callable(content):
        content(file)
    else:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def _inside(folder: Path, name: str) -> None:
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts or name == MARK or "\0" in name:
        raise BircError("I152", f"`{name}` is no name for a file inside `{folder}`")


def _foreign(path: Path) -> list[str]:
    """What a folder holds that birc did not write, sorted."""
    if not path.exists():
        return []
    there = {file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir() or file.is_symlink()}
    try:
        own = set((path / MARK).read_text("utf-8").splitlines()) | {MARK}
    except (FileNotFoundError, UnicodeDecodeError):
        own = set()
    return sorted(there - own)


def _swap(new: Path, path: Path, kept: list[str]) -> None:
    """Put `new` in the place of `path`; foreign files move over unless birc now writes that name."""
    if not path.exists():
        os.rename(new, path)
        return
    for name in kept:
        target = new / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path / name, target, follow_symlinks=False)
    aside = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}.", suffix=".old"))
    try:
        os.rename(path, aside / path.name)
    except BaseException:
        aside.rmdir()
        raise
    try:
        os.rename(new, path)
    except BaseException:
        os.rename(aside / path.name, path)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def make_folder(path: Path) -> None:
    """A folder and those above it."""
    path.mkdir(parents=True, exist_ok=True)


def _as_usual(path: str | Path, mode: int) -> None:
    """Give a temporary file the permissions that an ordinary new file would have."""
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(path, mode & ~mask)


_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space or write elsewhere",
    errno.EDQUOT: "your quota is used up: free some space or write elsewhere",
    errno.EACCES: "you may not write there: choose another place",
    errno.EPERM: "you may not write there: choose another place",
    errno.EROFS: "that file system is read-only: choose another place",
    errno.EISDIR: "it is a folder: name a file",
    errno.ENOTDIR: "a file stands where a folder is needed: choose another name",
    errno.EEXIST: "a file stands where a folder is needed: choose another name",
    errno.ENAMETOOLONG: "the name is too long",
}


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn what the operating system says into X102."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        help = _ADVICE.get(error.errno or 0)
        raise BircError("X102", f"cannot write `{path}`: {reason}", help=help) from error
    except ValueError as error:  # a path with a null byte
        raise BircError("X102", f"cannot write {str(path)!r}: {error}") from error
