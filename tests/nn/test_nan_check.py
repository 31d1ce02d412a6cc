"""The end of training where numbers are no longer finite."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from tests.nn.engines import ALONE, OTHERS, keras, run_on

import birc.nn as nn  # isort: skip

T = 6
X, Y = np.random.default_rng(0).uniform(0, 3, (12, T, 4)).astype(np.float32), np.zeros((12, 2), np.float32)


def model(rate: float = 1e-3, loss: Any = "mse") -> Any:
    keras.utils.set_random_seed(1)
    made = keras.Sequential(
        [
            keras.Input((T, 4)),
            nn.LIFNeuron(units=3, gain=20.0, name="first"),
            keras.layers.Dense(2, name="second"),
            keras.layers.GlobalAveragePooling1D(name="mean"),
        ]
    )
    made.compile(keras.optimizers.SGD(rate), loss)
    return made


def fit(made: Any, watch: Any, x: Any = X) -> str:
    with pytest.raises(BircError) as error:
        made.fit(x, Y, batch_size=4, epochs=2, verbose=0, shuffle=False, callbacks=[watch])
    assert error.value.diagnostics[0].code in ("I311", "I313")
    return str(error.value)


def test_nothing_is_said_of_what_is_finite() -> None:
    made = model()
    made.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[nn.NaNCheck(X[:3]), nn.NaNCheck(every=2)])


def test_the_batch_and_the_layers_are_named() -> None:
    x = X.copy()
    x[9, 2, 1] = np.inf  # NaN in the derivative by the kernel
    said = fit(model(), nn.NaNCheck(), x)
    assert "error[I313]: NaNCheck: epoch 0, batch 2: " in said
    assert "of the weight `kernel` of the layer `neurons`" in said
    assert "learning rate" in said


def test_the_first_output_that_is_not_finite_is_named() -> None:
    made = model()
    kernel = made.get_layer("second").kernel
    kernel.assign(np.full(kernel.shape, 3e38, np.float32))
    made.layers[0].inner.kernels[0].assign(np.full((4, 3), 5, np.float32))
    said = fit(made, nn.NaNCheck(X[:3]))
    assert "NaNCheck: epoch 0, batch 0: the loss is " in said
    assert "with the weights before, the first output that is not finite is that of the layer `second`" in said


def test_weights_and_samples_are_looked_at_before_the_first_batch() -> None:
    made = model()
    bias = made.get_layer("second").bias
    bias.assign(np.array([np.nan, 0], np.float32))
    assert "before the first batch: 1 of 2 numbers are NaN of the weight `bias` of the layer `second`" in fit(made, nn.NaNCheck())
    x = X.copy()
    x[0, 0, 0] = np.nan
    assert f"error[I311]: NaNCheck: 1 of {x.size} numbers are NaN of the samples given as x" in fit(model(), nn.NaNCheck(x), x)


def test_mistakes_and_saving() -> None:
    with pytest.raises(BircError, match="I312"):
        nn.NaNCheck(every=0)
    again = nn.NaNCheck.from_config(nn.NaNCheck(X[:2], every=3).get_config())
    assert again.every == 3
    np.testing.assert_array_equal(again.x, X[:2])


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", OTHERS)
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    run_on(engine, __file__)
