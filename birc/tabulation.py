"""Tables asked for by a user: `1e-6, v in [-120 mV, 80 mV]` is an error and, where the model says none, the range of a state."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from birc.errors import BircError, Diagnostic, Span
from birc.frontend.quantity import parse_quantity
from birc.ir.network import NetworkProgram
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
    (changed,), said = _tabulated((step,), request, step.name, step.span)
    return changed, said


def network_with_tables(program: NetworkProgram, request: str) -> tuple[NetworkProgram, tuple[Diagnostic, ...]]:
    """The network with the tables of a request in the programs of its populations; a range is that of each neuron which has the state."""
    steps = tuple({id(p.step): p.step for p in program.populations}.values())
    changed, said = _tabulated(steps, request, program.name, program.network.span)
    new = {id(step): other for step, other in zip(steps, changed, strict=True)}
    return replace(program, populations=tuple(replace(p, step=new[id(p.step)]) for p in program.populations)), said


def _tabulated(steps: Sequence[Step], request: str, what: str, span: Span | None) -> tuple[tuple[Step, ...], tuple[Diagnostic, ...]]:
    """Several programs with the tables of one request."""
    error, *rest = _PART.split(request)
    bound = _error(error, request)
    slots = [{slot.name: slot for slot in step.slots if slot.kind == "real" and slot.name != REFRACTORY} for step in steps]
    known = {name: slot for own in slots for name, slot in own.items()}
    named: set[str] = set()
    ranges: list[dict[str, Bounds]] = [{} for _ in steps]
    for part in rest:
        name, _ = _range(part, known, request)
        if name in named:
            raise BircError("A003", f"`--tables` names `{name}` twice")
        named.add(name)
        for own, found in zip(slots, ranges, strict=True):
            if name in own:
                found[name] = _range(part, own, request)[1]
    changed = tuple(tabulate(step, bound, found) for step, found in zip(steps, ranges, strict=True))
    made = {table.slot for step in changed for table in step.tables}
    if not made:
        return changed, (Diagnostic("L131", f"nothing in `{what}` is worth a table", span, severity="warning"),)
    for name in sorted(named - made):
        help = f"its tables are over {', '.join(f'`{slot}`' for slot in sorted(made))}"
        raise BircError("A023", f"`{what}` has no table over `{name}`", help=help)
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
