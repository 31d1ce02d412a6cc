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
from birc.nn.training.engines import differentiate, in_graph
from birc.nn.training.spiking import no_spiking_layer, spiking_layers


class DeadLayer(UserWarning):
    """A layer that does not spike, or through which no gradient goes."""


SILENT = "more input (a larger kernel or gain), a lower threshold, or RateRegularizer(low=…) as activity_regularizer"
STUCK = "a wider surrogate (a smaller slope; SurrogateScheduler), a potential nearer to the threshold, and a loss that depends on the layer"


@keras.saving.register_keras_serializable("birc")
class DeadLayerWarning(keras.callbacks.Callback):  # type: ignore[misc]
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
        what, helps = f"none of the {seen.neurons} neurons of the layer `{seen.name}` spiked", SILENT
    else:
        what, helps = f"no gradient goes through the layer `{seen.name}`", STUCK
    return f"epoch {epoch}: {what} on {samples} samples; what helps: {helps}"


def examine(model: Any, x: Any, y: Any = None) -> list[Seen]:
    """The spiking layers that a model reaches on some samples. Raises I311 for a model without."""
    layers = spiking_layers(model)
    if not layers:
        raise data_mistake("DeadLayerWarning", no_spiking_layer(model))
    reached: list[Any] = []

    def spikes(samples: Any) -> list[tuple[Any, Any, Any]]:
        found: dict[int, tuple[Any, Any, Any]] = {}

        def look(layer: Any, inputs: Any, call: Callable[[Any], Any]) -> Any:
            outputs = call(inputs)
            fired = _spikes(layer, keras.tree.flatten(outputs))
            _, before, _ = found.get(id(layer), (None, 0, None))
            number = ops.zeros(()) - 1 if fired is None else before + ops.sum(ops.cast(ops.not_equal(fired, 0), "float32"))
            found[id(layer)] = (keras.tree.flatten(inputs)[0], number, ops.ones(keras.tree.flatten(outputs)[0].shape[-1]))
            return outputs

        with keras.StatelessScope(), around(layers, look):
            model(samples, training=False)
        reached[:] = [layer for layer in layers if id(layer) in found]
        return [found[id(layer)] for layer in reached]

    seen = in_graph(spikes)(ops.convert_to_tensor(x))
    zeros = [ops.zeros_like(inputs) for inputs, _, _ in seen]
    gradients = [None] * len(reached) if y is None else _gradients(model, reached, zeros, x, y)
    numbers = [int(ops.convert_to_numpy(number)) for _, number, _ in seen]
    return [
        Seen(layer.name, None if number < 0 else number, int(of_each.shape[0]), gradient)
        for layer, number, (_, _, of_each), gradient in zip(reached, numbers, seen, gradients, strict=True)
    ]


def _spikes(layer: Any, outputs: list[Any]) -> Any:
    """Those among a layer's outputs; None where it does not give them."""
    settings = getattr(getattr(layer, "cell", layer), "settings", None)
    names = tuple(getattr(settings, "output", ("spikes",)))
    return outputs[names.index("spikes")] if "spikes" in names else None


def _gradients(model: Any, layers: list[Any], zeros: list[Any], x: Any, y: Any) -> list[float]:
    """The largest derivative of the loss by what is added to the first input of each layer."""
    samples, targets = ops.convert_to_tensor(x), ops.convert_to_tensor(y)

    def loss(values: list[Any]) -> tuple[Any, tuple[()]]:
        added = {id(layer): value for layer, value in zip(layers, values, strict=True)}

        def moved(layer: Any, inputs: Any, call: Callable[[Any], Any]) -> Any:
            first, *rest = keras.tree.flatten(inputs)
            if id(layer) in added:  # of a layer that is called twice, the first time
                first = first + ops.cast(added.pop(id(layer)), first.dtype)
            return call(keras.tree.pack_sequence_as(inputs, [first, *rest]))

        with keras.StatelessScope(collect_losses=True), around(layers, moved):
            return model.compute_loss(y=targets, y_pred=model(samples, training=False)), ()

    found = in_graph(lambda values: differentiate(loss, values)[2])(zeros)
    return [float(np.max(np.abs(ops.convert_to_numpy(g)))) for g in found]


@contextmanager
def around(layers: list[Any], what: Callable[[Any, Any, Callable[[Any], Any]], Any]) -> Iterator[None]:
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
