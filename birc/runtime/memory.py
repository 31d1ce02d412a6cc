"""How much memory a run may take, and a refusal with figures before it is taken."""

from __future__ import annotations

import os
from pathlib import Path

from birc.errors import BircError

FALLBACK = 4 << 30
SHARE = 0.9
"""Of what is free: the rest is for the interpreter, the spikes and everyone else."""

_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def available_memory() -> int:
    """Bytes that can still be allocated: what the machine has free, or less where a control group says so."""
    return max(0, min([_machine(), *(_group(limit, used) for limit, used in _CGROUPS)]))


def _machine() -> int:
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on every system
        return FALLBACK


def _group(limit: str, used: str) -> int:
    try:
        return int(Path(limit).read_text("ascii")) - int(Path(used).read_text("ascii"))
    except (OSError, ValueError):  # no such group, or the limit is the word "max"
        return 1 << 62


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
