"""Synapses for Keras: what the emitted module does is what the reference does, event by event."""

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
from birc.backends.keras.engines import ENGINES
from birc.driver import Compiled
from birc.errors import BircError
from tests.nn.reference import listed, run, spikes, weights

pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
if BACKEND.missing() is not None:
    pytest.skip(f"needs {BACKEND.missing()}", allow_module_level=True)

RUN = importlib.import_module("birc.backends.keras.run")
keras: Any = RUN.load_keras()
ENGINE: str = keras.backend.backend()
ALONE = "BIRC_TEST_ONE_ENGINE"
SYNAPSES = [
    ("pair_stdp", "PairSTDP", "pA"), ("pair_stdp", "NearestSTDP", "pA"), ("pair_stdp", "UnitSTDP", "1"),
    ("pair_stdp", "WeightDependentSTDP", "pA"), ("pair_stdp", "PowerLawSTDP", "pA"), ("triplet_stdp", "TripletSTDP", "pA"),
    ("tsodyks_markram", "TsodyksMarkram", "pA"), ("tsodyks_markram", "ShortTermDepression", "pA"),
    ("graupner_brunel", "GraupnerBrunel", "pA"), ("reward_stdp", "RewardSTDP", "pA"), ("vogels_istdp", "VogelsSTDP", "pA"),
]  # fmt: skip
TOLD = """from birc use {synapse}

neuron Told:
    state total = {zero}, due = 0
    input shown: 1
    on sent(w: {unit}): total += w
    on fire(w: 1): due += w
    output seen: 1 = shown
    spike when due >= 0.5:
        due = 0

network Given:
    population cells: Told[3]
    source sources: spikes(file = "pre.npz")[4]
    source told: spikes(file = "post.npz")[3]
    source level: current_step(amplitude = 0.5)[3]
    project level -> cells.shown: w = 1, one_to_one
    project told -> cells.fire: w = 1, one_to_one
    project sources -> cells.sent: {synapse}{fed}, all_to_all
"""


def compiled(file: str, model: str, **options: Any) -> Compiled:
    return driver.compile_model(file, target="keras", model=model, dt="1 ms", dtype="f32", **options)


def numbers(tensor: Any) -> Any:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.mark.parametrize(("file", "model", "unit"), SYNAPSES)
def test_a_layer_does_what_the_reference_does(file: str, model: str, unit: str, tmp_path: Path) -> None:
    """Four sources, three targets, 300 steps: what each target was sent, and every state of every synapse."""
    pre, post = spikes((300, 4), 0.08, 1), spikes((300, 3), 0.08, 2)
    listed(tmp_path, "pre.npz", pre)
    listed(tmp_path, "post.npz", post)
    made = compiled(file, model)
    module = RUN.load_module(made.artifact)
    fed = "".join(f"({name} = post.seen)" for name in module.PORTS)
    result = run(tmp_path, TOLD.format(synapse=model, unit=unit, zero="0" if unit == "1" else f"0 {unit}", fed=fed), 300)
    level = np.full((300, 1), 0.5, np.float32)
    level[0] = 0  # what a cell shows is what it was given in the step before
    layer = made.layer()
    sent = numbers(layer([x[None] for x in (pre, post, *([level] * len(module.PORTS)))], training=True))
    np.testing.assert_allclose(sent[0].sum(0), result.state.values["cells.total"], rtol=2e-5)
    row = np.concatenate([pre, post, *([level] * len(module.PORTS))], axis=1)
    start = list(module.Synapses("1 ms").initial(1, 4, 3).values())
    state = dict(zip(module.STATE, layer.loop(row[None], initial_state=start)[1:], strict=True))
    for slot in module.SLOTS:
        wanted = weights(result, "sources -> cells.sent", (4, 3), slot)
        np.testing.assert_allclose(numbers(state[slot])[0], wanted, rtol=2e-5, atol=1e-6)
        if slot == module.WEIGHT:
            np.testing.assert_allclose(numbers(layer.kernel), wanted, rtol=2e-5)
            assert np.ptp(wanted) > 1e-4


# --- the layer


def test_the_change_of_a_batch_is_the_mean_of_its_samples() -> None:
    pre, post = spikes((3, 60, 4), 0.1, 1), spikes((3, 60, 2), 0.1, 2)
    alone = []
    for i in range(3):
        layer = compiled("pair_stdp", "UnitSTDP").layer()
        layer([pre[i : i + 1], post[i : i + 1]], training=True)
        alone.append(numbers(layer.kernel))
    together = compiled("pair_stdp", "UnitSTDP").layer()
    together([pre, post], training=True)
    np.testing.assert_allclose(numbers(together.kernel), np.mean(alone, axis=0), rtol=1e-6)
    assert np.ptp(alone, axis=0).max() > 1e-4


