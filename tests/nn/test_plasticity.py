"""Layers of synapses that learn: against networks on the reference, against closed forms, and beside backpropagation."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc.backends.keras import BACKEND
from birc.errors import BircError
from tests.nn.reference import fired, listed, run, spikes, weights

pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
if BACKEND.missing() is not None:
    pytest.skip(f"needs {BACKEND.missing()}", allow_module_level=True)

keras: Any = importlib.import_module("birc.backends.keras.run").load_keras()
nn: Any = importlib.import_module("birc.nn")
ENGINE: str = keras.backend.backend()
ALONE = "BIRC_TEST_ONE_ENGINE"
OTHERS = [e for e in ("tensorflow", "jax", "torch") if e != ENGINE and find_spec(e)]


def numbers(tensor: Any) -> Any:
    return np.array(keras.ops.convert_to_numpy(tensor))


def called(layer: Any, *inputs: Any, training: bool = False) -> Any:
    """What a layer gives for these inputs, as an array; a graph is made where the loop over time would else be one of Python."""
    options = {"training": training} if not isinstance(layer, nn.STPLayer) else {}
    if ENGINE != "tensorflow":
        return numbers(layer(*inputs, **options))
    if not layer.built:
        layer.build(inputs[0].shape)
    tensors = [keras.ops.convert_to_tensor(x) for x in inputs]
    graph = importlib.import_module("tensorflow").function(lambda *x: layer(*x, **options), autograph=False)
    return numbers(graph(*tensors))


def given(array: Any) -> Any:
    """An initialiser that gives this array."""
    return lambda shape, dtype=None: keras.ops.convert_to_tensor(array, dtype=dtype)


# --- one sample is the rule

NETWORK = """from birc use {neuron}, {synapse}
{more}
network Plastic:
    population cells: {population}[{units}]
    source sources: spikes(file = "pre.npz")[{features}]
    project sources -> cells.{port}: {synapse}({arguments}), all_to_all
    record cells.spikes
