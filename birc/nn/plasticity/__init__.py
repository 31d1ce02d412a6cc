"""Layers whose weights change by rules of synapses, compiled from the library."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {"EProp": "eprop", "STDPLayer": "stdp", "STPLayer": "stp", "ThreeFactorRule": "three_factor"}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'birc.nn.plasticity' has no attribute {name!r}")
    return getattr(import_module(f"birc.nn.plasticity.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
