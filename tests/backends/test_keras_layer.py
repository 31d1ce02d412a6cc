"""Keras layers and the Keras runner, on the package that this process's Keras computes with, and in turn on each other one installed."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from birc import driver
from birc.backends.keras import BACKEND
from birc.backends.keras.engines import ENGINES
from birc.driver import Compiled
from birc.errors import BircError
from birc.ir.surrogates import TABLE
from birc.runtime.bind import bind
from birc.runtime.values import Setting
from birc.verification import verify_target
from tests.backends.programs import copy, interpreted, lif, lif_job, same
from tests.backends.test_keras import LIBRARY, ODD, library_step, lowered

pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
if BACKEND.missing() is not None:
    pytest.skip(f"needs {BACKEND.missing()}", allow_module_level=True)

Array = npt.NDArray[Any]
RUN = importlib.import_module("birc.backends.keras.run")
keras: Any = RUN.load_keras()
ops: Any = keras.ops
ENGINE: str = keras.backend.backend()
ALONE = "BIRC_TEST_ONE_ENGINE"


@pytest.fixture(scope="module", autouse=True)
def _seeded() -> Iterator[None]:
    keras.utils.set_random_seed(1)
    yield
    keras.backend.clear_session()


def compiled(model: str = "lif_unit", dt: str = "1 ms") -> Compiled:
    return driver.compile_model(model, target="keras", dt=dt, dtype="f32")


def layer(**options: Any) -> Any:
    """A layer of the neuron in units of its threshold, with steps of 1 ms."""
    return compiled().layer(**options)


def numbers(tensor: Any) -> Array:
    return np.asarray(ops.convert_to_numpy(tensor))


def in_graph(neuron: Any) -> Callable[[Any], Any]:
    """The layer as it runs in a model, where TensorFlow does not step through it op by op."""
    if ENGINE == "tensorflow":
        graph: Callable[[Any], Any] = importlib.import_module("tensorflow").function(neuron)
        return graph
    return lambda x: neuron(x)


def gradient(function: Callable[[Any], Any], at: Array) -> Array:
    """The derivative of a sum with respect to an array."""
    x = ops.convert_to_tensor(at)
    if ENGINE == "jax":
        return np.asarray(importlib.import_module("jax").grad(lambda a: ops.sum(function(a)))(x))
    if ENGINE == "torch":
        x = x.detach().clone().requires_grad_(True)
        ops.sum(function(x)).backward()
        return numbers(x.grad)
    tensorflow = importlib.import_module("tensorflow")
    with tensorflow.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(function(x))
    return np.asarray(tape.gradient(y, x))


def noise(*shape: int, low: float = 0.0, high: float = 3.0, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


# --- the step against the reference


@pytest.mark.parametrize("name", LIBRARY)
def test_library_reaches_its_level_in_single_precision(name: str) -> None:
    report = verify_target(library_step(name), BACKEND, dt="0.1 ms", dtype="f32", n=16, duration="100 ms")
    assert (report.status, report.level) == ("pass", "L2"), report.detail or report.reason


@pytest.mark.parametrize(("name", "level"), [("lif_unit", "L0"), ("eif", "L1")])
def test_double_precision(name: str, level: str) -> None:
    if ENGINE == "torch" and name == "eif":
        pytest.skip("Keras takes the smaller of two float64 tensors of torch in float32")
    report = verify_target(library_step(name), BACKEND, dt="0.5 ms", dtype="f64", n=8, duration="120 ms")
    assert (report.status, report.level) == ("pass", level), report.detail or report.reason


def test_noise_events_one_by_one_flags_and_outputs_bit_for_bit() -> None:
    job = lif_job(20, 120, "f64")
    expected = copy(job)
    wanted = interpreted(lif(), expected, "f64")
    found = BACKEND.load(BACKEND.emit(lif(), "f64")).run(job)
    assert len(wanted.index) > 0
    np.testing.assert_array_equal(found.stamp, wanted.stamp)
    np.testing.assert_array_equal(found.index, wanted.index)
    same(job, expected)


def test_bind_values_of_each_neuron() -> None:
    job = lif_job(20, 60, "f64")
    job = replace(job, bind={**job.bind, ".P": np.linspace(0.8, 0.99, 20), ".n_ref": np.arange(20) % 5})
    expected = copy(job)
    interpreted(lif(), expected, "f64")
    BACKEND.load(BACKEND.emit(lif(), "f64")).run(job)
    same(job, expected)


@pytest.mark.parametrize("name", LIBRARY)
def test_constants_are_those_of_every_target(name: str) -> None:
    step = library_step(name)
    artifact = BACKEND.emit(step, "f32")
    module = RUN.load_module(artifact)
    wanted = bind(step, Setting(step.name, 1, 0, 1, 0.1, 0), "f64", {}).values
    found = module.bind(np, np.float64(0.1), module.Settings(dt=0.1, parameters={}).values)
    names = artifact.manifest["names"]
    assert set(found) == {names[n] for n in wanted if names[n] in found} != set()
    for rest in [n for n in wanted if n.startswith(".R.")]:  # increments are whole here
        first = next(n for n in (f".E{rest[2:]}", f".P{rest[2:]}") if n in wanted)
        assert found.pop(names[rest]) == 0
        assert found.pop(names[first]) == pytest.approx(wanted[first] + wanted[rest], rel=1e-14)
    assert {n: float(v) for n, v in found.items()} == {names[n]: float(v) for n, v in wanted.items() if names[n] in found}


def test_a_parameter_is_given_once(tmp_path: Path) -> None:
    with pytest.raises(BircError, match="lambda and lambda_ are the same parameter"):
        driver.build(lowered(tmp_path, ODD), "keras").layer(**{"lambda": "4 ms", "lambda_": 3})


def test_parameters_of_the_compilation_are_the_layers() -> None:
    made = driver.compile("lif_unit", target="keras", params={"tau_m": "2 * 5 ms", "v_th": 2}).layer(v_th=3)
    assert {name: made.settings.values[name] for name in ("tau_m", "v_th", "R")} == {"tau_m": 10, "v_th": 3, "R": 1}


def test_reserved_names_do_not_break_the_module(tmp_path: Path) -> None:
    step = lowered(tmp_path, ODD)
    report = verify_target(step, BACKEND, dt="0.5 ms", dtype="f32", n=8, duration="300 ms")
    assert report.status == "pass", report.detail or report.reason
    neuron = driver.build(step, "keras", dt="0.5 ms").layer(
        **{"lambda": "4 ms", "self_": 3, "units_": 1, "dt_": 1, "units": 2}, kernel_initializer="ones"
    )
    assert numbers(neuron(noise(1, 40, 3))).sum() > 0


# --- the layer


DRIVES = {
    "adex": 900.0, "alif": 300.0, "eif": 1.5, "hodgkin_huxley": 12.0, "izhikevich": 12.0, "lif": 300.0, "lif_alpha": 600.0,
    "lif_exp": 600.0, "lif_unit": 2.0, "qif": 150.0,
}  # fmt: skip


@pytest.mark.parametrize("name", DRIVES)
def test_layer_equals_the_reference(name: str) -> None:
    """In the units of the model, with inputs that vary; the layer's scan against the NumPy loop in the same number type."""
    current = noise(3, 400, 2, low=0.6, high=1.4) * np.float32(DRIVES[name])
    neuron = driver.compile(name, target="keras", dt="0.1 ms").layer(output=["spikes", "v"])
    spikes, v = (numbers(x) for x in in_graph(neuron)(current))
    reference = driver.compile(name, target="numpy", dt="0.1 ms", dtype="f32")
    fired = 0
    for i in range(3):
        out = reference.run(steps=400, n=2, inputs={"I": current[i]}, record="v")
        wanted = np.zeros((400, 2))
        wanted[np.asarray(out.stamps) - 1, np.asarray(out.index)] = 1
        np.testing.assert_array_equal(spikes[i], wanted)
        quiet = wanted.sum(1) == 0  # at a steep upstroke a rounding is a large part of the potential
        np.testing.assert_allclose(v[i][quiet], out["v"][quiet], rtol=2e-3, atol=2e-2)
        fired += int(wanted.sum())
    assert fired > 0


