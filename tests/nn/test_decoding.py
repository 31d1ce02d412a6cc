"""Decoders against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from birc.nn.decoding import SpikeDecoder
from birc.nn.encoding import SpikeEncoder

Z = np.array([[[0, 0, 1], [1, 0, 1], [0, 0, 0], [1, 0, 0]]], np.float32)


def test_rates() -> None:
    assert SpikeDecoder.rate_decode(Z).tolist() == [[0.5, 0, 0.5]]
    assert SpikeDecoder.rate_decode(Z, window=1).tolist() == [[1, 0, 0]]
    assert SpikeDecoder.rate_decode(Z, window=2, dt=1e-3).tolist() == [[500, 0, 0]]


def test_first_spikes() -> None:
    assert SpikeDecoder.first_spike_decode(Z).tolist() == [[1, np.inf, 0]]
    assert SpikeDecoder.first_spike_decode(Z, dt=0.5, missing=4).tolist() == [[0.5, 4, 0]]


def test_membranes() -> None:
    v = np.array([[[0.5, -3.0], [1.0, -1.0], [0.0, -2.0]]])
    assert SpikeDecoder.membrane_decode(v).tolist() == [[1, -1]]
    assert SpikeDecoder.membrane_decode(v, "mean").tolist() == [[0.5, -2]]
    assert SpikeDecoder.membrane_decode(v, "last").tolist() == [[0, -2]]


def test_weights() -> None:
    assert SpikeDecoder.weighted_decode(Z, weights=[8, 4, 2, 1]).tolist() == [[5, 0, 12]]
    w = np.exp(-np.arange(4) / 2)
    np.testing.assert_allclose(SpikeDecoder.weighted_decode(Z, tau=2), [[(w[1] + w[3]) / w.sum(), 0, (w[0] + w[1]) / w.sum()]])


def test_what_is_encoded_is_decoded() -> None:
    x = np.random.default_rng(0).integers(1, 9, (3, 2, 2)) / 8
    np.testing.assert_array_equal(SpikeDecoder.rate_decode(SpikeEncoder.rate_encode(x, 8)), x)
    t = SpikeDecoder.first_spike_decode(SpikeEncoder.temporal_encode(x, 9e-3))
    np.testing.assert_array_equal(1 - t / 8, x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SpikeDecoder.rate_decode(Z[0, 0]),
         "error[I311]: rate_decode: data of shape [3] and type float32; expected numbers [batch, time, ...]"),
        (lambda: SpikeDecoder.rate_decode(Z, 5), "error[I312]: rate_decode: window = 5 is longer than the 4 steps"),
        (lambda: SpikeDecoder.rate_decode(Z, 0), "error[I312]: rate_decode: window = 0 is no whole number from 1 on"),
        (lambda: SpikeDecoder.first_spike_decode(Z * np.nan), "error[I311]: first_spike_decode: 12 of 12 values are NaN"),
        (lambda: SpikeDecoder.first_spike_decode(Z, dt=0), "error[I312]: first_spike_decode: dt = 0 is no number above 0"),
        (lambda: SpikeDecoder.membrane_decode(Z, "median"), "error[I312]: membrane_decode: how = 'median' is none of max, mean, last"),
        (lambda: SpikeDecoder.weighted_decode(Z), "error[I312]: weighted_decode: expected one of weights and tau"),
        (lambda: SpikeDecoder.weighted_decode(Z, [1, 2]),
         "error[I312]: weighted_decode: weights of shape [2] for 4 steps; expected a finite one for each"),
    ],
)  # fmt: skip
def test_mistakes_are_said(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(BircError) as error:
        call()
    assert str(error.value) == message
