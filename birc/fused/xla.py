"""Units whose functions are custom calls of XLA."""

from __future__ import annotations

import ctypes
import hashlib
from dataclasses import replace
from functools import cache

import jax

from birc.backends.c_family import build


@cache
def registered(source: str, calls: tuple[str, ...]) -> tuple[tuple[str, ...], ctypes.CDLL]:
    """The names of a unit's calls `birc_xla_…`, and the library, which must stay."""
    tool = build.compiler()
    # XLA's headers are C++17 with warnings of their own; exceptions and run-time types stay on.
    library = build.library(source, replace(tool, flags=(*tool.flags, f"-I{jax.ffi.include_dir()}")))
    name = "birc_" + hashlib.sha256(source.encode()).hexdigest()[:16]
    for call in calls:
        jax.ffi.register_ffi_target(f"{name}_{call}", jax.ffi.pycapsule(getattr(library, f"birc_xla_{call}")), platform="cpu")
    return tuple(f"{name}_{call}" for call in calls), library
