"""Exact steps over a million steps, against closed forms."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest

from birc.backends.c_family import build
from birc.driver import compile_model
from tests.turns import cos_sin

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="needs a C++ compiler")

STEPS = 1_000_000
STEP = 0.1
END = 1e5
"""Their length and end, in ms."""
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
    param tau = {tau} ms, omega = {omega} ms^-1
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
@pytest.mark.parametrize("omega", [0.01, 0.05, 1.0, 3.0])
def test_an_oscillator(tmp_path: Path, tau: float, omega: float) -> None:
    """Up to 0.3 radians per step, 48,000 turns; relative to the radius. The length of a step is the double nearest to 0.1."""
    x, y = last(tmp_path, OSCILLATOR.format(tau=tau, omega=omega), "x", "y")
    with localcontext() as context:
        context.prec = 60
        end = Decimal(STEP) * STEPS
        radius, (cos, sin) = (-end / Decimal(tau)).exp(), cos_sin(Decimal(omega) * end)
        off = ((Decimal(x) - radius * cos) ** 2 + (Decimal(y) - radius * sin) ** 2).sqrt()
        assert off / radius <= Decimal("1e-12")
