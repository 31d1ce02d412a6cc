"""What the tests of layers share; Keras is imported with it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from birc.backends.keras import BACKEND

pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
if BACKEND.missing() is not None:
    pytest.skip(f"needs {BACKEND.missing()}", allow_module_level=True)

import birc.nn as nn

keras: Any = importlib.import_module("keras")
ops: Any = keras.ops
ENGINE: str = keras.backend.backend()
Array = npt.NDArray[Any]

__all__ = ["ENGINE", "Array", "gradient", "keras", "nn", "noise", "numbers", "ops"]


def numbers(tensor: Any) -> Array:
    return np.asarray(ops.convert_to_numpy(tensor))


def noise(*shape: int, low: float = 0.0, high: float = 3.0, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def gradient(function: Callable[[Any], Any], at: Array) -> Array:
    """The derivative of a sum with respect to an array."""
    x = ops.convert_to_tensor(at)
    if ENGINE == "jax":
        return np.asarray(importlib.import_module("jax").grad(lambda a: ops.sum(function(a)))(x))
    if ENGINE == "torch":
        x = x.detach().clone().requires_grad_(True)
        ops.sum(function(x)).backward()
        return numbers(x.grad)
    tensorflow = importlib.import_module("tensorflow")
    with tensorflow.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(function(x))
    return np.asarray(tape.gradient(y, x))
