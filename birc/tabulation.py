"""Tables asked for by a user: `1e-6, v in [-120 mV, 80 mV]` is an error and, where the model says none, the range of a state."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from birc.errors import BircError, Diagnostic
from birc.frontend.quantity import parse_quantity
from birc.ir.ops import Bounds
from birc.ir.step import REFRACTORY, Slot, Step
from birc.passes.tabulate import tabulate
from birc.suggest import closest

WITHOUT = ("share-exponentials",)
"""Passes that are left out where tables are asked for: a table holds all functions of a number, and takes none with a `select`."""

_PART = re.compile(r",(?![^\[]*\])")
_RANGE = re.compile(r"\s*([^\s\[\]]+)\s+in\s*\[([^\[\],]*),([^\[\],]*)\]\s*")


def without(skip: Iterable[str], tables: str | None) -> tuple[str, ...]:
    """The passes to leave out, tables considered."""
    return (*skip, *WITHOUT) if tables else tuple(skip)


def with_tables(step: Step, request: str) -> tuple[Step, tuple[Diagnostic, ...]]:
    """The step with the tables of a request, and L131, a warning, where nothing is worth a table.

    Raises A022 for a request that cannot be read, A023 for a range of something that has no table, L130 where a range is needed.
    """
    error, *rest = _PART.split(request)
    bound = _error(error, request)
    ranges: dict[str, Bounds] = {}
    slots = {slot.name: slot for slot in step.slots if slot.kind == "real" and slot.name != REFRACTORY}
    for part in rest:
        name, ends = _range(part, slots, request)
        if name in ranges:
            raise BircError("A003", f"`--tables` names `{name}` twice")
        ranges[name] = ends
    changed = tabulate(step, bound, ranges)
    if changed is step:
        return step, (Diagnostic("L131", f"nothing in `{step.name}` is worth a table", step.span, severity="warning"),)
    made = {table.slot for table in changed.tables}
    for name in sorted(ranges.keys() - made):
        help = f"its tables are over {', '.join(f'`{slot}`' for slot in sorted(made))}"
        raise BircError("A023", f"`{step.name}` has no table over `{name}`", help=help)
    return changed, ()


def _error(text: str, request: str) -> float:
    try:
        error = float(text)
    except ValueError:
        error = math.nan
    if not 0 < error < 1:
        help = 'it begins with the error, above 0 and below 1, relative to the function: `--tables "1e-6, v in [-120 mV, 80 mV]"`'
        raise BircError("A022", f"`{request}` asks for no tables: `{text.strip()}` is no error", help=help)
    return error


def _range(text: str, slots: dict[str, Slot], request: str) -> tuple[str, Bounds]:
    """A state and the ends of its range, in internal units."""
    found = _RANGE.fullmatch(text)
    if found is None:
        help = "a range is written `v in [-120 mV, 80 mV]`"
        raise BircError("A022", f"`{request}` asks for no tables: `{text.strip()}` is no range", help=help)
    name = found[1]
    if name not in slots:
        near = closest(name, slots)
        help = f"did you mean `{near}`?" if near else f"states: {', '.join(slots)}"
        raise BircError("A023", f"there is no state `{name}` to make tables over", help=help)
    low, high = (parse_quantity(end.strip(), slots[name].unit, f"an end of the range of `{name}`") for end in (found[2], found[3]))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        help = "its ends are two finite numbers, the lower first"
        raise BircError("A022", f"the range of `{name}` is empty or without end: `{text.strip()}`", help=help)
    return name, (low, high)