def test_learned_parameters_compute_the_same() -> None:
    x = noise(2, 60, 4)
    plain = layer(tau_m="7 ms", v_th=0.8, output=["spikes", "v"])
    learned = layer(tau_m="7 ms", v_th=0.8, output=["spikes", "v"], learn=["tau_m", "v_th", "R"], per_feature=True)
    for a, b in zip(plain(x), learned(x), strict=True):
        np.testing.assert_allclose(numbers(a), numbers(b), atol=1e-5)
    assert [tuple(w.shape) for w in learned.trainable_weights] == [(4,)] * 3


def test_learned_parameters_in_a_matrix_exponential() -> None:
    x = noise(1, 80, 2) * np.float32(300)
    make = driver.compile("lif_alpha", target="keras", dt="0.5 ms").layer
    plain, learned = (make(learn=names, output="v", ports=["I", "exc"]) for names in ((), ("tau_exc", "tau_m", "C")))
    np.testing.assert_allclose(numbers(plain([x, x])), numbers(learned([x, x])), rtol=1e-4)
    assert len(learned.trainable_weights) == 3


def test_one_value_for_each_feature() -> None:
    x = noise(1, 30, 2)
    both = numbers(layer(tau_m=[5, 40], output="v")(x))
    for i, tau in enumerate(("5 ms", "0.04 s")):
        np.testing.assert_allclose(both[:, :, i], numbers(layer(tau_m=tau, output="v")(x))[:, :, i], rtol=1e-6)


