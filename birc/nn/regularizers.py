"""Regularizers of spiking activity, and of weights that plasticity moves."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from birc.nn.mistakes import above_zero, at_least_zero, option_mistake, within


def out_of_range(rates: Any, low: float, high: float) -> Any:
    """max(0, low - r)² + max(0, r - high)², of each rate."""
    return ops.square(ops.relu(low - rates)) + ops.square(ops.relu(rates - high))


def rate_bounds(who: str, low: Any, high: Any) -> tuple[float, float]:
    """Bounds of a rate in spikes per step."""
    low, high = within(who, "low", low, 0, 1), within(who, "high", high, 0, 1)
    if low > high:
        raise option_mistake(who, f"low = {low:g} lies above high = {high:g}")
    return low, high


def weight_dependence(w: Any, mu: float, alpha: float) -> Any:
    """U(w) = max(0, 1 - w)^(mu+1) / (mu+1) + alpha max(0, w)^(mu+1) / (mu+1), of each weight in parts of the largest.

    In [0, 1], -U'(w) = (1 - w)^mu - alpha w^mu: the drift of spike-timing dependent plasticity of which potentiation goes with
    (1 - w)^mu and depression with alpha w^mu (Gütig, Aharonov, Rotter and Sompolinsky 2003; mu = 1: van Rossum, Bi and Turrigiano
    2000). The drift ends at w = 1 / (1 + alpha^(1/mu)).
    """
    power = mu + 1
    return (ops.power(ops.relu(1 - w), power) + alpha * ops.power(ops.relu(w), power)) / power


@keras.saving.register_keras_serializable("birc")
class RateRegularizer(keras.regularizers.Regularizer):  # type: ignore[misc]
    """strength * mean over neurons of max(0, low - r)² + max(0, r - high)², r being a neuron's rate over batch and time.

    An activity regularizer of a layer that gives spikes [batch, time, ...], or rates [batch, neurons]. low, high: spikes per step;
    equal bounds are one wanted rate. A newer Keras divides what an activity regularizer gives by the size of the batch, so it is
    multiplied by that here, and the penalty does not depend on it. Bounds of this kind: Zenke and Vogels (2021).
    """

    def __init__(self, low: float = 0.0, high: float = 1.0, strength: float = 0.01) -> None:
        self.low, self.high = rate_bounds("RateRegularizer", low, high)
        self.strength = at_least_zero("RateRegularizer", "strength", strength)

    def __call__(self, x: Any) -> Any:
        rates = ops.mean(x, axis=(0, 1) if len(x.shape) > 2 else 0)
        return self.strength * ops.mean(out_of_range(rates, self.low, self.high)) * batch_size(x)

    def get_config(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high, "strength": self.strength}


@keras.saving.register_keras_serializable("birc")
class SparsityRegularizer(keras.regularizers.Regularizer):  # type: ignore[misc]
    """strength * mean |z| over batch, time and neurons: what each spike costs.

    An activity regularizer; multiplied by the size of the batch, by which Keras divides.
    """

    def __init__(self, strength: float = 0.01) -> None:
        self.strength = at_least_zero("SparsityRegularizer", "strength", strength)

    def __call__(self, x: Any) -> Any:
        return self.strength * ops.mean(ops.abs(x)) * batch_size(x)

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}


@keras.saving.register_keras_serializable("birc")
class WeightDependenceRegularizer(keras.regularizers.Regularizer):  # type: ignore[misc]
    """strength * mean U(w / w_max), a regularizer of weights: see `weight_dependence` for U and its source."""

    def __init__(self, mu: float = 1.0, alpha: float = 1.0, w_max: float = 1.0, strength: float = 0.01) -> None:
        self.mu = above_zero("WeightDependenceRegularizer", "mu", mu)
        self.alpha = above_zero("WeightDependenceRegularizer", "alpha", alpha)
        self.w_max = above_zero("WeightDependenceRegularizer", "w_max", w_max)
        self.strength = at_least_zero("WeightDependenceRegularizer", "strength", strength)

    def __call__(self, x: Any) -> Any:
        return self.strength * ops.mean(weight_dependence(x / self.w_max, self.mu, self.alpha))

    def get_config(self) -> dict[str, Any]:
        return {"mu": self.mu, "alpha": self.alpha, "w_max": self.w_max, "strength": self.strength}


def divides() -> bool:
    """Whether this Keras divides what an activity regularizer gives by the size of the batch; 3.8 does not."""
    with keras.device("cpu"):
        layer = keras.layers.Activation("linear", activity_regularizer=lambda x: ops.sum(x))
        layer(np.ones((2, 1), np.float32))
        return float(ops.convert_to_numpy(layer.losses[0])) < 1.5


def batch_size(x: Any) -> Any:
    """What Keras divides a penalty by: the number of samples, as a number of the type of `x`, or 1."""
    return ops.cast(ops.shape(x)[0], x.dtype) if DIVIDES else 1.0


DIVIDES = divides()
