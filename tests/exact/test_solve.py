"""The exact solution against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from birc.errors import BircError
from birc.exact.solve import solve
from tests.exact.problems import posed, solved, spikes

LIF = """
neuron A:
    param tau = 20 ms, E = -70 mV, v_th = -50 mV, v_r = -65 mV, t_ref = {t_ref}
    state v = E, n = 0
    input I: mV
    on jump(w: mV): v += w
    tau * v' = (E - v) + I
    spike {when}: v = v_r
    {hold}
"""


def lif(t_ref: str = "2 ms", when: str = "when v >= v_th", hold: str = "refractory t_ref: hold v") -> str:
    return LIF.format(t_ref=t_ref, when=when, hold=hold).replace(", n = 0", "")


def test_the_interval_of_a_leaky_neuron_is_the_closed_form() -> None:
    # from -65 to -50 on the way to -45: tau log(20/5)
    found = spikes(solved(lif("2.34 ms"), inputs={"I": "25 mV"}, duration="300 ms"))
    first = 20 * math.log(25 / 5)
    np.testing.assert_allclose(found, first + np.arange(len(found)) * (2.34 + 20 * math.log(4)), rtol=1e-12)
    assert len(found) == 9


def test_the_interval_of_a_quadratic_neuron_is_the_closed_form() -> None:
    text = "neuron Q:\n    state v = -10\n    v' = (v^2 + 4) * 0.1 ms^-1\n    spike when v >= 30: v = -10\n"
    found = spikes(solved(text, duration="60 ms"))
    interval = (math.atan(15) + math.atan(5)) / 0.2
    np.testing.assert_allclose(found, np.arange(1, len(found) + 1) * interval, rtol=1e-11)
    assert len(found) == 4


def test_an_oscillator_keeps_its_phase_and_counts_its_rises() -> None:
    text = "neuron O:\n    param w = 2 ms^-1\n    state x = 1, y = 0\n    x' = -w * y\n    y' = w * x\n    spike on rise x > 0.5: pass\n"
    text = text.replace(": pass", "")
    stamps = (10, 500, 1000)
    found = solved(text, stamps)
    t = np.array(stamps) * 0.1
    np.testing.assert_allclose(found.states, np.stack([np.cos(2 * t), np.sin(2 * t)], axis=1), atol=1e-10)
    rises = (2 * np.pi * np.arange(1, 32) - np.pi / 3) / 2
    np.testing.assert_allclose(spikes(found), rises, atol=1e-10)


def test_an_event_acts_at_its_time_and_not_on_what_is_held() -> None:
    # the first makes a spike at once; the second falls into the refractory period; the third comes after it
    found = solved(lif("10 ms"), (110, 250), inputs={"jump": "at(5 ms, 8 ms, 20 ms, 21 mV)"}, duration="30 ms")
    assert found.spikes == (5.0, 20.0)
    np.testing.assert_allclose(found.states, [[-65.0], [-65.0]])
    still = solved(lif("1 ms"), (250,), inputs={"jump": "at(5 ms, 12 ms)".replace("12 ms", "8 ms, 1 mV")}, duration="30 ms")
    np.testing.assert_allclose(still.states[0, 0], -70 + math.exp(-1.0) + math.exp(-17 / 20), rtol=1e-13)


def test_an_input_is_held_over_each_step() -> None:
    ramp = np.arange(10.0)
    found = solved(lif(), (10,), inputs={"I": ramp}, duration="10 ms", dt="1 ms")
    v = -70.0
    for held in ramp:
        v += (held - (v + 70)) * -math.expm1(-1 / 20)
    np.testing.assert_allclose(found.states[0, 0], v, rtol=1e-13)


def test_a_rise_counts_once_and_is_lost_while_refractory() -> None:
    body = "neuron R:\n    param f = 1 ms^-1\n    state p = 0\n    p' = f\n    spike on rise sin(p) > 0.5\n"
    every = spikes(solved(body, duration="40 ms"))
    np.testing.assert_allclose(every, np.pi / 6 + 2 * np.pi * np.arange(7), atol=1e-10)
    longer = body + "    refractory 7 ms\n"
    np.testing.assert_allclose(spikes(solved(longer, duration="40 ms")), every[::2], atol=1e-10)


def test_limits_hold_a_state_until_it_turns_back() -> None:
    text = "neuron C:\n    param w = 1 ms^-1\n    state p = 0\n    state x = 0 in [-1, 0.5]\n    p' = w\n    x' = w * cos(p)\n"
    stamps = (5, 10, 15, 20, 25, 30, 40)
    found = solved(text, stamps, duration="4 ms")
    t = np.array(stamps) * 0.1
    exact = np.where(t < math.pi / 6, np.sin(t), np.where(t < math.pi / 2, 0.5, np.sin(t) - 0.5))
    np.testing.assert_allclose(found.states[:, 1], np.maximum(exact, -1), atol=1e-11)


def test_a_removable_hole_at_the_start_is_filled() -> None:
    text = "neuron H:\n    param k = 1 ms^-1\n    state x = 0\n    x' = k * x / (1 - exp(-x))\n"
    found = solved(text, (10,), duration="1 ms")
    smooth = solved(text.replace("x = 0", "x = 1e-9"), (10,), duration="1 ms")
    np.testing.assert_allclose(found.states, smooth.states, rtol=1e-8)


def test_stiff_equations_are_given_to_an_implicit_method() -> None:
    text = "neuron S:\n    param k = 1e5 ms^-1, w = 1 ms^-1\n    state p = 0, x = 0\n    p' = w\n    x' = k * (cos(p) - x)\n"
    found = solved(text, (100,), duration="10 ms")
    assert found.method == "Radau"
    np.testing.assert_allclose(found.states[0, 1], math.cos(10) + math.sin(10) * 1e-5, atol=1e-9)


def test_a_threshold_that_is_touched_between_two_steps_is_seen() -> None:
    text = "neuron T:\n    param w = 1 ms^-1, top = {top}\n    state p = 0\n    p' = w\n    spike on rise sin(p) > top\n"
    assert len(solved(text.format(top="0.99999999"), duration="12 ms").spikes) == 2
    assert len(solved(text.format(top="1.00000001"), duration="12 ms").spikes) == 0


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("neuron N:\n    noise xi\n    state v = 0\n    v' = -v / 1 ms + sqrt(1 ms^-1) * xi\n", "noise `xi`"),
        ("neuron N:\n    state v = 0, n = 0\n    v' = -v / 1 ms\n    step n = n + 1\n", "step n"),
        ("neuron N:\n    state v = 0\n    v' = -v / 1 ms\n    spike when v == 1: v = 0\n", "crosses"),
        ("neuron N:\n    state v = 0\n    on a(w: 1): v += w\n    spike when v >= 1: v = 0\n", "no equation"),
    ],
)
def test_what_has_no_exact_solution_is_refused_by_name(text: str, part: str) -> None:
    with pytest.raises(BircError) as refused:
        posed(text)
    assert refused.value.code == "V101" and part in str(refused.value)


def test_a_model_that_fires_without_pause_is_refused() -> None:
    problem = posed("neuron P:\n    state v = 0, n = 0\n    v' = 1 ms^-1\n    spike when v >= 1: n += 1\n")
    with pytest.raises(BircError, match="fires without pause"):
        solve(problem.system, problem.drive)


def test_a_solution_that_runs_away_is_refused() -> None:
    problem = posed("neuron P:\n    state v = 1\n    v' = v^2 * 1 ms^-1\n")
    with pytest.raises(BircError) as refused:
        solve(problem.system, problem.drive)
    assert refused.value.code == "V103"