"""


def simulated(folder: Path, x: Any, start: Any, **words: str) -> tuple[Any, Any]:
    """Spikes [time, units] and final weights of the network in which these spikes meet these weights."""
    listed(folder, "pre.npz", x)
    np.save(folder / "w.npy", start.astype(np.float64))
    sizes = {"features": x.shape[1], "units": start.shape[1]}
    result = run(folder, NETWORK.format(**{"more": "", "population": words["neuron"], **sizes, **words}), len(x))
    return fired(result, "cells", len(x), start.shape[1]), weights(result, f"sources -> cells.{words['port']}", start.shape)


@pytest.mark.parametrize(("a_plus", "reached"), [(0.1, -0.1), (0.3, 0.7)])
def test_a_batch_of_one_is_the_network(a_plus: float, reached: float, tmp_path: Path) -> None:
    x = spikes((400, 12), 0.06, 3)
    start = np.random.default_rng(4).uniform(0.05, 0.6, (12, 5)).astype(np.float32)
    arguments = f'w = "w.npy", eta = 0.5, A_p = {a_plus}, A_m = 0.12, tau_p = 17 ms, tau_m = 25 ms, w_min = -0.1, w_max = 0.7'
    wanted, learned = simulated(tmp_path, x, start, neuron="LIFUnit", synapse="UnitSTDP", port="syn", arguments=arguments)
    options = {"tau_plus": 17e-3, "tau_minus": 25e-3, "w_min": -0.1, "w_max": 0.7, "learning_rate": 0.5, "a_plus": a_plus}
    layer = nn.STDPLayer(5, **options, kernel_initializer=given(start))
    np.testing.assert_array_equal(called(layer, x[None], training=True)[0], wanted)
    np.testing.assert_allclose(numbers(layer.kernel), learned, rtol=1e-5, atol=1e-6)
    assert wanted.sum() > 50 and np.any(learned == np.float32(reached)) and np.any(np.abs(learned) < 0.6)


def test_a_rewarded_batch_of_one_is_the_network(tmp_path: Path) -> None:
    """A neuron in mV and pA, whose weights are in the unit of its port."""
    x = spikes((300, 12), 0.1, 5)
    start = np.random.default_rng(6).uniform(100, 400, (12, 3)).astype(np.float32)
    words = {
        "neuron": "LIFExp",
        "synapse": "RewardSTDP",
        "port": "exc",
        "population": "Cell",
        "more": "\nneuron Cell extends LIFExp:\n    output one: 1 = 1\n",
        "arguments": 'w = "w.npy", eta = 400 pA/s, tau_c = 0.5 s, DA_0 = 0.1, w_max = 420 pA, DA = post.one',
    }
    wanted, learned = simulated(tmp_path, x, start, **words)
    options = {"tau_eligibility": 0.5, "baseline": 0.1, "w_max": 420.0, "learning_rate": 400.0}
    layer = nn.ThreeFactorRule(3, **options, neuron="lif_exp", kernel_initializer=given(start))
    found = called(layer, x[None], np.ones((1, len(x), 1), np.float32), training=True)[0]
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_allclose(numbers(layer.kernel), learned, rtol=1e-5)
    assert wanted.sum() > 10 and np.abs(learned - start).max() > 10


def test_the_layer_has_the_arguments_of_its_design() -> None:
    told = {"tau_plus": 20e-3, "tau_minus": 20e-3, "a_plus": 0.1, "a_minus": 0.12, "w_min": 0.0, "w_max": 1.0, "learning_rate": 1e-3}
    found = {name: p.default for name, p in inspect.signature(nn.STDPLayer.__init__).parameters.items() if name in told}
    assert found == told
    layer = nn.STDPLayer(units=4, **told)
    own = {"tau_p": 20.0, "tau_m": 20.0, "A_p": 0.1, "A_m": 0.12, "w_min": 0.0, "w_max": 1.0, "eta": 1e-3}
    assert layer.synapses.values == own == nn.STDPLayer(4, tau_p="0.02 s", tau_minus="20 ms").synapses.values


# --- closed forms


class Forced:
    """One unit, which the second of two features fires and the first does not."""

    def __init__(self, **options: Any) -> None:
        start = np.array([[0.3], [0.9]], np.float32)
        neuron = {"v_th": 0.8, "t_ref": 0.0}
        self.layer = nn.STDPLayer(1, **options, neuron_options=neuron, kernel_initializer=given(start))

    def change(self, pre: list[int], post: list[int]) -> float:
        """By how much the first weight changes where its spikes are at these stamps, and the neuron's at those."""
        x = np.zeros((1, 200, 2), np.float32)
        x[0, np.array(pre) - 1, 0] = x[0, np.array(post) - 1, 1] = 1
        out = called(self.layer, x, training=True)
        np.testing.assert_array_equal(np.nonzero(out[0, :, 0])[0] + 1, post)
        return float(numbers(self.layer.kernel)[0, 0]) - float(np.float32(0.3))


@pytest.mark.parametrize("apart", [-40, -15, -1, 1, 10, 35])
def test_the_window(apart: int) -> None:
    """A pair of spikes, the neuron's so many milliseconds behind that of the feature."""
    forced = Forced(tau_plus=20e-3, tau_minus=30e-3, a_plus=0.1, a_minus=0.12, learning_rate=0.5)
    wanted = 0.05 * np.exp(-apart / 20) if apart > 0 else -0.06 * np.exp(apart / 30)
    assert forced.change([100], [100 + apart]) == pytest.approx(wanted, rel=2e-5)


def test_a_pair_at_one_stamp_changes_nothing() -> None:
    assert Forced(learning_rate=0.5).change([100], [100]) == 0


@pytest.mark.parametrize("preset", [None, "depressing", "facilitating"])
def test_short_term_plasticity_follows_its_recursion(preset: str | None) -> None:
    use, recovery, facilitation = {None: (0.2, 800, 500), "depressing": (0.5, 800, 1), "facilitating": (0.04, 100, 1000)}[preset]
    stamps = [3, 23, 24, 80, 200, 4500]
    x = np.zeros((1, 4600, 1), np.float32)
    x[0, np.array(stamps) - 1, 0] = 1
    found = called(nn.STPLayer(preset=preset), x)[0, :, 0]
    wanted, last, resources, used = np.zeros(4600), 0, 1.0, 0.0
    for stamp in stamps:
        resources = 1 - (1 - resources) * np.exp(-(stamp - last) / recovery)
        used = used * np.exp(-(stamp - last) / facilitation)
        used += use * (1 - used)
        wanted[stamp - 1] = used * resources
        resources -= used * resources
        last = stamp
    np.testing.assert_allclose(found, wanted, rtol=2e-5)


