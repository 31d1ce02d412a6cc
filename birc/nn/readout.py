"""How a network says what it has found: a score [batch, classes] of the last layer's [batch, time, classes]; the largest is the answer."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from birc.nn.losses.sequence import first_spike_steps

READOUTS = ("rate", "membrane", "first_spike")
"""The part of the steps in which a class fires; the highest membrane of a leaky integrator over time (Cramer et al. 2022); the part of the
steps that is left when a class first fires."""


@keras.saving.register_keras_serializable("birc")
class FirstSpikeScore(keras.layers.Layer):  # type: ignore[misc]
    """1 - t / T of spikes [batch, time, neurons], t being the row of a neuron's first spike, T the number of steps: 0 without a spike.

    t has a derivative (`first_spike_steps`). A softmax of scale * score is that of -t / tau, with scale = T / tau.
    """

    def call(self, z: Any) -> Any:
        return 1 - first_spike_steps(z) / ops.cast(ops.shape(z)[1], z.dtype)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape[0], shape[2]
