"""What a layer of neurons refuses to compute with."""

from __future__ import annotations

import importlib
from typing import Any

import keras
import numpy as np

from birc.nn.told import Speaker

EXPECTED = "expected [batch, time, features]"


def check_input(speaker: Speaker, x: Any, features: int | None) -> None:
    """Raises I302 for an input that is no floating-point [batch, time, features] or holds NaN where that can be seen at once.

    features: how many the layer was built for; those of several axes count together.
    """
    given = x
    if not hasattr(x, "shape"):
        x = np.asarray(x)
        if x.dtype.kind not in "fiub":
            raise speaker.refuse(f"{EXPECTED}, a tensor or an array, not {type(given).__name__}", None, "I302")
    dtype, shape = keras.backend.standardize_dtype(x.dtype), tuple(x.shape)
    if "float" not in dtype:
        raise speaker.refuse(f"the input is {dtype}, and currents and spikes are floating-point numbers", 'x.astype("float32")', "I302")
    if len(shape) < 3:
        missing = "the time axis is missing" if len(shape) == 2 else f"{len(shape)} axes"
        help = "encode it as spikes, or hold it for T steps: keras.layers.RepeatVector(T)" if len(shape) == 2 else None
        raise speaker.refuse(f"{EXPECTED}, not {shape}: {missing}", help, "I302")
    if None in shape[2:]:
        raise speaker.refuse(f"{EXPECTED}, not {shape}: the number of features must be known", None, "I302")
    found = int(np.prod(shape[2:]))
    if features is not None and found != features:
        raise speaker.refuse(f"{EXPECTED} with {features} features, not {found}: the shape is {shape}", None, "I302")
    if _has_nan(x):
        raise speaker.refuse(f"the input {shape} holds NaN", None, "I302")


def _has_nan(x: Any) -> bool:
    """Whether an array whose numbers are at hand holds NaN; a tensor of a graph holds none yet."""
    if isinstance(x, np.ndarray):
        return bool(np.isnan(x).any())
    if isinstance(x, keras.KerasTensor):
        return False
    match keras.backend.backend():
        case "tensorflow":
            return hasattr(x, "numpy") and bool(np.isnan(np.asarray(x.numpy(), dtype="float32")).any())
        case "jax":
            jax = importlib.import_module("jax")
            return not isinstance(x, jax.core.Tracer) and bool(jax.numpy.isnan(x).any())
        case "torch":
            return bool(importlib.import_module("torch").isnan(x).any())
    return False
