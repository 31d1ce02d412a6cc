"""All rows at once by a sweep, against the same step under `keras.layers.RNN`: values and derivatives of all that goes in."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from birc import driver
from birc.backends import FLOATS, Dtype
from birc.backends.keras import BACKEND
from birc.backends.keras.engines import ENGINES
from birc.ir.surrogates import TABLE
from birc.passes import adjoint

pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
if BACKEND.missing() is not None:
    pytest.skip(f"needs {BACKEND.missing()}", allow_module_level=True)

Array = npt.NDArray[Any]
keras: Any = importlib.import_module("birc.backends.keras.run").load_keras()
ops: Any = keras.ops
ENGINE: str = keras.backend.backend()
ALONE = "BIRC_TEST_ONE_ENGINE"
SWEEP = "BIRC_SWEEP"

if ENGINE == "torch":
    pytest.skip("torch has no loops that are compiled", allow_module_level=True)


@pytest.fixture(scope="module", autouse=True)
def _seeded() -> Iterator[None]:
    keras.utils.set_random_seed(1)
    yield
    keras.backend.clear_session()


ROWS = 23
STEEP = ("adex", "izhikevich")
"""Neurons whose upstroke magnifies a last bit, as where a compiler rounds a product and a sum together: compared in float64."""
Options = dict[str, Any]
SLOPED = [name for name, surrogate in TABLE.items() if surrogate.slope]
CASES: list[tuple[str, str, Options, float]] = [
    ("lif_unit", "1 ms", {"learn": ["tau_m", "v_th", "R", "v_reset"], "detach_reset": False}, 60),
    ("lif_unit", "1 ms", {"learn": ["tau_m"], "per_feature": True, "surrogate": {"name": "arctan", "scale": 0.5}, "use_bias": True}, 60),
    ("lif_unit", "1 ms", {"output": ["spikes", "v"], "ports": ["I", "syn"], "gain": 1.5, "use_bias": True}, 20),
    ("lif_unit", "1 ms", {"return_sequences": False, "output": "v", "mask": True}, 60),
    ("lif_unit", "1 ms", {"recurrent": True, "learn": ["tau_m"], "output": ["v", "spikes"], "mask": True}, 60),
    ("lif_unit", "1 ms", {"recurrent": "I", "gain": 2.0, "detach_reset": False}, 40),
    *(("lif_unit", "1 ms", {"learn_surrogate": True, "surrogate": {"name": name, "scale": 0.7}}, 60.0) for name in SLOPED),
    ("lif_unit", "1 ms", {"learn_surrogate": True, "learn": ["v_th"], "detach_reset": False, "substeps": 3, "ports": ["I", "syn"]}, 30),
    ("alif_unit", "1 ms", {"learn": ["tau_m", "tau_b", "beta"], "output": ["spikes", "b"]}, 60),
    ("adex", "0.1 ms", {"learn": ["a", "tau_w"], "output": ["spikes", "v", "w"], "mask": True}, 3000),
    ("adex", "0.5 ms", {"substeps": 2, "recurrent": True, "learn": ["a"], "output": ["spikes", "v"]}, 3000),
    ("izhikevich", "0.5 ms", {"learn": ["a", "b", "c", "d"], "substeps": 2}, 20),
    ("lif_alpha", "0.5 ms", {"learn": ["tau_exc", "C"], "ports": ["I", "exc"], "output": ["v", "spikes"]}, 900),
    ("lif_cond_exp", "0.5 ms", {"learn": ["C"], "ports": ["I", "exc"], "output": "v"}, 500),
    ("fitzhugh_nagumo", "0.5 ms", {"output": "v"}, 1),
    ("leaky_integrator", "1 ms", {}, 1),
    ("lif_noise", "0.1 ms", {"seed": 3, "learn": ["v_th"], "output": ["spikes", "v"]}, 600),
    ("lif_noise", "0.1 ms", {"seed": 3, "noise": False, "output": ["spikes", "v"]}, 600),
    ("gif", "1 ms", {"seed": 3, "substeps": 2, "mask": True}, 600),
]


@pytest.mark.parametrize(("model", "dt", "options", "strength"), CASES)
def test_a_sweep_equals_the_loop(monkeypatch: pytest.MonkeyPatch, model: str, dt: str, options: Options, strength: float) -> None:
    """What is seen, the last states, and derivatives by inputs, initial states and weights."""
    dtype: Dtype = "f64" if model in STEEP else "f32"
    made = driver.compile_model(model, target="keras", dt=dt, dtype=dtype)
    options = dict(options)
    rng = np.random.default_rng(0)
    ports = options.get("ports", "I")
    shapes = [(3, ROWS, 4 + i) for i in range(len(ports) if isinstance(ports, list) else 1)]
    xs = [rng.uniform(0, strength, shape).astype(FLOATS[dtype]) for shape in shapes]
    mask = rng.random((3, ROWS)) < 0.7 if options.pop("mask", False) else None
    if mask is not None:
        mask[0, -4:], mask[1] = False, False
    with _doubles() if dtype == "f64" else nullcontext():
        swept, loop = (_found(monkeypatch, made, options, xs, mask, on) for on in (True, False))
    assert swept.keys() == loop.keys()
    assert any(np.any(a) for name, a in swept.items() if name.startswith("by"))
    for name, wanted in loop.items():
        assert np.isfinite(wanted).all()
        scale = np.abs(wanted).max()
        near = 1e-6 if dtype == "f64" else 1
        np.testing.assert_allclose(swept[name], wanted, rtol=near * 1e-4, atol=near * (1e-5 * scale + 1e-7), err_msg=name)


@contextmanager
def _doubles() -> Iterator[None]:
    """Keras computes in float64, and JAX can."""
    policy = keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        with importlib.import_module("jax").enable_x64(True) if ENGINE == "jax" else nullcontext():
            yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy(policy)


def _found(monkeypatch: pytest.MonkeyPatch, made: Any, options: Options, xs: list[Array], mask: Array | None, on: bool) -> dict[str, Array]:
    """Everything by name, of a layer with states to begin from; by a sweep, or by the loop."""
    monkeypatch.setenv(SWEEP, "1" if on else "0")
    first = keras.initializers.RandomUniform(0.0, 0.3, seed=1)
    layer = made.layer(units=6, kernel_initializer=first, recurrent_initializer=first, fused=False, return_state=True, **options)
    layer.build([x.shape for x in xs] if len(xs) > 1 else xs[0].shape)
    calls = _counted(monkeypatch, layer)
    rng = np.random.default_rng(1)
    states = [np.asarray(ops.convert_to_numpy(s)) + rng.uniform(0, 0.1, (3, 6)).astype(xs[0].dtype) for s in layer.get_initial_state(3)]
    weights = list(layer.trainable_weights)

    def run(given: list[Any], states: list[Any]) -> list[Any]:
        return list(
            layer(given if len(given) > 1 else given[0], initial_state=states, mask=None if mask is None else ops.convert_to_tensor(mask))
        )

    def loss(found: list[Any]) -> Any:
        parts = [ops.sum(y * ops.convert_to_tensor(np.random.default_rng(i).uniform(-1, 1, y.shape), y.dtype)) for i, y in enumerate(found)]
        return sum(parts[1:], parts[0])

    found, by_x, by_state, by_weight = DERIVED[ENGINE](run, loss, xs, states, weights)
    assert bool(calls) is on
    names = [f"seen {i}" for i in range(len(found))] + [f"by x {i}" for i in range(len(xs))]
    names += [f"by state {i}" for i in range(len(states))] + [f"by {w.name}" for w in weights]
    values = dict(zip(names, map(_numbers, (*found, *by_x, *by_state, *by_weight)), strict=True))
    slots = list(sys.modules[type(layer).__module__].SLOTS.values())
    return {
        n: a
        for n, a in values.items()
        if not n.startswith("by state") or int(n.split()[-1]) >= len(slots) or slots[int(n.split()[-1])][0] == "real"
    }


def _numbers(x: Any) -> Array:
    return np.asarray(ops.convert_to_numpy(x))


def _counted(monkeypatch: pytest.MonkeyPatch, layer: Any) -> list[int]:
    """Grows with each sweep of the layer's module."""
    module = sys.modules[type(layer).__module__]
    calls: list[int] = []
    original = module.swept

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return original(*arguments)

    monkeypatch.setitem(module.__dict__, "swept", counted)
    return calls


