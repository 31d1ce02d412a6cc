"""The tables of a program become numbers once its parameters are bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import FLOATS, Dtype
from birc.errors import BircError
from birc.ir.expr import leaves, topo
from birc.ir.ops import evaluate_op
from birc.ir.step import Slot, Step, Table
from birc.ir.tables import Pieces, Unreachable, fit

Array = npt.NDArray[Any]
Values = Mapping[str, Any]


def fitted(step: Step, values: Values, dtype: Dtype) -> dict[str, Pieces]:
    """The tables of a program by name.

    Raises I137 where a parameter of a table differs between neurons, I138 where its range is none, I139 where the error cannot be kept.
    """
    slots = {slot.name: slot for slot in step.slots}
    return {table.name: _fitted(table, slots[table.slot], values, dtype) for table in step.tables}


def _fitted(table: Table, slot: Slot, values: Values, dtype: Dtype) -> Pieces:
    ends = {end for end in (table.low, table.high) if isinstance(end, str)}
    for name in sorted(ends.union(*(leaves(f, "value") for f in table.functions))):
        if np.ndim(values[name]):
            message = f"the table over `{slot.name}` needs one value of `{name}`, which differs between neurons"
            raise BircError("I137", message, slot.span, "run neurons of one kind at a time, or without tables")
    low, high = end_of(table.low, values), end_of(table.high, values)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise BircError("I138", f"the table over `{slot.name}` would reach from {_shown(low, slot)} to {_shown(high, slot)}", slot.span)
    try:
        return fit(lambda x: _evaluate(table, x, values), low, high, table.error, FLOATS[dtype])
    except Unreachable as wrong:
        raise _refused(table, slot, dtype, wrong) from None


def end_of(end: float | str, values: Values) -> float:
    """An end of a table as a number."""
    return float(values[end] if isinstance(end, str) else end)


def _refused(table: Table, slot: Slot, dtype: Dtype, wrong: Unreachable) -> BircError:
    if wrong.at is not None:
        message = f"a function of the table over `{slot.name}` is not finite at {_shown(wrong.at, slot)}"
        return BircError("I139", message, slot.span, "choose a range without that value")
    message = f"no table over `{slot.name}` keeps an error of {table.error:g} in {dtype}; the least that was reached is {wrong.best:.2g}"
    return BircError("I139", message, slot.span, "allow a larger error, or choose a narrower range")


def _shown(x: float, slot: Slot) -> str:
    number = f"{x / float(slot.unit.scale):g}"
    return number if slot.unit.text == "1" else f"{number} {slot.unit.text}"


def _evaluate(table: Table, x: Array, values: Values) -> Array:
    """The functions at x [points], as [functions, points], in float64."""
    done: dict[Any, Any] = {}
    with np.errstate(all="ignore"):
        for e in topo(*table.functions):
            match e.op:
                case "const":
                    done[e] = e.attr
                case "value":
                    done[e] = values[str(e.attr)]
                case "load":
                    done[e] = x
                case _:
                    done[e] = evaluate_op(e, tuple(done[a] for a in e.args))
    return np.stack([np.broadcast_to(done[f], x.shape) for f in table.functions])


def guarded_ranges(step: Step, values: Values) -> list[tuple[Slot, str]]:
    """The slots that the program makes NaN where they leave a table's range, and that range in words."""
    slots = {slot.name: slot for slot in step.slots}
    ends = {table.slot: (end_of(table.low, values), end_of(table.high, values)) for table in step.tables if table.guarded}
    return [(slots[name], f"[{_shown(low, slots[name])}, {_shown(high, slots[name])}]") for name, (low, high) in ends.items()]
