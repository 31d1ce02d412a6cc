"""The kernels that run a layer's steps at once: against the interpreter's derivative, and against the layer's own loop."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends.c_family import build
from birc.backends.keras.engines import ENGINES
from birc.fused import arrays, draws
from birc.fused.arrays import NOTHING
from birc.fused.emit import SEGMENT, emit, learned_below, takes
from birc.fused.sweep import Sweeper
from birc.ir.adjoint import argument
from birc.ir.surrogates import TABLE
from birc.passes import adjoint, dense_events
from birc.runtime.gradients import backward, forward
from tests.backends.programs import lif
from tests.conftest import Golden
from tests.passes.programs import LIBRARY
from tests.passes.test_adjoint import STEPS, TINY, N, bound, case, step_of, weights_of

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="needs a C++ compiler")

NAMES = ["LIFUnit", "ALIF", "Izhikevich", "AdEx", "HH", "GLIF3", "MAT", "LIFCondExp", "PLIF", "ResonateAndFire", "FitzHughNagumo"]
NAMES += ["LIFNoise", "GIF"]


def test_text(golden: Golden) -> None:
    text = emit(step_of(TINY), TABLE["fast_sigmoid"], True, frozenset(), each=frozenset({"theta"}), units=64).text
    golden.check("golden/backends/fused_tiny.txt", text[text.index("// What crosses") :])


def test_programs_with_tables_are_left_to_the_loop() -> None:
    assert takes(step_of(TINY)) and takes(lif())
    assert not takes(driver.compile_model("hodgkin_huxley", target="numpy", tables="1e-6, v in [-120 mV, 80 mV]").step)


def test_bind_values_below_a_parameter() -> None:
    step = step_of(TINY)
    assert {"tau", ".E.v", ".Q.v.I"} <= learned_below(step, frozenset({"tau"}))
    assert learned_below(step, frozenset({"theta"})) == {"theta"}


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMES if n in LIBRARY])
def test_library_against_the_interpreter(name: str) -> None:
    """States within single precision, and dL/d of inputs, draws, initial states, bind values and slope; the resets not detached."""
    dense, values, initial, inputs, _ = case(name)
    original = driver.lower(LIBRARY[name])[1]
    wanted = frozenset({*(d.name for d in original.bind), argument("alpha")})
    kernel = emit(original, TABLE["arctan"], False, wanted)
    sweeper = Sweeper(kernel)
    step = draws.run(dense)
    inputs |= {p.name: np.random.default_rng(1).standard_normal((STEPS, N)) for p in step.inputs if p.name not in inputs}
    adjoined = adjoint.run(step, TABLE["arctan"], False, wanted)
    more = {d.name: d.value.attr for d in adjoined.bind if d.value.op == "const"} | values
    base = forward(step, values, initial, inputs)
    weights = weights_of(base)
    weights["spikes"] = np.random.default_rng(0).uniform(-1, 1, (STEPS, N))
    reference = backward(adjoined, more, base, inputs, weights)
    given = [inputs[p][None] for p in kernel.inputs]
    states = [initial[s][None].astype(float) for s in kernel.slots]
    bind = [np.asarray(more[n], dtype=float) for n in kernel.bind]
    found = arrays.ahead(sweeper, given, states, bind, range(len(kernel.seen)))
    seen = dict(zip(kernel.seen, found, strict=False))
    same = (seen["spikes"][0] == base.spikes).all(axis=0)
    assert same.sum() >= N / 2
    for slot in kernel.seen[1:]:
        expected = (base.states | base.outputs)[slot]
        np.testing.assert_allclose(seen[slot][0][:, same], expected[:, same], atol=1e-4 * np.abs(expected).max() + 1e-6)
    up = [weights[n][None] if n in weights else NOTHING for n in kernel.seen]
    bars = arrays.back(sweeper, given, states, bind, up, [NOTHING] * len(kernel.slots))
    places = [(n, reference.inputs[n]) for n in kernel.inputs] + [(n, reference.initial.get(n)) for n in kernel.slots]
    places += [(n, reference.bind[n]) for n in kernel.wanted]
    for (what, expected_bar), bar in zip(places, bars, strict=True):
        if expected_bar is not None:
            here = bar[0][..., same].astype(float)
            scale = np.abs(expected_bar).max()
            np.testing.assert_allclose(here, expected_bar[..., same], rtol=5e-3, atol=5e-3 * scale + 1e-9, err_msg=what)


@pytest.mark.parametrize(("units", "lanes"), [(10, 16), (20, 32), (130, 64), (100, 128)])
def test_a_run_of_many_segments_and_odd_sizes(units: int, lanes: int) -> None:
    """Steps over three segments, 70 neurons in groups of another number, several rows, one bind value for each neuron."""
    step = dense_events.run(step_of(TINY))
    wanted = frozenset({".E.v", ".Q.v.I", "theta", argument("alpha")})
    kernel = emit(step, TABLE["sigmoid"], True, wanted, each=frozenset({"theta"}), units=units)
    assert f"#define LANES {lanes}\n" in kernel.text
    sweeper = Sweeper(kernel)
    steps, n, rows = 2 * SEGMENT + 9, 70, 3
    rng = np.random.default_rng(1)
    adjoined = adjoint.run(step, TABLE["sigmoid"], wanted=wanted)
    assert set(kernel.wanted) == wanted
    values, state = bound(step, adjoined, n=n)
    values["theta"] = rng.uniform(0.5, 1.5, n)
    current = rng.uniform(0, 8, (rows, steps, n))
    events = rng.uniform(0, 0.2, (rows, steps, n))
    weights = rng.uniform(-1, 1, (rows, steps, n))
    end = rng.uniform(-1, 1, (rows, n))
    bind = [np.asarray(values[name], dtype=float) for name in kernel.bind]
    initial = np.tile(state["v"], (rows, 1))
    seen = arrays.ahead(sweeper, [current, events], [initial], bind, [0])
    bars = arrays.back(sweeper, [current, events], [initial], bind, [weights, NOTHING], [end])
    for row in range(rows):
        inputs = {"I": current[row], "syn": events[row]}
        base = forward(step, values, state, inputs)
        np.testing.assert_array_equal(seen[0][row], base.spikes)
        last = np.zeros((steps, n))
        last[-1] = end[row]
        reference = backward(adjoined, values, base, inputs, {"spikes": weights[row], "v": last})
        np.testing.assert_allclose(bars[0][row], reference.inputs["I"], atol=1e-5)
        np.testing.assert_allclose(bars[1][row], reference.inputs["syn"], atol=1e-5)
        np.testing.assert_allclose(bars[2][row], reference.initial["v"], atol=1e-5)
        for name, bar in zip(kernel.wanted, bars[3:], strict=True):
            np.testing.assert_allclose(bar[row], reference.bind[name], rtol=1e-3, atol=1e-3)


def test_a_number_for_all_is_not_one_for_each() -> None:
    kernel = emit(step_of(TINY), TABLE["sigmoid"], True, frozenset(), each=frozenset())
    bind = [np.ones(3 if name == "theta" else 1) for name in kernel.bind]
    with pytest.raises(ValueError) as failure:
        arrays.ahead(Sweeper(kernel), [np.ones((2, 5, 3)), NOTHING], [np.zeros((2, 3))], bind, [0])
    assert str(failure.value) == "`theta` of shape [3] in a kernel that takes one number for all neurons"


def test_masked_steps_are_as_if_they_were_not_there() -> None:
    """Over three segments, each row with steps of its own: the kept ones are those of the short run, bit by bit, and the others are 0."""
    kernel = emit(step_of(TINY), TABLE["sigmoid"], False, frozenset({"theta"}))
    sweeper = Sweeper(kernel)
    step = step_of(TINY)
    values, _ = bound(step, adjoint.run(step, TABLE["sigmoid"]))
    bind = [np.asarray(values[name], dtype=float) for name in kernel.bind]
    steps, n, rows = 3 * SEGMENT, 70, 3
    rng = np.random.default_rng(3)
    given = [rng.uniform(0, 8, (rows, steps, n)), rng.uniform(0, 0.2, (rows, steps, n))]
    ups = [rng.uniform(-1, 1, (rows, steps, n)), rng.uniform(-1, 1, (rows, steps, n))]
    state, end = rng.uniform(0, 1, (rows, n)), [rng.uniform(-1, 1, (rows, n))]
    mask = rng.random((rows, steps)) < 0.6
    mask[1, SEGMENT:] = False
    mask[2] = False
    seen = arrays.ahead(sweeper, given, [state], bind, [0, 1], mask)
    bars = arrays.back(sweeper, given, [state], bind, ups, end, mask)
    for row, kept in enumerate(mask):
        if not kept.any():
            np.testing.assert_array_equal(seen[2][row], state[row].astype(np.float32))
            np.testing.assert_array_equal(bars[2][row], end[0][row].astype(np.float32))
            continue
        short = [a[row : row + 1, kept] for a in given]
        rest = slice(row, row + 1)
        for whole, part in zip(seen, arrays.ahead(sweeper, short, [state[rest]], bind, [0, 1]), strict=True):
            np.testing.assert_array_equal(whole[row][kept] if whole.ndim == 3 else whole[row], part[0])
        short_bars = arrays.back(sweeper, short, [state[rest]], bind, [u[rest, kept] for u in ups], [end[0][rest]])
        for whole, part in zip(bars, short_bars, strict=True):
            np.testing.assert_array_equal(whole[row][kept] if whole.ndim == 3 else whole[row], part[0])
    for whole in (*seen[:2], *bars[:2]):
        assert not whole[~mask].any()


def test_what_is_not_given_is_zero_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = emit(step_of(TINY), TABLE["fast_sigmoid"], True, frozenset())
    sweeper = Sweeper(kernel)
    current = np.random.default_rng(2).uniform(0, 8, (4, 300, 400))
    step = step_of(TINY)
    values, _ = bound(step, adjoint.run(step))
    bind = [np.asarray(values[name], dtype=float) for name in kernel.bind]
    initial = np.zeros((4, 400))
    found = []
    for threads, silent in (("1", NOTHING), ("2", NOTHING), ("2", np.zeros_like(current))):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        ahead = arrays.ahead(sweeper, [current, silent], [initial], bind, [0, 1])
        back = arrays.back(sweeper, [current, silent], [initial], bind, [ahead[0], NOTHING], [NOTHING])
        found.append((*ahead, back[0]))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


# --- in Keras


@pytest.fixture(scope="module")
def keras() -> Any:
    pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
    from birc.backends.keras import BACKEND

    if BACKEND.missing() is not None:
        pytest.skip(f"needs {BACKEND.missing()}")
    return importlib.import_module("birc.backends.keras.run").load_keras()


SLOPED = [name for name, surrogate in TABLE.items() if surrogate.slope]
LAYERS: list[tuple[str, str, dict[str, Any], float]] = [
    ("lif_unit", "1 ms", {"learn": ["tau_m", "v_th"], "detach_reset": False}, 60),
    ("lif_unit", "1 ms", {"learn": ["tau_m"], "per_feature": True, "surrogate": {"name": "arctan", "scale": 0.5}}, 60),
    ("lif_unit", "1 ms", {"output": ["spikes", "v"], "ports": "syn"}, 3),
    ("lif_unit", "1 ms", {"return_sequences": False, "output": "v"}, 60),
    ("adex", "0.1 ms", {"learn": ["a", "tau_w"], "output": ["spikes", "v", "w"]}, 30000),
    ("izhikevich", "1 ms", {"learn": ["a", "b", "c", "d"]}, 40),
    *(("lif_unit", "1 ms", {"learn_surrogate": True, "surrogate": {"name": name, "scale": 0.7}}, 60) for name in SLOPED),
    ("lif_unit", "1 ms", {"learn_surrogate": True, "learn": ["v_th"], "detach_reset": False, "mask": True}, 60),
    ("adex", "0.5 ms", {"substeps": 2, "mask": True, "learn": ["a"], "output": ["spikes", "v"]}, 10000),
    ("lif_unit", "1 ms", {"return_sequences": False, "output": "v", "mask": True}, 60),
    ("lif_noise", "0.1 ms", {"seed": 3, "learn": ["v_th"], "output": ["spikes", "v"]}, 3000),
    ("lif_noise", "0.1 ms", {"seed": 3, "noise": False, "output": ["spikes", "v"]}, 3000),
    ("gif", "1 ms", {"seed": 3, "substeps": 2, "mask": True}, 3000),
]
STEEP = ("adex", "izhikevich")
"""Neurons whose upstroke magnifies a last bit: that a compiler rounds a product and a sum together is enough."""
BITS = 2.0**-21
"""By how much of itself an input is moved, to see what the upstroke makes of last bits."""


@pytest.mark.parametrize(("model", "dt", "options", "strength"), LAYERS)
def test_a_layer_equals_its_loop(keras: Any, model: str, dt: str, options: dict[str, Any], strength: float) -> None:
    """Outputs, last states and the gradients that `fit` takes, by one step of plain descent; with `mask`, where some rows are masked.

    Where the upstroke is steep, a neuron may be off by as much as it moves when its inputs move by their last bits; spikes never are.
    """
    made = driver.compile_model(model, target="keras", dt=dt, dtype="f32")
    rng = np.random.default_rng(0)
    x = rng.uniform(0, strength, (3, 40, 4)).astype(np.float32)
    options = dict(options)
    some = bool(options.pop("mask", False))
    masked = rng.random((3, 40)) < 0.3 * some
    masked[:2, 25:] = [[False], [some]]
    x[masked] = 0
    found = _learned(keras, made, options, x, True, some)
    loop = _learned(keras, made, options, x, False, some)
    assert np.isfinite(found[0][0]).all() and found[0][0].any()
    if options.get("output") != "v":
        np.testing.assert_array_equal(found[0][0], loop[0][0])
    moved = [x * np.float32(1 + bits) for bits in ((BITS, -BITS) if model in STEEP else ())]
    others = [_learned(keras, made, options, x, True, some) for x in moved]
    for part, near, floor in ((0, 1e-5, 1.0), (1, 2e-4, 1e-6)):
        for i, (a, b) in enumerate(zip(found[part], loop[part], strict=True)):
            by_neuron = tuple(range(max(a.ndim - 1, 0)))
            bits = sum((np.abs(other[part][i] - a).max(axis=by_neuron) for other in others), np.zeros(a.shape[-1:]))
            allowed = near * np.abs(b) + near * (np.abs(b).max() + floor) + bits
            assert (np.abs(a - b) <= allowed).all(), (part, i, np.abs(a - b).max(), np.abs(b).max())


def _learned(keras: Any, made: Any, options: dict[str, Any], x: Any, fused: bool, masked: bool) -> tuple[list[Any], list[Any]]:
    """What a layer gives, and by how much a step of plain descent moves its weights."""
    ops = keras.ops
    start = keras.initializers.RandomUniform(0.0, 0.3, seed=1)
    layer = made.layer(units=70, kernel_initializer=start, fused=fused, return_state=True, dtype="float32", **options)
    before = keras.layers.Masking() if masked else keras.layers.Identity()
    out = keras.tree.flatten(layer(before(x)))
    inner = keras.layers.Input((40, 4))
    several = len(options["output"]) if isinstance(options.get("output"), list) else 1
    seen = keras.tree.flatten(layer(before(inner)))[:several]
    model = keras.Model(inner, [ops.sum(ops.reshape(s, (-1, 70)) * 1e-3, axis=-1) for s in seen])
    model.compile(keras.optimizers.SGD(1.0), [lambda _, y: ops.sum(y)] * several)
    weights = [ops.convert_to_numpy(w) for w in model.trainable_weights]
    targets = [np.zeros(3, np.float32)] * several
    model.train_on_batch(x, targets if several > 1 else targets[0])
    after = [ops.convert_to_numpy(w) for w in model.trainable_weights]
    assert layer._at_once is fused
    return [ops.convert_to_numpy(o) for o in out], [a - w for a, w in zip(after, weights, strict=True)]


def test_a_stateful_layer_goes_on(keras: Any) -> None:
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    x = np.random.default_rng(0).uniform(0, 60, (2, 30, 3)).astype(np.float32)
    whole = keras.ops.convert_to_numpy(made.layer()(x))
    layer = made.layer(stateful=True)
    parts = [keras.ops.convert_to_numpy(layer(x[:, k : k + 10])) for k in (0, 10, 20)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    layer.reset_state()
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(x[:, :10])), whole[:, :10])


def test_recurrence_takes_the_loop(keras: Any) -> None:
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    assert made.layer()._at_once
    assert made.layer(learn_surrogate=True)._at_once
    assert not made.layer(recurrent=True)._at_once
    assert not made.layer(fused=False)._at_once
    assert driver.compile_model("lif_noise", target="keras", dt="1 ms", dtype="f32").layer()._at_once


def test_the_environment_turns_it_off(keras: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from birc.fused.layer import fused

    artifact = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32").artifact
    engine = keras.backend.backend()
    assert fused(artifact, engine, keras.ops) is not None
    monkeypatch.setenv("BIRC_FUSED", "0")
    assert fused(artifact, engine, keras.ops) is None
    monkeypatch.delenv("BIRC_FUSED")
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert fused(artifact, engine, keras.ops) is None


def test_what_does_not_fit_is_said_and_never_read() -> None:
    kernel = emit(step_of(TINY), TABLE["fast_sigmoid"], True, frozenset())
    sweeper = Sweeper(kernel)
    x, state = np.zeros((2, 5, 3)), np.zeros((2, 3))
    one = [np.ones(())] * len(kernel.bind)
    assert len(arrays.ahead(sweeper, [x, x], [state], one, [0])) == 2
    for inputs, initial, bind, message in (
        ([x, x[:, :4]], state, one, r"inputs of shapes \[2, 5, 3\] and \[2, 4, 3\]"),
        ([x, x], state[:1], one, r"an initial state of shape \[1, 3\]; expected \[2, 3\]"),
        ([x, x], state, [np.ones(2), *one[1:]], r"a parameter of shape \[2\] for 3 neurons"),
    ):
        with pytest.raises(ValueError, match=message):
            arrays.ahead(sweeper, inputs, [initial], bind, [0])
    with pytest.raises(ValueError, match=r"a mask of shape \[2, 4\]; expected \[2, 5\]"):
        arrays.ahead(sweeper, [x, x], [state], one, [0], np.ones((2, 4)))


def test_a_layer_with_too_few_values_of_a_parameter_is_refused(keras: Any) -> None:
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    with pytest.raises(Exception, match=r"2.*5|5.*2"):
        made.layer(units=5, tau_m=[5.0, 10.0])(np.ones((2, 4, 3), np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_all_of_this_on_the_other_engines(keras: Any, engine: str) -> None:
    from tests.nn.engines import ALONE, ENGINE, run_on

    if ALONE in os.environ or engine == ENGINE:
        pytest.skip("already on its own")
    pytest.importorskip(engine, reason=f"needs {engine}")
    run_on(engine, __file__, "-m", "not slow")