def test_short_term_plasticity_is_the_network(tmp_path: Path) -> None:
    """Amplitudes through a kernel drive what the network's synapses drive."""
    x = spikes((300, 8), 0.15, 7)
    start = np.random.default_rng(8).uniform(1000, 3000, (8, 3)).astype(np.float32)
    words = {
        "neuron": "LIFExp",
        "synapse": "TsodyksMarkram",
        "port": "exc",
        "arguments": 'w = "w.npy", U = 0.4, tau_rec = 0.3 s, tau_fac = 0.05 s',
    }
    listed(tmp_path, "pre.npz", x)
    np.save(tmp_path / "w.npy", start.astype(np.float64))
    result = run(tmp_path, NETWORK.format(more="", population="LIFExp", features=8, units=3, **words), len(x))
    wanted = fired(result, "cells", len(x), 3)
    layer = nn.STPLayer(3, 0.4, 0.3, 0.05, kernel_initializer=given(start))
    neurons = importlib.import_module("birc").compile("lif_exp", target="keras", dt="1 ms", dtype="f32").layer(ports=["exc"])
    np.testing.assert_array_equal(called(neurons, layer(x[None]))[0], wanted)
    assert wanted.sum() > 5


# --- batches, calls, saving


def test_the_change_of_a_batch_is_the_mean_of_its_samples() -> None:
    x = spikes((3, 100, 6), 0.1, 1)
    start = np.full((6, 2), 0.4, np.float32)
    alone = []
    for sample in x:
        layer = nn.STDPLayer(2, learning_rate=0.5, kernel_initializer=given(start))
        called(layer, sample[None], training=True)
        alone.append(numbers(layer.kernel))
    together = nn.STDPLayer(2, learning_rate=0.5, kernel_initializer=given(start))
    called(together, x, training=True)
    np.testing.assert_allclose(numbers(together.kernel), np.mean(alone, axis=0), rtol=1e-6)
    assert np.ptp(alone, axis=0).max() > 1e-2


def test_without_training_the_kernel_stays() -> None:
    x = spikes((2, 100, 6), 0.1, 1)
    layer = nn.STDPLayer(2, learning_rate=0.5)
    first = called(layer, x)
    start = numbers(layer.kernel)
    np.testing.assert_array_equal(called(layer, x), first)
    layer.trainable = False
    called(layer, x, training=True)
    np.testing.assert_array_equal(numbers(layer.kernel), start)
    assert first.sum() > 0 and 0 <= start.min() < start.max() <= 1


@pytest.mark.parametrize("rewarded", [False, True])
def test_streaming_is_one_long_call(rewarded: bool) -> None:
    """Two halves of a sequence, the state lasting in between: the same spikes, and the same kernel."""
    x, start = spikes((1, 120, 6), 0.15, 1), np.full((6, 2), 0.4, np.float32)
    reward = [np.ones((1, 60, 1), np.float32)] if rewarded else []
    make = nn.ThreeFactorRule if rewarded else nn.STDPLayer
    whole = make(2, learning_rate=0.5, kernel_initializer=given(start))
    wanted = called(whole, x, *([np.ones((1, 120, 1), np.float32)] if rewarded else []), training=True)
    halves = make(2, learning_rate=0.5, kernel_initializer=given(start), stateful=True)
    found = np.concatenate([called(halves, part, *reward, training=True) for part in (x[:, :60], x[:, 60:])], axis=1)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_allclose(numbers(halves.kernel), numbers(whole.kernel), rtol=1e-6)
    assert np.abs(numbers(halves.kernel) - start).max() > 1e-3
    halves.reset_state()
    assert all(np.all(numbers(v) == 0) for v in halves.lasting if "trace" in v.path)


