"""Networks that are ready: they fire from the start, in every layer, and learn."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from birc.errors import BircError
from birc.nn.builders import PLASTICITY
from birc.nn.readout import FirstSpikeScore
from tests.nn.kit import keras, nn, numbers


def spikes(*shape: int, density: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random(shape) < density).astype(np.float32)


@pytest.mark.parametrize("neuron_type", ["lif", "alif", "izhikevich", "adex"])
def test_a_fresh_network_is_neither_silent_nor_saturated(neuron_type: str) -> None:
    keras.utils.set_random_seed(1)
    model = nn.create_spiking_classifier((60,), 4, neuron_type, time_steps=60, hidden_units=[48, 32])
    assert (model.input_shape, model.output_shape) == ((None, 60, 60), (None, 4))
    layers = [layer for layer in model.layers if isinstance(layer, nn.BaseBiologicalLayer)]
    each = keras.Model(model.inputs, [layer.output for layer in layers])
    for density in (0.05, 0.3):
        for fired in each.predict(spikes(8, 60, 60, density=density), verbose=0):
            assert 0.004 < fired.mean() < 0.35
            assert (fired.sum((0, 1)) > 0).mean() >= 0.5


def test_images_of_any_shape() -> None:
    model = nn.create_spiking_classifier((4, 4, 2), 3, time_steps=5, hidden_units=[6])
    assert model.output_shape == (None, 3)
    assert [tuple(w.shape) for w in model.trainable_weights] == [(32, 6), (6,), (6, 3), (3,)]


def test_the_classifier_learns() -> None:
    keras.utils.set_random_seed(2)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 96)
    rates = np.full((96, 12), 0.05)
    for i, label in enumerate(y):
        rates[i, 4 * label : 4 * label + 4] = 0.5
    x = (rng.random((96, 15, 12)) < rates[:, None]).astype(np.float32)
    model = nn.create_spiking_classifier((12,), 3, time_steps=15, hidden_units=[16])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), lambda t, p: loss(t, 15 * p), metrics=["accuracy"])
    history = model.fit(x, y, epochs=12, batch_size=16, verbose=0).history
    assert history["accuracy"][-1] > 0.9
    assert history["loss"][-1] < history["loss"][0] / 2


@pytest.mark.parametrize("readout", ["rate", "membrane", "first_spike"])
def test_every_readout_scores_learns_and_is_saved(readout: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(2)
    y = np.arange(48) % 3
    x = spikes(48, 20, 12, density=0.05)
    for i, label in enumerate(y):
        x[i, :, 4 * label : 4 * label + 4] = spikes(20, 4, density=0.5, seed=int(i))
    model = nn.create_spiking_classifier((12,), 3, time_steps=20, hidden_units=[24], readout=readout)
    assert model.output_shape == (None, 3)
    loss = nn.SpikingCrossEntropy(20, scale={"rate": 20.0, "membrane": 1.0, "first_spike": 4.0}[readout])
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    assert model.fit(x, y, epochs=20, batch_size=16, verbose=0).history["accuracy"][-1] > 0.8
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(numbers(keras.saving.load_model(tmp_path / "model.keras")(x)), numbers(model(x)), atol=1e-5)
    cnn = nn.create_spiking_cnn((8, 8, 1), 3, time_steps=6, filters=[4], hidden_units=[8], readout=readout)
    assert numbers(cnn(spikes(2, 6, 8, 8, 1, density=0.3))).shape == (2, 3)


def test_scores_by_hand() -> None:
    """Three neurons in four steps: one fires at once, one in the last row and one never."""
    z = np.zeros((1, 4, 3), np.float32)
    z[0, :, 0], z[0, 3, 1] = 1, 1
    np.testing.assert_array_equal(numbers(FirstSpikeScore()(z)), [[1, 0.25, 0]])
    logits = -nn.FirstSpikeCrossEntropy(tau=2.0)(np.array([1]), z)
    np.testing.assert_allclose(-nn.SpikingCrossEntropy(4, scale=4 / 2.0)(np.array([1]), FirstSpikeScore()(z)), logits, rtol=1e-6)


def test_a_network_with_the_gain_of_the_layers_is_silent() -> None:
    x = spikes(4, 50, 30, density=0.3)
    assert not numbers(nn.create_spiking_classifier((30,), 3, time_steps=50, hidden_units=[16], gain=1.0)(x)).any()
    assert numbers(nn.create_spiking_classifier((30,), 3, time_steps=50, hidden_units=[16], gain=80.0)(x)).any()


def test_the_convolutional_network() -> None:
    model = nn.create_spiking_cnn((8, 8, 1), 3, time_steps=6, filters=[4], hidden_units=[8])
    x = spikes(2, 6, 8, 8, 1, density=0.3)
    assert numbers(model(x)).shape == (2, 3)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert np.isfinite(model.fit(x, np.array([0, 2]), verbose=0).history["loss"][0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neuron_type": "lfi"}, "neuron_type: 'lfi' is none of lif, alif, izhikevich, adex\n  help: did you mean 'lif'?"),
        ({"readout": "rates"}, "readout: 'rates' is none of rate, membrane, first_spike\n  help: did you mean 'rate'?"),
        ({"gain": 0}, "gain = 0 is no number above 0"),
        ({"learning_rule": "stdpp"}, "learning_rule: 'stdpp' is none of stdp, stp\n  help: did you mean 'stdp'?"),
        ({"time_steps": 0}, "time_steps = 0 is no whole number from 1 on"),
        ({"hidden_units": [8, 2.5]}, "hidden_units[1] = 2.5 is no whole number from 1 on"),
    ],
)
def test_mistakes(options: dict[str, object], message: str) -> None:
    with pytest.raises(BircError) as error:
        nn.create_spiking_classifier((8,), 3, **options)
    assert str(error.value) == f"error[I301]: create_spiking_classifier: {message}"


@pytest.mark.skipif(find_spec(PLASTICITY) is not None, reason="the plastic layers are there")
def test_rules_of_a_version_without_them() -> None:
    with pytest.raises(BircError, match="learning_rule='stdp': this version of birc has no"):
        nn.create_spiking_classifier((8,), 3, learning_rule="stdp")


@pytest.mark.skipif(find_spec(PLASTICITY) is None, reason="there are no plastic layers")
@pytest.mark.parametrize("rule", ["stdp", "stp"])
def test_rules(rule: str) -> None:
    model = nn.create_spiking_classifier((8,), 3, time_steps=5, hidden_units=[6], learning_rule=rule)
    assert numbers(model(spikes(2, 5, 8, density=0.3))).shape == (2, 3)
