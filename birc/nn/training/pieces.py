"""A recurrent model as a function of its weights and states, which runs a sequence in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from birc.nn.mistakes import data_mistake
from birc.nn.training.engines import compiled, differentiate, without_gradient
from birc.nn.training.spiking import every_layer, inside

WHO = "chunked_bptt"


class Pieces:
    """Runs pieces of sequences, with the states of every recurrent layer of the model, however deep, handed from one to the next.

    Nothing in the model is changed: its variables and states are given values for the time of a call.
    """

    def __init__(self, model: Any, batch: int) -> None:
        check_pieces(model)
        self.model, self.batch, self.loss, self.optimizer = model, batch, model.loss, model.optimizer
        self.layers = list({id(layer): layer for layer in recurrent(model)}.values())
        self.trainables, self.others = list(model.trainable_variables), list(model.non_trainable_variables)
        self.forward = compiled(without_gradient(self._forward))
        self.upstream = compiled(self._upstream)
        self.backward = compiled(self._backward)

    @classmethod
    def of(cls, model: Any, batch: int) -> Pieces:
        """Those of a model, made once: they hold what was compiled."""
        found: Pieces | None = vars(model).get("_birc_pieces")
        if found is None or not found.fit(model, batch):
            found = vars(model)["_birc_pieces"] = cls(model, batch)
        return found

    def fit(self, model: Any, batch: int) -> bool:
        """Whether these are still the model's."""
        same = zip((*self.trainables, *self.others), (*model.trainable_variables, *model.non_trainable_variables), strict=False)
        return (
            self.batch == batch
            and (self.loss, self.optimizer) == (model.loss, model.optimizer)
            and len(self.trainables) == len(model.trainable_variables)
            and all(a is b for a, b in same)
        )

    def values(self) -> tuple[list[Any], list[Any]]:
        """What trains, and the other variables, as they are now."""
        return [ops.convert_to_tensor(v) for v in self.trainables], [ops.convert_to_tensor(v) for v in self.others]

    def _run(self, trainables: list[Any], others: list[Any], states: list[Any], x: Any) -> tuple[Any, list[Any], Any]:
        """Outputs, the states of each layer behind the last step, and the sum of the model's penalties; no `states`: the initial ones."""
        mapping = [*zip(self.trainables, trainables, strict=True), *zip(self.others, others, strict=True)]
        carried = Carried(states)
        with carried.through(self.layers), keras.StatelessScope(mapping, collect_losses=True) as scope:
            before = [scope.get_current_value(v) for v in self.others]
            y = self.model(x, training=True)
            penalties = sum(self.model.losses, start=ops.zeros(()))
            changed = [v for v, value in zip(self.others, before, strict=True) if scope.get_current_value(v) is not value]
        if changed:
            message = f"a call changes `{changed[0].name}` (running means, or plasticity), so steps cannot run again"
            raise data_mistake(WHO, message)
        if carried.refused is not None:  # here, for Keras words anew what a layer's call raises
            raise data_mistake(WHO, carried.refused)
        return y, [after for _, after in sorted(carried.after.items())], penalties

    def _forward(self, trainables: list[Any], others: list[Any], states: list[Any], x: Any) -> tuple[Any, list[Any]]:
        y, after, _ = self._run(trainables, others, states, x)
        return y, after

    def _upstream(self, trainables: list[Any], others: list[Any], y: Any, targets: Any, weights: list[Any]) -> tuple[Any, Any]:
        """The loss of whole outputs, without penalties, and its derivative with respect to them."""
        mapping = [*zip(self.trainables, trainables, strict=True), *zip(self.others, others, strict=True)]

        def loss(outputs: list[Any]) -> tuple[Any, tuple[()]]:
            with keras.StatelessScope(mapping, collect_losses=True):
                found = self.model.compute_loss(y=targets, y_pred=outputs[0], sample_weight=weights[0] if weights else None)
                return found - sum(self.model.losses, start=ops.zeros(())), ()

        value, _, (gradient,) = differentiate(loss, [y])
        return value, gradient

    def _backward(
        self, trainables: list[Any], others: list[Any], states: list[Any], x: Any, upstream: Any, share: Any
    ) -> tuple[Any, list[Any]]:
        """`share` of the piece's penalties, and the derivatives of that and of the loss, whose derivative by the outputs is `upstream`."""

        def objective(values: list[Any]) -> tuple[Any, Any]:
            y, _, penalties = self._run(values, others, states, x)
            penalty = share * penalties
            return ops.sum(ops.cast(y, upstream.dtype) * upstream) + penalty, penalty

        _, penalty, gradients = differentiate(objective, trainables)
        return penalty, gradients


def recurrent(layer: Any) -> Iterator[Any]:
    """The layers with states over time, the outer ones: those of Keras, and what birc emits."""
    if hasattr(layer, "return_state") and hasattr(layer, "get_initial_state"):
        yield layer
    else:
        for inner in inside(layer):
            yield from recurrent(inner)


class Carried:
    """The states with which layers begin, by number, and those with which they end; none are the initial ones."""

    def __init__(self, before: list[Any]) -> None:
        self.before, self.after = before, dict[int, Any]()
        self.refused: str | None = None

    @contextmanager
    def through(self, layers: list[Any]) -> Iterator[None]:
        """Each layer begins with the states that belong to it, for as long."""
        try:
            for number, layer in enumerate(layers):
                vars(layer)["call"] = self._around(number, layer)
            yield
        finally:
            for layer in layers:
                vars(layer).pop("call", None)

    def _around(self, number: int, layer: Any) -> Callable[..., Any]:
        own = layer.call

        def call(sequences: Any, initial_state: Any = None, **options: Any) -> Any:
            if number in self.after or initial_state is not None:
                how = "is called twice" if number in self.after else "is given its initial state"
                self.refused = f"the layer `{layer.name}` {how}, so it cannot run in pieces"
                return own(sequences, initial_state=initial_state, **options)
            shape = ops.shape(keras.tree.flatten(sequences)[0])
            begin = self.before[number] if self.before else layer.get_initial_state(shape[0])
            wanted = layer.return_state
            vars(layer)["return_state"] = True  # past the tracking of Keras, which would see another layer
            try:
                found = own(sequences, initial_state=begin, **options)
            finally:
                vars(layer)["return_state"] = wanted
            outputs, self.after[number] = list(found[: -len(begin)]), list(found[-len(begin) :])
            if wanted:
                return tuple(found)
            return outputs if getattr(getattr(layer, "settings", None), "several", False) else outputs[0]

        return call


def check_pieces(model: Any) -> None:
    """Raises I311 for a model that does not compute the same when a sequence is run in pieces, and some steps twice."""
    for layer in every_layer(model):
        name = f"the layer `{layer.name}`"
        if isinstance(layer, keras.layers.Bidirectional) or getattr(layer, "go_backwards", False):
            raise data_mistake(WHO, f"{name} runs backwards in time, so it cannot run in pieces")
        if isinstance(layer, (keras.layers.Conv1D, keras.layers.MaxPooling1D, keras.layers.AveragePooling1D)):
            raise data_mistake(WHO, f"{name} mixes steps outside of a recurrent layer, so it cannot run in pieces")
        rates = [getattr(layer, key) for key in ("rate", "stddev", "dropout", "recurrent_dropout") if hasattr(layer, key)]
        if getattr(layer, "_seed_generators", ()) and (not rates or any(rates)):  # torch leaves no trace of a draw
            raise data_mistake(WHO, f"{name} draws random numbers, and would draw others when steps run again")
