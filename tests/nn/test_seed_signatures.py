"""The constructors that networks in the wild call by keyword: their arguments, their order and their defaults do not change."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from birc.nn.arguments import LAYERS, STEP
from tests.nn.kit import keras, nn

SIGNATURES: dict[str, dict[str, Any]] = {
    "LIFNeuron": {
        "threshold": 1.0,
        "reset_potential": 0.0,
        "membrane_time_constant": 20e-3,
        "resistance": 1.0,
        "refractory_period": 2,
        "surrogate_gradient": "fast_sigmoid",
        "learnable_parameters": False,
    },
    "IzhikevichNeuron": {
        "a": 0.02,
        "b": 0.2,
        "c": -65.0,
        "d": 8.0,
        "neuron_type": "regular_spiking",
        "learnable_parameters": True,
    },
    "BaseBiologicalLayer": {
        "learnable_parameters": False,
        "parameter_constraints": None,
        "biological_realism_level": "medium",
    },
    "FastSigmoidSurrogate": {"beta": 1.0, "learnable_beta": False},
}
BUILDERS: dict[str, dict[str, Any]] = {
    "create_spiking_classifier": {
        "input_shape": inspect.Parameter.empty,
        "num_classes": inspect.Parameter.empty,
        "neuron_type": "lif",
        "time_steps": 100,
        "hidden_units": [128, 64],
        "surrogate_gradient": "fast_sigmoid",
        "learning_rule": None,
    },
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_constructors(name: str) -> None:
    made = getattr(nn, name)
    found = inspect.signature(made.__init__).parameters
    wanted = SIGNATURES[name]
    own = {key: p.default for key, p in found.items() if key != "self" and p.kind is p.POSITIONAL_OR_KEYWORD}
    assert list(own.items())[: len(wanted)] == list(wanted.items())
    assert any(p.kind is p.VAR_KEYWORD for p in found.values())
    layer = made(**wanted, name="mine", dtype="float32")
    assert isinstance(layer, keras.layers.Layer)
    assert made.from_config(layer.get_config()).get_config() == layer.get_config()


def test_the_builders() -> None:
    for name, wanted in BUILDERS.items():
        parameters = inspect.signature(getattr(nn, name)).parameters
        found = {key: p.default for key, p in parameters.items() if p.kind is not p.KEYWORD_ONLY}
        assert found == wanted and list(found) == list(wanted)


@pytest.mark.parametrize("name", LAYERS)
def test_defaults_are_those_of_the_model(name: str) -> None:
    """An argument that nobody gives leaves the value to the model, so both must say the same; durations in steps depend on dt."""
    found = inspect.signature(getattr(nn, name).__init__).parameters
    layer = getattr(nn, name)()
    for argument in LAYERS[name].arguments:
        row = layer.inner.settings.rows[argument.parameter]
        model = float(layer.inner.settings.values[argument.parameter]) / row.scale
        assert float(argument.value(found[argument.name].default, 1.0)) == pytest.approx(model, rel=1e-12), argument.name  # type: ignore[arg-type]
        if argument.unit != STEP:
            given = getattr(nn, name)(**{argument.name: found[argument.name].default})
            assert float(given.inner.settings.values[argument.parameter]) / row.scale == pytest.approx(model, rel=1e-12)
