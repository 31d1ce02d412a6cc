"""Schedules, the trainer, backpropagation in chunks, sparse products, and the step of many neurons."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from math import exp
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.errors import BircError
from tests.nn.engines import ALONE, ENGINE, OTHERS, Array, gradient, keras, numbers, ops, run_on

import birc.nn  # isort: skip
from birc.nn import losses, regularizers, training  # isort: skip
from birc.nn.encoding import EncodedDataset  # isort: skip
from birc.nn.training import sparse  # isort: skip
from birc.nn.training.chunks import chunked_gradients  # isort: skip
from birc.nn.training.spiking import spiking_layers  # isort: skip

T, BATCH, FEATURES, CLASSES = 12, 4, 3, 2


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    keras.utils.set_random_seed(1)
    yield


@keras.saving.register_keras_serializable("birc_tests")
class Sloped(keras.layers.Layer):  # type: ignore[misc]
    """Stands for a spiking layer: gives its input times its slope."""

    def build(self, input_shape: Any) -> None:
        self.surrogate_slope = self.add_weight(name="surrogate_slope", shape=(), initializer="ones", trainable=False)

    def call(self, x: Any) -> Any:
        return x * self.surrogate_slope


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(0, 3, shape).astype(np.float32)


def lif(units: int, **options: Any) -> Any:
    return driver.compile("lif_unit", target="keras", dt="1 ms", dtype="f32").layer(units=units, **options)


def spiking_model(time: int | None = T, loss: Any = None, optimizer: Any = None, **options: Any) -> Any:
    model = keras.Sequential([keras.Input((time, FEATURES)), lif(5, **options), lif(CLASSES, output="v")])
    model.compile(optimizer or keras.optimizers.SGD(0.1), loss or losses.MaxMembraneCrossEntropy(3.0))
    return model


def classes(n: int) -> tuple[Array, Array]:
    """Samples of two classes, which differ in what the first and the last feature bring."""
    y = np.arange(n) % 2
    return 4 * noise(n, T, FEATURES) * np.where(y[:, None, None] == 1, [2, 1, 0], [0, 1, 2]).astype(np.float32), y


# --- schedules


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [
        ("linear", [1, 2, 3, 4, 5, 5]),
        ("exponential", [1, 5**0.25, 5**0.5, 5**0.75, 5, 5]),
        ("cosine", [1, 1 + 2 * (1 - 0.5**0.5), 3, 1 + 2 * (1 + 0.5**0.5), 5, 5]),
    ],
)
def test_slopes_of_epochs(schedule: str, wanted: list[float]) -> None:
    scheduler = training.SurrogateScheduler(1.0, 5.0, epochs=5, schedule=schedule)
    assert [scheduler.value(epoch) for epoch in range(6)] == pytest.approx(wanted)
    assert training.SurrogateScheduler(2.0, 7.0, epochs=1).value(0) == 7


def test_slopes_are_set_in_layers_however_deep() -> None:
    one, two, shared = Sloped(), Sloped(), Sloped()
    inner = keras.Sequential([one, shared])
    model = keras.Sequential([keras.Input((T, FEATURES)), inner, keras.layers.TimeDistributed(two), shared])
    assert [id(layer) for layer in spiking_layers(model)] == [id(layer) for layer in (one, shared, two)]
    assert training.SurrogateScheduler(1.0, 3.0, epochs=3).apply(model, 1) == 2
    assert [float(numbers(layer.surrogate_slope)) for layer in (one, two, shared)] == [2, 2, 2]


def test_slopes_reach_what_is_compiled() -> None:
    model = keras.Sequential([keras.Input((T, 1)), Sloped()])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.ones((BATCH, T, 1), np.float32)
    history = model.fit(x, 0 * x, epochs=3, verbose=0, callbacks=[training.SurrogateScheduler(1.0, 3.0, epochs=3)])
    assert history.history["loss"] == pytest.approx([1, 4, 9])
    trainer = training.SpikingTrainer(model, training.SurrogateScheduler(1.0, 3.0, epochs=3))
    assert trainer.fit(x, 0 * x, epochs=3, verbose=0).history["loss"] == pytest.approx([1, 4, 9])
    trainer.epoch = 1
    assert trainer.train_step((x, 0 * x))["loss"] == pytest.approx(4)


def test_slopes_of_real_layers_change_their_gradient() -> None:
    model = keras.Sequential([keras.Input((T, 1)), lif(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    assert spiking_layers(model) == model.layers
    x = np.full((1, 1, 1), 10, np.float32)
    gain = 1 - exp(-1 / 20)
    for epoch, s in enumerate((0.5, 1.0, 2.0)):
        training.SurrogateScheduler(0.5, 2.0, 3, "exponential").apply(model, epoch)
        found = gradient(lambda a: ops.sum(model.layers[0](a)), x)
        assert float(found[0, 0, 0]) == pytest.approx(gain / (1 + 10 * s * abs(10 * gain - 1)) ** 2, rel=1e-4)


@pytest.mark.parametrize(
    ("schedule", "wanted"), [("linear", [3, 6, 9, 12, 12]), ("exponential", [3, 5, 8, 12, 12]), ("cosine", [3, 6, 10, 12, 12])]
)
def test_steps_of_epochs(schedule: str, wanted: list[int]) -> None:
    # exponential: 12 * 4^(-2/3) = 4.8, 12 * 4^(-1/3) = 7.6; cosine: 12 * (1/4 + 3/16) = 5.25, 12 * (1/4 + 9/16) = 9.75
    curriculum = training.TemporalCurriculum(0.25, epochs=4, schedule=schedule)
    assert [curriculum.steps(epoch, 12) for epoch in range(5)] == wanted


@pytest.mark.parametrize("made", [training.SurrogateScheduler(2.0, 3.0, 4, "cosine"), training.TemporalCurriculum(0.5, 3, "exponential")])
def test_schedules_are_saved(made: Any) -> None:
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert (type(again), again.get_config()) == (type(made), made.get_config())


# --- the trainer


def test_a_step_is_that_of_keras() -> None:
    one, two = spiking_model(), spiking_model()
    two.set_weights(one.get_weights())
    x, y = noise(BATCH, T, FEATURES), np.array([0, 1, 1, 0])
    assert training.SpikingTrainer(one).train_step((x, y))["loss"] == pytest.approx(float(two.train_on_batch(x, y)), rel=1e-5)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_the_curriculum_shows_the_first_steps() -> None:
    model = keras.Sequential([keras.Input((None, 1)), Sloped()])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.arange(1.0, 5.0, dtype=np.float32).reshape(1, 4, 1).repeat(6, 0)
    trainer = training.SpikingTrainer(model, temporal_curriculum=training.TemporalCurriculum(0.5, epochs=3))
    seen: list[Any] = []
    history = trainer.fit(
        x, 0 * x, epochs=4, batch_size=4, verbose=0, validation_data=(x, 0 * x),
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))],
    )  # fmt: skip
    means = [np.mean(np.arange(1, n + 1) ** 2) for n in (2, 3, 4, 4)]
    assert history.history["loss"] == pytest.approx(means)
    assert history.history["val_loss"] == pytest.approx([7.5] * 4)
    assert seen == [0, 1, 2, 3]


def test_training_in_a_curriculum_lowers_the_loss() -> None:
    model = spiking_model(time=None, loss=losses.SpikingCrossEntropy(T, scale=4.0), optimizer=keras.optimizers.Adam(0.02))
    x, y = classes(32)
    trainer = training.SpikingTrainer(model, temporal_curriculum=training.TemporalCurriculum(0.5, epochs=3))
    history = trainer.fit(EncodedDataset(x, y, lambda data: data, batch_size=16), epochs=15, verbose=0)
    assert history.history["loss"][-1] < 0.8 * history.history["loss"][3]


def test_early_stopping_stops_a_curriculum() -> None:
    model = keras.Sequential([keras.Input((None, 1)), Sloped()])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.ones((2, 4, 1), np.float32)
    stop = keras.callbacks.EarlyStopping("loss", patience=2)
    assert len(training.SpikingTrainer(model, None, True).fit(x, x * 0, epochs=9, verbose=0, callbacks=[stop]).epoch) == 3


def test_learning_rates_of_epochs() -> None:
    model = keras.Sequential([keras.Input((T, 1)), Sloped()])
    model.compile(keras.optimizers.SGD(7.0), "mse")
    x, rates = np.ones((2, T, 1), np.float32), []
    see = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: rates.append(float(numbers(model.optimizer.learning_rate))))
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, decay_steps=1, decay_rate=0.5)
    training.SpikingTrainer(model, learning_rate=schedule).fit(x, x, epochs=3, verbose=0, callbacks=[see])
    assert rates == pytest.approx([0.5, 0.25, 0.125])


def test_spike_regularizer() -> None:
    model = keras.Sequential([keras.Input((T, 1)), Sloped(), Sloped(activity_regularizer=regularizers.SparsityRegularizer(0.0))])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.ones((BATCH, T, 1), np.float32)
    assert training.SpikingTrainer(model).train_step((x, x))["loss"] == pytest.approx(0)
    trainer = training.SpikingTrainer(model, spike_regularizer=regularizers.SparsityRegularizer(0.5))
    assert trainer.train_step((x, x))["loss"] == pytest.approx(0.5)


# --- chunks


def test_one_chunk_is_a_step_of_keras() -> None:
    options = {"kernel_regularizer": keras.regularizers.L2(0.1), "activity_regularizer": regularizers.SparsityRegularizer(0.3)}
    one, two = (spiking_model(optimizer=keras.optimizers.Adam(0.01), **options) for _ in range(2))
    two.set_weights(one.get_weights())
    x, y = noise(BATCH, T, FEATURES), np.array([0, 1, 1, 0])
    for chunk_size in (T, T + 5):
        loss = training.TemporalProcessor.chunked_bptt(one, x, y, chunk_size, 5)
        two.reset_metrics()  # Keras 3.8 gives the mean since then
        assert float(numbers(loss)) == pytest.approx(float(two.train_on_batch(x, y)), rel=1e-5)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("chunk_size", "overlap"), [(5, 2), (3, 7)])
def test_the_loss_is_that_of_the_whole_sequence(chunk_size: int, overlap: int) -> None:
    model = spiking_model()
    x, y = noise(BATCH, T, FEATURES), np.array([0, 1, 1, 0])
    before = model.get_weights()
    loss, found = chunked_gradients(model, x, y, chunk_size, overlap)
    assert float(numbers(loss)) == pytest.approx(float(model.evaluate(x, y, verbose=0)), rel=1e-5)
    assert [tuple(g.shape) for g in found] == [tuple(v.shape) for v in model.trainable_variables]
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("chunk_size", "overlap"), [(5, 0), (5, 2), (4, 4), (3, 7)])
def test_the_gradient_reaches_back_to_the_warm_up(chunk_size: int, overlap: int) -> None:
    """v_k = sum over j <= k of P^(k-j) Q w x_j; its truncated derivative by w is the sum from the beginning of the run on."""
    model = keras.Sequential([keras.Input((T, 1)), lif(1, output="v", v_th=1e6)])
    model.compile("sgd", "mse")
    x = noise(2, T, 1)
    P = exp(-1 / 20)
    w = float(numbers(model.trainable_variables[0])[0, 0])
    v = np.zeros((2, T))
    reach = np.zeros((2, T))
    for k in range(T):
        begin = max(0, k // chunk_size * chunk_size - overlap)
        powers = P ** (k - np.arange(T)) * (np.arange(T) <= k) * (1 - P)
        v[:, k] = (powers * x[:, :, 0]).sum(1) * w
        reach[:, k] = (powers * x[:, :, 0])[:, begin:].sum(1)
    loss, (found,) = chunked_gradients(model, x, np.zeros((2, T, 1), np.float32), chunk_size, overlap)
    assert float(numbers(loss)) == pytest.approx(np.mean(v**2), rel=1e-4)
    assert float(numbers(found)[0, 0]) == pytest.approx(np.mean(2 * v * reach), rel=1e-4)


def test_chunks_learn_and_sample_weights_count() -> None:
    model = spiking_model(optimizer=keras.optimizers.Adam(0.05))
    x, y = classes(16)
    chunked = training.TemporalProcessor.chunked_bptt
    first = float(numbers(chunked(model, x, y, 5, 2)))
    for _ in range(20):
        last = float(numbers(chunked(model, x, y, 5, 2)))
    assert last < 0.9 * first
    weights = np.arange(16, dtype=np.float32)
    loss, _ = chunked_gradients(model, x, y, 5, 2, weights)
    assert float(numbers(loss)) == pytest.approx(float(model.evaluate(x, y, sample_weight=weights, batch_size=16, verbose=0)), rel=1e-4)


@pytest.mark.parametrize("fused", [True, False])
def test_layers_of_the_package(fused: bool) -> None:
    options = {"kernel_initializer": "ones", "fused": fused}
    neurons = [birc.nn.LIFNeuron(units=5, **options), birc.nn.LIFNeuron(units=CLASSES, membrane_time_constant=5e-3, **options)]
    model = keras.Sequential([keras.Input((T, FEATURES)), *neurons])
    model.compile("sgd", losses.SpikeCountMSE())
    assert spiking_layers(model) == model.layers
    x, y = 20 * noise(BATCH, T, FEATURES), np.array([0, 1, 1, 0])
    loss, _ = chunked_gradients(model, x, y, 5, 2)
    assert float(numbers(loss)) == pytest.approx(float(model.evaluate(x, y, verbose=0)), rel=1e-5)
    assert float(numbers(model(x)).sum()) > 0


def test_other_recurrent_layers_and_their_own_states() -> None:
    model = keras.Sequential([keras.Input(batch_shape=(BATCH, None, FEATURES)), keras.layers.LSTM(4, return_sequences=True, stateful=True)])
    model.compile("sgd", "mse")
    x, y = noise(BATCH, T, FEATURES), noise(BATCH, T, 4, seed=1)
    model.predict(x, verbose=0, batch_size=BATCH)
    states = [numbers(s) for s in model.layers[0].states]
    loss, found = chunked_gradients(model, x, y, 5, 2)
    for a, b in zip(states, model.layers[0].states, strict=True):
        np.testing.assert_array_equal(a, numbers(b))
    fresh = keras.Sequential([keras.Input((None, FEATURES)), keras.layers.LSTM(4, return_sequences=True)])
    fresh.set_weights(model.get_weights())
    fresh.compile("sgd", "mse")
    assert float(numbers(loss)) == pytest.approx(float(fresh.evaluate(x, y, verbose=0)), rel=1e-5)
    _, whole = chunked_gradients(fresh, x, y, T, 0)
    assert not np.allclose(numbers(found[1]), numbers(whole[1]), rtol=1e-3)


# --- sparse products


def spikes_of(part: float, *shape: int) -> Array:
    random = np.random.default_rng(0)
    z = (random.random(shape) < 0.4).astype(np.float32)
    z[..., random.permutation(shape[-1])[int(part * shape[-1]) :]] = 0
    return z


@pytest.mark.parametrize("part", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("large", [0.0, float("inf")])
def test_products_equal_the_dense_one(part: float, large: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse, "LARGE", large)
    called, product = [], sparse.of_active

    def seen(*arguments: Any) -> Any:
        called.append(1)
        return product(*arguments)

    monkeypatch.setattr(sparse, "of_active", seen)
    z, w = spikes_of(part, 4, 6, 40), np.random.default_rng(1).normal(size=(40, 7)).astype(np.float32)
    found = numbers(training.TemporalProcessor.sparse_spike_processing(z, w))
    np.testing.assert_allclose(found, z @ w, rtol=1e-4, atol=1e-5)
    assert called == ([1] if part < 0.25 and large == 0 else [])


def test_derivatives_are_those_of_the_dense_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse, "LARGE", 0.0)
    z, w, up = spikes_of(0.1, 2, 3, 40), noise(40, 7), noise(2, 3, 7, seed=2)
    weight = ops.convert_to_tensor(up)
    product = training.TemporalProcessor.sparse_spike_processing
    np.testing.assert_allclose(gradient(lambda a: ops.sum(product(a, w) * weight), z), up @ w.T, rtol=1e-4)
    wanted = np.einsum("bti,bto->io", z, up)
    np.testing.assert_allclose(gradient(lambda a: ops.sum(product(z, a) * weight), w), wanted, rtol=1e-4, atol=1e-6)


def test_sparse_tensors() -> None:
    z, w = spikes_of(0.2, 6, 40), noise(40, 7)
    given: Any
    if ENGINE == "tensorflow":
        import tensorflow as tf

        given = tf.sparse.from_dense(z)
    elif ENGINE == "jax":
        from jax.experimental import sparse as jax_sparse

        given = jax_sparse.BCOO.fromdense(z)
    else:
        import torch

        given = torch.tensor(z).to_sparse()
    np.testing.assert_allclose(numbers(training.TemporalProcessor.sparse_spike_processing(given, w)), z @ w, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(find_spec("scipy") is None, reason="needs scipy")
def test_sparse_matrices_of_scipy() -> None:
    from scipy.sparse import coo_array

    z, w = spikes_of(0.2, 6, 40), noise(40, 7)
    np.testing.assert_allclose(numbers(training.TemporalProcessor.sparse_spike_processing(coo_array(z), w)), z @ w, rtol=1e-4, atol=1e-5)


# --- many neurons, one step


def test_one_step_of_many_neurons() -> None:
    v, current = np.array([[0.0, 0.9, 2.0]], np.float32), np.array([[1.0, 3.0, 0.0]], np.float32)
    P = exp(-0.1)
    z, after = training.batched_lif_dynamics(v, current, 1.0, dt=2e-3)
    np.testing.assert_allclose(numbers(after), [[1 - P, 0, 0]], rtol=1e-5)  # 0.9 P + 3 (1 - P) = 1.1; 2 P = 1.8
    assert numbers(z).tolist() == [[0, 1, 1]]
    z, after = training.batched_lif_dynamics(
        v, current, np.array([1.0, 1.2, 5.0], np.float32), dt=2e-3, membrane_time_constant=10e-3, resistance=2.0, reset_potential=0.1
    )
    P = exp(-0.2)
    np.testing.assert_allclose(numbers(after), [[2 * (1 - P), 0.1, 2 * P]], rtol=1e-5)  # 0.9 P + 6 (1 - P) = 1.8
    assert numbers(z).tolist() == [[0, 1, 0]]


def test_many_steps_are_those_of_the_layer() -> None:
    x = noise(2, 40, 3)
    z, v = driver.compile("lif_unit", target="keras", dt="1 ms", dtype="f32").layer(output=["spikes", "v"], t_ref=0)(x)
    state = np.zeros((2, 3), np.float32)
    for k in range(40):
        spikes, state = training.batched_lif_dynamics(state, x[:, k], 1.0)
        np.testing.assert_array_equal(numbers(spikes), numbers(z)[:, k])
        np.testing.assert_allclose(numbers(state), numbers(v)[:, k], atol=1e-5)
    assert numbers(z).sum() > 0


def test_the_step_has_the_surrogate_s_derivative() -> None:
    found = gradient(lambda c: ops.sum(training.batched_lif_dynamics(np.zeros((1, 1), np.float32), c, 1.0)[0]), [[10.0]])
    gain = 1 - exp(-1 / 20)
    assert float(found[0, 0]) == pytest.approx(gain / (1 + 10 * abs(10 * gain - 1)) ** 2, rel=1e-4)


# --- mistakes


def compiled(*layers: Any, loss: Any = "mse", time: int | None = T) -> Any:
    model = keras.Sequential([keras.Input((time, FEATURES)), *layers], name="m")
    model.compile("sgd", loss)
    return model


X, Y = np.zeros((2, T, FEATURES), np.float32), np.zeros((2, T, FEATURES), np.float32)
BPTT = training.TemporalProcessor.chunked_bptt


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: training.SurrogateScheduler(0.0), "error[I312]: SurrogateScheduler: start = 0.0 is no number above 0"),
        (lambda: training.SurrogateScheduler(schedule="step"),
         "error[I312]: SurrogateScheduler: schedule = 'step' is none of linear, exponential, cosine"),
        (lambda: training.SurrogateScheduler().apply(compiled(keras.layers.Dense(2)), 0),
         "error[I311]: SurrogateScheduler: the model `m` has no spiking layer"),
        (lambda: training.SurrogateScheduler().apply(keras.Sequential([Sloped()], name="m"), 0),
         "error[I311]: SurrogateScheduler: the model `m` is not built, so that its spiking layers are not known"),
        (lambda: training.TemporalCurriculum(0.0), "error[I312]: TemporalCurriculum: start = 0.0 is no number in [1e-06, 1]"),
        (lambda: training.SpikingTrainer(keras.Sequential([keras.layers.Dense(2)], name="m")),
         "error[I312]: SpikingTrainer: the model `m` is not compiled\n"
         '  help: model.compile("adam", SpikingCrossEntropy(time_steps))'),
        (lambda: training.SpikingTrainer(compiled(keras.layers.Dense(2)), temporal_curriculum=True),
         "error[I312]: SpikingTrainer: a curriculum shortens sequences, and the model `m` takes 12 steps only\n"
         "  help: keras.Input((None, features)) takes any number of steps"),
        (lambda: training.SpikingTrainer(compiled(keras.layers.Dense(2)), spike_regularizer="l1"),
         "error[I311]: SpikingTrainer: spike_regularizer: the model `m` has no spiking layer"),
        (lambda: training.SpikingTrainer(compiled(Sloped())).train_step(X),  # type: ignore[arg-type]
         "error[I311]: SpikingTrainer: expected a batch (x, y) or (x, y, sample_weight)"),
        (lambda: training.SpikingTrainer(compiled(Sloped())).train_step((X * np.nan, Y)),
         "error[I311]: SpikingTrainer: 2 of 2 samples have values that are NaN or infinite, the first one number 0"),
        (lambda: BPTT(compiled(Sloped()), X, Y, chunk_size=0), "error[I312]: chunked_bptt: chunk_size = 0 is no whole number from 1 on"),
        (lambda: BPTT(compiled(Sloped()), X, Y, overlap=-1), "error[I312]: chunked_bptt: overlap = -1 is no whole number from 0 on"),
        (lambda: BPTT(keras.Sequential([Sloped()], name="m"), X, Y),
         'error[I312]: chunked_bptt: the model `m` is not compiled with a loss\n  help: model.compile("adam", loss)'),
        (lambda: BPTT(compiled(Sloped()), X[0], Y), "error[I311]: chunked_bptt: inputs of shape [12, 3]; expected [batch, time, ...]"),
        (lambda: BPTT(compiled(keras.layers.GlobalAveragePooling1D()), X, Y[:, 0]),
         "error[I311]: chunked_bptt: an output of shape [2, 3] for 12 steps; expected [batch, time, ...]\n"
         "  help: leave the mean over time to the loss, as SpikingCrossEntropy takes it"),
        (lambda: BPTT(compiled(keras.layers.Dropout(0.5, name="d")), X, Y),
         "error[I311]: chunked_bptt: the layer `d` draws random numbers, and would draw others when steps run again"),
        (lambda: BPTT(compiled(*[keras.layers.GRU(3, return_sequences=True, name="g")] * 2), X, Y),
         "error[I311]: chunked_bptt: the layer `g` is called twice, so it cannot run in pieces"),
        (lambda: BPTT(compiled(keras.layers.BatchNormalization(name="b")), X, Y),
         "error[I311]: chunked_bptt: a call changes `moving_mean` (running means, or plasticity), so steps cannot run again"),
        (lambda: BPTT(compiled(keras.layers.Conv1D(2, 3, name="c")), X, Y),
         "error[I311]: chunked_bptt: the layer `c` mixes steps outside of a recurrent layer, so it cannot run in pieces"),
        (lambda: BPTT(compiled(keras.layers.GRU(2, go_backwards=True, name="g")), X, Y),
         "error[I311]: chunked_bptt: the layer `g` runs backwards in time, so it cannot run in pieces"),
        (lambda: training.TemporalProcessor.sparse_spike_processing(X, Y[0]),
         "error[I311]: sparse_spike_processing: spikes of shape [2, 12, 3] and weights of shape [12, 3]; "
         "expected [..., inputs] and [inputs, outputs]"),
        (lambda: training.batched_lif_dynamics(X[0], X[0, :1], 1.0),
         "error[I311]: batched_lif_dynamics: a potential of shape [12, 3] and a current of shape [1, 3]; expected the same"),
        (lambda: training.batched_lif_dynamics(X[0], X[0], np.ones(2, np.float32)),
         "error[I311]: batched_lif_dynamics: a threshold of shape [2] for 3 neurons; expected a number or [neurons]"),
        (lambda: training.batched_lif_dynamics(X[0], X[0], 1.0, dt=0), "error[I312]: batched_lif_dynamics: dt = 0 is no number above 0"),
    ],
)  # fmt: skip
def test_mistakes_are_said(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(BircError) as error:
        call()
    assert str(error.value) == message


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", OTHERS)
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    run_on(engine, __file__)
