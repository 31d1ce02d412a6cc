"""Losses of when spikes come."""

from __future__ import annotations

from math import exp
from typing import Any

import keras
from keras import ops

from birc.nn.losses.sequence import SequenceLoss, first_spike_steps, low_pass, shown, steps_of
from birc.nn.mistakes import above_zero, at_least_zero, data_mistake


@keras.saving.register_keras_serializable("birc")
class TemporalPrecisionLoss(SequenceLoss):
    """First spikes at wanted times, and early ones: precision_weight * mean ((t - t*) / T)² + latency_penalty * mean [t* < T] t / T.

    The means are over neurons; t is the row of a neuron's first spike in the prediction [batch, time, neurons], T where there is none
    (`first_spike_steps`, which has a derivative). The targets are t* in steps, [batch, neurons], T or more for a neuron that shall be
    silent; or spike trains [batch, time, neurons], of which the first spikes count.
    """

    def __init__(self, precision_weight: float = 1.0, latency_penalty: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.precision_weight = at_least_zero(self.who, "precision_weight", precision_weight)
        self.latency_penalty = at_least_zero(self.who, "latency_penalty", latency_penalty)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        steps = steps_of(self.sequence(y_pred))
        if len(y_true.shape) not in (2, 3):
            raise data_mistake(
                self.who, f"the targets have shape {shown(y_true)}; expected times [batch, neurons] in steps, or spike trains"
            )
        self.same_neurons(y_true, y_pred)
        wanted = ops.minimum(y_true if len(y_true.shape) == 2 else first_spike_steps(y_true), steps) / steps
        found = first_spike_steps(y_pred) / steps
        late = ops.where(wanted < 1, found, ops.zeros_like(found))
        return self.precision_weight * ops.mean(ops.square(found - wanted), axis=-1) + self.latency_penalty * ops.mean(late, axis=-1)

    def get_config(self) -> dict[str, Any]:
        own = {"precision_weight": self.precision_weight, "latency_penalty": self.latency_penalty}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("birc")
class FirstSpikeCrossEntropy(SequenceLoss):
    """Cross-entropy whose logits are -t / tau, t being the row of a class's first spike: who fires first is the answer.

    The prediction is spikes [batch, time, classes]; t is the number of steps where a class is silent (`first_spike_steps`).
    Targets as in `SpikingCrossEntropy`. tau: in steps; smaller asks for a larger lead. The softmax of times: Mostafa (2018), there of e^t.
    """

    def __init__(self, tau: float = 5.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tau = above_zero(self.who, "tau", tau)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.cross_entropy(y_true, -first_spike_steps(self.sequence(y_pred)) / self.tau)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "tau": self.tau}


@keras.saving.register_keras_serializable("birc")
class VanRossumLoss(SequenceLoss):
    """The distance of van Rossum (2001), D² = 1/tau * integral of (f - g)² over time, as a mean over neurons.

    f and g are the trains [batch, time, neurons] of prediction and targets behind the filter e^(-t/tau). The integral is exact, and goes
    on behind the last step: one spike more or less is 1/2, one that is moved by d is 1 - e^(-d/tau).
    time_constant (tau) and dt: in seconds.
    """

    def __init__(self, time_constant: float = 10e-3, dt: float = 1e-3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.time_constant = above_zero(self.who, "time_constant", time_constant)
        self.dt = above_zero(self.who, "dt", dt)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(self.sequence(y_pred).shape) != len(y_true.shape):
            raise data_mistake(
                self.who, f"the targets have shape {shown(y_true)}; expected spike trains like the prediction, {shown(y_pred)}"
            )
        self.same_neurons(y_true, y_pred)
        decay = exp(-self.dt / self.time_constant)
        apart = ops.square(low_pass(y_pred - y_true, decay))
        inside = (1 - decay**2) / 2 * ops.sum(apart, axis=1)
        return ops.mean(inside + decay**2 / 2 * apart[:, -1], axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "time_constant": self.time_constant, "dt": self.dt}