def _on_jax(run: Any, loss: Any, xs: Any, states: Any, weights: Any) -> Any:
    jax = importlib.import_module("jax")

    def whole(xs: Any, states: Any, values: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(weights, values, strict=True))):
            found = run(xs, states)
        return loss(found), found

    bars, found = jax.jit(jax.grad(whole, argnums=(0, 1, 2), has_aux=True))(xs, states, [w.value for w in weights])
    return found, *bars


def _on_tensorflow(run: Any, loss: Any, xs: Any, states: Any, weights: Any) -> Any:
    tf = importlib.import_module("tensorflow")
    variables = [w.value for w in weights]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def whole(xs: Any, states: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([xs, states])
            found = run(list(xs), list(states))
            total = loss(found)
        return found, *tape.gradient(total, (xs, states, variables), unconnected_gradients="zero")

    tensors = ([tf.constant(a) for a in of] for of in (xs, states))
    return whole(*tensors)


DERIVED = {"jax": _on_jax, "tensorflow": _on_tensorflow}


@pytest.mark.parametrize("options", [{}, {"recurrent": True, "learn": ["tau_m"]}])
def test_fit_is_the_same(monkeypatch: pytest.MonkeyPatch, options: Options) -> None:
    """Two layers, three epochs, batches of which the last is smaller."""
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 3, (20, 15, 5)).astype(np.float32), rng.integers(0, 3, 20)
    losses = []
    for on in (True, False):
        monkeypatch.setenv(SWEEP, "1" if on else "0")
        keras.utils.set_random_seed(2)
        layers = [made.layer(units=n, fused=False, gain=20.0, use_bias=True, **options) for n in (8, 3)]
        model = keras.Sequential([keras.Input((15, 5)), *layers, keras.layers.GlobalAveragePooling1D()])
        model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        calls = _counted(monkeypatch, layers[0])
        losses.append(model.fit(x, y, epochs=3, batch_size=8, verbose=0, shuffle=False).history["loss"])
        assert bool(calls) is on
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert losses[0][-1] < losses[0][0]