def test_nothing_is_kept_of_a_call_that_does_not_train() -> None:
    pre, post = spikes((1, 60, 4), 0.2, 1), spikes((1, 60, 2), 0.2, 2)
    layer = compiled("pair_stdp", "UnitSTDP").layer()
    first = numbers(layer([pre, post]))
    np.testing.assert_array_equal(numbers(layer.kernel), 0.5)
    np.testing.assert_array_equal(numbers(layer([pre, post])), first)


def test_a_saved_layer_has_its_weights(tmp_path: Path) -> None:
    inputs = [keras.Input((30, 4)), keras.Input((30, 2))]
    layer = compiled("pair_stdp", "UnitSTDP").layer(kernel_initializer="random_uniform", eta=0.1, preset=None)
    model = keras.Model(inputs, layer(inputs))
    given = [spikes((1, 30, 4), 0.2, 1), spikes((1, 30, 2), 0.2, 2)]
    model(given, training=True)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numbers(again.layers[-1].kernel), numbers(layer.kernel))
    np.testing.assert_array_equal(numbers(again(given)), numbers(model(given)))
    assert again.layers[-1].get_config() == layer.get_config()


def test_parameters_are_those_of_compilation_or_of_the_layer() -> None:
    module = RUN.load_module(compiled("pair_stdp", "PairSTDP").artifact)
    assert module.Synapses("1 ms", {"tau_p": "0.01 s", "A_p": 0.1}).values["tau_p"] == 10
    made = compiled("pair_stdp", "WeightDependentSTDP", preset="van_rossum", params={"eta": 0.5})
    assert RUN.load_module(made.artifact).Synapses("1 ms").values["eta"] == 0.5
    assert made.layer().synapses.values["mu_p"] == 0
    assert made.layer(eta=0.25).synapses.values["eta"] == 0.25


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tau_q": 3}, "parameter: 'tau_q' is none of eta, A_p, A_m, w_min, w_max, tau_p, tau_m; did you mean 'tau_p'?"),
        ({"tau_p": -3}, "tau_p = -3 is outside its range (0, inf) ms"),
        ({"dt": 0}, "dt = 0: a step lasts longer than 0 and not for ever"),
        ({"preset": "fast"}, "preset: 'fast' is none of none"),
    ],
)
def test_mistakes_are_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BircError) as error:
        compiled("pair_stdp", "UnitSTDP").layer(**options)
    assert str(error.value) == f"error[I301]: layer of `UnitSTDP`: {message}"


def test_inputs_of_another_form_are_said() -> None:
    layer = compiled("reward_stdp", "RewardSTDP").layer()
    with pytest.raises(ValueError) as error:
        layer([np.zeros((1, 3, 2), np.float32), np.zeros((1, 3, 2), np.float32)])
    assert str(error.value).startswith(
        "inputs: expected spikes [batch, time, sources] and [batch, time, targets], DA [batch, time, 1], not [(1, 3, 2), (1, 3, 2)]"
    )


# --- the target


def test_the_command_line_writes_the_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "birc", "compile", "pair_stdp", "--model", "PairSTDP", "--target", "keras", "-o", "out"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "PairSTDP for keras, dt 0.1 ms, f64, in out:"
    assert (tmp_path / "out" / "PairSTDP.py").read_text("utf-8") == compiled("pair_stdp", "PairSTDP").artifact.files["PairSTDP.py"]


def test_a_synapse_does_not_run_by_itself() -> None:
    with pytest.raises(BircError) as error:
        compiled("pair_stdp", "PairSTDP").run("1 ms")
    assert str(error.value).startswith("error[L110]: the synapse `PairSTDP` cannot run by itself")
    with pytest.raises(BircError, match="L110"):
        driver.compile_model("pair_stdp", target="numpy", model="PairSTDP")


def test_noise_is_refused(tmp_path: Path) -> None:
    text = "synapse Drift:\n    state w = 1\n    noise xi\n    w' = -w / 1 s + 0.1 * xi / sqrt(1 s)\n    on pre:\n        send w\n"
    (tmp_path / "s.birc").write_text(text, "utf-8")
    with pytest.raises(BircError) as error:
        driver.compile_model(tmp_path / "s.birc", target="keras")
    assert str(error.value).startswith("error[L203]: Keras does not take noise")


def test_a_preset_that_is_none_is_said() -> None:
    with pytest.raises(BircError) as error:
        compiled("pair_stdp", "WeightDependentSTDP", preset="additiv")
    assert str(error.value) == (
        "error[A012]: `WeightDependentSTDP` has no preset `additiv`\n"
        "  help: did you mean `additive`? presets: additive, multiplicative, van_rossum, guetig"
    )


# --- every Keras


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", [e for e in ENGINES if e != ENGINE and find_spec(e)])
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": engine, ALONE: "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", __file__], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