def test_the_projection_is_the_layers_own() -> None:
    x = noise(2, 20, 3)
    with_units = layer(units=5, use_bias=True)
    y = numbers(with_units(x))
    kernel, bias = (numbers(w) for w in with_units.trainable_weights)
    assert (kernel.shape, bias.shape, y.shape) == ((3, 5), (5,), (2, 20, 5))
    np.testing.assert_array_equal(y, numbers(layer()((x @ kernel + bias).astype(np.float32))))


def test_spikes_go_back_one_step_later() -> None:
    x = np.zeros((1, 6, 2), np.float32)
    x[0, 0, 0] = 60
    ring = layer(
        recurrent="syn", recurrent_initializer=lambda s, dtype=None: ops.convert_to_tensor(np.array([[0, 2], [2, 0]], dtype)), t_ref=0
    )
    np.testing.assert_array_equal(numbers(ring(x))[0], [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0], [0, 1]])


def test_several_ports() -> None:
    current, events = noise(2, 40, 3), (noise(2, 40, 3, seed=1) > 2.5).astype(np.float32)
    by_list = numbers(layer(ports=["I", "syn"])([current, events]))
    by_name = numbers(layer(ports=["I", "syn"])({"syn": events, "I": current}))
    np.testing.assert_array_equal(by_list, by_name)
    assert by_list.sum() > numbers(layer()(current)).sum()
    assert numbers(layer(ports="syn")(events * 2)).sum() > 0


def test_the_kernels_of_several_ports() -> None:
    both = layer(units=4, ports=["I", "syn"], use_bias=True)
    both([noise(2, 5, 3), noise(2, 5, 6)])
    shapes = {w.name: tuple(w.shape) for w in both.trainable_weights}
    assert shapes == {"kernel_I": (3, 4), "bias_I": (4,), "kernel_syn": (6, 4), "bias_syn": (4,)}


def test_last_output_states_and_unrolled_loops() -> None:
    x = noise(2, 12, 3)
    all_rows = numbers(layer(output="v")(x))
    last, *states = layer(output="v", return_sequences=False, return_state=True)(x)
    np.testing.assert_array_equal(numbers(last), all_rows[:, -1])
    np.testing.assert_array_equal(numbers(states[0]), all_rows[:, -1])
    np.testing.assert_allclose(numbers(layer(output="v", unroll=True)(x)), all_rows, atol=1e-6)


