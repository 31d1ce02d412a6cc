"""Items as the text of a `.bir` file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from birc.ir.model import Cell, Check, Model, Network
from birc.ir.step import Step
from birc.ir.text.layout import Line, render
from birc.ir.text.print_model import line_of_model
from birc.ir.text.print_network import line_of_cell, line_of_check, line_of_network
from birc.ir.text.print_step import line_of_step

VERSION = 1
BirItem = Model | Cell | Network | Check | Step


def print_module(items: Iterable[BirItem]) -> str:
    """The text of these items, with the format's version on its first line."""
    lines: list[Line] = []
    for item in items:
        lines += [Line(""), _line(item)] if lines else [_line(item)]
    return f"bir {VERSION}\n{render(lines)}"


def print_model(item: Model | Cell | Network | Check) -> str:
    """The text of one item of level 1."""
    return print_module((item,))


def print_step(step: Step) -> str:
    """The text of a step program."""
    return print_module((step,))


def _line(item: BirItem) -> Line:
    match item:
        case Model():
            return line_of_model(item)
        case Cell():
            return line_of_cell(item)
        case Network():
            return line_of_network(item)
        case Check():
            return line_of_check(item)
        case Step():
            return line_of_step(item)
        case _:
            assert_never(item)
