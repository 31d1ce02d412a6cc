"""Compiles C++ (or CUDA C++) text to a shared library, once: a private cache keyed by source, flags, compiler and processor.

An entry is `<key>.so` and beside it `<key>.sum`, its SHA-256. An entry whose sum does not fit is built again. Builds of one key wait for
each other on a lock, and an entry appears under its name only when it is complete. Windows has no native target: use it under WSL.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from birc.errors import BircError

COMPILERS = ("c++", "g++", "clang++")

FLAGS = (
    "-std=c++17", "-O3", "-fPIC", "-shared", "-fvisibility=hidden",
    "-ffp-contract=off",  # no fused multiply-add that the program does not name
    "-fno-math-errno", "-fno-trapping-math",  # values stay the same; without them loops with `sqrt` or comparisons stay scalar
)  # fmt: skip
OPTIONAL = (("-march=native", "-mcpu=native"), ("-fopenmp",), ("-fno-tree-pre",), ("-fno-thread-jumps",))
"""Of each group the first that the compiler takes, if it takes any: code for this processor; threads; and nothing that makes branches out
of selections, which would keep loops from becoming vector code."""

WIDEST = ("-mprefer-vector-width=512",)
"""A further group: vectors of 512 bits on all processors with AVX-512, where compilers take half of that for some. Only those for x86 know
it, and so the command that an artifact shows is without it."""

SPINS = "2000"
"""How many times, some 25 ns each, a thread of GNU's OpenMP that waits for the others looks again before it sleeps, if the user does not
say: its own 300,000 take more time than the work where other programs keep those others from running."""

WAITING = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}
"""Environment variables in which the user says it."""

PATIENCE = 600
"""Seconds that a compiler may take."""

HOW_TO_GET_ONE = (
    "install one (Debian, Ubuntu: `apt install g++`; Fedora: `dnf install gcc-c++`; macOS: `xcode-select --install`),\n"
    "or name it in the environment variable CXX; `--target numpy` needs none"
)


@dataclass(frozen=True)
class Compiler:
    """A compiler that answers, the flags to give it, and how the files that it takes end."""

    path: str
    version: str
    flags: tuple[str, ...]
    suffix: str = ".cpp"


def find_compiler() -> str | None:
    """The path of `$CXX`, or of the first of `COMPILERS` that is installed."""
    chosen = os.environ.get("CXX", "").strip()
    return next((found for name in ((chosen,) if chosen else COMPILERS) if (found := shutil.which(name))), None)


def compiler() -> Compiler:
    """The compiler to use. Raises X201 without one, X202 where it does not answer."""
    path = find_compiler()
    if path is None:
        chosen = os.environ.get("CXX", "").strip()
        what = (
            f"the C++ compiler `{chosen}` named by CXX is not there"
            if chosen
            else f"no C++ compiler is installed (tried {', '.join(COMPILERS)})"
        )
        raise BircError("X201", what, help=HOW_TO_GET_ONE)
    return _ask(path, cache_folder())


@cache
def _ask(path: str, folder: Path) -> Compiler:
    """A compiler's version and flags; which flags it takes is tried once, since that takes longer than loading from the cache."""
    version = output([path, "--version"])
    if version is None:
        raise BircError("X202", f"the C++ compiler `{path}` does not answer `--version`", help=HOW_TO_GET_ONE)
    known = folder / f"{_digest(path, version, repr((FLAGS, OPTIONAL, WIDEST)))}.flags"
    try:
        flags = known.read_text("utf-8").split()
    except OSError:
        flags = [*FLAGS, *(flag for group in (*OPTIONAL, WIDEST) if (flag := _first_taken(path, group, folder)))]
        _put(known, " ".join(flags))
    return Compiler(path, version, tuple(flags))


def _first_taken(path: str, flags: tuple[str, ...], folder: Path) -> str | None:
    """The first flag with which the compiler builds a program."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="build-") as place:
        probe = Path(place, "probe.cpp")
        probe.write_text("int main() { return 0; }\n", "utf-8")
        return next((flag for flag in flags if output([path, flag, str(probe), "-o", str(Path(place, "probe"))]) is not None), None)


def _put(path: Path, text: str) -> None:
    """Write a file at once or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix="build-")
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(name, path)