def test_a_stateful_layer_goes_on_in_predict() -> None:
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    x = np.random.default_rng(0).uniform(0, 60, (2, 30, 3)).astype(np.float32)

    def model(rows: int, **options: Any) -> Any:
        return keras.Sequential([keras.Input((rows, 3), batch_size=2), made.layer(fused=False, **options)])

    whole = model(30).predict(x, verbose=0)
    parts = model(10, stateful=True)
    found = [parts.predict(x[:, k : k + 10], verbose=0) for k in (0, 10, 20)]
    np.testing.assert_array_equal(np.concatenate(found, axis=1), whole)
    parts.layers[-1].reset_state()
    np.testing.assert_array_equal(parts.predict(x[:, :10], verbose=0), whole[:, :10])


def test_what_the_sweep_does_not_take_is_left_to_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    x = np.random.default_rng(0).uniform(0, 60, (2, 12, 3)).astype(np.float32)

    def calls(rows: int | None, **options: Any) -> int:
        layer = made.layer(fused=False, **options)
        model = keras.Sequential([keras.Input((rows, 3)), layer])
        counted = _counted(monkeypatch, layer)
        model.predict(x, verbose=0)
        return len(counted)

    assert calls(12)
    assert not calls(12, unroll=True)
    if ENGINE == "tensorflow":
        layer = made.layer(fused=False)
        counted = _counted(monkeypatch, layer)
        layer(x)  # op by op
        assert not counted
    monkeypatch.setenv(SWEEP, "0")
    assert not calls(12)
    tabulated = driver.compile_model("hodgkin_huxley", target="numpy", dt="0.05 ms", tables="1e-6, v in [-120 mV, 80 mV]").step
    table = importlib.import_module("birc.backends.keras.adjoint").adjoint_table
    assert table(tabulated, {}, adjoint.run).rows == ()
    assert table(made.step, made.artifact.manifest["names"], adjoint.run).rows != ()


