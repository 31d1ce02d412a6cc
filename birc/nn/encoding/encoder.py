"""The encoders: numbers [batch, ...] to spikes [batch, time, ...] in float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from birc.nn.encoding.intensity import Array, finite, intensities, one_spike_at
from birc.nn.mistakes import above_zero, count, data_mistake, one_of, option_mistake, within

TIME_STEPS = 100


class SpikeEncoder:
    """Numbers [batch, ...] to spikes [batch, time, ...] in float32, in NumPy; time stands behind the batch, other axes stay.

    Data are intensities in [0, 1] unless an encoder says otherwise; images of type uint8 are divided by 255. Times are in seconds.
    Raises BircError: I311 for data that do not fit (NaN, values outside [0, 1], other integers, one axis only), I312 for options.
    """

    @staticmethod
    def poisson_encode(
        data: Any, dt: float = 1e-3, max_rate: float = 100.0, time_steps: int = TIME_STEPS, seed: int | Sequence[int] | None = None
    ) -> Array:
        """In each step a spike with probability x * max_rate * dt: the mean rate is x * max_rate (Hz), exactly.

        At most one spike per step: a Poisson process to first order in max_rate * dt, which is refused above 1. The same seed gives
        the same spikes; without one they are drawn anew in each call.
        """
        who = "poisson_encode"
        chance = above_zero(who, "max_rate", max_rate) * above_zero(who, "dt", dt)
        if chance > 1:
            raise option_mistake(
                who, f"max_rate * dt = {chance:g} spikes per step; expected 1 at most", "a shorter dt, or a lower max_rate"
            )
        p = intensities(who, data) * chance
        random = np.random.default_rng(seed)
        spikes = np.empty((len(p), count(who, "time_steps", time_steps), *p.shape[1:]), np.float32)
        for k in range(time_steps):  # one step at a time, or the random numbers would take twice the memory of the spikes
            spikes[:, k] = random.random(p.shape) < p
        return spikes

    @staticmethod
    def rate_encode(data: Any, time_steps: int = TIME_STEPS) -> Array:
        """round(x * T) spikes, half up, spread evenly over the T steps: after k steps there were floor(x k + 1/2). Nothing is random."""
        x = intensities("rate_encode", data)[:, None]
        k = np.arange(count("rate_encode", "time_steps", time_steps) + 1).reshape(1, -1, *[1] * (x.ndim - 2))
        spikes: Array = np.diff(np.floor(x * k + 0.5), axis=1).astype(np.float32)
        return spikes

    @staticmethod
    def temporal_encode(data: Any, time_window: float = 50e-3, dt: float = 1e-3) -> Array:
        """One spike, the earlier the larger x: in row round((1 - x) (T - 1)), half up, of T = time_window / dt; none for x = 0."""
        x, steps = intensities("temporal_encode", data), window("temporal_encode", time_window, dt)
        return one_spike_at(np.where(x > 0, np.floor((1 - x) * (steps - 1) + 0.5), -1), steps)

    @staticmethod
    def latency_encode(data: Any, time_window: float = 50e-3, dt: float = 1e-3, tau: float = 20e-3, threshold: float = 0.1) -> Array:
        """One spike at t = tau log(x / (x - threshold)), when a leaky membrane driven by x from 0 on crosses the threshold.

        The spike is in row floor(t / dt), of T = time_window / dt; none where that is later, or x does not reach the threshold.
        """
        x, steps = intensities("latency_encode", data), window("latency_encode", time_window, dt)
        tau, threshold = above_zero("latency_encode", "tau", tau), above_zero("latency_encode", "threshold", threshold)
        crosses = x > threshold
        t = tau * np.log(np.divide(x, x - threshold, out=np.ones_like(x), where=crosses))
        return one_spike_at(np.where(crosses, np.floor(t / dt), -1), steps)

    @staticmethod
    def delta_encode(data: Any, threshold: float = 0.1, signed: bool = False) -> Array:
        """A spike where a signal [batch, time, ...] has moved by `threshold` or more since the level that was last sent.

        The level begins at the first row and moves by whole thresholds, all of those passed; one spike stands for a step's movement.
        The last axis holds the upward spikes and behind them the downward ones, twice as many features; `signed`: one feature, +1 and
        -1. Any finite numbers are taken.
        """
        x, threshold = finite("delta_encode", data), above_zero("delta_encode", "threshold", threshold)
        if x.ndim < 3:
            raise data_mistake("delta_encode", f"data of shape {list(x.shape)}; expected [batch, time, features]")
        level, sent = x[:, 0].copy(), np.zeros(x.shape, np.float32)
        for k in range(x.shape[1]):
            moved = np.trunc((x[:, k] - level) / threshold * (1 + 1e-12))  # a rise of 0.3 is three of 0.1
            level += moved * threshold
            sent[:, k] = np.sign(moved)
        return sent if signed else np.concatenate([sent > 0, sent < 0], axis=-1).astype(np.float32)

    @staticmethod
    def population_encode(data: Any, neurons: int = 10, sigma: float | None = None, code: str = "rate", **options: Any) -> Array:
        """Each number as the activity of `neurons` of them: e^(-(x - c_i)² / (2 sigma²)), centres c_i spaced evenly from 0 to 1.

        Then encoded as `code` ("rate", "poisson", "temporal", "latency") with its options; sigma is by default the distance of two
        centres. The last axis becomes features * neurons, those of a feature side by side. After Bohte, Kok and La Poutré (2002).
        """
        who = "population_encode"
        x, neurons = intensities(who, data), count(who, "neurons", neurons, least=2)
        width = 1 / (neurons - 1) if sigma is None else above_zero(who, "sigma", sigma)
        active = np.exp(-(((x[..., None] - np.linspace(0, 1, neurons)) / width) ** 2) / 2)
        one_of(who, "code", code, ("rate", "poisson", "temporal", "latency"))
        encode = getattr(SpikeEncoder, f"{code}_encode")
        spikes: Array = encode(active.reshape(*x.shape[:-1], x.shape[-1] * neurons), **options)
        return spikes

    @staticmethod
    def phase_encode(data: Any, bits: int = 8, time_steps: int | None = None) -> Array:
        """The binary digits of min(floor(x 2^bits), 2^bits - 1), the first first: a spike in phase k stands for 2^-(k+1).

        They come again from row `bits` on; time_steps is `bits` by default (Kim et al. 2018).
        """
        who = "phase_encode"
        x, bits = intensities(who, data), int(within(who, "bits", count(who, "bits", bits), 1, 24))
        steps = bits if time_steps is None else count(who, "time_steps", time_steps)
        level = np.minimum(np.floor(x * 2**bits), 2**bits - 1).astype(np.int64)[:, None]
        shift = bits - 1 - np.arange(steps).reshape(1, -1, *[1] * (x.ndim - 1)) % bits
        spikes: Array = ((level >> shift) & 1).astype(np.float32)
        return spikes


ENCODERS = ("poisson", "rate", "temporal", "latency", "delta", "population", "phase")


def encoder(who: str, name: Any) -> Any:
    """The encoder of this name, or what is callable already."""
    return name if callable(name) else getattr(SpikeEncoder, f"{one_of(who, 'encode', name, ENCODERS)}_encode")


def window(who: str, time_window: Any, dt: Any) -> int:
    """The steps of a window."""
    steps = above_zero(who, "time_window", time_window) / above_zero(who, "dt", dt)
    if abs(steps - round(steps)) > 1e-6 * steps or round(steps) < 1:
        raise option_mistake(who, f"time_window = {time_window!r} is {steps:g} steps of dt = {dt!r}; expected a whole number")
    return round(steps)
