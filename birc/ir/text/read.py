"""The text of a `.bir` file as items."""

from __future__ import annotations

import re
from typing import TypeVar

from birc.errors import BircError, Source
from birc.ir.model import Model
from birc.ir.step import Step
from birc.ir.text.read_model import read_model
from birc.ir.text.read_network import read_cell, read_check, read_network
from birc.ir.text.read_step import read_step
from birc.ir.text.scanner import Scanner
from birc.ir.text.write import VERSION, BirItem

T = TypeVar("T")
_VERSION = re.compile(r"bir ([0-9]{1,9})(?=\s|$)")


def read_bir(source: Source) -> tuple[BirItem, ...]:
    """All items of a text. Raises `BircError` at the first place that does not fit."""
    scan = Scanner(source)
    version = scan.match(_VERSION)
    if version is None:
        scan.fail("S201", "a `.bir` text begins with its format's version", help=f"write `bir {VERSION}` on the first line")
    if int(version[1]) != VERSION:
        scan.fail("S202", f"format {version[1]} is not known here; this birc reads format {VERSION}", version.start())
    items: list[BirItem] = []
    while not scan.ended:
        items.append(_item(scan))
    return tuple(items)


def _item(scan: Scanner) -> BirItem:
    if scan.take("model"):
        return read_model(scan)
    if scan.take("step"):
        return read_step(scan)
    if scan.take("cell"):
        return read_cell(scan)
    if scan.take("network"):
        return read_network(scan)
    if scan.take("check"):
        return read_check(scan)
    scan.expected("model, step, cell, network or check")


def parse(text: str, name: str = "<bir>") -> tuple[BirItem, ...]:
    """All items of a text; `name` is shown in errors."""
    return read_bir(Source(name, text))


def parse_model(text: str, name: str = "<bir>") -> Model:
    """The one model of a text."""
    return _only(text, name, Model)


def parse_step(text: str, name: str = "<bir>") -> Step:
    """The one step program of a text."""
    return _only(text, name, Step)


def _only(text: str, name: str, kind: type[T]) -> T:
    source = Source(name, text)
    items = read_bir(source)
    if len(items) != 1 or not isinstance(items[0], kind):
        raise BircError("S207", f"expected one {kind.__name__.lower()} in {name}, found {len(items)} items")
    return items[0]
