"""Mistakes in arguments and in inputs: messages that say which layer, and what was expected."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.errors import BircError
from tests.nn.engines import ALONE, OTHERS, run_on
from tests.nn.kit import keras, nn, noise


def said(error: pytest.ExceptionInfo[BircError]) -> str:
    return str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"treshold": 2.0}, "argument: 'treshold' is none of …\n  help: did you mean 'threshold'?"),
        ({"membrane_time_constant": 0.02, "tau_m": 20}, "membrane_time_constant and tau_m are the same parameter, and both are given"),
        ({"refractory_period": 2, "t_ref": "2 ms"}, "refractory_period and t_ref are the same parameter, and both are given"),
        ({"membrane_time_constant": -0.02}, "tau_m = -20.0 is outside its range (0, inf) ms (membrane_time_constant = -0.02)"),
        ({"threshold": 0.0}, "v_th = 0.0 is outside its range [0.001, inf] 1 (threshold = 0.0)"),
        ({"tau_m": "20 mV"}, "parameter `tau_m` is a time, not a voltage"),
        ({"threshold": "high"}, None),
        ({"membrane_time_constant": None, "resistance": {}}, "resistance = {} is no number of 1 and no text with a unit"),
        ({"dt": 0}, "dt = 0: a step is a number of seconds above 0, or text such as '1 ms'"),
        ({"surrogate_gradient": "fast_sigmiod"}, "surrogate_gradient: 'fast_sigmiod' is none of fast_sigmoid, fast_sigmoid_seed, "
         "triangular, arctan, sigmoid, gaussian, multi_gaussian, straight_through; did you mean 'fast_sigmoid'?"),
        ({"surrogate_gradient": 3}, "surrogate_gradient = 3: a name, {'name': …}, or a surrogate of birc.nn"),
        ({"biological_realism_level": "hihg"},
         "biological_realism_level: 'hihg' is none of low, medium, high\n  help: did you mean 'high'?"),
        ({"learnable_parameters": ["tau"]}, "learnable_parameters: 'tau' is none of threshold, reset_potential, membrane_time_constant, "
         "resistance, refractory_period, tau_m, R, v_th, v_reset, t_ref\n  help: did you mean 'tau_m'?"),
        ({"learnable_parameters": 3}, "learnable_parameters = 3: True, False, or names of parameters"),
        ({"learnable_parameters": "refractory_period"}, "t_ref cannot be learned: it is counted in whole steps, which have no derivative"),
        ({"parameter_constraints": {"tau_m": (30, 40)}}, "tau_m = 20.0 is outside its range [30, 40] ms"),
        ({"parameter_constraints": {"membrane_time_constant": (-1e-3, 0.03)}},
         "ranges: tau_m in [-1.0, 30.0] is not inside its own range [0, inf] ms"),
        ({"parameter_constraints": {"tau_m": 3}}, "parameter_constraints: tau_m takes (low, high), not 3"),
        ({"parameter_constraints": 3}, "parameter_constraints = 3: a range (low, high) by the name of a parameter"),
        ({"neuron_type": "fast_spiking"}, "neuron_type: 'fast_spiking' is none of no_refractory"),
        ({"model": "lif"}, "argument: 'model' is none of …"),
    ],
)  # fmt: skip
def test_arguments(options: dict[str, Any], message: str | None) -> None:
    with pytest.raises(BircError) as error:
        nn.LIFNeuron(name="first", **options)
    if message is not None:
        start, _, end = f": LIFNeuron `first`: {message}".partition("…")
        assert error.value.code == ("U112" if "voltage" in message else "I301")
        assert said(error).removeprefix(f"error[{error.value.code}]").startswith(start) and said(error).endswith(end)


def test_types_of_izhikevich() -> None:
    with pytest.raises(
        BircError, match=r"IzhikevichNeuron `iz`: neuron_type: 'fast_spikin' is none of RS, IB, .*\n  help: did you mean 'fast_spiking'?"
    ):
        nn.IzhikevichNeuron(neuron_type="fast_spikin", name="iz")
    with pytest.raises(BircError, match="the type is given twice: neuron_type='FS' and preset='RS'"):
        nn.IzhikevichNeuron(neuron_type="FS", preset="RS")


def test_the_base_needs_a_model() -> None:
    with pytest.raises(BircError) as error:
        nn.BaseBiologicalLayer(name="none")(noise(1, 2, 3))
    assert said(error) == 'error[I301]: BaseBiologicalLayer `none`: it has no model\n  help: use LIFNeuron, or name a model: model="lif"'
    with pytest.raises(BircError, match="without a model it takes no units"):
        nn.BaseBiologicalLayer(units=3)
    with pytest.raises(BircError, match="I001"):
        nn.neuron("lif_unti")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((2, 5, 3), np.int32),
         'the input is int32, and currents and spikes are floating-point numbers\n  help: x.astype("float32")'),
        (np.ones((2, 5, 3), bool), 'the input is bool, and currents and spikes are floating-point numbers\n  help: x.astype("float32")'),
        (np.ones((2, 3)), "expected [batch, time, features], not (2, 3): the time axis is missing\n"
         "  help: encode it as spikes, or hold it for T steps: keras.layers.RepeatVector(T)"),
        (np.ones(3), "expected [batch, time, features], not (3,): 1 axes"),
        (np.full((1, 2, 3), np.nan), "the input (1, 2, 3) holds NaN"),
        (np.ones((2, 5, 4)), "expected [batch, time, features] with 3 features, not 4: the shape is (2, 5, 4)"),
    ],
)  # fmt: skip
def test_inputs(x: Any, message: str) -> None:
    layer = nn.LIFNeuron(units=2, name="first")
    layer(noise(1, 2, 3))
    with pytest.raises(BircError) as error:
        layer(x)
    assert said(error) == f"error[I302]: LIFNeuron `first`: {message}"


FITS = np.ones((2, 5, 3), np.float32)
SHAPES: list[tuple[dict[str, Any], Any, dict[str, Any], str]] = [
    ({}, FITS[0], {}, "expected [batch, time, features], not (5, 3): the time axis is missing"),
    ({}, FITS, {"mask": np.ones((2, 4), bool)}, "mask: expected [batch, time] of the input (2, 5, 3), not (2, 4)"),
    ({}, FITS, {"initial_state": [np.zeros((2, 4), np.float32)] * 2},
     "initial_state: expected [batch, 6] for each of v, refractory, not [2, 4], [2, 4]"),
    ({}, FITS, {"initial_state": [np.zeros((2, 6), np.float32)]},
     "initial_state: expected [batch, 6] for each of v, refractory, not [2, 6]"),
    ({"ports": ["I", "syn"]}, FITS, {}, "expected 2 inputs, for I, syn, not 1"),
    ({"ports": ["I", "syn"]}, [FITS, FITS[:, :4]], {},
     "expected [batch, time, features] for port syn with the batch and the time of the first input (2, 5, 3), not (2, 4, 3)"),
    ({"ports": ["I", "syn"], "units": None}, [FITS, FITS[..., :2]], {},
     "port syn has 2 features for 3 neurons; with units=N it gets a kernel"),
    ({"tau_m": [5.0, 10.0]}, FITS, {}, "tau_m has 2 values for 6 neurons; expected one number, or one for each"),
]  # fmt: skip
HELP = "\n  help: encode it as spikes, or hold it for T steps: keras.layers.RepeatVector(T)"


@pytest.mark.parametrize(("options", "x", "more", "message"), SHAPES)
@pytest.mark.parametrize("fused", [True, False])
def test_shapes(options: dict[str, Any], x: Any, more: dict[str, Any], message: str, fused: bool) -> None:
    """By a layer of `birc.nn` and by the layer of a compiled model, alone and inside a model of Keras."""
    compiled = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    options = {"units": 6, "name": "first", "fused": fused, **options}
    for make, who, help in (
        (nn.LIFNeuron, "error[I302]: LIFNeuron `first`", HELP),
        (lambda **options: compiled.layer(dtype="float32", **options), "LIFUnit `first`", ""),
    ):
        for call in (make(**options), Around(make(**options))):
            with pytest.raises((BircError, ValueError)) as error:
                call(x, **more)
            assert str(error.value) == f"{who}: {message}" + (help if "missing" in message else "")


class Around(keras.Model):  # type: ignore[misc]
    """A model whose call is a layer's."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def call(self, x: Any, **more: Any) -> Any:
        return self.layer(x, **more)


