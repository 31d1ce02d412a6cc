"""Regularizers against numbers worked out by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from tests.nn.engines import ALONE, OTHERS, gradient, keras, numbers, ops, run_on

from birc.nn import regularizers  # isort: skip

Z = np.array([[[1, 0], [1, 0]], [[1, 0], [0, 1]]], np.float32)  # rates 3/4, 1/4


BATCH = 2 if regularizers.DIVIDES else 1
"""What Keras divides a penalty by, for two samples."""


def value(x: Any) -> float:
    return float(numbers(x))


def test_rates_outside_their_bounds() -> None:
    found = regularizers.RateRegularizer(low=0.5, high=0.5, strength=2.0)(ops.convert_to_tensor(Z))
    assert value(found) == pytest.approx(2 * (1 / 16 + 1 / 16) / 2 * BATCH)
    assert value(regularizers.RateRegularizer(low=0.25, high=0.75)(ops.convert_to_tensor(Z))) == 0
    rates = ops.convert_to_tensor(Z.mean(1))
    assert value(regularizers.RateRegularizer(low=0.5, high=0.5, strength=2.0)(rates)) == value(found)


def test_each_spike_costs() -> None:
    assert value(regularizers.SparsityRegularizer(0.5)(ops.convert_to_tensor(Z))) == pytest.approx(0.5 * 4 / 8 * BATCH)


def test_in_a_layer_the_batch_does_not_matter() -> None:
    for n in (1, 3):
        layer = keras.layers.Activation("linear", activity_regularizer=regularizers.RateRegularizer(0.5, 0.5, strength=2.0))
        layer(np.tile(Z, (n, 1, 1)))
        (loss,) = layer.losses
        assert value(loss) == pytest.approx(2 / 16)


def test_weights_drift_to_their_fixed_point() -> None:
    penalty = regularizers.WeightDependenceRegularizer(mu=1.0, alpha=3.0, w_max=2.0, strength=1.0)
    w = np.array([[0.5, 1.0]], np.float32)
    u = w / 2
    assert value(penalty(ops.convert_to_tensor(w))) == pytest.approx(float(np.mean(((1 - u) ** 2 + 3 * u**2) / 2)))
    found = gradient(penalty, w)
    np.testing.assert_allclose(found, -(1 - u - 3 * u) / 2 / 2, atol=1e-6)
    assert found[0, 0] == 0  # w_max / (1 + alpha)


@pytest.mark.parametrize(
    "made",
    [
        regularizers.RateRegularizer(0.1, 0.2, 0.3),
        regularizers.SparsityRegularizer(0.3),
        regularizers.WeightDependenceRegularizer(0.5, 2.0, 3.0, 0.1),
    ],
)
def test_regularizers_are_saved(made: Any) -> None:
    again = keras.regularizers.deserialize(keras.regularizers.serialize(made))
    assert (type(again), again.get_config()) == (type(made), made.get_config())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: regularizers.RateRegularizer(0.6, 0.5), "error[I312]: RateRegularizer: low = 0.6 lies above high = 0.5"),
        (lambda: regularizers.RateRegularizer(high=2), "error[I312]: RateRegularizer: high = 2 is no number in [0, 1]"),
        (lambda: regularizers.SparsityRegularizer(-1), "error[I312]: SparsityRegularizer: strength = -1 is no number from 0 on"),
        (lambda: regularizers.WeightDependenceRegularizer(w_max=0),
         "error[I312]: WeightDependenceRegularizer: w_max = 0 is no number above 0"),
    ],
)  # fmt: skip
def test_mistakes_are_said(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(BircError) as error:
        call()
    assert str(error.value) == message


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", OTHERS)
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    run_on(engine, __file__)