def test_state_goes_on_and_is_reset() -> None:
    x = noise(2, 30, 3)
    whole = numbers(layer()(x))
    going_on = layer(stateful=True)
    halves = [numbers(going_on(x[:, :15])), numbers(going_on(x[:, 15:]))]
    np.testing.assert_array_equal(np.concatenate(halves, 1), whole)
    going_on.reset_state()
    np.testing.assert_array_equal(numbers(going_on(x[:, :15])), halves[0])
    _, *state = layer(return_state=True)(x[:, :15])
    np.testing.assert_array_equal(numbers(layer()(x[:, 15:], initial_state=state)), halves[1])


def test_reset_is_to_the_models_initial_state() -> None:
    resting = driver.compile("lif", target="keras").layer(stateful=True, output="v")
    x = noise(1, 5, 1) * np.float32(100)
    first = numbers(resting(x))
    resting.reset_state()
    np.testing.assert_array_equal(numbers(resting(x)), first)
    assert first[0, 0, 0] < -60


def test_substeps_are_steps_whose_spikes_are_counted() -> None:
    x = noise(2, 20, 3)
    fine_x = np.repeat(x, 4, axis=1)
    spikes, v = layer(substeps=4, output=["spikes", "v"])(x)
    fine_spikes, fine_v = driver.compile_model("lif_unit", target="keras", dt="0.25 ms").layer(output=["spikes", "v"])(fine_x)
    np.testing.assert_array_equal(numbers(spikes), numbers(fine_spikes).reshape(2, 20, 4, 3).sum(2))
    np.testing.assert_array_equal(numbers(v), numbers(fine_v)[:, 3::4])
    assert numbers(spikes).sum() > 0


def test_events_arrive_at_the_end_of_a_row() -> None:
    events = np.zeros((1, 3, 1), np.float32)
    events[0, 0, 0] = 0.5
    fine, plain = (numbers(layer(substeps=n, ports="syn", output="v")(events)) for n in (5, 1))
    assert plain[0, 0, 0] == 0.5
    np.testing.assert_allclose(fine, plain, rtol=1e-6)


def test_the_gain_scales_what_drives_a_port() -> None:
    x = noise(2, 20, 3)
    np.testing.assert_array_equal(numbers(layer(gain=2.0, output="v")(x)), numbers(layer(output="v")(2 * x)))


def test_noise_is_left_out() -> None:
    make = driver.compile_model("lif_noise", target="keras", dt="0.5 ms").layer
    x = np.zeros((1, 50, 2), np.float32)
    still, noisy = (numbers(make(noise=on, substeps=2, output="v")(x)) for on in (False, True))
    assert still.std() == 0 < noisy.std()


def test_masked_steps_change_nothing() -> None:
    x = noise(1, 10, 2)
    mask = np.ones((1, 10), bool)
    mask[0, 4:7] = False
    out, *states = layer(return_state=True, output="v")(x, mask=mask)
    short = numbers(layer(output="v")(np.delete(x, [4, 5, 6], axis=1)))
    np.testing.assert_allclose(numbers(out)[0][mask[0]], short[0], atol=1e-6)
    assert not numbers(out)[0][~mask[0]].any()
    np.testing.assert_allclose(numbers(states[0]), short[:, -1], atol=1e-6)
    np.testing.assert_array_equal(layer().compute_mask(x, mask), mask)
    assert layer(return_sequences=False).compute_mask(x, mask) is None


def test_the_cell_alone() -> None:
    x = noise(2, 20, 3)
    neuron = layer()
    y = numbers(neuron(x))
    np.testing.assert_array_equal(numbers(keras.layers.RNN(neuron.cell, return_sequences=True)(x)), y)


