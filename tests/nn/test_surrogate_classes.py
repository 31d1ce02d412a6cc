"""Surrogates as layers, and as what a layer of neurons learns through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from tests.nn.kit import gradient, keras, nn, numbers, ops

X = np.array([[-3.0, -0.7, -0.2, 0.0, 0.3, 0.9, 2.5]], np.float32)
GAIN = -np.expm1(-1 / 20)
"""What one step of 1 ms makes of an input, with a time constant of 20 ms."""


def normal(x: Any, sigma: float) -> Any:
    return np.exp(-((x / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))


def bump(x: Any) -> Any:
    return 1.15 * normal(x, 0.5) - 0.15 * (normal(x - 0.5, 3.0) + normal(x + 0.5, 3.0))


def logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


SLOPES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "fast_sigmoid": (lambda: nn.FastSigmoidSurrogate(beta=3.0), lambda x: 1 / (1 + 3 * abs(x)) ** 2),
    "seed": (lambda: nn.FastSigmoidSurrogate(beta=3.0, form="seed"), lambda x: 3 / (1 + 3 * abs(x))),
    "triangular": (lambda: nn.TriangularSurrogate(0.3), lambda x: 0.3 * np.maximum(0, 1 - abs(x))),
    "arctan": (lambda: nn.ArctanSurrogate(3.0), lambda x: 1.5 / (1 + (np.pi / 2 * 3 * x) ** 2)),
    "sigmoid": (lambda: nn.SigmoidSurrogate(2.0), lambda x: 2 * logistic(2 * x) * (1 - logistic(2 * x))),
    "gaussian": (lambda: nn.GaussianSurrogate(0.7), lambda x: normal(x, 0.7)),
    "multi_gaussian": (lambda: nn.MultiGaussianSurrogate(), bump),
    "straight_through": (lambda: nn.StraightThroughSurrogate(), lambda x: 1 + 0 * x),
    "expression": (lambda: nn.ExpressionSurrogate("h * exp(-abs(x) / w)", h=2, w=0.5), lambda x: 2 * np.exp(-abs(x) / 0.5)),
    "adaptive": (lambda: nn.AdaptiveSurrogate("gaussian", sigma=0.7), lambda x: normal(x, 0.7)),
}  # fmt: skip


@pytest.mark.parametrize("name", SLOPES)
def test_a_step_forwards_and_the_surrogate_backwards(name: str) -> None:
    make, slope = SLOPES[name]
    np.testing.assert_array_equal(numbers(make()(X)), (X >= 0).astype(np.float32))
    np.testing.assert_allclose(gradient(make(), X), slope(X), rtol=1e-5)


@pytest.mark.parametrize("name", [n for n in SLOPES if n != "adaptive"])
def test_neurons_learn_through_it(name: str) -> None:
    make, slope = SLOPES[name]
    layer = nn.LIFNeuron(surrogate_gradient=make())
    for current in (10.0, 25.0):
        found = gradient(layer, np.full((1, 1, 1), current, np.float32))
        assert found[0, 0, 0] == pytest.approx(GAIN * slope(current * GAIN - 1), rel=1e-4)


def test_by_name_by_mapping_or_by_object() -> None:
    x = np.full((1, 1, 1), 10, np.float32)
    given = ("arctan", {"name": "arctan", "alpha": 2.0}, nn.ArctanSurrogate())
    first, *others = (gradient(nn.LIFNeuron(surrogate_gradient=s), x) for s in given)
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_the_adaptive_one_follows_the_margins() -> None:
    layer = nn.AdaptiveSurrogate("gaussian", momentum=0.5)
    layer(X * 8, training=True)
    scale = 0.5 + 0.5 * np.abs(X * 8).mean()
    assert float(numbers(layer.scale)) == pytest.approx(scale, rel=1e-5)
    np.testing.assert_allclose(gradient(layer, X), normal(X / scale, 0.5), rtol=1e-4)
    currents = np.array([[[10.0, 30.0, 60.0]]], np.float32)
    margins = currents * GAIN - 1
    found = gradient(nn.LIFNeuron(surrogate_gradient=nn.AdaptiveSurrogate("gaussian")), currents)
    np.testing.assert_allclose(found, GAIN * normal(margins / np.abs(margins).mean(), 0.5), rtol=1e-3)


def test_slopes_learn() -> None:
    """The derivative by the slope is that of the antiderivative, here against a difference of it."""
    layer = nn.FastSigmoidSurrogate(beta=2.0, learnable_beta=True)
    model = keras.Sequential([keras.Input((7,)), layer])
    model.compile(keras.optimizers.SGD(1.0), lambda y, z: ops.sum(z))
    model.fit(X, X, verbose=0)
    wanted = sum(((x / (1 + 2.001 * abs(x))) - (x / (1 + 1.999 * abs(x)))) / 0.002 for x in X[0].astype(float))
    assert float(numbers(layer.slope)) == pytest.approx(2.0 - wanted, rel=1e-3)
    neurons = nn.LIFNeuron(surrogate_gradient=nn.SigmoidSurrogate(learnable_alpha=True))
    neurons(np.ones((1, 2, 3), np.float32))
    assert [w.name for w in neurons.trainable_weights] == ["surrogate_alpha"]


def test_saved_with_the_layer(tmp_path: Path) -> None:
    made: list[Any] = [nn.AdaptiveSurrogate("gaussian", sigma=0.3), nn.ExpressionSurrogate("1 / (1 + k * x^2)", k=3.0)]
    model = keras.Sequential(
        [keras.Input((4, 3)), *(nn.LIFNeuron(units=3, gain=9.0, surrogate_gradient=s) for s in made), nn.ArctanSurrogate()]
    )
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]
    x = np.random.default_rng(0).uniform(0, 9, (2, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(gradient(again, x), gradient(model, x))
    for make, _ in SLOPES.values():
        layer = make()
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.FastSigmoidSurrogate(beta=0, name="s"), "FastSigmoidSurrogate `s`: beta = 0 is no number above 0"),
        (lambda: nn.FastSigmoidSurrogate(form="sed", name="s"),
         "FastSigmoidSurrogate `s`: form: 'sed' is none of zenke, seed\n  help: did you mean 'seed'?"),
        (lambda: nn.ExpressionSurrogate("1 / (1 + k * x)", name="s"),
         "ExpressionSurrogate `s`: expression = '1 / (1 + k * x)': there is no `k` here"),
        (lambda: nn.ExpressionSurrogate("x", x=3, name="s"), "ExpressionSurrogate `s`: 'x' is no name for an argument"),
        (lambda: nn.ExpressionSurrogate("exprel(x)", name="s"), None),
        (lambda: nn.AdaptiveSurrogate("gausian", name="s"), None),
        (lambda: nn.AdaptiveSurrogate(momentum=1.0, name="s"), "AdaptiveSurrogate `s`: momentum = 1.0 is no number from 0 to below 1"),
    ],
)  # fmt: skip
def test_mistakes(make: Callable[[], Any], message: str | None) -> None:
    with pytest.raises(BircError) as error:
        make()
    if message is not None:
        assert str(error.value) == f"error[I301]: {message}"
