"""The pace of birc's functions beside the C library's vector functions."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tests.ulp import build

N = 1024
REPEATS = 200
ROUNDS = 15
TYPES: tuple[tuple[str, type[np.floating[Any]]], ...] = (("float", np.float32), ("double", np.float64))


def paces(names: Iterable[str], folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Nanoseconds for a value of each function: for each type, birc's and the C library's."""
    shared = ("-shared", "-fPIC")
    birc = ctypes.CDLL(str(build.compiled(build.birc_loops(), build.birc_flags(), folder / "birc.so")))
    library = ctypes.CDLL(str(build.compiled(build.library_loops(), (*build.LIBRARY_FLAGS, *shared), folder / "library.so")))
    found: dict[str, list[tuple[float, float]]] = {}
    for name in names:
        found[name] = []
        for kind, real in TYPES:
            loops = (getattr(birc, f"birc_{name}_{kind}"), getattr(library, f"library_{name}_{kind}"))
            best = [np.inf, np.inf]
            for _ in range(ROUNDS):
                best = [min(least, nanoseconds(loop, name, real)) for least, loop in zip(best, loops, strict=True)]
            found[name].append((best[0], best[1]))
    return found


def nanoseconds(loop: Any, name: str, real: type[np.floating[Any]]) -> float:
    """Processor time for one value."""
    rng = np.random.default_rng(0)
    positive = name in ("log", "log1p", "pow")
    x, y = rng.uniform(0 if positive else -10, 10, N).astype(real), rng.uniform(-3, 3, N).astype(real)
    result = np.empty_like(x)
    addresses = [ctypes.c_void_p(array.ctypes.data) for array in (x, y, result)]
    began = time.process_time()
    loop(*addresses, ctypes.c_long(N), ctypes.c_long(REPEATS))
    return (time.process_time() - began) / (N * REPEATS) * 1e9
