"""What encoders take for an intensity in [0, 1]."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from birc.nn.mistakes import data_mistake

Array = npt.NDArray[Any]


def intensities(who: str, data: Any) -> Array:
    """[batch, ...] in [0, 1], in float64: floats as they are, truth values as 0 and 1, uint8 (images) divided by 255.

    Raises I311 for numbers outside [0, 1] or not finite, for other integers unless they are all 0 or 1, and for data without features.
    """
    found = _array(who, data)
    if found.dtype == np.uint8:
        return found / 255.0
    if found.dtype.kind in "iu" and found.size and (found.min() < 0 or found.max() > 1):
        here = f"integers of type {found.dtype} from {found.min()} to {found.max()}"
        message = f"{here}; expected uint8, which is divided by 255, or floats in [0, 1]"
        raise data_mistake(who, message, "divide by the largest value that there can be")
    values = finite(who, found)
    if values.size and (values.min() < 0 or values.max() > 1):
        message = f"values from {values.min():g} to {values.max():g}; expected intensities in [0, 1]"
        raise data_mistake(who, message, "(x - low) / (high - low), with the bounds of the training data, brings them there")
    return values


def finite(who: str, data: Any) -> Array:
    """[batch, ...] of finite numbers, in float64."""
    values = _array(who, data).astype(np.float64)
    if not np.isfinite(values).all():
        bad = int(np.size(values) - np.isfinite(values).sum())
        raise data_mistake(who, f"{bad} of {values.size} values are NaN or infinite")
    return values


def _array(who: str, data: Any) -> Array:
    found = np.asarray(data)
    if found.dtype.kind not in "fiub":
        raise data_mistake(who, f"data of type {found.dtype}; expected numbers")
    if found.ndim < 2:
        raise data_mistake(who, f"data of shape {list(found.shape)}; expected [batch, features]", "one sample is x[None]")
    return found


def one_spike_at(steps: Array, time_steps: int) -> Array:
    """[batch, time, ...] with one spike in the row that `steps` [batch, ...] names; none for a row outside."""
    rows = np.arange(time_steps).reshape(1, -1, *[1] * (steps.ndim - 1))
    spikes: Array = (rows == steps[:, None]).astype(np.float32)
    return spikes
