"""How much memory a run may take, and a refusal with figures before it is taken."""

from __future__ import annotations

import os
from pathlib import Path

from birc.errors import BircError

FALLBACK = 4 << 30
SHARE = 0.9
"""Of what is free: the rest is for the interpreter, the spikes and everyone else."""

_MEMINFO = Path("/proc/meminfo")
_GROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current", ("active_file", "inactive_file")),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", ("total_active_file", "total_inactive_file")),
)
"""Of both versions of Linux control groups: folder, limit, usage, and what part of the usage is only cached files."""


def available_memory() -> int:
    """Bytes that can still be allocated: what the machine has free, or less where a control group says so."""
    return max(0, min([_machine(), *(_group(*group) for group in _GROUPS)]))


def _machine() -> int:
    try:
        for line in _text(_MEMINFO).splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on every system
        return FALLBACK


def _group(folder: Path, limit: str, used: str, cached: tuple[str, ...]) -> int:
    try:
        most = int(_text(folder / limit))
        statistics = dict(line.split() for line in _text(folder / "memory.stat").splitlines())
        return most - int(_text(folder / used)) + sum(int(statistics.get(name, 0)) for name in cached)
    except (OSError, ValueError):  # no such group, or the limit is the word "max"
        return 1 << 62


def _text(path: Path) -> str:
    """A small file of the system, without what a text file object costs: every run reads several."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 1 << 16).decode("ascii")
    finally:
        os.close(file)


def readable(size: float) -> str:
    """A size for people: `3.2 GB`."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} PB" if size < 1000 else f"{size / 1000:.3g} EB"


def require(size: int, what: str, help: str) -> None:
    """Refuse (I145) what would not fit into memory."""
    free = int(SHARE * available_memory())
    if size > free:
        raise BircError("I145", f"{what} would take {readable(size)} of memory, and {readable(free)} are free", help=help)
