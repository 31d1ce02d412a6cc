"""What the integrate-and-fire neurons of the library do that a `check` block cannot say: patterns, equivalences, statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from birc import driver, sources
from birc.frontend.resolve import library_index
from birc.ir.step import Step
from birc.runtime.result import Result
from birc.runtime.simulate import simulate


@cache
def program(name: str) -> Step:
    """The step program of a library neuron."""
    item, _ = sources.choose(sources.load(library_index()[name].removesuffix(".birc")), name)
    return driver.lower(item)[1]


def fired(
    model: str,
    inputs: Mapping[str, object],
    steps: int,
    *,
    n: int = 1,
    dt: str = "0.1 ms",
    record: str | tuple[str, ...] = (),
    every: int = 1,
) -> Result:
    """A run of a neuron, or of one of its presets, on the reference."""
    name, _, preset = model.partition(".")
    step = program(name)
    runner = driver.build(step, "numpy", dt=dt).runner
    return simulate(runner, step, dt=dt, steps=steps, n=n, inputs=inputs, preset=preset or None, record=record, every=every)


def intervals(model: str, current: float, ms: int = 500) -> np.ndarray:
    """The intervals under a constant current, in ms."""
    return np.diff(fired(model, {"I": current}, ms * 10).stamps) * 0.1


def adaptation(isi: np.ndarray) -> float:
    """The mean relative growth of the intervals (the adaptation index of Naud et al. 2008, over all of them)."""
    return float(np.mean(np.diff(isi) / (isi[1:] + isi[:-1])))


def test_adex_tonic_fires_evenly() -> None:
    isi = intervals("AdEx.tonic", 500)
    assert isi.max() - isi.min() < 1
    assert np.ptp(isi[10:]) < 0.11
    assert 0 <= adaptation(isi) < 0.002


def test_adex_adapting_slows_down() -> None:
    isi = intervals("AdEx.adapting", 500)
    assert (np.diff(isi) > -0.11).all()
    assert adaptation(isi) == pytest.approx(0.116, abs=0.01)


def test_adex_initial_burst_comes_once() -> None:
    isi = intervals("AdEx.initial_burst", 400)
    assert (isi[:2] < 8).all()
    assert (isi[2:] > 50).all()
    assert np.ptp(isi[4:]) < 0.11


def test_adex_regular_bursting_repeats_pairs() -> None:
    isi = intervals("AdEx.regular_bursting", 210, 1000)
    pause = isi > 50
    assert pause.tolist() == [False, False, True] + [False, True] * ((len(isi) - 3) // 2) + [False] * ((len(isi) - 3) % 2)
    assert np.ptp(isi[pause][1:]) < 0.5
    assert np.ptp(isi[3:][~pause[3:]]) < 0.2


def test_adex_delayed_accelerating_speeds_up() -> None:
    isi = intervals("AdEx.delayed_accelerating", 300)
    assert (np.diff(isi) < 0.11).all()
    assert adaptation(isi) == pytest.approx(-0.0095, abs=0.001)


def test_adex_delayed_regular_bursting_repeats_fours() -> None:
    isi = intervals("AdEx.delayed_regular_bursting", 110)
    assert np.flatnonzero(isi > 50).tolist() == list(range(3, len(isi), 4))


def test_adex_transient_fires_once() -> None:
    assert fired("AdEx.transient", {"I": 180.0}, 20_000).stamps.tolist() == [304]


def test_adex_irregular_has_no_period() -> None:
    isi = intervals("AdEx.irregular", 160, 1000)
    assert isi.std() / isi.mean() > 0.3
    gaps = [np.abs(isi[lag:] - isi[:-lag]).max() for lag in range(1, 8)]
    assert min(gaps) > 5


def test_theta_neuron_is_the_quadratic_neuron() -> None:
    """By v = tan(theta / 2): tau_m v' = k (v - E_L) (v - v_c) + R I becomes y = k (v - (E_L + v_c) / 2), tau_m y' = y^2 + I'."""
    k, E_L, v_c, R, steps = 0.1, -65.0, -50.0, 100.0, 370
    current = 80.0
    there = fired("QIF", {"I": current}, steps, record="v")
    y = k * (there.recorded["v"][:, 0] - (E_L + v_c) / 2)
    drive = k * R * current * 1e-3 - (k * (v_c - E_L) / 2) ** 2
    step = program("ThetaNeuron")
    start = 2 * math.atan(k * (E_L - (E_L + v_c) / 2))
    runner = driver.build(step, "numpy").runner
    here = simulate(runner, step, dt="0.1 ms", steps=steps, inputs={"I": drive}, init={"theta": start}, record="theta")
    assert len(there.stamps) == len(here.stamps) == 0
    assert y[-1] > 0.5 > -0.5 > y[0]
    assert np.abs(np.tan(here.recorded["theta"][:, 0] / 2) - y).max() < 1e-8


