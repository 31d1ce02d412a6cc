"""Layers and models that have seen no input yet: what they can say, they say; of the rest they say what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.errors import BircError
from tests.nn.kit import keras, nn, noise, numbers


def neurons(**options: Any) -> Any:
    return nn.LIFNeuron(units=3, gain=20.0, name="hidden", **options)


@pytest.mark.parametrize("stateful", [False, True])
def test_what_needs_no_input_works(stateful: bool) -> None:
    layer = neurons(stateful=stateful, return_state=True)
    layer.reset_states()
    assert "LIFUnit" in str(nn.explain(layer))
    assert layer.compute_output_shape((2, 5, 4)) == ((2, 5, 3), (2, 3), (2, 3))
    model = keras.Sequential([neurons(stateful=stateful)])
    model.summary(print_fn=lambda *_, **__: None)
    assert "LIFUnit" in str(nn.explain(model.layers[0]))


def test_what_needs_an_input_says_so() -> None:
    emitted = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32").layer(units=3, name="hidden")
    for layer, name in ((neurons(), "LIFNeuron `hidden`"), (emitted, "LIFUnit `hidden`")):
        said = f"{name} is not built: call it, or the model that it is in, on an input first"
        with pytest.raises(AttributeError, match=said):
            _ = layer.cell
        with pytest.raises(AttributeError, match=said):
            layer.get_initial_state(2)
    with pytest.raises(BircError, match=r"I301.*it has no model"):
        nn.BaseBiologicalLayer().reset_states()
    with pytest.raises(BircError, match="with stateful=True the batch has to be known"):
        keras.Sequential([keras.Input((5, 4)), neurons(stateful=True)])


@pytest.mark.parametrize("what", [keras.Sequential([neurons()], name="net"), keras.layers.Dense(2, name="net")])
def test_what_is_no_layer_of_neurons_is_not_explained(what: Any) -> None:
    with pytest.raises(BircError, match=r"I311.*explain: `net` is no layer of birc.nn, but a (Sequential|Dense)"):
        nn.explain(what)


def test_a_model_that_is_not_built_can_be_saved(tmp_path: Path) -> None:
    model = keras.Sequential([neurons()])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert numbers(again(noise(2, 5, 4))).shape == (2, 5, 3)


def test_the_batch_of_a_stateful_layer_is_its_own() -> None:
    layer = neurons(stateful=True)
    layer(noise(2, 5, 4))
    with pytest.raises(BircError, match="with the batch of 2 whose state it keeps"):
        layer(noise(3, 5, 4))


def test_states_that_last_are_not_saved(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((5, 4), batch_size=2), neurons(stateful=True, use_bias=True)])
    x = noise(2, 5, 4)
    first = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), first)