def test_half_precision_around_a_step_in_single() -> None:
    x = noise(2, 30, 3)
    mixed = layer(dtype="mixed_float16", output=["spikes", "v"])
    _, v = mixed(x)
    assert keras.backend.standardize_dtype(v.dtype) == "float16"
    np.testing.assert_allclose(numbers(v), numbers(layer(output="v")(x)), atol=2e-2)


def test_presets_are_taken() -> None:
    x = np.full((1, 1500, 1), 10, np.float32)
    make = driver.compile("izhikevich", target="keras", dt="0.1 ms").layer
    regular, fast = (numbers(in_graph(make(preset=preset))(x)) for preset in ("RS", "FS"))
    assert fast.sum() > 1.5 * regular.sum() > 0
    named = driver.compile("izhikevich", target="keras", model="Izhikevich.FS").layer()
    np.testing.assert_array_equal(numbers(in_graph(named)(x)), fast)


def test_noise_is_drawn_anew_and_by_its_seed(tmp_path: Path) -> None:
    text = "neuron N:\n    param tau = 10 ms in (0 ms, inf), D = 1 ms in [0 ms, inf) learn\n    state v = 0\n    input I: 1\n    noise xi\n"
    step = lowered(tmp_path, text + "    tau * v' = -v + I + sqrt(2 * D) * xi\n    output y: 1 = 2 * v\n")
    make = driver.build(step, "keras", "1 ms").layer
    x = np.zeros((64, 300, 8), np.float32)
    noisy = make(seed=3)
    first, second = numbers(noisy(x)), numbers(noisy(x))
    assert [w.name for w in noisy.trainable_weights] == ["D"]
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(numbers(make(seed=3)(x)), first)
    assert first[:, 200:].std() == pytest.approx(2 * np.sqrt(0.1), rel=0.05)  # the variance of v is D / tau


def test_events_that_act_one_by_one(tmp_path: Path) -> None:
    text = "neuron N:\n    param tau = 10 ms in (0 ms, inf)\n    state v = 0\n    tau * v' = -v\n    on pull(a: 1): v += a * (1 - v)\n"
    neuron = driver.build(lowered(tmp_path, text), "keras", "1 ms").layer(output="v")
    x = np.zeros((1, 4, 1), np.float32)
    x[0, [0, 2], 0] = 0.5, 0.25
    decay = np.exp(-0.1)
    v = [0.5, 0.5 * decay]
    v.append(v[1] * decay + 0.25 * (1 - v[1] * decay))
    np.testing.assert_allclose(numbers(neuron(x))[0, :, 0], [*v, v[2] * decay], rtol=1e-6)


# --- learning


GAIN = -np.expm1(-1 / 20)
"""What one step of 1 ms makes of an input, with tau_m = 20 ms and R = 1."""


@pytest.mark.parametrize(
    ("surrogate", "slope"),
    [
        ("fast_sigmoid", lambda x: 1 / (1 + 10 * abs(x)) ** 2),
        ({"name": "fast_sigmoid", "beta": 2.0, "scale": 0.5}, lambda x: 2 / (1 + 2 * abs(x / 0.5)) ** 2),
        ("triangular", lambda x: max(0.0, 1 - abs(x))),
        ("arctan", lambda x: 1 / (1 + (np.pi * x) ** 2)),
        ("sigmoid", lambda x: 4 * np.exp(-4 * x) / (1 + np.exp(-4 * x)) ** 2),
        ("gaussian", lambda x: np.exp(-2 * x**2) / np.sqrt(np.pi / 2)),
        ("straight_through", lambda x: 1.0),
    ],
)
def test_surrogates_stand_for_the_derivative(surrogate: Any, slope: Callable[[float], float]) -> None:
    neuron = layer(surrogate=surrogate)
    for current in (10.0, 25.0):
        found = gradient(neuron, np.full((1, 1, 1), current, np.float32))
        assert found[0, 0, 0] == pytest.approx(GAIN * slope(current * GAIN - 1), rel=1e-4)


