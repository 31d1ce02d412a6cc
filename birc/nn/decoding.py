"""From spikes [batch, time, ...] back to numbers [batch, ...], in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from birc.nn.mistakes import above_zero, count, data_mistake, one_of, option_mistake

Array = npt.NDArray[Any]


class SpikeDecoder:
    """Spikes or membranes [batch, time, ...] to numbers [batch, ...]; `argmax` of the last axis (`argmin` of times) is a class.

    Raises BircError: I311 for arrays without a time axis or with NaN, I312 for options.
    """

    @staticmethod
    def rate_decode(spikes: Any, window: int | None = None, dt: float = 1.0) -> Array:
        """The mean over the last `window` steps (all of them by default) / dt: spikes per step, or in Hz with dt in seconds."""
        z, dt = trains("rate_decode", spikes), above_zero("rate_decode", "dt", dt)
        if window is not None and count("rate_decode", "window", window) > z.shape[1]:
            raise option_mistake("rate_decode", f"window = {window} is longer than the {z.shape[1]} steps")
        rates: Array = z[:, -(window or 0) :].mean(axis=1) / dt
        return rates

    @staticmethod
    def first_spike_decode(spikes: Any, dt: float = 1.0, missing: float = np.inf) -> Array:
        """The row of the first spike times dt; `missing` where there is none."""
        z, dt = trains("first_spike_decode", spikes) > 0, above_zero("first_spike_decode", "dt", dt)
        return np.where(z.any(axis=1), z.argmax(axis=1) * dt, missing)

    @staticmethod
    def membrane_decode(potentials: Any, how: str = "max") -> Array:
        """The largest potential over time ("max"), the mean ("mean") or the last one ("last")."""
        v = trains("membrane_decode", potentials)
        one_of("membrane_decode", "how", how, ("max", "mean", "last"))
        found: Array = v[:, -1] if how == "last" else v.max(axis=1) if how == "max" else v.mean(axis=1)
        return found

    @staticmethod
    def weighted_decode(spikes: Any, weights: Any = None, tau: float | None = None) -> Array:
        """sum over time of w_k z_k.

        weights: one number per step, such as 2^-(k+1) for `SpikeEncoder.phase_encode`; or tau, in steps: w_k = e^(-k / tau) over
        their sum, so that early spikes count more. One of the two is given.
        """
        z = trains("weighted_decode", spikes)
        if (weights is None) == (tau is None):
            raise option_mistake("weighted_decode", "expected one of weights and tau")
        if tau is not None:
            fading = np.exp(-np.arange(z.shape[1]) / above_zero("weighted_decode", "tau", tau))
            weights = fading / fading.sum()
        w = np.asarray(weights, np.float64)
        if w.shape != (z.shape[1],) or not np.isfinite(w).all():
            raise option_mistake(
                "weighted_decode", f"weights of shape {list(w.shape)} for {z.shape[1]} steps; expected a finite one for each"
            )
        return np.tensordot(w, z, axes=(0, 1))


def trains(who: str, data: Any) -> Array:
    """[batch, time, ...] in float64."""
    found = np.asarray(data)
    if found.dtype.kind not in "fiub" or found.ndim < 2 or not found.shape[1]:
        raise data_mistake(who, f"data of shape {list(found.shape)} and type {found.dtype}; expected numbers [batch, time, ...]")
    values = found.astype(np.float64)
    if np.isnan(values).any():
        raise data_mistake(who, f"{int(np.isnan(values).sum())} of {values.size} values are NaN")
    return values