@pytest.mark.parametrize("busy", [False, True])
def test_without_refractory_period_nobody_is_busy(monkeypatch: pytest.MonkeyPatch, busy: bool) -> None:
    """The countdown is left out where it begins at 0 and is never set; states that are given may still have one."""
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    x = np.random.default_rng(0).uniform(0, 60, (3, 12, 4)).astype(np.float32)
    found = []
    for on in (True, False):
        monkeypatch.setenv(SWEEP, "1" if on else "0")
        first = keras.initializers.RandomUniform(0, 0.3, seed=1)
        layer = made.layer(units=6, fused=False, t_ref=0, learn=["tau_m"], kernel_initializer=first)
        layer.build(x.shape)
        calls = _counted(monkeypatch, layer)
        given = [np.full((3, 6), value, np.float32) for value in (0.5, 4)] if busy else None

        def run(xs: Any, states: Any, layer: Any = layer, given: Any = given) -> Any:
            return [layer(xs[0], initial_state=given)]

        seen, by_x, _, by_weight = DERIVED[ENGINE](run, lambda found: ops.sum(found[0] * found[0]), [x], [], list(layer.trainable_weights))
        assert bool(calls) is on
        found.append([_numbers(a) for a in (*seen, *by_x, *by_weight)])
    for swept, wanted in zip(*found, strict=True):
        np.testing.assert_allclose(swept, wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())
    assert not busy or not found[0][0][:, :4].any()
    assert found[0][0].any()


def test_an_emission_without_a_derivative_is_another_module() -> None:
    """A runner of the step alone may have imported it before; the layer sweeps all the same."""
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    run = importlib.import_module("birc.backends.keras.run")
    alone, whole = (run.load_module(a) for a in (BACKEND.emit(made.step, "f32"), made.artifact))
    assert (alone.PROGRAM, alone.ADJOINT) == (whole.PROGRAM, {})
    assert whole.ADJOINT


def test_the_least_from_which_all_follows() -> None:
    """A sum in place of two numbers, and a truth, which takes less than what it comes from, unless that is kept."""
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    module = sys.modules[type(made.layer()).__module__]
    rows = {
        "sum": module.Value("real", ("load a", "load b"), None),
        "double": module.Value("real", ("sum",), None),
        "square": module.Value("real", ("sum",), None),
        "c": module.Value("real", ("load c",), None),
        "true": module.Value("bool", ("c",), None),
    }
    among = {"load a", "load b", "load c", *rows}
    before = dict(module.ADJOINT)
    try:
        module.ADJOINT.clear()
        module.ADJOINT.update(rows)
        assert module.least({"double", "square"}, among) == ["sum"]
        assert module.least({"double"}, among) == ["double"]
        assert module.least({"double", "square", "true"}, among) == ["sum", "true"]
        assert module.least({"c", "true"}, among) == ["c"]
        assert module.least(set(), among) == []
    finally:
        module.ADJOINT.clear()
        module.ADJOINT.update(before)


def test_what_is_kept_is_what_the_way_back_asks_for() -> None:
    """What is tested and who is busy, of a neuron whose weights alone learn; the states where a time constant does, as they are less."""
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")

    def plan(**options: Any) -> Any:
        layer = made.layer(fused=False, **options)
        layer.build((1, 5, 2))
        return sys.modules[type(layer).__module__].Plan(layer.cell)

    def fresh(**options: Any) -> Any:
        layer = made.layer(fused=False, **options)
        layer.build((1, 5, 2))
        module = sys.modules[type(layer).__module__]
        return [module.Sweep(layer.cell, 5, True, yes).plan.kept for yes in (True, False)]

    assert fresh(t_ref=0) == [{"v_2": False}, {"busy": True, "v_2": False}]
    assert fresh(t_ref=2) == [{"busy": True, "v_2": False}] * 2
    plain = plan()
    assert (plain.kept, plain.again) == ({"busy": True, "v_2": False}, False)
    assert plain.sums == []
    learning = plan(learn=["tau_m"])
    assert {"busy", "v"} <= set(learning.kept)
    assert learning.again
    assert set(learning.sums) == {"E_v", "Q_v_I"}


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", [e for e in ENGINES if e not in (ENGINE, "torch") and find_spec(e)])
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": engine, ALONE: "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", __file__], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
