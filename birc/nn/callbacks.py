"""A warning when a layer is dead: `DeadLayerWarning`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from birc.nn.mistakes import count, data_mistake
from birc.nn.training.engines import differentiate
from birc.nn.training.spiking import spiking_layers


class DeadLayer(UserWarning):
    """A layer that does not spike, or through which no gradient goes."""


SILENT = "more input (a larger kernel or gain), a lower threshold, or RateRegularizer(low=…) as activity_regularizer"
STUCK = "a wider surrogate (a smaller slope; SurrogateScheduler), a potential nearer to the threshold, and a loss that depends on the layer"


@keras.saving.register_keras_serializable("birc")
class DeadLayerWarning(keras.callbacks.Callback):
    """Warns (`DeadLayer`) of spiking layers none of whose neurons spikes on a few samples, and of those that pass no gradient on.

    x, y: samples, and their targets; without targets only spikes are looked at, and for the gradient the model is compiled.
    They are run behind every `every`th epoch, outside of training; a layer is warned of once it was dead `patience` times running,
    and once only until it lives again. The gradient is that of the loss by the layer's input. Layers that do not give their spikes
    are looked at for the gradient only.
    """

    def __init__(self, x: Any, y: Any = None, patience: int = 1, every: int = 1) -> None:
        super().__init__()
        self.patience, self.every = count("DeadLayerWarning", "patience", patience), count("DeadLayerWarning", "every", every)
        self.x, self.y = np.asarray(x), None if y is None else np.asarray(y)
        if self.y is not None and len(self.y) != len(self.x):
            raise data_mistake("DeadLayerWarning", f"{len(self.x)} samples and {len(self.y)} targets")
        self.times: dict[tuple[str, str], int] = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (epoch + 1) % self.every:
            return
        for seen in examine(self.model, self.x, self.y):
            for fault, found in (("silent", seen.spikes == 0), ("stuck", seen.gradient == 0)):
                key = (seen.name, fault)
                self.times[key] = self.times.get(key, 0) + 1 if found else 0
                if self.times[key] == self.patience:
                    warnings.warn(message(seen, fault, epoch, len(self.x)), DeadLayer, stacklevel=2)

    def get_config(self) -> dict[str, Any]:
        return {"x": self.x.tolist(), "y": None if self.y is None else self.y.tolist(), "patience": self.patience, "every": self.every}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DeadLayerWarning:
        """What `get_config` gave."""
        return cls(**config)


@dataclass(frozen=True)
class Seen:
    """A layer on some samples: its spikes (None where it does not give them), its neurons, and the largest gradient (None: not asked)."""

    name: str
    spikes: int | None
    neurons: int
    gradient: float | None


def message(seen: Seen, fault: str, epoch: int, samples: int) -> str:
    """What is wrong, and what helps."""
    if fault == "silent":
        return f"epoch {epoch}: none of the {seen.neurons} neurons of the layer `{seen.name}` spiked on {samples} samples; what helps: {SILENT}"
    return f"epoch {epoch}: no gradient goes through the layer `{seen.name}` on {samples} samples; what helps: {STUCK}"


def examine(model: Any, x: Any, y: Any = None) -> list[Seen]:
    """The spiking layers of a model on some samples. Raises I311 for a model without."""
    layers = spiking_layers(model)
    if not layers:
        raise data_mistake("DeadLayerWarning", f"the model `{model.name}` has no spiking layer")
    inputs_of: dict[int, Any] = {}
    outputs: dict[int, Any] = {}

    def look(layer: Any, inputs: Any, call: Callable[[Any], Any]) -> Any:
        inputs_of[id(layer)] = keras.tree.flatten(inputs)[0]
        outputs[id(layer)] = call(inputs)
        return outputs[id(layer)]

    with keras.StatelessScope(), _around(layers, look):
        model(ops.convert_to_tensor(x), training=False)
    reached = [layer for layer in layers if id(layer) in outputs]
    found = _gradients(model, reached, [inputs_of[id(layer)] for layer in reached], x, y) if y is not None else [None] * len(reached)
    return [_seen(layer, outputs[id(layer)], g) for layer, g in zip(reached, found, strict=True)]


def _seen(layer: Any, outputs: Any, gradient: float | None) -> Seen:
    settings = getattr(layer, "settings", None)
    names = tuple(getattr(settings, "output", ("spikes",)))
    found = keras.tree.flatten(outputs)
    z = ops.convert_to_numpy(found[names.index("spikes")]) if "spikes" in names else None
    return Seen(layer.name, None if z is None else int(np.count_nonzero(z)), int(found[0].shape[-1]), gradient)


def _gradients(model: Any, layers: list[Any], inputs: list[Any], x: Any, y: Any) -> list[float]:
    """The largest derivative of the loss by what is added to the input of each layer."""

    def loss(values: list[Any]) -> tuple[Any, tuple[()]]:
        added = {id(layer): value for layer, value in zip(layers, values, strict=True)}

        def moved(layer: Any, inputs: Any, call: Callable[[Any], Any]) -> Any:
            first, *rest = keras.tree.flatten(inputs)
            return call(keras.tree.pack_sequence_as(inputs, [first + ops.cast(added[id(layer)], first.dtype), *rest]))

        with keras.StatelessScope(collect_losses=True), _around(layers, moved):
            return model.compute_loss(y=ops.convert_to_tensor(y), y_pred=model(ops.convert_to_tensor(x), training=False)), ()

    _, _, found = differentiate(loss, [ops.zeros_like(x) for x in inputs])
    return [float(np.max(np.abs(ops.convert_to_numpy(g)))) for g in found]


@contextmanager
def _around(layers: list[Any], what: Callable[[Any, Any, Callable[[Any], Any]], Any]) -> Iterator[None]:
    """`what` is called with each layer, its inputs, and its own call, in place of that."""

    def wrapped(layer: Any) -> Callable[..., Any]:
        own = layer.call
        return lambda inputs, *args, **kwargs: what(layer, inputs, lambda x: own(x, *args, **kwargs))

    try:
        for layer in layers:
            vars(layer)["call"] = wrapped(layer)
        yield
    finally:
        for layer in layers:
            vars(layer).pop("call", None)
