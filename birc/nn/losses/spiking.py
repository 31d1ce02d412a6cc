"""Losses of rates, counts and membranes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from birc.nn.losses.sequence import SequenceLoss, mask_of, shown, steps_of
from birc.nn.mistakes import above_zero, count, data_mistake, option_mistake
from birc.nn.regularizers import out_of_range, rate_bounds


@keras.saving.register_keras_serializable("birc")
class SpikingCrossEntropy(SequenceLoss):
    """Cross-entropy of rates: the softmax is over scale * r_c, where r_c is the mean over time of class c.

    The prediction is spikes or membranes [batch, time, classes], or rates [batch, classes] that are averaged already; the targets are
    labels [batch] (or [batch, 1]), or one-hot [batch, classes]. A label that is no class makes the loss NaN.

    time_steps: of the input; a longer prediction is refused, a shorter one is taken (a curriculum may shorten it).
    rate_window: only the last `rate_window` steps count. temporal_weighting: step k = 1 … W of the window counts w_k = 2 k / (W + 1),
    that is 1 on average, and late steps, which more input has reached, more. Both ask for a prediction with a time axis.
    scale: what a rate of one spike per step is as a logit; by default `time_steps`, so that logits are spike counts.
    Steps that a Keras mask leaves out do not count: rates, window and weights are those of the other steps. A sample without any has
    rates of 0.
    """

    def __init__(
        self, time_steps: int, rate_window: int | None = None, temporal_weighting: bool = False, scale: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.time_steps = count(self.who, "time_steps", time_steps)
        self.rate_window = None if rate_window is None else count(self.who, "rate_window", rate_window)
        if self.rate_window is not None and self.rate_window > self.time_steps:
            raise option_mistake(self.who, f"rate_window = {rate_window} is longer than time_steps = {time_steps}")
        self.temporal_weighting = bool(temporal_weighting)
        self.scale = None if scale is None else above_zero(self.who, "scale", scale)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        mask = mask_of(y_pred)
        z = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        rates = self.rates(z) if mask is None or len(z.shape) != 3 else self.kept_rates(z, mask)
        return super().__call__(y_true, rates, sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.cross_entropy(y_true, (self.scale or self.time_steps) * y_pred)

    def rates(self, y_pred: Any) -> Any:
        """The rates [batch, classes] that decide."""
        if len(y_pred.shape) == 2:
            if self.rate_window is not None or self.temporal_weighting:
                option = "temporal_weighting" if self.rate_window is None else "rate_window"
                raise data_mistake(self.who, f"{option} needs [batch, time, classes]; the prediction {shown(y_pred)} has no time axis")
            return y_pred
        self._fits(y_pred)
        window = y_pred if self.rate_window is None else y_pred[:, -self.rate_window :]
        if not self.temporal_weighting:
            return ops.mean(window, axis=1)
        k = ops.cast(ops.arange(1, ops.shape(window)[1] + 1), window.dtype)
        weights = 2 * k / (steps_of(window) + 1)
        return ops.mean(window * ops.expand_dims(weights, 1), axis=1)

    def kept_rates(self, y_pred: Any, mask: Any) -> Any:
        """The same of the steps that a mask [batch, time] keeps, as if there were no others."""
        self._fits(y_pred)
        kept = ops.cast(mask, y_pred.dtype)
        number, count = ops.cumsum(kept, axis=1), ops.sum(kept, axis=1, keepdims=True)
        size = ops.maximum(count if self.rate_window is None else ops.minimum(count, self.rate_window), 1)
        k = number - (count - size)  # from 1 in the window
        weights = ops.where(k > 0, kept, 0) * (2 * k / (size + 1) if self.temporal_weighting else 1)
        return ops.sum(y_pred * ops.expand_dims(weights, 2), axis=1) / size

    def _fits(self, y_pred: Any) -> None:
        steps = self.sequence(y_pred).shape[1]
        if steps is not None and steps > self.time_steps:
            raise data_mistake(self.who, f"the prediction has {steps} steps for time_steps = {self.time_steps}")

    def get_config(self) -> dict[str, Any]:
        own = {k: getattr(self, k) for k in ("time_steps", "rate_window", "temporal_weighting", "scale")}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("birc")
class SpikeCountMSE(SequenceLoss):
    """mean over neurons of ((n_c - n*_c) / T)², n being the spikes in T steps.

    The prediction is [batch, time, neurons]; the targets are counts [batch, neurons], trains [batch, time, neurons] whose spikes are
    counted, or labels [batch] (or [batch, 1]): then the class that is right shall fire in a part `correct_rate` of the steps,
    the others in `incorrect_rate`.
    """

    def __init__(self, correct_rate: float = 1.0, incorrect_rate: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.incorrect_rate, self.correct_rate = rate_bounds(self.who, incorrect_rate, correct_rate)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        steps, neurons = steps_of(self.sequence(y_pred)), y_pred.shape[2]
        rank = len(y_true.shape)
        if rank == 1 or (rank == 2 and y_true.shape[1] == 1 != neurons):
            right = self.one_hot(y_true, neurons)
            wanted = self.incorrect_rate + (self.correct_rate - self.incorrect_rate) * right
        elif rank in (2, 3):
            self.same_neurons(y_true, y_pred)
            wanted = (y_true if rank == 2 else ops.sum(y_true, axis=1)) / steps
        else:
            raise data_mistake(self.who, f"the targets have shape {shown(y_true)}; expected [batch, neurons]")
        return ops.mean(ops.square(ops.mean(y_pred, axis=1) - wanted), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "correct_rate": self.correct_rate, "incorrect_rate": self.incorrect_rate}


@keras.saving.register_keras_serializable("birc")
class MaxMembraneCrossEntropy(SequenceLoss):
    """Cross-entropy whose logits are scale * (largest membrane over time), of [batch, time, classes] (Cramer et al. 2022)."""

    def __init__(self, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = above_zero(self.who, "scale", scale)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.cross_entropy(y_true, self.scale * ops.max(self.sequence(y_pred), axis=1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable("birc")
class SpikeRateLoss(SequenceLoss):
    """mean over neurons of max(0, low - r)² + max(0, r - high)², r being the rate of each sample in spikes per step.

    `RateRegularizer` as a loss of an output [batch, time, neurons]; the targets are not looked at.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high = rate_bounds(self.who, low, high)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(out_of_range(ops.mean(self.sequence(y_pred), axis=1), self.low, self.high), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "low": self.low, "high": self.high}


@keras.saving.register_keras_serializable("birc")
class SparsityLoss(SequenceLoss):
    """mean |z| over time and neurons of [batch, time, neurons]; the targets are not looked at."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.abs(self.sequence(y_pred)), axis=(1, 2))
