"""Layers of neurons: the compiled model in other words, its realism levels, its state, and Keras around it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver
from tests.nn.kit import ENGINE, gradient, keras, nn, noise, numbers, ops


def test_a_layer_is_its_model_in_other_words() -> None:
    x = noise(2, 30, 4)
    own = nn.LIFNeuron(membrane_time_constant=7e-3, threshold=0.8, reset_potential=0.1, resistance=1.5, refractory_period=3)
    plain = driver.compile_model("lif_unit", target="keras", dt="1 ms").layer(tau_m=7, v_th=0.8, v_reset=0.1, R=1.5, t_ref=3)
    np.testing.assert_array_equal(numbers(own(x)), numbers(plain(x)))
    named = nn.LIFNeuron(tau_m="7 ms", v_th=0.8, v_reset=0.1, R=1.5, t_ref="3 ms")
    np.testing.assert_array_equal(numbers(named(x)), numbers(own(x)))


def test_a_refractory_period_is_counted_in_steps() -> None:
    x = np.full((1, 12, 1), 1e4, np.float32)
    for dt in (1e-3, "0.1 ms", 5e-3):
        np.testing.assert_array_equal(numbers(nn.LIFNeuron(dt=dt, refractory_period=2)(x))[0, :, 0], [1, 0, 0] * 4)
    np.testing.assert_array_equal(numbers(nn.LIFNeuron(refractory_period=2, substeps=3)(x))[0, :5, 0], [1, 0, 1, 0, 1])


@pytest.mark.parametrize("name", ["LIFNeuron", "ALIFNeuron", "IzhikevichNeuron", "AdExNeuron"])
def test_an_input_of_one_and_a_half_makes_every_neuron_fire(name: str) -> None:
    spikes = numbers(getattr(nn, name)()(np.full((1, 120, 2), 1.5, np.float32)))
    assert spikes.shape == (1, 120, 2)
    assert 1 <= spikes[0, :, 0].sum() <= 30
    assert numbers(getattr(nn, name)()(np.zeros((1, 60, 1), np.float32))).sum() == 0


@pytest.mark.slow
def test_the_axon_fires() -> None:
    spikes = numbers(nn.HodgkinHuxleyNeuron()(np.full((1, 60, 1), 1.5, np.float32)))
    assert 3 <= spikes.sum() <= 6


def test_substeps_are_fine_enough() -> None:
    """The layer's spikes against the reference with a step of 0.02 ms: as many, and no more than two rows apart."""
    drives = {"IzhikevichNeuron": ("izhikevich", 10.0), "AdExNeuron": ("adex", 500.0)}
    for name, (model, gain) in drives.items():
        rows = np.flatnonzero(numbers(getattr(nn, name)()(np.full((1, 200, 1), 1.5, np.float32)))[0, :, 0]) + 1
        exact = np.asarray(driver.run(model, "200 ms", dt="0.02 ms", n=1, inputs={"I": 1.5 * gain}).stamps) * 0.02
        assert len(rows) == len(exact) > 1
        assert np.abs(rows - exact).max() <= 2 + 0.02 * exact.max()


def test_every_published_type_of_izhikevich_is_there() -> None:
    types = [p.name for model in ("izhikevich", "izhikevich_2004") for p in driver.compile_model(model).step.presets]
    made = {name: nn.IzhikevichNeuron(neuron_type=name) for name in types}
    assert len(made) == 33
    assert made["fast_spiking"].inner.settings.values["a"] == 0.1
    assert (made["resonator"].compiled.model, made["tonic_bursting"].compiled.model) == ("Izhikevich", "Izhikevich2004")
    assert nn.IzhikevichNeuron(neuron_type="fast_spiking", a=0.03).inner.settings.values["a"] == 0.03
    assert nn.IzhikevichNeuron(preset="FS").inner.settings.values["a"] == 0.1


