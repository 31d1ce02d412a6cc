"""The compiler and the cache of built libraries."""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from birc.backends.c_family import build
from birc.backends.native import BACKEND
from birc.errors import BircError

needs_compiler = pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")

SOURCE = 'extern "C" __attribute__((visibility("default"))) int answer() { return 42; }\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "birc"


def answer(library: ctypes.CDLL) -> int:
    result: int = library.answer()
    return result


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o755)
    return path


@needs_compiler
def test_built_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = build.find_compiler()
    counter = tmp_path / "calls"
    text = f"import os, sys\nopen({str(counter)!r}, 'a').write('x')\nos.execv({real!r}, [{real!r}, *sys.argv[1:]])"
    monkeypatch.setenv("CXX", str(script(tmp_path / "counting", text)))
    assert answer(build.library(SOURCE)) == 42
    calls = counter.read_text()
    assert answer(build.library(SOURCE)) == 42
    assert counter.read_text() == calls
    assert answer(build.library(SOURCE + "// another\n")) == 42
    assert len(counter.read_text()) == len(calls) + 1  # the compiler is not asked for its version again


@needs_compiler
def test_the_cache_is_private_and_left_clean(folder: Path) -> None:
    build.library(SOURCE)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.suffix for path in folder.iterdir()} == {".so", ".sum", ".lock", ".flags"}


@needs_compiler
@pytest.mark.parametrize("suffix", [".so", ".sum"])
@pytest.mark.parametrize("damage", [b"", b"garbage"])
def test_a_damaged_entry_is_built_again(folder: Path, suffix: str, damage: bytes) -> None:
    path = folder / f"{build.key(SOURCE, build.compiler())}.so"
    path.write_bytes(b"not a library")
    path.with_suffix(".sum").write_text("0")
    assert answer(build.library(SOURCE)) == 42
    assert build.intact(path)
    damaged = path.with_suffix(suffix)
    damaged.unlink()
    damaged.write_bytes(damage)
    assert not build.intact(path)
    assert answer(build.library(SOURCE)) == 42
    assert build.intact(path)


@needs_compiler
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_cache_others_can_write_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(BircError) as caught:
        build.library(SOURCE)
    assert caught.value.code == "X204"
    assert "chmod 700" in str(caught.value)


@needs_compiler
def test_a_cache_that_is_a_link_to_a_foreign_folder_is_refused(folder: Path) -> None:
    if os.getuid() == 0 or Path("/").stat().st_uid == os.getuid():
        owner = os.getuid() + 1
        if os.getuid() != 0:
            pytest.skip("only root can give a folder away")
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    else:
        folder.symlink_to("/")
    with pytest.raises(BircError) as caught:
        build.library(SOURCE)
    assert caught.value.code == "X204"


@needs_compiler
def test_builds_at_the_same_time(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: answer(build.library(SOURCE)), range(4))) == [42] * 4


def test_no_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(folder))
    missing = BACKEND.missing()
    assert missing is not None
    assert "apt install g++" in missing.how
    with pytest.raises(BircError) as caught:
        build.library(SOURCE)
    assert str(caught.value) == (
        "error[X201]: no C++ compiler is installed (tried c++, g++, clang++)\n"
        "  help: install one (Debian, Ubuntu: `apt install g++`; Fedora: `dnf install gcc-c++`; macOS: `xcode-select --install`),\n"
        "        or name it in the environment variable CXX; `--target numpy` needs none"
    )


def test_the_chosen_compiler_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler; echo")
    with pytest.raises(BircError) as caught:
        build.library(SOURCE)
    assert caught.value.code == "X201"
    assert "`no-such-compiler; echo` named by CXX" in str(caught.value)


def test_a_compiler_that_does_not_answer(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", str(script(tmp_path / "broken", "raise SystemExit(3)")))
    with pytest.raises(BircError) as caught:
        build.library(SOURCE)
    assert caught.value.code == "X202"


@needs_compiler
def test_a_program_that_does_not_compile(folder: Path) -> None:
    with pytest.raises(BircError) as caught:
        build.library("int answer( {\n")
    assert caught.value.code == "X203"
    (log,) = folder.glob("*.log")
    assert "error" in log.read_text()
    assert str(log) in str(caught.value)
    assert not list(folder.glob("build-*"))
    assert not list(folder.glob("*.so"))


@needs_compiler
def test_the_key_knows_source_compiler_flags_and_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = build.compiler()
    keys = {build.key(SOURCE, tool), build.key(SOURCE + " ", tool)}
    keys.add(build.key(SOURCE, build.Compiler(tool.path, tool.version + "x", tool.flags)))
    keys.add(build.key(SOURCE, build.Compiler(tool.path, tool.version, (*tool.flags, "-g"))))
    monkeypatch.setattr(build, "processor", lambda: "another")
    keys.add(build.key(SOURCE, tool))
    assert len(keys) == 5