def test_a_saved_model_has_its_weights_and_traces(tmp_path: Path) -> None:
    """To the bit, and in another process, which imports `birc.nn`."""
    inputs = keras.Input(batch_shape=(2, 40, 6))
    reward = keras.Input(batch_shape=(2, 40, 1))
    amplitudes = nn.STPLayer(stateful=True, tau_fac="30 ms", utilization=0.3)(inputs)
    hidden = nn.STDPLayer(5, tau_p=15, learning_rate=0.5, stateful=True, trainable_by_gradient=True, neuron_options={"t_ref": "1 ms"})(
        inputs
    )
    out = nn.ThreeFactorRule(3, stateful=True, w_max=0.8)([hidden, reward])
    model = keras.Model([inputs, reward], [amplitudes, out])
    given_ = [spikes((2, 40, 6), 0.3, 1), np.ones((2, 40, 1), np.float32)]
    model(given_, training=True)
    model.save(tmp_path / "model.keras")
    kept = [numbers(w) for w in model.weights]
    np.savez(tmp_path / "wanted.npz", *kept, *(numbers(y) for y in model(given_, training=True)))
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]
    np.savez(tmp_path / "given.npz", *given_)
    code = (
        "import numpy as np, keras, birc.nn; m = keras.models.load_model('model.keras'); n = keras.ops.convert_to_numpy; "
        "w = [n(v) for v in m.weights]; y = m(list(np.load('given.npz').values()), training=True); "
        "assert all(np.array_equal(a, b) for a, b in zip([*w, *map(n, y)], np.load('wanted.npz').values(), strict=True))"
    )
    environment = {**os.environ, "KERAS_BACKEND": ENGINE, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert any(np.any(w != 0) for w, v in zip(kept, model.weights, strict=True) if "trace_x" in v.path)


@pytest.mark.parametrize("by_gradient", [False, True])
def test_mixed_precision_does_not_round_what_is_learned(by_gradient: bool) -> None:
    x, start = spikes((1, 60, 6), 0.2, 1), np.full((6, 2), 0.4001, np.float32)
    options = {"learning_rate": 0.5, "kernel_initializer": given(start), "trainable_by_gradient": by_gradient}
    whole, mixed = nn.STDPLayer(2, **options), nn.STDPLayer(2, **options, dtype="mixed_float16")
    called(whole, x, training=True)
    assert called(mixed, x, training=True).dtype == np.float16
    np.testing.assert_array_equal(numbers(mixed.weights_now()), numbers(whole.weights_now()))
    assert np.abs(numbers(whole.weights_now()) - start).max() > 1e-2


def test_neurons_may_be_noisy() -> None:
    layer = nn.STDPLayer(50, neuron="lif_noise", port="exc", learning_rate=0.0, output="v")
    found = called(layer, np.zeros((2, 30, 3), np.float32), training=True)
    assert np.ptp(found[:, -1]) > 0.1 and np.abs(found[0] - found[1]).max() > 0.1


# --- beside backpropagation


def test_one_model_learns_by_rule_and_by_gradient() -> None:
    x, y = spikes((8, 60, 10), 0.15, 1), np.eye(2, dtype=np.float32)[[0, 1] * 4]
    layer = nn.STDPLayer(6, learning_rate=0.2)
    model = keras.Sequential([keras.Input((60, 10)), layer, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    assert [v.name for v in model.trainable_variables] == ["kernel", "bias"]
    start = [numbers(w) for w in model.weights]
    reference = nn.STDPLayer(6, learning_rate=0.2, kernel_initializer=given(start[0]))
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    called(reference, x, training=True)
    np.testing.assert_allclose(numbers(layer.kernel), numbers(reference.kernel), rtol=1e-5)
    moved = {w.path for w, s in zip(model.weights, start, strict=True) if np.abs(numbers(w) - s).max() > 1e-4}
    assert moved == {layer.kernel.path, *(w.path for w in model.layers[-1].weights)}


def test_a_gradient_passes_the_layer() -> None:
    """A Dense in front learns, and with `trainable_by_gradient` the kernel does, as if no rule were there."""
    x = spikes((2, 30, 4), 0.5, 1)
    for learning, by_rule in ((0.0, False), (0.2, True)):
        keras.utils.set_random_seed(1)
        stdp = nn.STDPLayer(3, learning_rate=learning, trainable_by_gradient=True)
        model = keras.Sequential([keras.Input((30, 4)), keras.layers.Dense(5, use_bias=False), stdp, keras.layers.GlobalAveragePooling1D()])
        model.compile(keras.optimizers.SGD(1.0), "mse")
        start = [numbers(w) for w in model.trainable_weights]
        model.train_on_batch(x, np.full((2, 3), 0.5, np.float32))
        assert len(start) == 2
        assert all(np.abs(numbers(w) - then).max() > 1e-6 for w, then in zip(model.trainable_weights, start, strict=True))
        assert (np.abs(numbers(stdp.learned)).max() > 1e-6) == by_rule
    assert np.abs(numbers(stdp.weights_now())).max() <= 1


# --- mistakes


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.STDPLayer(3, w_min=1.0, w_max=0.5, name="s"), "STDPLayer `s`: w_min = 1 is not below w_max = 0.5"),
        (lambda: nn.STDPLayer(0, name="s"), "STDPLayer `s`: units = 0: expected a whole number from 1"),
        (
            lambda: nn.STDPLayer(3, tau_plus=20e-3, tau_p=10, name="s"),
            "STDPLayer `s`: `tau_plus` and `tau_p` are the same parameter, and both are given\n"
            "  help: `tau_plus` is in seconds, `tau_p` in the model's unit: give one",
        ),
        (lambda: nn.STDPLayer(3, tau_plus=-1, name="s"), "STDPLayer `s`: tau_p = -1000.0 is outside its range (0, inf) ms"),
        (
            lambda: nn.STDPLayer(3, neuron="leaky_integrator", name="s"),
            "STDPLayer `s`: `LI` never spikes, so that nothing would be learned",
        ),
        (lambda: nn.STDPLayer(3, port="I", name="s"), "STDPLayer `s`: port: 'I' is none of syn, whose events are summed"),
        (
            lambda: nn.STDPLayer(3, neuron_options={"tau": 3}, name="s"),
            "STDPLayer `s`: neuron: option: 'tau' is none of",
        ),
        (lambda: nn.STPLayer(preset="strong", name="s"), "STPLayer `s`: preset: 'strong' is none of depressing, facilitating"),
        (
            lambda: nn.ThreeFactorRule(3, name="s")(np.zeros((1, 5, 2), np.float32), np.zeros((1, 5, 2), np.float32)),
            "ThreeFactorRule `s`: expected a modulator [batch, time, 1], not one of shape (1, 5, 2)",
        ),
        (
            lambda: nn.STDPLayer(3, name="s")(np.zeros((5, 2), np.float32)),
            "STDPLayer `s`: expected spikes [batch, time, features], not an input of shape (5, 2)",
        ),
        (
            lambda: nn.STPLayer(name="s")(np.zeros((1, 5, 2), np.int64)),
            'STPLayer `s`: expected spikes as floats (0 or 1) or truths, not int64\n  help: cast them: `x.astype("float32")`',
        ),
    ],
)
def test_mistakes_are_said(make: Any, message: str) -> None:
    with pytest.raises(BircError) as error:
        make()
    found = str(error.value)
    assert found == f"error[I301]: {message}" or ("none of" in message and found.startswith(f"error[I301]: {message}"))


def test_another_number_of_features_is_said() -> None:
    layer = nn.STDPLayer(3, name="s")
    layer(np.zeros((1, 5, 2), np.float32))
    with pytest.raises(BircError) as error:
        layer(np.zeros((1, 5, 4), np.float32))
    assert str(error.value) == "error[I301]: STDPLayer `s`: expected 2 features, not 4"


def test_streaming_needs_the_size_of_the_batch() -> None:
    for layer in (nn.STDPLayer(3, stateful=True, name="s"), nn.STPLayer(stateful=True, name="s")):
        with pytest.raises(BircError, match="`s`: a layer that is stateful needs the size of the batch"):
            layer.build((None, 5, 2))


def test_training_without_a_modulator_is_said() -> None:
    layer = nn.ThreeFactorRule(3, name="s")
    assert numbers(layer(np.zeros((1, 5, 2), np.float32))).shape == (1, 5, 3)
    with pytest.raises(BircError, match="`s`: a call that trains needs the modulator"):
        layer(np.zeros((1, 5, 2), np.float32), training=True)


# --- every Keras


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", OTHERS)
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": engine, ALONE: "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", __file__], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
