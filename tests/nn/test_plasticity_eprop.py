"""E-prop: its derivative is that of backpropagation through time, without the way through recurrent spikes."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends.keras import BACKEND
from birc.backends.keras.partials import emit_partials
from birc.errors import BircError
from birc.passes import dense_events
from birc.runtime.bind import bind_values
from birc.runtime.values import Setting
from tests.nn.reference import spikes

pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
if BACKEND.missing() is not None:
    pytest.skip(f"needs {BACKEND.missing()}", allow_module_level=True)

keras: Any = importlib.import_module("birc.backends.keras.run").load_keras()
nn: Any = importlib.import_module("birc.nn")
ops: Any = keras.ops
ENGINE: str = keras.backend.backend()
ALONE = "BIRC_TEST_ONE_ENGINE"
OTHERS = [e for e in ("tensorflow", "jax", "torch") if e != ENGINE and find_spec(e)]
FEATURES, UNITS, STEPS = 5, 4, 40


def numbers(tensor: Any) -> Any:
    return np.array(ops.convert_to_numpy(tensor))


def gradients(function: Any, *arrays: Any) -> tuple[float, list[Any]]:
    """A number that depends on arrays, and its derivatives."""
    if ENGINE == "tensorflow":
        tf = importlib.import_module("tensorflow")
        tensors = [tf.convert_to_tensor(a) for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            result = function(*tensors)
        return float(result), [numbers(g) for g in tape.gradient(result, tensors)]
    if ENGINE == "jax":
        jax = importlib.import_module("jax")
        result, found = jax.value_and_grad(function, argnums=tuple(range(len(arrays))))(*map(ops.convert_to_tensor, arrays))
        return float(result), [numbers(g) for g in found]
    torch = importlib.import_module("torch")
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    result = function(*tensors)
    result.backward()
    return float(result), [numbers(t.grad) for t in tensors]


def loss(z: Any) -> Any:
    """Of every step, and another for each neuron."""
    wanted = ops.convert_to_tensor(np.linspace(0.1, 0.9, UNITS, dtype=np.float32))
    return ops.sum(ops.square(z - wanted)) / STEPS


def backpropagated(layer: Any, x: Any, kernel: Any, recurrent: Any | None, bias: Any = 0.0) -> Any:
    """The loss of the same neurons, step by step, with nothing between the framework and the derivative but the recurrent spikes."""
    states, z, out = layer.cell.get_initial_state(len(x)), ops.zeros((len(x), UNITS)), []
    for k in range(x.shape[1]):
        arrived = ops.matmul(x[:, k], kernel) + bias
        if recurrent is not None:
            arrived = arrived + ops.matmul(ops.stop_gradient(z), recurrent)
        z, states = layer.cell(arrived, states)
        out.append(z)
    return loss(ops.stack(out, axis=1))


def eprop(layer: Any, x: Any) -> tuple[float, list[Any]]:
    """The loss of the layer, and the derivatives by its kernels."""
    kernels = [layer.kernel, *([layer.driven.recurrent_kernel] if layer.recurrent else []), *([layer.bias] if layer.use_bias else [])]
    if ENGINE == "tensorflow":
        tf = importlib.import_module("tensorflow")
        with tf.GradientTape() as tape:
            result = loss(layer(x))
        return float(result), [numbers(g) for g in tape.gradient(result, [k.value for k in kernels])]
    if ENGINE == "jax":
        jax = importlib.import_module("jax")
        rest = [v.value for v in layer.non_trainable_variables]
        places = [next(i for i, v in enumerate(layer.trainable_variables) if v is k) for k in kernels]
        result, found = jax.value_and_grad(lambda w: loss(layer.stateless_call(w, rest, x)[0]))(
            [v.value for v in layer.trainable_variables]
        )
        return float(result), [numbers(found[i]) for i in places]
    result = loss(layer(x))
    result.backward()
    return float(result), [numbers(k.value.grad) for k in kernels]


@pytest.mark.parametrize(("recurrent", "use_bias"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize(
    ("neuron", "options", "gain"),
    [
        ("lif_unit", {"t_ref": "2 ms", "surrogate": {"name": "fast_sigmoid", "beta": 2.0}}, 25.0),
        ("alif_unit", {"surrogate": "arctan"}, 25.0),
        ("izhikevich", {"surrogate": {"name": "gaussian", "sigma": 1.0, "scale": 30.0}}, 12.0),
    ],
)
def test_the_derivative_is_that_of_backpropagation(
    neuron: str, options: dict[str, Any], gain: float, recurrent: bool, use_bias: bool
) -> None:
    x = spikes((3, STEPS, FEATURES), 0.4, 1)
    layer = nn.EProp(UNITS, neuron=neuron, neuron_options=options, recurrent=recurrent, use_bias=use_bias)
    layer.build(x.shape)
    random = np.random.default_rng(2)
    kernel = (gain * random.uniform(0, 1, (FEATURES, UNITS))).astype(np.float32)
    back = (gain / 3 * random.normal(size=(UNITS, UNITS))).astype(np.float32)
    layer.kernel.assign(kernel)
    if recurrent:
        layer.driven.recurrent_kernel.assign(back)
    given = [kernel, back] if recurrent else [kernel]
    if use_bias:
        given.append((gain / 4 * random.uniform(0, 1, UNITS)).astype(np.float32))
        layer.bias.assign(given[-1])
    wanted, slow = gradients(lambda w, r=None, b=0.0: backpropagated(layer, x, w, r, b), *given)
    found, quick = eprop(layer, x)
    assert found == pytest.approx(wanted, rel=1e-6)
    assert numbers(layer(x)).sum() > 10
    for a, b in zip(quick, slow, strict=True):
        assert np.abs(b).max() > 1e-4
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * np.abs(b).max())


def test_a_recurrent_layer_learns_in_fit(tmp_path: Path) -> None:
    """Which of two features fires first, told by a readout behind the layer; saved and loaded, it is the same to the bit."""
    keras.utils.set_random_seed(3)
    x = np.zeros((32, 30, 2), np.float32)
    y = np.arange(32) % 2
    for i, first in enumerate(y):
        x[i, 2:8, first] = x[i, 16:22, 1 - first] = 1
    surrogate = {"name": "fast_sigmoid", "beta": 1.0}
    layer = nn.EProp(16, recurrent=True, neuron_options={"surrogate": surrogate})
    model = keras.Sequential([keras.Input((30, 2)), layer, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    random = np.random.default_rng(4)
    layer.kernel.assign(random.normal(8, 4, (2, 16)))
    layer.driven.recurrent_kernel.assign(random.normal(0, 2, (16, 16)))
    model.layers[-1].kernel.assign(random.normal(0, 0.3, (16, 2)))
    start = [numbers(w) for w in layer.trainable_weights]
    history = model.fit(x, y, epochs=60, batch_size=16, shuffle=False, verbose=0).history
    assert len(start) == 2 and all(np.abs(numbers(w) - s).max() > 0.01 for w, s in zip(layer.trainable_weights, start, strict=True))
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numbers(again(x)), numbers(model(x)))
    assert again.layers[0].get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neuron": "leaky_integrator"}, "EProp `e`: `LI` never spikes, so that nothing would be learned"),
        (
            {"neuron_options": {"learn": "tau_m"}},
            "EProp `e`: neuron: `learn` has no place here: e-prop learns kernels and a bias, and detaches the reset",
        ),
        ({"port": "J"}, "EProp `e`: neuron: ports: 'J' is none of I, syn"),
        ({"units": 0}, "EProp `e`: units = 0: expected a whole number from 1"),
    ],
)
def test_mistakes_are_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BircError) as error:
        nn.EProp(**{"units": 3, "name": "e", **options})
    assert str(error.value) == f"error[I301]: {message}"


def test_what_never_spikes_has_no_partials() -> None:
    step = driver.compile_model("leaky_integrator", target="keras").step
    with pytest.raises(ValueError, match="the spikes of `LI` come of no comparison of numbers, so that nothing leads up to them"):
        emit_partials(step, "I", {})


def test_partials_are_those_of_the_equations() -> None:
    """v decays by exp(-h / tau_m) unless it fires or is held; events move it by as much as they are."""
    step = dense_events.run(driver.compile_model("lif_unit", target="keras").step)
    names = {d.name: d.name.strip(".").replace(".", "_") for d in step.bind}
    space: dict[str, Any] = {}
    exec(emit_partials(step, "syn", names), space)
    bound = {names[n]: v for n, v in bind_values(step, Setting("LIFUnit", 1, 0, 1, 1.0, 0), {})[0].items()}
    state = {"v": ops.convert_to_tensor([0.5, 0.9, 0.0]), "refractory": ops.convert_to_tensor([0, 0, 2])}
    inputs = {"I": 0.0, "syn": ops.convert_to_tensor([0.1, 0.5, 0.5])}
    margin, by_state, by_port, margin_by_state, margin_by_port = space["partials"](bound, state, inputs)
    decay = np.exp(-1 / 20)
    np.testing.assert_allclose(numbers(margin)[:2], np.array([0.5, 0.9]) * decay + np.array([0.1, 0.5]) - 1, rtol=1e-5)
    np.testing.assert_allclose(numbers(by_state["v", "v"]), [decay, 0, 1], rtol=1e-6)
    np.testing.assert_allclose(numbers(by_port["v"] + 0 * state["v"]), [1, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(numbers(margin_by_state["v"] + 0 * state["v"]), [decay, decay, 0], rtol=1e-6)
    np.testing.assert_allclose(numbers(margin_by_port + 0 * state["v"]), [1, 1, 0], rtol=1e-6)


# --- every Keras


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", OTHERS)
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": engine, ALONE: "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", __file__], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
