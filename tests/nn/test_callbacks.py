"""The warning of dead layers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.errors import BircError
from tests.nn.engines import ALONE, OTHERS, keras, numbers, run_on

from birc.nn import callbacks, losses  # isort: skip

T = 8


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    keras.utils.set_random_seed(1)
    yield


def lif(name: str, units: int = 3, **options: Any) -> Any:
    return driver.compile("lif_unit", target="keras", dt="1 ms", dtype="f32").layer(units=units, name=name, **options)


def model(**second: Any) -> Any:
    made = keras.Sequential(
        [keras.Input((T, 2)), lif("first", kernel_initializer="ones"), lif("second", kernel_initializer="ones", **second)]
    )
    made.compile(keras.optimizers.SGD(0.0), losses.SpikeCountMSE())
    return made


X, Y = np.full((4, T, 2), 20, np.float32), np.array([0, 1, 2, 0])


def said(made: Any, watch: Any, epochs: int = 1) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made.fit(X, Y, epochs=epochs, verbose=0, callbacks=[watch])
    return [str(w.message) for w in caught if w.category is callbacks.DeadLayer]


def test_what_is_seen() -> None:
    made = model(v_th=0.1)
    seen = callbacks.examine(made, X, Y)
    hidden = numbers(made.layers[0](X))
    assert [s.name for s in seen] == ["first", "second"]
    assert [s.spikes for s in seen] == [int(hidden.sum()), int(numbers(made.layers[1](hidden)).sum())]
    assert [s.neurons for s in seen] == [3, 3]
    assert all(s.gradient is not None and s.gradient > 0 for s in seen)
    assert [s.gradient for s in callbacks.examine(made, X)] == [None, None]


def test_the_gradient_is_that_of_the_input() -> None:
    made = keras.Sequential([keras.Input((1, 1)), lif("only", 1, surrogate="straight_through", kernel_initializer="ones")])
    made.compile("sgd", losses.SpikeCountMSE())
    (seen,) = callbacks.examine(made, np.full((1, 1, 1), 30, np.float32), np.array([[0.0]]))
    # one spike in one step where none is wanted: 2 (1 - 0); a step of 1 ms makes 1 - e^(-1/20) of the input
    assert seen.gradient == pytest.approx(2 * (1 - np.exp(-1 / 20)), rel=1e-4)


def test_a_living_model_is_not_warned_of() -> None:
    assert said(model(v_th=0.1), callbacks.DeadLayerWarning(X, Y), epochs=2) == []


def test_a_silent_layer() -> None:
    watch = callbacks.DeadLayerWarning(X, Y, patience=2)
    (message,) = said(model(v_th=50), watch, epochs=4)
    assert message == (
        "epoch 1: none of the 3 neurons of the layer `second` spiked on 4 samples; what helps: more input (a larger kernel or gain), "
        "a lower threshold, or RateRegularizer(low=…) as activity_regularizer"
    )


def test_a_layer_without_gradient() -> None:
    found = said(model(v_th=50, surrogate="triangular"), callbacks.DeadLayerWarning(X, Y))
    helps = (
        "on 4 samples; what helps: a wider surrogate (a smaller slope; SurrogateScheduler), a potential nearer to the threshold, "
        "and a loss that depends on the layer"
    )
    assert found[0] == f"epoch 0: no gradient goes through the layer `first` {helps}"
    assert found[1].startswith("epoch 0: none of the 3 neurons of the layer `second` spiked")
    assert found[2] == f"epoch 0: no gradient goes through the layer `second` {helps}"


def test_it_is_warned_again_after_a_recovery() -> None:
    made = model(v_th=0.1)
    watch = callbacks.DeadLayerWarning(X)
    weights = [made.get_weights(), [np.zeros_like(w) for w in made.get_weights()]]

    def switch(epoch: int, logs: Any) -> None:
        made.set_weights(weights[(epoch + 1) % 2])

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made.fit(X, Y, epochs=4, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=switch), watch])
    assert sum("`first`" in str(w.message) for w in caught) == 2


def test_epochs_between_are_left_out() -> None:
    assert said(model(v_th=50), callbacks.DeadLayerWarning(X, every=3), epochs=2) == []
    assert len(said(model(v_th=50), callbacks.DeadLayerWarning(X, every=3), epochs=3)) == 1


def test_layers_that_give_a_potential_are_looked_at_for_the_gradient() -> None:
    made = keras.Sequential([keras.Input((T, 2)), lif("only", output="v", v_th=50)])
    made.compile("sgd", losses.MaxMembraneCrossEntropy())
    (seen,) = callbacks.examine(made, X, Y)
    assert seen.spikes is None
    assert seen.gradient is not None and seen.gradient > 0


@keras.saving.register_keras_serializable("birc_tests")
class Counting(keras.layers.Layer):  # type: ignore[misc]
    """Stands for a spiking layer with a state that goes on."""

    def build(self, input_shape: Any) -> None:
        self.surrogate_slope = self.add_weight(name="surrogate_slope", shape=(), initializer="ones", trainable=False)
        self.calls = self.add_weight(name="calls", shape=(), initializer="zeros", trainable=False)

    def call(self, x: Any) -> Any:
        self.calls.assign(self.calls + 1)
        return x


def test_looking_changes_nothing() -> None:
    made = keras.Sequential([keras.Input((T, 3)), Counting()])
    made.compile("sgd", losses.SpikeCountMSE())
    before = float(numbers(made.layers[0].calls))
    callbacks.examine(made, np.ones((4, T, 3), np.float32), Y)
    assert float(numbers(made.layers[0].calls)) == before
    made(np.ones((4, T, 3), np.float32))
    assert float(numbers(made.layers[0].calls)) == before + 1


def test_it_is_saved() -> None:
    made = callbacks.DeadLayerWarning(X, Y, patience=2, every=3)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert again.get_config() == made.get_config()


def test_mistakes_are_said() -> None:
    with pytest.raises(BircError) as error:
        callbacks.DeadLayerWarning(X, Y[:2])
    assert str(error.value) == "error[I311]: DeadLayerWarning: 4 samples and 2 targets"
    with pytest.raises(BircError) as error:
        callbacks.DeadLayerWarning(X, patience=0)
    assert str(error.value) == "error[I312]: DeadLayerWarning: patience = 0 is no whole number from 1 on"
    with pytest.raises(BircError) as error:
        callbacks.examine(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)], name="m"), X)
    assert str(error.value) == "error[I311]: DeadLayerWarning: the model `m` has no spiking layer"


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", OTHERS)
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    run_on(engine, __file__)
