"""A stop when numbers are no longer finite: `NaNCheck`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from birc.errors import BircError
from birc.nn.callbacks import around
from birc.nn.mistakes import count, data_mistake, left_alone
from birc.nn.training.engines import in_graph
from birc.nn.training.spiking import every_layer, inside


@keras.saving.register_keras_serializable("birc")
class NaNCheck(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends `fit` (I313) behind the first batch that leaves the loss or a weight infinite or NaN; says which batch, and which layers.

    The loss is looked at behind every batch, weights behind every `every`th. x: a few of the samples that are trained on, in which NaN is
    refused (I311) before the first batch; with them the message also names the first layer whose output is not finite, by the weights of
    the last look, when all were finite, or else by those that there are.
    """

    def __init__(self, x: Any = None, every: int = 1) -> None:
        super().__init__()
        self.x, self.every = None if x is None else np.asarray(x), count("NaNCheck", "every", every)
        self.epoch = 0
        self.good: list[Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        if self.x is not None and not np.isfinite(self.x).all():
            raise data_mistake("NaNCheck", f"{_amount(self.x)} of the samples given as x")
        self._look("before the first batch", logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (batch + 1) % self.every == 0 or not np.isfinite((logs or {}).get("loss", 0.0)):
            self._look(f"epoch {self.epoch}, batch {batch}", logs)

    def _look(self, when: str, logs: Any) -> None:
        """Raises I313 for what is not finite."""
        model = self.model  # which brings the weights of JAX up to date
        found = weights_that_are_not_finite(model)
        loss = (logs or {}).get("loss", 0.0)
        if not found and np.isfinite(loss):
            self.good = [np.array(ops.convert_to_numpy(w)) for w in model.trainable_weights] if self.x is not None else None
            return
        said = [f"the loss is {loss}"] if not np.isfinite(loss) else []
        said += found
        if self.x is not None:
            said.append(self._outputs(model))
        raise left_alone(BircError("I313", f"NaNCheck: {when}: {'; '.join(said)}", help=HELP))

    def _outputs(self, model: Any) -> str:
        """The first layer whose output on the samples is not finite, by the last good weights or else by those that there are."""
        now = [ops.convert_to_numpy(w) for w in model.trainable_weights]
        layer = None
        if self.good is not None:
            for weight, value in zip(model.trainable_weights, self.good, strict=True):
                weight.assign(value)
            layer = first_that_is_not_finite(model, self.x)
            for weight, value in zip(model.trainable_weights, now, strict=True):
                weight.assign(value)
        if layer is not None:
            return f"with the weights before, the first output that is not finite is that of the layer `{layer}`"
        layer = first_that_is_not_finite(model, self.x)
        before = (
            "; with the weights before all outputs are finite, so that the derivative or the step of the optimizer was not"
            if self.good
            else ""
        )
        return (f"the first output that is not finite is that of the layer `{layer}`" if layer else "all outputs are finite") + before

    def get_config(self) -> dict[str, Any]:
        return {"x": None if self.x is None else self.x.tolist(), "every": self.every}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> NaNCheck:
        """What `get_config` gave."""
        return cls(**config)


HELP = "a smaller learning rate, clipnorm=1.0 in the optimizer, a wider surrogate, or a smaller step dt of a stiff neuron"


def weights_that_are_not_finite(model: Any) -> list[str]:
    """What is wrong with weights, by layer."""
    found = []
    for layer in dict.fromkeys(every_layer(model)):
        inner = {id(w) for below in inside(layer) for w in below.weights}
        for weight in (w for w in layer.weights if id(w) not in inner):
            values = np.asarray(ops.convert_to_numpy(weight))
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                found.append(f"{_amount(values)} of the weight `{weight.name}` of the layer `{layer.name}`")
    return found


def first_that_is_not_finite(model: Any, x: Any) -> str | None:
    """The name of the first layer of a model whose output on some samples is not finite."""
    layers = [layer for layer in inside(model) if not isinstance(layer, keras.layers.InputLayer)]
    reached: list[Any] = []

    def look(samples: Any) -> list[Any]:
        found: list[Any] = []
        reached.clear()

        def finite(layer: Any, inputs: Any, call: Any) -> Any:
            outputs = call(inputs)
            numbers = [y for y in keras.tree.flatten(outputs) if "float" in keras.backend.standardize_dtype(y.dtype)]
            reached.append(layer)
            found.append(ops.all(ops.stack([ops.all(ops.isfinite(y)) for y in numbers] or [ops.convert_to_tensor(True)])))
            return outputs

        with keras.StatelessScope(), around(layers, finite):
            model(samples, training=False)
        return found

    flags = in_graph(look)(ops.convert_to_tensor(x))
    return next((layer.name for layer, flag in zip(reached, flags, strict=True) if not bool(ops.convert_to_numpy(flag))), None)


def _amount(values: Any) -> str:
    nan, size = int(np.isnan(values).sum()), values.size
    return f"{nan} of {size} numbers are NaN" if nan else f"{int(np.isinf(values).sum())} of {size} numbers are infinite"
