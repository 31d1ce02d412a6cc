"""Losses against numbers worked out by hand or with NumPy, and their derivatives against differences."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from math import exp, log
from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from tests.nn.engines import ALONE, ENGINE, OTHERS, Array, differences, gradient, keras, numbers, ops, run_on

from birc.nn import losses  # isort: skip
from birc.nn.losses.sequence import first_spike_steps, low_pass  # isort: skip


def value(loss: Any, y_true: Any, y_pred: Any) -> float:
    return float(numbers(loss(np.asarray(y_true), np.asarray(y_pred, np.float32))))


def train(*rows: str) -> Array:
    """Spikes [1, time, neurons], one text of 0 and 1 for each neuron."""
    return np.array([[[float(s) for s in row] for row in rows]], np.float32).transpose(0, 2, 1)


def smooth(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(0.05, 0.95, shape).astype(np.float32)


# --- rates, counts, membranes


def test_cross_entropy_of_counts() -> None:
    z = train("1100", "1000", "0000")  # counts 2, 1, 0
    wanted = log(exp(2) + exp(1) + 1) - 1
    loss = losses.SpikingCrossEntropy(time_steps=4)
    assert value(loss, [1], z) == pytest.approx(wanted, rel=1e-5)
    assert value(loss, [[1]], z) == pytest.approx(wanted, rel=1e-5)
    assert value(loss, [[0, 1, 0]], z) == pytest.approx(wanted, rel=1e-5)


def test_averaged_rates_are_the_same_as_spikes() -> None:
    z = smooth(5, 8, 3)
    loss = losses.SpikingCrossEntropy(time_steps=8)
    labels = [0, 1, 2, 0, 1]
    assert value(loss, labels, z.mean(1)) == pytest.approx(value(loss, labels, z), rel=1e-5)


def test_the_window_is_at_the_end_and_scale_is_the_logit_of_rate_one() -> None:
    z = train("1101", "1110")  # in the last two steps 1/2 and 1/2; in the last one 1 and 0
    assert value(losses.SpikingCrossEntropy(4, rate_window=2), [0], z) == pytest.approx(log(2), rel=1e-5)
    assert value(losses.SpikingCrossEntropy(4, rate_window=1, scale=3), [0], z) == pytest.approx(log(1 + exp(-3)), rel=1e-5)


def test_late_steps_weigh_more() -> None:
    z = train("1000", "0001")  # weights 2/5, 4/5, 6/5, 8/5; divided by 4, times 4
    assert value(losses.SpikingCrossEntropy(4, temporal_weighting=True), [1], z) == pytest.approx(log(1 + exp(0.4 - 1.6)), rel=1e-5)


def test_a_label_that_is_no_class_makes_nan() -> None:
    z = smooth(1, 4, 3)
    for label in (-1, 3, 0.5):
        assert np.isnan(value(losses.SpikingCrossEntropy(4), [label], z))


def test_spike_count_mse() -> None:
    z = train("1100", "1000")  # rates 1/2, 1/4
    loss = losses.SpikeCountMSE()
    assert value(loss, [[1.0, 3.0]], z) == pytest.approx((1 / 16 + 1 / 4) / 2)
    assert value(loss, train("0001", "1110"), z) == pytest.approx((1 / 16 + 1 / 4) / 2)
    assert value(loss, [0], z) == pytest.approx((1 / 4 + 1 / 16) / 2)
    assert value(losses.SpikeCountMSE(correct_rate=0.75, incorrect_rate=0.25), [[0]], z) == pytest.approx(1 / 32)


def test_max_membrane() -> None:
    v = np.array([[[0.1, 0.5], [0.9, 0.2], [0.3, 0.4]]])
    assert value(losses.MaxMembraneCrossEntropy(scale=2), [0], v) == pytest.approx(log(1 + exp(2 * (0.5 - 0.9))), rel=1e-5)


def test_rates_and_sparsity() -> None:
    z = train("1100", "0000", "1111")  # rates 1/2, 0, 1
    assert value(losses.SpikeRateLoss(low=0.25, high=0.5), [0], z) == pytest.approx((0.0625 + 0.25) / 3)
    assert value(losses.SparsityLoss(), [0], z) == pytest.approx(0.5)


# --- times


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 13])
def test_first_spikes(steps: int) -> None:
    z = (np.random.default_rng(steps).random((6, steps, 4)) < 0.3).astype(np.float32)
    wanted = np.where(z.any(1), z.argmax(1), steps)
    np.testing.assert_array_equal(numbers(first_spike_steps(ops.convert_to_tensor(z))), wanted)


def test_the_derivative_of_a_first_spike_is_finite_where_there_are_spikes() -> None:
    z = train("00100100")
    found = gradient(lambda x: ops.sum(first_spike_steps(x)), z)[0, :, 0]
    # before the spike: what is kept from there on is lost; at the spike: the steps to the next one would come back
    np.testing.assert_allclose(found, [-2, -1, -3, 0, 0, 0, 0, 0], atol=1e-6)


@pytest.mark.skipif(ENGINE != "tensorflow", reason="only TensorFlow has graphs without the number of steps")
def test_first_spikes_where_the_number_of_steps_is_not_known() -> None:
    import tensorflow as tf

    def both(z: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(z)
            t = tf.reduce_sum(first_spike_steps(z))
        return t, tape.gradient(t, z)

    z = smooth(2, 6, 2)
    t, found = tf.function(both, input_signature=[tf.TensorSpec([None, None, 2])])(z)
    assert float(t) == pytest.approx(float(np.cumprod(1 - z, axis=1).sum()), rel=1e-5)
    np.testing.assert_allclose(found, gradient(lambda x: ops.sum(first_spike_steps(x)), z), rtol=1e-4)


def test_temporal_precision() -> None:
    z = train("0010", "0000", "1000")  # t = 2, 4, 0 of T = 4; wanted 1, none, 2
    loss = losses.TemporalPrecisionLoss(precision_weight=2.0, latency_penalty=0.3)
    wanted = 2 * (1 / 16 + 0 + 4 / 16) / 3 + 0.3 * (2 / 4 + 0 + 0) / 3
    assert value(loss, [[1, 4, 2]], z) == pytest.approx(wanted, rel=1e-5)
    assert value(loss, [[1, 99, 2]], z) == pytest.approx(wanted, rel=1e-5)
    assert value(loss, train("0101", "0000", "0011"), z) == pytest.approx(wanted, rel=1e-5)
    assert value(losses.TemporalPrecisionLoss(), [[2, 4, 0]], z) == pytest.approx(0.1 * (2 / 4) / 3, rel=1e-5)


def test_first_spike_cross_entropy() -> None:
    z = train("0010", "0000")  # t = 2, 4
    assert value(losses.FirstSpikeCrossEntropy(tau=2.0), [0], z) == pytest.approx(log(1 + exp(-1)), rel=1e-5)
    assert value(losses.FirstSpikeCrossEntropy(tau=2.0), [1], z) == pytest.approx(log(1 + exp(1)), rel=1e-5)


def test_low_pass() -> None:
    x, wanted, f = smooth(2, 7, 3), np.zeros((2, 7, 3)), np.zeros((2, 3))
    for k in range(7):
        f = 0.8 * f + x[:, k]
        wanted[:, k] = f
    np.testing.assert_allclose(numbers(low_pass(ops.convert_to_tensor(x), 0.8)), wanted, rtol=1e-5)


def test_van_rossum_of_one_and_of_two_spikes() -> None:
    loss = losses.VanRossumLoss(time_constant=5e-3, dt=1e-3)
    none, one, moved = train("000000000"), train("010000000"), train("000010000")
    assert value(loss, none, one) == pytest.approx(0.5, rel=1e-5)
    assert value(loss, none, train("000000001")) == pytest.approx(0.5, rel=1e-5)
    assert value(loss, one, moved) == pytest.approx(1 - exp(-3 / 5), rel=1e-5)
    assert value(loss, one, one) == 0


# --- plasticity


def test_homeostasis() -> None:
    z = train("1100", "1000")  # 500 Hz, 250 Hz in steps of 1 ms
    assert value(losses.HomeostaticRateLoss(target_rate=250.0), [0], z) == pytest.approx((1 + 0) / 2 / 2)
    assert value(losses.HomeostaticRateLoss(target_rate=None), [[1000.0, 500.0]], z) == pytest.approx((1 / 4 + 1 / 4) / 2 / 2)


def test_weight_dependence_drifts_to_its_fixed_point() -> None:
    loss = losses.WeightDependenceLoss(mu=0.5, alpha=2.0, w_max=4.0)
    w = np.array([[1.0, 3.0]])
    u = np.array([1 / 4, 3 / 4])
    assert value(loss, [0], w) == pytest.approx(float(np.mean(((1 - u) ** 1.5 + 2 * u**1.5) / 1.5)), rel=1e-5)
    found = gradient(lambda x: loss(np.zeros(1), x), w)
    np.testing.assert_allclose(found, -(((1 - u) ** 0.5 - 2 * u**0.5)[None]) / 2 / 4, rtol=1e-4)
    fixed = 4 / (1 + 2.0**2)
    np.testing.assert_allclose(gradient(lambda x: loss(np.zeros(1), x), [[fixed]]), 0, atol=1e-6)
    outside = gradient(lambda x: loss(np.zeros(1), x), [[-1.0, 5.0]])
    assert outside[0, 0] < 0 < outside[0, 1]


def test_bcm_descends_its_rule() -> None:
    y = smooth(6, 2)
    loss = losses.BCMLoss()
    wanted = np.mean(np.mean(y**2, 0) ** 2 / 4 - np.mean(y**3, 0) / 3)
    assert value(loss, np.zeros(6), y) == pytest.approx(float(wanted), rel=1e-4)
    rule = y * (y - np.mean(y**2, 0))
    np.testing.assert_allclose(-gradient(lambda x: loss(np.zeros(6), x), y), rule / 6 / 2, rtol=1e-3, atol=1e-6)
    z = np.repeat(y[:, None], 3, axis=1)
    assert value(loss, np.zeros(6), z) == pytest.approx(float(wanted), rel=1e-4)


def test_eligibility() -> None:
    a = exp(-1 / 20)
    z = train("1000", "0100", "0010")  # one source that fires in step 0, targets in steps 1 and 2
    loss = losses.EligibilityMatchingLoss(presynaptic=1)
    found = numbers(loss.eligibility(ops.convert_to_tensor(z)))
    np.testing.assert_allclose(found, [[[a / 4, a * a / 4]]], rtol=1e-5)
    assert value(loss, [[[a / 4 + 0.1, a * a / 4 - 0.3]]], z) == pytest.approx((0.01 + 0.09) / 2, rel=1e-4)
    assert value(loss, train("1000", "0100", "0000"), z) == pytest.approx((a * a / 4) ** 2 / 2, rel=1e-4)


# --- all of them


LOSSES: list[tuple[Callable[[], Any], Any, tuple[int, ...]]] = [
    (lambda: losses.SpikingCrossEntropy(4, rate_window=3, temporal_weighting=True), [0, 2], (2, 4, 3)),
    (lambda: losses.SpikingCrossEntropy(4, scale=2.0, name="rates"), [0, 2], (2, 3)),
    (lambda: losses.SpikeCountMSE(0.8, 0.1), [0, 2], (2, 4, 3)),
    (lambda: losses.MaxMembraneCrossEntropy(2.0), [0, 2], (2, 4, 3)),
    (lambda: losses.SpikeRateLoss(0.1, 0.2), [0, 2], (2, 4, 3)),
    (lambda: losses.SparsityLoss(reduction="sum"), [0, 2], (2, 4, 3)),
    (lambda: losses.TemporalPrecisionLoss(2.0, 0.3), [[0, 1, 2], [3, 4, 1]], (2, 4, 3)),
    (lambda: losses.FirstSpikeCrossEntropy(3.0), [0, 2], (2, 4, 3)),
    (lambda: losses.VanRossumLoss(5e-3, 2e-3), smooth(2, 4, 3, seed=1), (2, 4, 3)),
    (lambda: losses.HomeostaticRateLoss(300.0, 2e-3), [0, 2], (2, 4, 3)),
    (lambda: losses.WeightDependenceLoss(0.5, 2.0, 3.0), [0, 2], (2, 4, 3)),
    (lambda: losses.BCMLoss(), [0, 2], (2, 4, 3)),
    (lambda: losses.EligibilityMatchingLoss(1, 5e-3, 2e-3), smooth(2, 1, 2, seed=1), (2, 4, 3)),
]


@pytest.mark.parametrize(("make", "y", "shape"), LOSSES)
def test_derivatives_agree_with_differences(make: Callable[[], Any], y: Any, shape: tuple[int, ...]) -> None:
    loss, x = make(), smooth(*shape, seed=3)
    found = gradient(lambda p: loss(np.asarray(y), p), x)
    wanted = differences(lambda p: loss(np.asarray(y), p), x)
    assert np.abs(wanted).max() > 0
    np.testing.assert_allclose(found, wanted, rtol=3e-2, atol=2e-3 * np.abs(wanted).max())


@pytest.mark.parametrize(("make", "y", "shape"), LOSSES)
def test_losses_are_saved(make: Callable[[], Any], y: Any, shape: tuple[int, ...]) -> None:
    loss = make()
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert value(again, y, smooth(*shape)) == value(loss, y, smooth(*shape))


def test_sample_weights() -> None:
    z = np.concatenate([train("1100", "1000"), train("0000", "1111")])
    each = [value(losses.SpikeCountMSE(), [k], z[i : i + 1]) for i, k in enumerate((0, 1))]
    found = losses.SpikeCountMSE()(np.array([0, 1]), z, sample_weight=np.array([3.0, 1.0], np.float32))
    assert float(numbers(found)) == pytest.approx((3 * each[0] + each[1]) / 2, rel=1e-5)


def test_a_model_is_trained_saved_and_loaded(tmp_path: Any) -> None:
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.Dense(3, activation="sigmoid"), keras.layers.GlobalAveragePooling1D()])
    model.compile("adam", losses.SpikingCrossEntropy(time_steps=4), metrics=["accuracy"])
    x, y = smooth(8, 4, 2), np.arange(8) % 3
    model.fit(x, y, epochs=1, verbose=0)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert again.loss.get_config() == model.loss.get_config()
    assert again.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))


# --- mistakes


Z, R = np.zeros((2, 4, 3), np.float32), np.zeros((2, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.SpikingCrossEntropy(0), "error[I312]: SpikingCrossEntropy: time_steps = 0 is no whole number from 1 on"),
        (lambda: losses.SpikingCrossEntropy(4, 5), "error[I312]: SpikingCrossEntropy: rate_window = 5 is longer than time_steps = 4"),
        (lambda: losses.SpikingCrossEntropy(3)([0, 1], Z),
         "error[I311]: SpikingCrossEntropy: the prediction has 4 steps for time_steps = 3"),
        (lambda: losses.SpikingCrossEntropy(4)([0, 1], Z[0, 0]),
         "error[I311]: SpikingCrossEntropy: the prediction has shape [3]; expected [batch, time, neurons]"),
        (lambda: losses.SpikingCrossEntropy(4, 2)([0, 1], R),
         "error[I311]: SpikingCrossEntropy: rate_window needs [batch, time, classes]; the prediction [2, 3] has no time axis"),
        (lambda: losses.SpikingCrossEntropy(4, temporal_weighting=True)([0, 1], R),
         "error[I311]: SpikingCrossEntropy: temporal_weighting needs [batch, time, classes]; the prediction [2, 3] has no time axis"),
        (lambda: losses.SpikingCrossEntropy(4)(np.zeros((2, 4)), R),
         "error[I311]: SpikingCrossEntropy: the targets have shape [2, 4] for 3 classes; expected labels [batch] or one-hot [batch, 3]"),
        (lambda: losses.SpikingCrossEntropy(4)([0, 1], Z[:, :, :1]),
         "error[I311]: SpikingCrossEntropy: the prediction has 1 classes; expected a known number, 2 or more"),
        (lambda: losses.SpikeCountMSE(0.1, 0.2), "error[I312]: SpikeCountMSE: low = 0.2 lies above high = 0.1"),
        (lambda: losses.SpikeCountMSE()(np.zeros((2, 5)), Z),
         "error[I311]: SpikeCountMSE: the targets have shape [2, 5], the prediction [2, 4, 3]"),
        (lambda: losses.SpikeRateLoss(-0.1), "error[I312]: SpikeRateLoss: low = -0.1 is no number in [0, 1]"),
        (lambda: losses.TemporalPrecisionLoss(-1), "error[I312]: TemporalPrecisionLoss: precision_weight = -1 is no number from 0 on"),
        (lambda: losses.TemporalPrecisionLoss()([0, 1], Z),
         "error[I311]: TemporalPrecisionLoss: the targets have shape [2]; expected times [batch, neurons] in steps, or spike trains"),
        (lambda: losses.FirstSpikeCrossEntropy(tau=float("nan")), "error[I312]: FirstSpikeCrossEntropy: tau = nan is no number above 0"),
        (lambda: losses.VanRossumLoss(time_constant=0), "error[I312]: VanRossumLoss: time_constant = 0 is no number above 0"),
        (lambda: losses.VanRossumLoss()(Z[:, :3], Z),
         "error[I311]: VanRossumLoss: the targets have shape [2, 3, 3], the prediction [2, 4, 3]"),
        (lambda: losses.VanRossumLoss()(R, Z),
         "error[I311]: VanRossumLoss: the targets have shape [2, 3]; expected spike trains like the prediction, [2, 4, 3]"),
        (lambda: losses.HomeostaticRateLoss(target_rate="10 Hz"),  # type: ignore[arg-type]
         "error[I312]: HomeostaticRateLoss: target_rate = '10 Hz' is no number above 0"),
        (lambda: losses.HomeostaticRateLoss(None)([0, 1], Z),
         "error[I311]: HomeostaticRateLoss: the targets have shape [2]; expected rates [batch, neurons] in Hz"),
        (lambda: losses.WeightDependenceLoss(alpha=True), "error[I312]: WeightDependenceLoss: alpha = True is no number above 0"),
        (lambda: losses.BCMLoss()([0, 1], Z[0, 0]),
         "error[I311]: BCMLoss: the prediction has shape [3]; expected [batch, time, neurons] or [batch, neurons]"),
        (lambda: losses.EligibilityMatchingLoss(3)(Z, Z),
         "error[I311]: EligibilityMatchingLoss: the prediction has 3 neurons, of which presynaptic = 3; none is left"),
        (lambda: losses.EligibilityMatchingLoss(1)(R, Z),
         "error[I311]: EligibilityMatchingLoss: the targets have shape [2, 3]; expected [batch, 1, 2], or trains [2, 4, 3]"),
    ],
)  # fmt: skip
def test_mistakes_are_said(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(BircError) as error:
        call()
    assert str(error.value) == message


def masked(x: Array, mask: Array) -> Any:
    """A tensor as a layer gives it behind `Masking`."""
    tensor = keras.ops.convert_to_tensor(x)
    import_module("keras.src.backend").set_keras_mask(tensor, keras.ops.convert_to_tensor(mask))
    return Marked()(tensor)


class Marked(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.supports_masking = True

    def call(self, x: Any, mask: Any = None) -> Any:
        return x * 1.0

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return mask


def test_masked_steps_are_refused_where_they_have_no_meaning() -> None:
    with pytest.raises(BircError) as error:
        losses.VanRossumLoss()(np.zeros((2, 4, 3)), masked(np.zeros((2, 4, 3), np.float32), np.ones((2, 4), bool)))
    assert str(error.value) == (
        "error[I311]: VanRossumLoss: steps of the prediction are masked\n"
        "  help: average over time in the model: GlobalAveragePooling1D heeds masks"
    )


def test_they_are_refused_where_a_model_is_fitted() -> None:
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Masking(), Marked()])
    model.compile("sgd", losses.SparsityLoss())
    with pytest.raises(BircError, match="SparsityLoss: steps of the prediction are masked"):
        model.fit(np.ones((2, 4, 3), np.float32), np.zeros(2), verbose=0)


@pytest.mark.parametrize("options", [{}, {"rate_window": 3}, {"temporal_weighting": True}, {"rate_window": 3, "temporal_weighting": True}])
def test_masked_steps_do_not_count(options: dict[str, Any]) -> None:
    """Each sample is as the sequence of its kept steps alone; what stands in the others is not looked at."""
    rng = np.random.default_rng(0)
    z = rng.random((4, 6, 3)).astype(np.float32)
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [0, 1, 1, 0, 1, 1], [0, 0, 0, 0, 1, 1]], bool)
    y, weights = np.array([0, 1, 2, 1]), np.array([1.0, 2.0, 0.5, 3.0], np.float32)
    loss = losses.SpikingCrossEntropy(6, reduction=None, **options)
    alone = np.array([float(numbers(loss(y[i : i + 1], z[i : i + 1, mask[i]]))[0]) for i in range(4)])
    np.testing.assert_allclose(numbers(loss(y, masked(z, mask))), alone, rtol=1e-5)
    np.testing.assert_allclose(numbers(loss(y, masked(z, mask), weights)), alone * weights, rtol=1e-5)
    nothing = numbers(loss(y[:1], masked(z[:1], np.zeros((1, 6), bool))))
    np.testing.assert_allclose(nothing, np.log(3), rtol=1e-6)


def test_a_model_behind_a_mask_is_fitted() -> None:
    import birc.nn as nn

    x = np.random.default_rng(0).uniform(0.1, 1, (4, 8, 5)).astype(np.float32)
    x[:, 5:] = 0
    model = keras.Sequential([keras.Input((8, 5)), keras.layers.Masking(), nn.LIFNeuron(units=3, gain=40.0)])
    model.compile("sgd", losses.SpikingCrossEntropy(8))
    short = keras.Sequential([keras.Input((5, 5)), nn.LIFNeuron(units=3, gain=40.0)])
    short.compile("sgd", losses.SpikingCrossEntropy(8))
    short.set_weights(model.get_weights())
    y = np.array([0, 1, 2, 1])
    found, expected = (m.fit(a, y, verbose=0).history["loss"][0] for m, a in ((model, x), (short, x[:, :5])))
    assert found == pytest.approx(expected, rel=1e-5)
    for a, b in zip(model.get_weights(), short.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", OTHERS)
def test_all_of_this_on_the_other_engines(engine: str) -> None:
    run_on(engine, __file__)
