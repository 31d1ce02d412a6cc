"""Derivatives on the package with which this process's Keras computes, and the same tests on the others that are installed."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
if not any(find_spec(engine) for engine in ("tensorflow", "jax", "torch")):
    pytest.skip("needs a package with which Keras computes", allow_module_level=True)

keras: Any = importlib.import_module("birc.backends.keras.run").load_keras()
ops: Any = keras.ops
ENGINE: str = keras.backend.backend()
ALONE = "BIRC_TEST_ONE_ENGINE"
OTHERS = [
    pytest.param(e, marks=pytest.mark.skipif(find_spec(e) is None, reason=f"needs {e}"))
    for e in ("tensorflow", "jax", "torch")
    if e != ENGINE
]

Array = npt.NDArray[Any]


def numbers(tensor: Any) -> Array:
    """As NumPy has it."""
    return np.asarray(ops.convert_to_numpy(tensor))


def gradient(function: Callable[[Any], Any], at: Any) -> Array:
    """The derivative of a scalar function with respect to an array, in float32."""
    x = ops.convert_to_tensor(np.asarray(at, np.float32))
    if ENGINE == "jax":
        return np.asarray(importlib.import_module("jax").grad(function)(x))
    if ENGINE == "torch":
        x = x.detach().requires_grad_(True)
        function(x).backward()
        return numbers(x.grad)
    with importlib.import_module("tensorflow").GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return numbers(tape.gradient(y, x))


def differences(function: Callable[[Any], Any], at: Any, step: float = 1e-2) -> Array:
    """Central differences of a scalar function of an array."""
    x = np.asarray(at, np.float32)
    found = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        found[index] = (float(numbers(function(up))) - float(numbers(function(down)))) / (float(up[index]) - float(down[index]))
    return found


def run_on(engine: str, file: str, *options: str) -> None:
    """The tests of a file, on another package."""
    environment = {**os.environ, "KERAS_BACKEND": engine, ALONE: "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", file, *options], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
