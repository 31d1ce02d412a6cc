"""Internal values in the units in which people see them."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from birc.units import Unit

Array = npt.NDArray[Any]


def in_unit(array: Array, unit: Unit) -> Array:
    """Internal values in a unit; the same array where the unit is internal."""
    scale = float(unit.scale)
    if scale == 1.0 or array.dtype.kind != "f":
        return array
    shown: Array = array / array.dtype.type(scale)
    return shown
