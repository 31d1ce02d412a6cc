"""Encoders against spikes written down by hand, and their data sets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from birc.nn.decoding import SpikeDecoder
from birc.nn.encoding import SpikeEncoder

ROOT = Path(__file__).parent.parent.parent
X = np.array([[0.0, 0.25, 0.5, 1.0]])


def rows(spikes: Any) -> list[str]:
    """The train of each feature of the first sample, as text."""
    return ["".join(str(int(z)) for z in train) for train in spikes[0].T]


def test_rates_are_spread_evenly() -> None:
    assert rows(SpikeEncoder.rate_encode(X, time_steps=8)) == ["00000000", "01000100", "10101010", "11111111"]


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_rates_are_counts(steps: int) -> None:
    x = np.random.default_rng(0).random((3, 5))
    np.testing.assert_array_equal(SpikeEncoder.rate_encode(x, steps).sum(1), np.floor(x * steps + 0.5))


def test_one_spike_the_earlier_the_larger() -> None:
    # (1 - x) * 4: 3 and 2 and 0; nothing at 0
    assert rows(SpikeEncoder.temporal_encode(X, time_window=5e-3, dt=1e-3)) == ["00000", "00010", "00100", "10000"]
    assert SpikeEncoder.temporal_encode(X).shape == (1, 50, 4)


def test_latency_of_a_leaky_membrane() -> None:
    # 2 ms * log(x / (x - 0.2)): 3.22 ms at 0.25, 1.02 ms at 0.5, 0.45 ms at 1
    assert rows(SpikeEncoder.latency_encode(X, 5e-3, tau=2e-3, threshold=0.2)) == ["00000", "00010", "01000", "10000"]
    assert rows(SpikeEncoder.latency_encode(X, 2e-3, tau=2e-3, threshold=0.25)) == ["00", "00", "01", "10"]


def test_poisson_rates_and_seeds() -> None:
    x = np.tile(np.array([[0.0, 0.3, 1.0]]), (200, 1))
    spikes = SpikeEncoder.poisson_encode(x, dt=1e-3, max_rate=200.0, time_steps=100, seed=5)
    assert spikes.shape == (200, 100, 3) and spikes.dtype == np.float32
    mean, sd = spikes.mean((0, 1)), np.sqrt(0.06 * 0.94 / 20000)
    assert mean[0] == 0
    assert abs(mean[1] - 0.06) < 4 * sd
    assert abs(mean[2] - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 20000)
    np.testing.assert_array_equal(SpikeEncoder.poisson_encode(x, max_rate=200.0, time_steps=100, seed=5), spikes)
    assert not np.array_equal(SpikeEncoder.poisson_encode(x, max_rate=200.0, time_steps=100, seed=6), spikes)
    assert not np.array_equal(SpikeEncoder.poisson_encode(x), SpikeEncoder.poisson_encode(x))
    assert SpikeEncoder.poisson_encode(np.ones((1, 1)), dt=1e-3, max_rate=1000.0, time_steps=4).all()


def test_delta_sends_what_moved() -> None:
    x = np.array([[0.0, 0.1, 0.15, 0.2, 0.5, 0.25, 0.3]])[..., None]
    assert SpikeEncoder.delta_encode(x, 0.1, signed=True)[0, :, 0].tolist() == [0, 1, 0, 1, 1, -1, 0]
    both = SpikeEncoder.delta_encode(x, 0.1)
    assert rows(both) == ["0101100", "0000010"]


def test_delta_keeps_the_remainder() -> None:
    x = np.linspace(0, 1, 21)[None, :, None]  # 0.05 a step: a spike in every second
    assert rows(SpikeEncoder.delta_encode(x, 0.1))[0] == "001" + "01" * 9


def test_population_is_gaussian() -> None:
    found = SpikeEncoder.population_encode(np.array([[0.5, 0.0]]), neurons=3, sigma=0.5, time_steps=1000)
    near, far = np.exp(-0.5), np.exp(-2)
    np.testing.assert_allclose(found.mean(1)[0], [near, 1, near, 1, near, far], atol=5e-4)
    early = SpikeEncoder.population_encode(np.array([[0.5]]), neurons=3, code="temporal", time_window=11e-3)
    assert early[0].argmax(0).tolist() == [4, 0, 4]  # (1 - e^-1/2) * 10 = 3.93


def test_phases_are_binary_digits() -> None:
    assert rows(SpikeEncoder.phase_encode(np.array([[0.0, 0.625, 1.0]]), bits=3)) == ["000", "101", "111"]
    assert rows(SpikeEncoder.phase_encode(np.array([[0.625]]), bits=3, time_steps=7)) == ["1011011"]
    x = np.random.default_rng(0).random((4, 6))
    again = SpikeDecoder.weighted_decode(SpikeEncoder.phase_encode(x, bits=10), weights=0.5 ** np.arange(1, 11))
    assert (x - again >= 0).all() and (x - again < 2.0**-10).all()


ENCODERS: dict[str, Callable[..., Any]] = {
    name: getattr(SpikeEncoder, f"{name}_encode") for name in ("poisson", "rate", "temporal", "latency", "phase", "population")
}


@pytest.mark.parametrize("name", ENCODERS)
def test_images_keep_their_axes_and_bytes_are_divided_by_255(name: str) -> None:
    image = np.random.default_rng(1).integers(0, 256, (2, 4, 5), np.uint8)
    seed = {"seed": 1} if name == "poisson" else {}
    spikes = ENCODERS[name](image, **seed)
    assert spikes.dtype == np.float32
    assert spikes.shape[0] == 2 and spikes.shape[2:] == ((4, 50) if name == "population" else (4, 5))
    np.testing.assert_array_equal(spikes, ENCODERS[name](image / 255, **seed))
    flat = ENCODERS[name](image.reshape(2, 20), **seed)
    np.testing.assert_array_equal(flat.reshape(spikes.shape), spikes)


def test_truth_values_and_zeros_and_ones() -> None:
    for x in (np.array([[True, False]]), np.array([[1, 0]]), np.array([[1.0, 0.0]], np.float16)):
        assert rows(SpikeEncoder.rate_encode(x, 2)) == ["11", "00"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SpikeEncoder.rate_encode(np.array([[0, 7]])),
         "error[I311]: rate_encode: integers of type int64 from 0 to 7; expected uint8, which is divided by 255, or floats in [0, 1]\n"
         "  help: divide by the largest value that there can be"),
        (lambda: SpikeEncoder.poisson_encode(np.array([[-0.5, 1.5]])),
         "error[I311]: poisson_encode: values from -0.5 to 1.5; expected intensities in [0, 1]\n"
         "  help: (x - low) / (high - low), with the bounds of the training data, brings them there"),
        (lambda: SpikeEncoder.phase_encode(np.array([[np.nan, 0.5]])), "error[I311]: phase_encode: 1 of 2 values are NaN or infinite"),
        (lambda: SpikeEncoder.temporal_encode(np.zeros(3)),
         "error[I311]: temporal_encode: data of shape [3]; expected [batch, features]\n  help: one sample is x[None]"),
        (lambda: SpikeEncoder.latency_encode(np.array([["a"]])), "error[I311]: latency_encode: data of type <U1; expected numbers"),
        (lambda: SpikeEncoder.delta_encode(np.zeros((2, 3))),
         "error[I311]: delta_encode: data of shape [2, 3]; expected [batch, time, features]"),
        (lambda: SpikeEncoder.poisson_encode(X, max_rate=-1), "error[I312]: poisson_encode: max_rate = -1 is no number above 0"),
        (lambda: SpikeEncoder.poisson_encode(X, max_rate=2000),
         "error[I312]: poisson_encode: max_rate * dt = 2 spikes per step; expected 1 at most\n  help: a shorter dt, or a lower max_rate"),
        (lambda: SpikeEncoder.poisson_encode(X, time_steps=2.5),  # type: ignore[arg-type]
         "error[I312]: poisson_encode: time_steps = 2.5 is no whole number from 1 on"),
        (lambda: SpikeEncoder.temporal_encode(X, 2.5e-3),
         "error[I312]: temporal_encode: time_window = 0.0025 is 2.5 steps of dt = 0.001; expected a whole number"),
        (lambda: SpikeEncoder.population_encode(X, 1), "error[I312]: population_encode: neurons = 1 is no whole number from 2 on"),
        (lambda: SpikeEncoder.population_encode(X, code="delta"),
         "error[I312]: population_encode: code = 'delta' is none of rate, poisson, temporal, latency"),
        (lambda: SpikeEncoder.phase_encode(X, bits=25), "error[I312]: phase_encode: bits = 25 is no number in [1, 24]"),
    ],
)  # fmt: skip
def test_mistakes_are_said(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(BircError) as error:
        call()
    assert str(error.value) == message


def test_encoders_and_decoders_need_no_keras() -> None:
    code = (
        "import sys; sys.modules['keras'] = None; import birc.nn.encoding; from birc.nn import SpikeDecoder, SpikeEncoder; "
        "print(SpikeDecoder.rate_decode(SpikeEncoder.rate_encode([[0.5]], 4)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[[0.5]]"


# --- data sets


def test_a_data_set_is_encoded_batch_by_batch() -> None:
    pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
    from birc.nn.encoding import EncodedDataset

    x, y = np.linspace(0, 1, 10)[:, None], np.arange(10)
    data = EncodedDataset(x, y, "rate", batch_size=4, shuffle=False, options={"time_steps": 6})
    assert [len(data[i][0]) for i in range(len(data))] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([data[i][0] for i in range(3)]), SpikeEncoder.rate_encode(x, 6))
    assert np.concatenate([data[i][1] for i in range(3)]).tolist() == y.tolist()


def test_the_spikes_of_a_data_set_come_again_in_a_run_and_not_in_an_epoch() -> None:
    pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
    from birc.nn.encoding import EncodedDataset

    x, y = np.random.default_rng(0).random((10, 3)), np.arange(10)
    first, second = (EncodedDataset(x, y, batch_size=5, seed=3) for _ in range(2))
    for _ in range(2):
        for i in range(2):
            for a, b in zip(first[i], second[i], strict=True):
                np.testing.assert_array_equal(a, b)
        before = first[0]
        first.on_epoch_end()
        second.on_epoch_end()
        assert not np.array_equal(before[0], first[0][0])
        assert sorted(np.concatenate([first[i][1] for i in range(2)])) == list(range(10))
    with pytest.raises(BircError, match=r"error\[I311\]: EncodedDataset: x, y and sample_weight have \[10, 9\] samples"):
        EncodedDataset(x, y[:9])
    with pytest.raises(BircError, match=r"EncodedDataset: encode = 'poison' is none of poisson, rate, "):
        EncodedDataset(x, y, "poison")


def test_a_tensorflow_data_set_is_encoded() -> None:
    tf: Any = pytest.importorskip("tensorflow", reason="needs tensorflow")
    pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
    from birc.nn.encoding import encoded_tf_dataset

    x, y = np.random.default_rng(0).random((6, 3)).astype(np.float32), np.arange(6)
    raw = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    rates = encoded_tf_dataset(raw, "rate", time_steps=5)
    assert rates.element_spec[0].shape.as_list() == [None, 5, 3]
    np.testing.assert_array_equal(np.concatenate([z for z, _ in rates.as_numpy_iterator()]), SpikeEncoder.rate_encode(x, 5))
    assert np.concatenate([label for _, label in rates.as_numpy_iterator()]).tolist() == y.tolist()
    noisy = encoded_tf_dataset(raw.map(lambda a, b: a), "poisson", seed=2, time_steps=50)
    first, again = (list(noisy.as_numpy_iterator()) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0][:2], first[1])
    signals = encoded_tf_dataset(tf.data.Dataset.from_tensor_slices(x[None].repeat(2, 0)).batch(1), "delta")
    assert signals.element_spec.shape.as_list() == [None, 6, 6]


def test_a_model_is_trained_on_a_data_set() -> None:
    pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
    from birc.nn.encoding import EncodedDataset
    from tests.nn.engines import keras

    data = EncodedDataset(np.random.default_rng(0).random((10, 3)), np.arange(10) % 2, batch_size=4, options={"time_steps": 5})
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(data, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2
    assert data.epoch >= 2


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["jax", "torch"])
def test_data_sets_on_the_other_engines(engine: str) -> None:
    pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
    pytest.importorskip(engine, reason=f"needs {engine}")
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        pytest.skip("already on its own")
    from tests.nn.engines import run_on

    run_on(engine, __file__)