def test_every_surrogate_is_the_derivative_of_what_its_slope_changes() -> None:
    """The derivatives by x and by the slope belong to one antiderivative: crossed once more, they agree (central differences)."""
    module = sys.modules[type(layer()).__module__]
    x = np.array([-1.7, -0.6, -0.2, 0.1, 0.45, 0.8, 2.5])
    e = 1e-2
    for name, (slope, by_slope) in module.SLOPES.items():
        start = TABLE[name].arguments[slope]

        def at(function: Any, x: Any, value: float, slope: str = slope) -> Any:
            return numbers(function(ops.convert_to_tensor(x.astype(np.float32)), **{slope: np.float32(value)})).astype(float)

        crossed = (at(module.SURROGATES[name], x, start + e) - at(module.SURROGATES[name], x, start - e)) / (2 * e)
        np.testing.assert_allclose((at(by_slope, x + e, start) - at(by_slope, x - e, start)) / (2 * e), crossed, rtol=3e-2, atol=3e-3)
        limits = at(by_slope, np.array([-np.inf, np.inf]), start)
        assert np.isfinite(limits).all(), name


def test_the_slope_is_a_weight_that_may_be_set() -> None:
    neuron = layer()
    x = np.full((1, 1, 1), 10, np.float32)
    neuron(x)
    neuron.cell.surrogate_slope.assign(3.0)
    assert gradient(neuron, x)[0, 0, 0] == pytest.approx(GAIN / (1 + 30 * abs(10 * GAIN - 1)) ** 2, rel=1e-4)


def test_the_slope_is_learned() -> None:
    """Two neurons at distance x of the threshold, both silent: the loss is the sum of spikes, and the slope's gradient the sum."""
    neuron = layer(learn_surrogate=True, surrogate={"name": "sigmoid", "alpha": 2.0})
    model = keras.Sequential([keras.layers.Input((1, 2)), neuron])
    model.compile(keras.optimizers.SGD(1.0), loss=lambda _, z: ops.sum(z))
    (beta,) = model.trainable_weights
    x = np.array([[[10.0, 19.0]]], np.float32)
    model.train_on_batch(x, x)
    m = x[0, 0] * GAIN - 1
    s = 1 / (1 + np.exp(-2 * m))
    assert float(numbers(beta)) == pytest.approx(2.0 - float((m * s * (1 - s)).sum()), rel=1e-4)


def test_the_model_s_surrogate_is_the_default_and_the_option_overrides(tmp_path: Path) -> None:
    (tmp_path / "m.birc").write_text(
        "neuron Named:\n    state v = 0\n    input I: 1\n    v' = (I - v) / 20 ms\n    spike when v >= 1:\n        v = 0\n"
        "    with surrogate arctan(alpha = 3)\n"
    )
    made = driver.compile(tmp_path / "m.birc", target="keras", dt="1 ms", dtype="f32")
    assert made.warnings == ()

    def slope(neuron: Any) -> float:
        return float(gradient(neuron, np.full((1, 1, 1), 10.0, np.float32))[0, 0, 0])

    x = 10 * GAIN - 1
    assert slope(made.layer()) == pytest.approx(GAIN * 1.5 / (1 + (np.pi / 2 * 3 * x) ** 2), rel=1e-4)
    assert slope(made.layer(surrogate="straight_through")) == pytest.approx(GAIN, rel=1e-4)
    assert made.layer().get_config()["surrogate"] == {"name": "arctan", "alpha": 3.0}


def test_no_surrogate_sees_a_refractory_neuron() -> None:
    x = np.full((1, 3, 1), 25, np.float32)
    found = gradient(lambda a: layer(surrogate="straight_through")(a)[:, 1:], x)
    np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize("detached", [True, False])
def test_the_reset_is_detached_or_not(detached: bool) -> None:
    neuron = layer(surrogate="straight_through", detach_reset=detached, output="v", v_reset=0.3)
    found = gradient(neuron, np.full((1, 1, 1), 25, np.float32))
    assert found[0, 0, 0] == pytest.approx(0.0 if detached else GAIN * (0.3 - 25 * GAIN), rel=1e-4, abs=1e-7)


