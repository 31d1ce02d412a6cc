"""Layers that learn: the models of the library as Keras 3 layers, and what is needed around them.

The names below are imported when they are first used; then Keras is loaded, on the package that `KERAS_BACKEND` names.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = dict.fromkeys(("EProp", "STDPLayer", "STPLayer", "ThreeFactorRule"), "birc.nn.plasticity")

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'birc.nn' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