def test_another_number_of_features() -> None:
    layer = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32").layer(units=6, name="first", dtype="float32")
    layer(FITS)
    with pytest.raises(ValueError) as error:
        layer(np.ones((3, 5, 4), np.float32))
    assert str(error.value) == "LIFUnit `first`: expected [batch, time, features] with 3 features, not 4: the shape is (3, 5, 4)"


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((2, 3), np.float32), "expected [batch, time, features], not (2, 3): the time axis is missing" + HELP),
        (np.full((1, 2, 3), np.nan, np.float32), "the input (1, 2, 3) holds NaN"),
        ("spikes", "expected [batch, time, features], a tensor or an array, not str"),
    ],
)
def test_what_a_model_s_layer_says_is_what_the_model_says(x: Any, message: str) -> None:
    class Inner(keras.Model):  # type: ignore[misc]
        def call(self, y: Any) -> Any:
            return nn.LIFNeuron(units=2, name="first")(x)

    with pytest.raises(BircError) as error:
        Inner()(FITS)
    assert said(error) == f"error[I302]: LIFNeuron `first`: {message}"


def test_what_a_loss_says_inside_a_model_is_left_alone() -> None:
    class Inner(keras.Model):  # type: ignore[misc]
        def call(self, y: Any) -> Any:
            return nn.SpikingCrossEntropy(4)([0, 1], y)

    with pytest.raises(BircError) as error:
        Inner()(FITS)
    assert said(error) == "error[I311]: SpikingCrossEntropy: the prediction has 5 steps for time_steps = 4"


def test_a_model_with_a_call_of_its_own_is_fitted() -> None:
    model = Around(nn.LIFNeuron(units=2))
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(FITS, np.zeros((2, 5, 2)), verbose=0).history["loss"]).all()


def test_nan_in_a_tensor() -> None:
    with pytest.raises(BircError, match="holds NaN"):
        nn.LIFNeuron()(keras.ops.convert_to_tensor(np.full((1, 2, 3), np.nan, np.float32)))


def test_inputs_are_checked_where_a_model_is_made() -> None:
    with pytest.raises(BircError, match="the time axis is missing"):
        keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), nn.LIFNeuron(units=2)])
    with pytest.raises(BircError, match="the number of features must be known"):
        keras.Sequential([keras.Input((28, None)), nn.LIFNeuron(units=2)])


def test_a_configuration_of_a_newer_version_is_refused() -> None:
    config = {**nn.LIFNeuron(name="new").get_config(), "birc_format": 2}
    with pytest.raises(BircError) as error:
        nn.LIFNeuron.from_config(config)
    assert said(error) == (
        "error[I303]: LIFNeuron `new`: it was saved by a newer version of birc (format 2; this one reads up to 1)\n"
        "  help: pip install --upgrade birc"
    )


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", OTHERS)
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    run_on(engine, __file__)