def test_derivatives_of_the_flow_agree_with_differences() -> None:
    """Below the threshold everything is smooth: the framework's derivative of the potential against a central difference."""
    neuron = driver.compile("lif", target="keras", dt="1 ms").layer(output="v")
    x = noise(1, 25, 1) * np.float32(60)
    events = driver.compile("lif", target="keras", dt="1 ms").layer(output="v", ports=["I", "exc"])
    for function in (neuron, lambda a: events([a * 0, a])):
        found = gradient(lambda a, f=function: f(a)[:, -1], x)  # type: ignore[misc]
        for k in (0, 12, 24):
            moved = [x.copy(), x.copy()]
            moved[0][0, k], moved[1][0, k] = moved[0][0, k] + 4, moved[1][0, k] - 4
            up, down = (float(numbers(function(m))[0, -1, 0]) for m in moved)
            assert found[0, k, 0] == pytest.approx((up - down) / 8, rel=2e-2, abs=1e-4)


def test_parameters_learn_and_stay_in_their_range() -> None:
    neuron = layer(learn="tau_m", tau_m="20 ms", output="v", v_th=1e6)
    model = keras.Sequential([keras.Input((30, 1)), neuron])
    model.compile(keras.optimizers.SGD(200.0), "mse")
    x = np.ones((8, 30, 1), np.float32)
    wanted = (1 - np.exp(-np.arange(1, 31) / 10))[None, :, None].repeat(8, 0)
    model.fit(x, wanted, epochs=60, batch_size=8, verbose=0)
    (tau,) = (float(numbers(w)) for w in model.trainable_weights)
    assert tau == pytest.approx(10, rel=0.02)
    model.compile(keras.optimizers.SGD(1e5), "mse")
    model.fit(x, wanted * 0 + 3, epochs=2, batch_size=8, verbose=0)
    (tau,) = (float(numbers(w)) for w in model.trainable_weights)
    assert 0 < tau == pytest.approx(20e-3)


def test_a_narrower_range_holds() -> None:
    neuron = layer(learn="tau_m", tau_m="20 ms", output="v", v_th=1e6, ranges={"tau_m": ("15 ms", None)})
    model = keras.Sequential([keras.Input((30, 1)), neuron])
    model.compile(keras.optimizers.SGD(1e5), "mse")
    x = np.ones((8, 30, 1), np.float32)
    model.fit(x, x * 3, epochs=2, batch_size=8, verbose=0)
    assert [float(numbers(w)) for w in model.trainable_weights] == [15]


def test_a_saved_model_gives_the_same_numbers(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "units": 6, "learn": ["tau_m"], "per_feature": True, "tau_m": "9 ms", "use_bias": True, "recurrent": True, "detach_reset": False,
        "surrogate": {"name": "arctan", "alpha": 3.0}, "v_reset": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
        "regularizers": {"tau_m": keras.regularizers.L2(1e-3)}, "initializers": {"tau_m": keras.initializers.RandomUniform(5.0, 15.0)},
    }  # fmt: skip
    model = keras.Sequential([keras.Input((20, 4)), layer(**options), layer(units=3, output="v", stateful=False)])
    x = noise(5, 20, 4)
    before = numbers(model(x))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numbers(again(x)), before)
    assert again.layers[0].get_config() == model.layers[0].get_config()
    cloned = keras.models.clone_model(model)
    cloned.set_weights(model.get_weights())
    np.testing.assert_array_equal(numbers(cloned(x)), before)


