"""The C headers that targets share, as text that is put in front of a model's own."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def header(name: str, package: str = __name__) -> str:
    """A header of this folder, or of another package."""
    return resources.files(package).joinpath(name).read_text("utf-8").rstrip()