def output(command: list[str]) -> str | None:
    """What a command prints, or None where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


@cache
def processor() -> str:
    """What `-march=native` depends on: the processor's model and features."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        text = output(["sysctl", "-n", "machdep.cpu"]) or ""
    block = text.split("\n\n")[0]
    wanted = ("model name", "flags", "Features", "CPU implementer", "CPU part")
    lines = [line for line in block.splitlines() if line.startswith(wanted)] if "\n" in block else [block]
    return "\n".join([platform.machine(), *lines])


def cache_folder() -> Path:
    """The private folder of built libraries. Raises X204 where it is not this user's alone."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    folder = (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "birc"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        raise BircError(
            "X204", f"the cache folder `{folder}` cannot be used: {error.strerror}", help="set XDG_CACHE_HOME to a folder of your own"
        ) from None
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise BircError(
            "X204",
            f"the cache folder `{folder}` belongs to, or can be written by, someone else",
            help=f"`chmod 700 {folder}` if it is yours, or set XDG_CACHE_HOME to a folder of your own",
        )
    return folder


def library(source: str, tool: Compiler | None = None) -> ctypes.CDLL:
    """The library built from a text with a compiler (`compiler()`, if none is given), from the cache where it is there.

    Raises X201, X202, X203 and X204.
    """
    folder = cache_folder()
    tool = tool or compiler()
    path = folder / f"{key(source, tool)}.so"
    if not intact(path):
        with _locked(path.with_suffix(".lock")):
            if not intact(path):
                _build(source, tool, path)
    return _loaded(path)


def _loaded(path: Path) -> ctypes.CDLL:
    """A library in this process. OpenMP, which comes with the first one that uses it, reads how to wait from the environment."""
    if WAITING & os.environ.keys():
        return ctypes.CDLL(str(path))
    os.environ["GOMP_SPINCOUNT"] = SPINS
    try:
        return ctypes.CDLL(str(path))
    finally:
        del os.environ["GOMP_SPINCOUNT"]


def key(source: str, tool: Compiler) -> str:
    """What makes two builds the same."""
    parts = (source, tool.path, tool.version, *tool.flags, processor(), sys.platform)
    return _digest(*parts)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def intact(path: Path) -> bool:
    """Whether a cache entry is complete: its sum is there and fits."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == path.with_suffix(".sum").read_text("ascii", "replace")
    except OSError:
        return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Waits until no other process holds the lock."""
    import fcntl  # not on Windows, where this target cannot run but its name must be known

    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(source: str, tool: Compiler, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="build-") as folder:
        text, made = Path(folder, f"model{tool.suffix}"), Path(folder, "model.so")
        text.write_text(source, "utf-8")
        command = [tool.path, *tool.flags, str(text), "-o", str(made)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            raise _failed(source, tool, f"no answer within {PATIENCE} s", path) from None
        except OSError as error:
            raise BircError("X202", f"the compiler `{tool.path}` cannot be started: {error.strerror}", help=HOW_TO_GET_ONE) from None
        if done.returncode != 0:
            raise _failed(source, tool, done.stderr, path)
        total = hashlib.sha256(made.read_bytes()).hexdigest()
        os.replace(made, path)
        _put(path.with_suffix(".sum"), total)


def _failed(source: str, tool: Compiler, log: str, path: Path) -> BircError:
    """X203, with the end of the compiler's words; all of them stand in a file beside the text that it was given."""
    kept, words = path.with_suffix(f".failed{tool.suffix}"), path.with_suffix(".log")
    kept.write_text(source, "utf-8")
    words.write_text(log, "utf-8")
    end = "\n".join(log.strip().splitlines()[-5:])
    fault = "this is a fault of birc or of the compiler, not of the model"
    return BircError(
        "X203",
        f"`{tool.path}` could not compile the program made from this model",
        help=f"{fault}\nthe program is in {kept}\nthe compiler's words are in {words}; they end:\n{end}",
    )