def test_theta_neuron_keeps_its_period_over_many_turns() -> None:
    stamps = fired("ThetaNeuron", {"I": 0.25}, 20_000).stamps
    assert (stamps[-1] - stamps[0]) * 0.1 == pytest.approx((len(stamps) - 1) * 2 * math.pi * 10, abs=0.1)


@pytest.mark.parametrize("dt", [0.05, 0.1, 0.4])
def test_escape_noise_has_its_probability_for_any_step(dt: float) -> None:
    """Spikes of the Poisson preset are independent, of probability 1 - exp(-lambda dt) each (Pozzorini et al. 2015, eq. 12)."""
    n, steps = 400, 500
    out = fired("GIF.poisson", {}, steps, n=n, dt=f"{dt} ms")
    p = -math.expm1(-1.0 * dt)
    counts = np.bincount(out.index, minlength=n)
    assert abs(counts.mean() - steps * p) < 4 * math.sqrt(steps * p * (1 - p) / n)
    variance = counts.var(ddof=1) / (steps * p * (1 - p))
    assert abs(variance - 1) < 4 * math.sqrt(2 / n)
    together = np.zeros((steps, n), bool)
    together[out.stamps - 1, out.index] = True
    pairs = (together[1:] & together[:-1]).sum()
    expected = (steps - 1) * n * p * p
    assert abs(pairs - expected) < 5 * math.sqrt(expected * (1 + 2 * p))


def test_noisy_current_has_its_variance() -> None:
    """Far below threshold: sigma for the current, R sigma sqrt(tau_n / (tau_m + tau_n)) for v (Uhlenbeck and Ornstein 1930)."""
    out = fired("LIFNoise", {"I": 0.0}, 2000, n=1000, record=("v", "i_n"), every=500)
    assert len(out.stamps) == 0
    v, i_n = out.recorded["v"][-2:], out.recorded["i_n"][-2:]
    assert i_n.std() == pytest.approx(50, rel=0.08)
    assert v.std() == pytest.approx(math.sqrt(5), rel=0.08)
    assert v.mean() == pytest.approx(-70, abs=0.3)


def test_rulkov_map_is_its_definition() -> None:
    """Iterated here by hand, with an input in both variables."""
    rows = 0.3 * np.sin(np.arange(3000) / 50)
    out = fired("RulkovMap", {"I": rows}, 3000, record=("x", "y"))
    alpha, sigma, mu, x, y = 6.0, -0.1, 0.001, -1.0, -4.0
    found, spikes = [], []
    for k, current in enumerate(rows):
        u = y + 0.133 * current
        before = x
        x = alpha / (1 - x) + u if x <= 0 else alpha + u if x < alpha + u else -1.0
        y = y - mu * (before + 1) + mu * (sigma + current)
        found.append((x, y))
        if x > 0 >= before:
            spikes.append(k + 1)
    near = 1500  # later, what rounding does to a chaotic map would show
    assert np.abs(out.recorded["x"][:near, 0] - np.array(found)[:near, 0]).max() < 1e-6
    assert np.abs(out.recorded["y"][:near, 0] - np.array(found)[:near, 1]).max() < 1e-9
    assert len(spikes) > 50
    assert [s for s in out.stamps.tolist() if s <= near] == [s for s in spikes if s <= near]


def test_subtractive_reset_loses_nothing() -> None:
    """Of a perfect integrator, the spikes count the charge; a leak of 10^6 ms is nearly none."""
    step = program("LIFSubtract")
    runner = driver.build(step, "numpy", params={"tau_m": "1000 s", "R": 1e5}).runner
    out = simulate(runner, step, dt="0.1 ms", steps=4000, inputs={"I": 0.37}, params={"tau_m": "1000 s", "R": 1e5}, record="v")
    charge = 4000 * 0.1 * 1e5 * 0.37 / 1e6
    assert len(out.stamps) == int(charge)
    assert out.recorded["v"][-1, 0] == pytest.approx(charge - int(charge), abs=0.02)


def test_levels_of_glif_agree_where_what_they_add_is_off() -> None:
    """Each level without its own mechanism is the level below, spike by spike."""

    def spikes(name: str, **off: object) -> tuple[int, ...]:
        step = program(name)
        runner = driver.build(step, "numpy").runner
        out = simulate(runner, step, dt="0.05 ms", steps=2000, inputs={"I": 400.0}, params=off)
        return tuple(out.stamps.tolist())

    plain = {"f_v": 0, "dv": "0 mV", "d_th": "0 mV"}
    silent = {"di_1": "0 pA", "di_2": "0 pA"}
    assert len(spikes("GLIF1")) > 5
    assert spikes("GLIF2", **plain) == spikes("GLIF1")
    assert spikes("GLIF3", **silent) == spikes("GLIF1")
    assert spikes("GLIF4", **plain) == spikes("GLIF3")
    assert spikes("GLIF4", **silent) == spikes("GLIF2")
    assert spikes("GLIF5", a_v="0 ms^-1") == spikes("GLIF4")
    assert spikes("GLIF5") != spikes("GLIF4")