def test_realism_levels() -> None:
    low, medium, high = (nn.LIFNeuron(biological_realism_level=level) for level in ("low", "medium", "high"))
    assert [layer.inner.settings.values["t_ref"] for layer in (low, medium, high)] == [0, 2, 2]
    assert [layer.inner.settings.substeps for layer in (low, medium, high)] == [1, 1, 4]
    assert nn.LIFNeuron(biological_realism_level="low", refractory_period=5).inner.settings.values["t_ref"] == 5
    noisy = [nn.neuron("lif_noise", biological_realism_level=level).inner.settings.noise for level in ("low", "medium", "high")]
    assert noisy == [False, True, True]
    methods = [
        [block.method for block in getattr(nn, name)(biological_realism_level=level).compiled.step.blocks]
        for name in ("LIFNeuron", "IzhikevichNeuron", "HodgkinHuxleyNeuron")
        for level in ("low", "medium")
    ]
    assert methods == [["exact"], ["exact"], ["euler"], ["rk4"], ["exponential_euler"], ["strang4"]]


def test_learnable_parameters_are_those_listed() -> None:
    x = noise(2, 6, 3)

    def weights(layer: Any) -> list[str]:
        layer(x)
        return [w.name for w in layer.trainable_weights]

    assert weights(nn.LIFNeuron()) == []
    assert weights(nn.LIFNeuron(learnable_parameters=True)) == ["tau_m", "R", "v_th", "v_reset"]
    assert weights(nn.LIFNeuron(learnable_parameters=["membrane_time_constant", "v_th"])) == ["tau_m", "v_th"]
    assert weights(nn.IzhikevichNeuron()) == ["a", "b", "c", "d"]
    assert weights(nn.neuron("plif")) != []
    assert weights(nn.neuron("plif", learnable_parameters=False)) == []


def test_constraints_keep_a_weight() -> None:
    layer = nn.LIFNeuron(learnable_parameters="tau_m", parameter_constraints={"membrane_time_constant": (15e-3, None)}, output="v")
    model = keras.Sequential([keras.Input((30, 1)), layer])
    model.compile(keras.optimizers.SGD(1e5), "mse")
    x = np.full((4, 30, 1), 0.5, np.float32)
    model.fit(x, x * 4, epochs=2, verbose=0)
    assert [float(numbers(w)) for w in model.trainable_weights] == [15]


def test_features_of_several_axes() -> None:
    x = noise(2, 8, 3, 3, 2)
    alone = nn.LIFNeuron()
    y = numbers(alone(x))
    assert y.shape == x.shape == alone.compute_output_shape(x.shape)
    np.testing.assert_array_equal(y.reshape(2, 8, 18), numbers(nn.LIFNeuron()(x.reshape(2, 8, 18))))
    assert numbers(nn.LIFNeuron(units=5)(x)).shape == (2, 8, 5)
    last, *states = nn.LIFNeuron(return_sequences=False, return_state=True)(x)
    assert numbers(last).shape == (2, 3, 3, 2) and numbers(states[0]).shape == (2, 18)


def test_shapes_are_known_without_computing() -> None:
    x = keras.Input((10, 6))
    for options in ({}, {"units": 3}, {"return_sequences": False}, {"output": ["spikes", "v"]}, {"units": 4, "return_state": True}):
        found = keras.tree.flatten(nn.LIFNeuron(**options)(x))
        real = keras.tree.flatten(nn.LIFNeuron(**options)(np.zeros((2, 10, 6), np.float32)))
        assert [tuple(t.shape)[1:] for t in found] == [tuple(t.shape)[1:] for t in real]


def test_streams() -> None:
    x = noise(2, 30, 3)
    whole = numbers(nn.LIFNeuron()(x))
    stream = nn.LIFNeuron(stateful=True)
    halves = [numbers(stream(x[:, :15])), numbers(stream(x[:, 15:]))]
    np.testing.assert_array_equal(np.concatenate(halves, 1), whole)
    for reset in (stream.reset_states, stream.reset_state):
        reset()
        np.testing.assert_array_equal(numbers(stream(x[:, :15])), halves[0])
    again = nn.LIFNeuron()
    np.testing.assert_array_equal(numbers(again(x)), numbers(again(x)))


def test_the_cell_in_a_recurrent_layer_of_keras() -> None:
    x = noise(2, 20, 3)
    layer = nn.LIFNeuron()
    y = numbers(layer(x))
    np.testing.assert_array_equal(numbers(keras.layers.RNN(layer.cell, return_sequences=True)(x)), y)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_around_a_step_in_single(policy: str) -> None:
    x = noise(2, 20, 3)
    v = nn.LIFNeuron(dtype=policy, output="v")(x)
    assert keras.backend.standardize_dtype(v.dtype) == policy.removeprefix("mixed_")
    np.testing.assert_allclose(numbers(ops.cast(v, "float32")), numbers(nn.LIFNeuron(output="v")(x)), atol=4e-2)
    model = keras.Sequential([keras.Input((20, 3)), nn.LIFNeuron(units=4, dtype=policy), keras.layers.GlobalAveragePooling1D()])
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(x, np.ones((2, 4)), verbose=0).history["loss"][0])