def test_a_saved_model_loads_where_the_written_module_is_imported(tmp_path: Path) -> None:
    neurons = compiled()
    model = keras.Sequential([keras.Input((10, 3)), neurons.layer(units=2, output="v", fused=False)])
    model.save(tmp_path / "model.keras")
    neurons.write(tmp_path / "out")
    np.save(tmp_path / "x.npy", noise(2, 10, 3))
    code = (
        "import numpy as np, keras, LIFUnit; m = keras.models.load_model('model.keras'); "
        "np.save('y.npy', keras.ops.convert_to_numpy(m(np.load('x.npy'))))"
    )
    environment = {**os.environ, "KERAS_BACKEND": ENGINE, "PYTHONPATH": str(tmp_path / "out")}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), numbers(model(noise(2, 10, 3))))


# --- mistakes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learn": "t_ref"}, "t_ref cannot be learned: it is counted in whole steps, which have no derivative"),
        ({"learn": "tau"}, "learn: 'tau' is none of tau_m, R, v_th, v_reset, t_ref; did you mean 'tau_m'?"),
        ({"dt": 0}, "dt = 0: a step lasts longer than 0 and not for ever"),
        ({"tau_m": -3}, "tau_m = -3 is outside its range (0, inf) ms"),
        ({"v_th": "high"}, None),
        ({"ports": "J"}, "ports: 'J' is none of I, syn"),
        ({"output": ["spikes", "w"]}, "output: 'w' is none of spikes, v, refractory"),
        ({"surrogate": "fast_sigmiod"}, "surrogate: 'fast_sigmiod' is none of fast_sigmoid, fast_sigmoid_seed, triangular, "
         "arctan, sigmoid, gaussian, multi_gaussian, straight_through; did you mean 'fast_sigmoid'?"),
        ({"surrogate": {"name": "arctan", "beta": 3.0}}, "surrogate arctan: 'beta' is none of alpha, scale"),
        ({"surrogate": {"name": "arctan", "alpha": 0}}, "surrogate arctan: alpha = 0 is no number above 0"),
        ({"surrogate": {"name": "arctan", "scale": "1 mV"}}, "surrogate arctan: scale = '1 mV' is no number above 0"),
        ({"preset": "FS"}, None),
        ({"recurrent": "exc"}, "recurrent: 'exc' is none of I, syn"),
        ({"substeps": 0}, "substeps = 0 is no whole number from 1 on"),
        ({"gain": float("nan")}, "gain = nan is no number"),
        ({"ranges": {"tau_m": (-1, 5)}}, "ranges: tau_m in [-1, 5] is not inside its own range [0, inf] ms"),
        ({"ranges": {"tau_m": (1, "5 ms")}}, "tau_m = 20.0 is outside its range [1, 5] ms"),
        ({"ranges": {"tau_m": 3}}, "ranges: tau_m takes (low, high), not 3"),
    ],
)  # fmt: skip
def test_mistakes_are_said(options: dict[str, Any], message: str | None) -> None:
    with pytest.raises(BircError) as error:
        layer(**options)
    if message is not None:
        assert str(error.value) == f"error[I301]: layer of `LIFUnit`: {message}"


def test_a_layer_of_the_written_module_reads_units() -> None:
    module = RUN.load_module(compiled().artifact)
    assert module.LIFUnit(dt="1 ms", tau_m="0.02 s").settings.values["tau_m"] == 20
    with pytest.raises(module.LayerError, match="tau_m = '20 mV': expected a number, or text in ms, s, us, ns"):
        module.LIFUnit(dt="1 ms", tau_m="20 mV")
    with pytest.raises(module.LayerError, match="is no number from 0 to 16777216 of steps"):
        compiled().layer(units=2, t_ref="20000 s").build((1, 2, 2))
    with pytest.raises(module.LayerError, match="dt is missing"):
        module.LIFUnit()


def test_keras_that_does_not_start_is_said() -> None:
    code = "import birc; birc.compile('lif', target='keras').run('1 ms', n=1)"
    environment = {**os.environ, "KERAS_BACKEND": "nonsense"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "birc.errors.BircError: error[X301]: Keras does not start with KERAS_BACKEND=nonsense: " in done.stderr


# --- every Keras


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", [e for e in ENGINES if e != ENGINE and find_spec(e)])
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": engine, ALONE: "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", __file__], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
