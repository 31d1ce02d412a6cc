"""birc, a compiler for neuron models: text goes in at the top, simulators that agree with one another come out at the bottom.

The names below are imported when they are first used, so that `import birc` is quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from birc.backends import Artifact
    from birc.driver import check, compile, dump, explain, run, verify
    from birc.errors import BircError
    from birc.runtime.result import Result
    from birc.sources import load

__version__ = "0.1.0"

__all__ = ["Artifact", "BircError", "Result", "check", "compile", "dump", "explain", "load", "run", "verify"]

_HOME = {"Artifact": "birc.backends", "BircError": "birc.errors", "Result": "birc.runtime.result", "load": "birc.sources"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'birc' has no attribute {name!r}")
    return getattr(import_module(_HOME.get(name, "birc.driver")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """A public name stays what it is, although importing the folder `birc/verify` would put a module in its place."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
