"""Models with neurons that are exported for programs without birc, and without Keras."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends.keras import BACKEND

pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
if BACKEND.missing() is not None:
    pytest.skip(f"needs {BACKEND.missing()}", allow_module_level=True)

keras: Any = importlib.import_module("birc.backends.keras.run").load_keras()
ENGINE: str = keras.backend.backend()
ALONE = "BIRC_TEST_ONE_ENGINE"
READER = """
import numpy as np, tensorflow as tf
model = tf.saved_model.load("model")
np.save("y.npy", np.asarray(model.serve(tf.constant(np.load("x.npy")))))
"""

if ENGINE == "torch" or not find_spec("tensorflow"):
    pytest.skip("a SavedModel is written by TensorFlow and by JAX with it", allow_module_level=True)


@pytest.mark.parametrize("options", [{}, {"fused": False}, {"recurrent": True, "learn": ["tau_m"]}], ids=str)
def test_a_saved_model_runs_without_birc(tmp_path: Path, options: dict[str, Any]) -> None:
    """In a process of its own, with another batch than before; neither the kernel in C++ nor a compiler's cluster is in it."""
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    x = np.random.default_rng(0).uniform(0, 3, (3, 12, 4)).astype(np.float32)
    model = keras.Sequential([keras.Input((12, 4)), made.layer(units=5, gain=20.0, output="v", **options), keras.layers.Dense(2)])
    wanted = model.predict(x, verbose=0)
    np.save(tmp_path / "x.npy", x)
    model.export(tmp_path / "model", verbose=False)
    subprocess.run([sys.executable, "-c", READER], cwd=tmp_path, check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", [e for e in ("tensorflow", "jax") if e != ENGINE and find_spec(e)])
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": engine, ALONE: "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", __file__], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
