"""The equations of the library against the papers', written down a second time: rates of change at random states, to rounding.

Currents are in uA/cm^2, conductances in mS/cm^2, voltages in mV, times in ms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy import cosh, exp, tanh

from birc.exact.verify import pose

State = Mapping[str, float]
Rates = dict[str, float]
Equations = Callable[[State, float], Rates]

DENSITY = 0.01
"""1 uA/cm^2 in pA/um^2, in which birc computes."""


def linoid(x: float, width: float) -> float:
    """x / (1 - exp(-x/width))."""
    return width if x == 0 else x / -math.expm1(-x / width)


def gate(alpha: float, beta: float, x: float) -> float:
    return alpha * (1 - x) - beta * x


def hodgkin_huxley(celsius: float) -> Equations:
    def rates(s: State, current: float) -> Rates:
        v, m, h, n = s["v"], s["na.m"], s["na.h"], s["k.n"]
        phi = 3 ** ((celsius - 6.3) / 10)
        return {
            "v": current - 120 * m**3 * h * (v - 50) - 36 * n**4 * (v + 77) - 0.3 * (v + 54.387),
            "na.m": phi * gate(0.1 * linoid(v + 40, 10), 4 * exp(-(v + 65) / 18), m),
            "na.h": phi * gate(0.07 * exp(-(v + 65) / 20), 1 / (exp(-(v + 35) / 10) + 1), h),
            "k.n": phi * gate(0.01 * linoid(v + 55, 10), 0.125 * exp(-(v + 65) / 80), n),
        }

    return rates


def connor_stevens(g_A: float, E_L: float) -> Equations:
    def rates(s: State, current: float) -> Rates:
        v, m, h, n, a, b = s["v"], s["na.m"], s["na.h"], s["k.n"], s["a.a"], s["a.b"]
        a_inf = (0.0761 * exp(0.0314 * (v + 94.22)) / (1 + exp(0.0346 * (v + 1.17)))) ** (1 / 3)
        b_inf = (1 + exp(0.0688 * (v + 53.3))) ** -4
        return {
            "v": current - 120 * m**3 * h * (v - 55) - 20 * n**4 * (v + 72) - g_A * a**3 * b * (v + 75) - 0.3 * (v - E_L),
            "na.m": gate(0.38 * linoid(v + 29.7, 10), 15.2 * exp(-0.0556 * (v + 54.7)), m),
            "na.h": gate(0.266 * exp(-0.05 * (v + 48)), 3.8 / (1 + exp(-0.1 * (v + 18))), h),
            "k.n": gate(0.02 * linoid(v + 45.7, 10), 0.25 * exp(-0.0125 * (v + 55.7)), n),
            "a.a": (a_inf - a) / (0.3632 + 1.158 / (1 + exp(0.0497 * (v + 55.96)))),
            "a.b": (b_inf - b) / (1.24 + 2.678 / (1 + exp(0.0624 * (v + 50)))),
        }

    return rates


def traub_miles(s: State, V_T: float) -> Rates:
    """The gates of sodium and the delayed rectifier, by the rates as Brette et al. (2007) print them."""
    u = s["v"] - V_T
    return {
        "na.m": gate(0.32 * (13 - u) / (exp((13 - u) / 4) - 1), 0.28 * (u - 40) / (exp((u - 40) / 5) - 1), s["na.m"]),
        "na.h": gate(0.128 * exp((17 - u) / 18), 4 / (1 + exp((40 - u) / 5)), s["na.h"]),
        "k.n": gate(0.032 * (15 - u) / (exp((15 - u) / 5) - 1), 0.5 * exp((10 - u) / 40), s["k.n"]),
    }


def pyramidal(g_K: float, g_L: float, E_K: float, E_L: float, V_T: float) -> Equations:
    def rates(s: State, current: float) -> Rates:
        v, m, h, n = s["v"], s["na.m"], s["na.h"], s["k.n"]
        synaptic = 0.0
        found = traub_miles(s, V_T)
        if "g_exc" in s:  # nS on 20000 um^2: 1 nS is 0.005 mS/cm^2
            synaptic = 0.005 * (s["g_exc"] * v + s["g_inh"] * (v + 80))
            found |= {"g_exc": -s["g_exc"] / 5, "g_inh": -s["g_inh"] / 10}
        return found | {"v": current - 100 * m**3 * h * (v - 50) - g_K * n**4 * (v - E_K) - g_L * (v - E_L) - synaptic}

    return rates


def wang_buzsaki(s: State, current: float) -> Rates:
    v, h, n = s["v"], s["h"], s["n"]
    alpha_m, beta_m = 0.1 * linoid(v + 35, 10), 4 * exp(-(v + 60) / 18)
    m = alpha_m / (alpha_m + beta_m)
    return {
        "v": current - 35 * m**3 * h * (v - 55) - 9 * n**4 * (v + 90) - 0.1 * (v + 65),
        "h": 5 * gate(0.07 * exp(-(v + 58) / 20), 1 / (exp(-0.1 * (v + 28)) + 1), h),
        "n": 5 * gate(0.01 * linoid(v + 34, 10), 0.125 * exp(-(v + 44) / 80), n),
    }


def morris_lecar(g_Ca: float, V_3: float, V_4: float, phi: float) -> Equations:
    def rates(s: State, current: float) -> Rates:
        v, w = s["v"], s["w"]
        m_inf = 0.5 * (1 + tanh((v + 1.2) / 18))
        return {
            "v": (current - g_Ca * m_inf * (v - 120) - 8 * w * (v + 84) - 2 * (v + 60)) / 20,
            "w": phi * (0.5 * (1 + tanh((v - V_3) / V_4)) - w) * cosh((v - V_3) / (2 * V_4)),
        }

    return rates


def fitzhugh_nagumo(s: State, current: float) -> Rates:
    return {"v": s["v"] - s["v"] ** 3 / 3 - s["w"] + current, "w": 0.08 * (s["v"] + 0.7 - 0.8 * s["w"])}


def fitzhugh(s: State, current: float) -> Rates:
    """The equations of 1961 in his x = -v, y = w and z = -I."""
    x, y, z = -s["v"], s["w"], -current
    return {"v": -3 * (y + x - x**3 / 3 + z), "w": -(x - 0.7 + 0.8 * y) / 3}


def hindmarsh_rose(s: State, current: float) -> Rates:
    x, y, z = s["x"], s["y"], s["z"]
    return {"x": y - x**3 + 3 * x**2 - z + current, "y": 1 - 5 * x**2 - y, "z": 0.005 * (4 * (x + 1.6) - z)}


def pospischil(
    g_Na: float, g_K: float, g_M: float, tau_max: float, g_L: float, E_L: float, V_T: float, g_T: float = 0.0, V_x: float = 0.0
) -> Equations:
    def rates(s: State, current: float) -> Rates:
        v, m, h, n, p = s["v"], s["na.m"], s["na.h"], s["k.n"], s["km.p"]
        tau_p = tau_max / (3.3 * exp((v + 35) / 20) + exp(-(v + 35) / 20))
        found = traub_miles(s, V_T) | {"km.p": (1 / (1 + exp(-(v + 35) / 10)) - p) / tau_p}
        inward = 0.0
        if g_T:
            u = s["cat.u"]
            inward = g_T / (1 + exp(-(v + V_x + 57) / 6.2)) ** 2 * u * (120 - v)
            tau_u = (30.8 + (211.4 + exp((v + V_x + 113.2) / 5)) / (1 + exp((v + V_x + 84) / 3.2))) / 3**1.2
            found["cat.u"] = (1 / (1 + exp((v + V_x + 81) / 4)) - u) / tau_u
        outward = g_Na * m**3 * h * (v - 50) + (g_K * n**4 + g_M * p) * (v + 90) + g_L * (v - E_L)
        return found | {"v": current - outward + inward}

    return rates


@pytest.mark.parametrize(("file", "model", "paper"), [
    ("hodgkin_huxley", "HH", hodgkin_huxley(6.3)),
    ("hodgkin_huxley", "HH.warm", hodgkin_huxley(18.5)),
    ("connor_stevens", "ConnorStevens", connor_stevens(47.7, -17)),
    ("connor_stevens", "ConnorStevens.without_A", connor_stevens(0, -70)),
    ("traub_miles", "TraubMiles", pyramidal(30, 0.05, -90, -60, -63)),
    ("traub_miles", "TraubMiles.ermentrout_kopell", pyramidal(80, 0.1, -100, -67, -67)),
    ("traub_miles", "COBAHH", pyramidal(30, 0.05, -90, -60, -63)),
    ("wang_buzsaki", "WangBuzsaki", wang_buzsaki),
    ("morris_lecar", "MorrisLecar", morris_lecar(4.4, 2, 30, 0.04)),
    ("morris_lecar", "MorrisLecar.class_1", morris_lecar(4, 12, 17.4, 1 / 15)),
    ("morris_lecar", "MorrisLecar.homoclinic", morris_lecar(4, 12, 17.4, 0.23)),
    ("fitzhugh_nagumo", "FitzHughNagumo", fitzhugh_nagumo),
    ("fitzhugh_nagumo", "FitzHughNagumo.fitzhugh", fitzhugh),
    ("hindmarsh_rose", "HindmarshRose", hindmarsh_rose),
    ("pospischil", "Pospischil", pospischil(56, 6, 0.075, 608, 0.0205, -70.3, -56.2)),
    ("pospischil", "Pospischil.FS", pospischil(58, 3.9, 0.0787, 502, 0.038, -70.4, -57.9)),
    ("pospischil", "PospischilLTS", pospischil(50, 4, 0.028, 4000, 0.019, -50, -50, 0.4, -7)),
])  # fmt: skip
def test_rates_of_change_are_the_papers(file: str, model: str, paper: Equations) -> None:
    system = pose(file, model=model, duration="1 ms", smooth=True).system
    dimensionless = model.startswith(("FitzHugh", "Hindmarsh"))
    draws = np.random.default_rng(5)
    for _ in range(50):
        at = {s: float(draws.uniform(-90, 50) if s == "v" else draws.uniform(0, 1)) for s in system.states}
        if dimensionless:
            at = {s: float(draws.uniform(-2, 2)) for s in system.states}
        current = float(draws.uniform(-5, 20))
        found = dict(zip(system.states, system.rates([*at.values(), current * (1 if dimensionless else DENSITY)]), strict=True))
        wanted = paper(at, current)
        assert found.keys() == wanted.keys()
        for state, rate in wanted.items():
            # terms that cancel leave their rounding
            assert found[state] == pytest.approx(rate, rel=1e-10, abs=1e-10), state
