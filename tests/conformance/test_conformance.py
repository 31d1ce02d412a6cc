"""The conformance kit: every row on every target."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from birc.backends import Dtype
from birc.runtime.simulate import simulate
from tests.conformance.kit import MODELS, Case, differences, step_of
from tests.conformance.rows import BY_NAME, ROWS
from tests.conformance.targets import TAKES, TARGETS, need, refuses, runner

RUNS = [
    pytest.param(case, target, dtype, id=f"{case.name}-{target}-{dtype}")
    for target, dtype in TARGETS
    for case in ROWS
    if dtype == "f64" or case.exact
]


@pytest.mark.parametrize(("case", "target", "dtype"), RUNS)
def test_row(case: Case, target: str, dtype: Dtype) -> None:
    need(target)
    refused = refuses(target, dtype, case.model)
    found = [] if refused else differences(case, runner(target, dtype, case.model), dtype)
    refused = refused or "; ".join(text for text in found if text.startswith("error[L"))
    assert bool(refused) == (target in TAKES and case.name not in TAKES[target])
    if refused:
        pytest.xfail(f"{target} refuses {case.name}: {refused}")
    assert found == []


def test_every_row_has_a_name_and_every_model_a_row() -> None:
    assert len(BY_NAME) == len(ROWS)
    apart = {"adex"}
    assert {path.stem for path in MODELS.glob("*.birc")} == {case.model for case in ROWS} | apart


@pytest.mark.parametrize("target", ["numpy", "native", "onnx", "keras"])
def test_noise_is_the_same_bits(target: str) -> None:
    need(target)
    for name in ("walk", "ou", "filtered"):
        case = BY_NAME[name]
        step = step_of(case.model)
        states = [
            simulate(runner(t, "f64", case.model), step, dt=case.dt, steps=50, n=300, seed=case.seed).state.values
            for t in (target, "interpreter")
        ]
        for variable in states[0]:
            assert np.array_equal(states[0][variable], states[1][variable])


@pytest.mark.parametrize("target", ["numpy", "native"])
def test_variance_of_an_ornstein_uhlenbeck_process(target: str) -> None:
    """After 40 steps of tau / 5 from 0 the variance is s^2 (1 - e^-16) and the mean 0; the correlation over a step is e^-1/5."""
    need(target)
    n = 40_000
    out = simulate(runner(target, "f64", "ou"), step_of("ou"), dt="1 ms", steps=41, n=n, seed=3, record="v")
    last, before = out.v[-1], out.v[-2]
    assert abs(last.mean()) < 4 * 0.5 / np.sqrt(n)
    assert abs(last.var() / 0.25 - 1) < 4 * np.sqrt(2 / n)
    assert abs(np.corrcoef(last, before)[0, 1] - np.exp(-0.2)) < 4 / np.sqrt(n)


def adex_spikes(current: float, duration: float) -> tuple[list[float], float]:
    """Spike times and the last w of AdEx by DOP853 (order 8) at 1e-11, stopped and reset at each crossing of 0 mV."""

    def rates(t: float, y: list[float]) -> list[float]:
        v, w = y
        return [(30 * (-70.6 - v) + 60 * np.exp((v + 50.4) / 2) - w + current) / 281, (4 * (v + 70.6) - w) / 144]

    def peak(t: float, y: list[float]) -> float:
        return y[0]

    peak.terminal = True  # type: ignore[attr-defined]
    times: list[float] = []
    t, y = 0.0, [-70.6, 0.0]
    while True:
        part = solve_ivp(rates, (t, duration), y, method="DOP853", rtol=1e-11, atol=1e-9, events=peak)
        if part.status == 0:
            return times, float(part.y[1, -1])
        t, y = float(part.t[-1]), [-70.6, float(part.y[1, -1]) + 80.5]
        times.append(t)


@pytest.mark.parametrize("target", ["interpreter", "numpy", "native", "onnx"])
def test_adex_survives_its_exponential(target: str) -> None:
    """17 spikes; at each the grid loses less than a step, and the method less than half a step in the blow-up. w is not spoilt by it."""
    need(target)
    times, w = adex_spikes(1000.0, 500.0)
    assert len(times) == 17
    out = simulate(runner(target, "f64", "adex"), step_of("adex"), dt="0.1 ms", duration="500 ms", inputs={"I": "1 nA"}, record="w")
    late = out.spikes.time - np.array(times)
    assert np.all(late >= 0) and np.all(np.diff(late, prepend=0.0) < 0.15)
    assert out.w[-1, 0] == pytest.approx(w, rel=0.01)
    assert out.w.max() < 2 * w


def test_ten_million_steps_in_float32() -> None:
    """Time is an integer: the last interval equals the first."""
    need("native")
    out = simulate(runner("native", "f32", "lif"), step_of("lif"), dt="1 ms", steps=10_000_000, dtype="f32", inputs={"I": 1.5})
    assert np.array_equal(out.stamps, np.arange(22, 10_000_001, 24))
