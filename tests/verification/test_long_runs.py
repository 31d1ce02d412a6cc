"""Exact steps over a million steps, against closed forms."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from birc.backends.c_family import build
from birc.driver import compile_model

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="needs a C++ compiler")

STEPS = 1_000_000
END = 1e5
"""Their end, in ms."""
LEAK = """
neuron Leak:
    param tau = {tau} ms
    state x = 1
    x' = -x / tau
"""
CHAIN = """
neuron Chain:
    param tau_s = {tau} ms, tau_m = {tau} ms
    state s = 1, x = 0
    s' = -s / tau_s
    x' = -x / tau_m + s / tau_s
"""
OSCILLATOR = """
neuron Oscillator:
    param tau = {tau} ms, omega = 0.05 ms^-1
    state x = 1, y = 0
    x' = -x / tau - omega * y
    y' = -y / tau + omega * x
"""


def last(tmp_path: Path, text: str, *states: str) -> list[float]:
    """States after all steps of 0.1 ms."""
    path = tmp_path / "model.birc"
    path.write_text(text)
    out = compile_model(str(path), target="native", dt="0.1 ms").run(steps=STEPS, n=1, record=list(states))
    return [float(np.asarray(out[state])[-1, 0]) for state in states]


@pytest.mark.parametrize("tau", [200.0, 1000.0, 12345.0, 1e5])
def test_a_leak(tmp_path: Path, tau: float) -> None:
    assert last(tmp_path, LEAK.format(tau=tau), "x") == pytest.approx([math.exp(-END / tau)], rel=1e-12, abs=0)


@pytest.mark.parametrize("tau", [1000.0, 1e5])
def test_one_that_feeds_another_of_the_same_time_constant(tmp_path: Path, tau: float) -> None:
    u = END / tau
    assert last(tmp_path, CHAIN.format(tau=tau), "s", "x") == pytest.approx([math.exp(-u), u * math.exp(-u)], rel=1e-12, abs=0)


@pytest.mark.parametrize("tau", [1e3, 1e6])
def test_an_oscillator(tmp_path: Path, tau: float) -> None:
    """800 turns; relative to the radius. What is left is the rounding of 0.005 radians."""
    radius, turn = math.exp(-END / tau), 0.05 * END
    x, y = last(tmp_path, OSCILLATOR.format(tau=tau), "x", "y")
    assert math.hypot(x - radius * math.cos(turn), y - radius * math.sin(turn)) <= 2e-12 * radius
