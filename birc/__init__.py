"""birc, a compiler for neuron models: text goes in at the top, simulators that agree with one another come out at the bottom.

The names below are imported when they are first used, so that `import birc` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from birc.backends import Artifact
    from birc.driver import check, compile, compile_model, dump, explain, run, verify
    from birc.errors import BircError
    from birc.runtime.result import Result
    from birc.sources import load

__version__ = "0.1.0"

__all__ = ["Artifact", "BircError", "Result", "check", "compile", "compile_model", "dump", "explain", "load", "run", "verify"]

_HOME = {"Artifact": "birc.backends", "BircError": "birc.errors", "Result": "birc.runtime.result", "load": "birc.sources"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'birc' has no attribute {name!r}")
    return getattr(import_module(_HOME.get(name, "birc.driver")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
