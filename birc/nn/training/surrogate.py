"""The slope of the surrogates over the course of training."""

from __future__ import annotations

from typing import Any

import keras

from birc.nn.mistakes import above_zero, count, data_mistake, one_of
from birc.nn.training.schedules import SCHEDULES, between, progress
from birc.nn.training.spiking import no_spiking_layer, slope, spiking_layers


@keras.saving.register_keras_serializable("birc")
class SurrogateScheduler(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the `surrogate_slope` of every spiking layer at the start of an epoch: `start` in the first, `end` from number `epochs` on.

    The slope s makes the surrogate g(x) into g(s x): larger is narrower, and nearer to the step's own derivative. Begin wide, so that
    gradients reach every layer, and end narrow. schedule: "linear", "exponential" or "cosine".
    A callback of `model.fit`, and an argument of `SpikingTrainer`. Raises I311 for a model without spiking layers.
    """

    def __init__(self, start: float = 1.0, end: float = 5.0, epochs: int = 10, schedule: str = "linear") -> None:
        super().__init__()
        who = "SurrogateScheduler"
        self.start, self.end = above_zero(who, "start", start), above_zero(who, "end", end)
        self.epochs, self.schedule = count(who, "epochs", epochs), one_of(who, "schedule", schedule, SCHEDULES)

    def value(self, epoch: int) -> float:
        """The slope in an epoch, counted from 0."""
        return between(self.start, self.end, progress(epoch, self.epochs), self.schedule)

    def apply(self, model: Any, epoch: int) -> float:
        """Set the slopes of a model, and give their value."""
        layers = spiking_layers(model)
        if not layers:
            raise data_mistake("SurrogateScheduler", no_spiking_layer(model))
        value = self.value(epoch)
        for layer in layers:
            slope(layer).assign(value)
        return value

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.apply(self.model, epoch)

    def get_config(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "epochs": self.epochs, "schedule": self.schedule}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SurrogateScheduler:
        """What `get_config` gave."""
        return cls(**config)
