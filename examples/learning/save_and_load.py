"""Trains a network, saves it, loads it in another process, and compares what both say, bit by bit; needs `birc[keras]` and scikit-learn.

A file of a model holds the layers by name and their weights, and no code: Keras loads it in its safe mode. Who loads it imports `birc.nn`,
in which the layers are registered. The last layer gives potentials rather than spikes, which would hide small differences.

    python examples/learning/save_and_load.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

from birc.nn import LIFNeuron, MaxMembraneCrossEntropy, MultiGaussianSurrogate

STEPS = 12
FOLDER = Path("out/learning_saved")
ELSEWHERE = """
import sys
import keras, numpy as np
import birc.nn
model = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""
"""The other process, which knows nothing but three files."""


def network() -> Any:
    """Images [batch, 64] to potentials [batch, STEPS, 10] of neurons that integrate and never fire."""
    learned = {"learnable_parameters": ["membrane_time_constant", "threshold"], "per_feature": True}
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.RepeatVector(STEPS),
            LIFNeuron(units=64, gain=20.0, use_bias=True, surrogate_gradient=MultiGaussianSurrogate(), **learned),
            LIFNeuron(units=10, gain=20.0, threshold="inf", output="v"),
        ]
    )


def main(epochs: int = 10) -> bool:
    """Whether the outputs of the network that was trained and of the one that was loaded are the same to the bit."""
    keras.utils.set_random_seed(0)
    images, digits = load_digits(return_X_y=True)
    images = (images / 16).astype("float32")
    model = network()
    model.compile(keras.optimizers.Adam(5e-3), MaxMembraneCrossEntropy())
    losses = model.fit(images, digits, batch_size=64, epochs=epochs, verbose=0).history["loss"]
    said = model.predict(images, verbose=0)

    FOLDER.mkdir(parents=True, exist_ok=True)
    files = [FOLDER / name for name in ("digits.keras", "images.npy", "said.npy")]
    model.save(files[0])
    np.save(files[1], images)
    subprocess.run([sys.executable, "-c", ELSEWHERE, *map(str, files)], check=True)
    same = bool(said.tobytes() == np.load(files[2]).tobytes())
    print(f"loss from {losses[0]:.3f} to {losses[-1]:.3f}; {said.size} potentials are {'the same to the bit' if same else 'not the same'}")
    return same


if __name__ == "__main__":
    main()