def test_a_long_input_is_computed_as_a_short_one() -> None:
    """TensorFlow makes a graph of a long one: the same spikes, and the same derivative."""
    x = noise(1, 120, 2)
    layer = nn.LIFNeuron(fused=False)
    whole = numbers(layer(x))
    short, *state = nn.LIFNeuron(fused=False, return_state=True)(x[:, :40])
    rest = nn.LIFNeuron(fused=False)(x[:, 40:80], initial_state=state)
    np.testing.assert_array_equal(np.concatenate([numbers(short), numbers(rest)], 1), whole[:, :80])
    found = gradient(lambda a: layer(a)[:, :40], x)
    np.testing.assert_allclose(found[:, :40], gradient(nn.LIFNeuron(fused=False), x[:, :40]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["IzhikevichNeuron", "AdExNeuron"])
def test_substeps_at_once_are_those_of_the_loop(name: str) -> None:
    x = noise(2, 40, 3)
    spikes, loop = (numbers(getattr(nn, name)(fused=fused)(x)) for fused in (True, False))
    np.testing.assert_array_equal(spikes, loop)
    assert spikes.sum() > 0
    found, wanted = (gradient(getattr(nn, name)(fused=fused), x[:, :12]) for fused in (True, False))
    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1e-4 * np.abs(wanted).max())


def saved_model() -> Any:
    text = "neuron Mine:\n    param tau = 9 ms in (0 ms, inf) learn\n    state v = 0\n    input I: 1\n    tau * v' = I - v\n"
    return keras.Sequential(
        [
            keras.Input((12, 4)),
            nn.LIFNeuron(units=6, learnable_parameters=True, use_bias=True, recurrent=True, kernel_regularizer=keras.regularizers.L2(1e-3)),
            nn.IzhikevichNeuron(units=3, neuron_type="fast_spiking", kernel_initializer="he_normal", per_feature=True),
            nn.neuron(text + "    output y: 1 = v\n", units=2, initializers={"tau": keras.initializers.Constant(7.0)}),
        ]
    )


def test_a_saved_model_loads_in_a_process_that_imports_the_layers_only(tmp_path: Path) -> None:
    model, x = saved_model(), noise(5, 12, 4)
    before = numbers(model(x))
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    code = (
        "import birc.nn, keras, numpy as np; m = keras.models.load_model('model.keras'); "
        "np.save('y.npy', keras.ops.convert_to_numpy(m(np.load('x.npy'))))"
    )
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "KERAS_BACKEND": ENGINE, "PYTHONPATH": root}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), before)
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]


def test_clones() -> None:
    model, x = saved_model(), noise(5, 12, 4)
    cloned = keras.models.clone_model(model)
    cloned.set_weights(model.get_weights())
    np.testing.assert_array_equal(numbers(cloned(x)), numbers(model(x)))


def test_a_layer_learns_in_fit() -> None:
    x = (noise(32, 20, 6, high=1.0) < 0.4).astype(np.float32)
    y = (x.sum((1, 2)) > np.median(x.sum((1, 2)))).astype(np.int32)
    model = keras.Sequential(
        [keras.Input((20, 6)), nn.LIFNeuron(units=8, gain=8.0), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)]
    )
    model.compile(keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    loss = model.fit(x, y, epochs=12, batch_size=16, verbose=0).history["loss"]
    assert loss[-1] < loss[0]
    if ENGINE == "tensorflow":
        data = __import__("tensorflow").data.Dataset.from_tensor_slices((x, y)).batch(16)
        assert np.isfinite(model.fit(data, verbose=0).history["loss"][0])


def test_time_constants_shorter_than_a_step_are_said() -> None:
    with pytest.warns(UserWarning, match=r"LIFNeuron `fast`: tau_m = 0.5 ms is shorter than a step of 1 ms, which hides what it does"):
        nn.LIFNeuron(membrane_time_constant=0.5e-3, name="fast")
