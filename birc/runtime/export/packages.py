"""The packages that formats need, imported when they are asked for."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from birc.errors import BircError

NEEDS = {
    "pandas": ("tables", "pandas", "data"),
    "xarray": ("datasets", "xarray", "data"),
    "neo": ("Neo blocks", "neo", "neo"),
    "nwb": ("NWB files", "pynwb", "nwb"),
    "sonata": ("SONATA files", "h5py", "sonata"),
}
"""By format: what it makes, the package, and the extra of birc that brings it."""


def package(format: str) -> ModuleType:
    """The package of a format. Raises X341 where it is not installed."""
    what, name, extra = NEEDS[format]
    try:
        return import_module(name)
    except ImportError as error:
        message = f"{what} need the package {name}, which is not installed"
        raise BircError("X341", message, help=f'pip install "birc[{extra}]"') from error
