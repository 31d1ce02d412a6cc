"""The intermediate representation as text, both ways: `parse(print_module(items)) == items`."""

from __future__ import annotations

from birc.ir.text.read import parse, parse_model, parse_step, read_bir
from birc.ir.text.write import BirItem, print_model, print_module, print_step

__all__ = ["BirItem", "parse", "parse_model", "parse_step", "print_model", "print_module", "print_step", "read_bir"]
