"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from birc.errors import BircError
from birc.runtime.output import write_atomic, write_folder


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.txt"
    write_atomic(path, "ä\n")
    write_atomic(path, b"b\n")
    assert path.read_bytes() == b"b\n"
    assert names(tmp_path) == ["new", "new/out.txt"]
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(BircError) as caught:
        write_atomic(path, "new")
    assert str(caught.value) == (
        f"error[X102]: cannot write `{path}`: No space left on device\n  help: the disk is full: free some space or write elsewhere"
    )
    assert names(tmp_path) == ["out.txt"]
    assert path.read_text() == "old"


def interrupted(file: BinaryIO) -> None:
    file.write(b"half")
    raise KeyboardInterrupt


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "out.txt", interrupted)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda folder: folder, "X102"),
        (lambda folder: folder / "file" / "out.txt", "X102"),
        (lambda folder: folder / ("x" * 300), "X102"),
        (lambda folder: folder / "a\0b", "X102"),
    ],
)
def test_impossible_places_are_reported(tmp_path: Path, make: Callable[[Path], Path], code: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BircError) as caught:
        write_atomic(make(tmp_path), "text")
    assert caught.value.code == code


def test_a_read_only_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(**_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("tempfile.mkstemp", denied)
    with pytest.raises(BircError, match="X102") as caught:
        write_atomic(tmp_path / "out.txt", "text")
    assert "you may not write there" in str(caught.value)


def test_a_folder_is_written_and_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_folder(folder, {"a.txt": "a", "sub/b.bin": b"b"})
    write_folder(folder, {"c.txt": "c"})
    assert names(folder) == [".birc", "c.txt"]
    assert names(tmp_path) == ["out", "out/.birc", "out/c.txt"]


def test_foreign_files_are_refused_or_kept(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_folder(folder, {"a.txt": "a"})
    (folder / "notes.md").write_text("mine")
    with pytest.raises(BircError) as caught:
        write_folder(folder, {"b.txt": "b"})
    assert caught.value.code == "I151"
    assert "`notes.md`" in str(caught.value)
    assert names(folder) == [".birc", "a.txt", "notes.md"]
    write_folder(folder, {"b.txt": "b"}, force=True)
    assert names(folder) == [".birc", "b.txt", "notes.md"]
    assert (folder / "notes.md").read_text() == "mine"


def test_a_failing_folder_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "out"
    write_folder(folder, {"a.txt": "a"})
    monkeypatch.setattr(os, "rename", full_disk)
    with pytest.raises(BircError) as caught:
        write_folder(folder, {"b.txt": "b"})
    assert caught.value.code == "X102"
    assert names(tmp_path) == ["out", "out/.birc", "out/a.txt"]


@pytest.mark.parametrize("name", ["../a", "/etc/a", "", "sub/../../a", ".birc", "a\0b"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BircError) as caught:
        write_folder(tmp_path / "out", {name: "x"})
    assert caught.value.code == "I152"
    assert names(tmp_path) == []
