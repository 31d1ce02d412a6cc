"""Every method on every kind of block: pass against definition, orders of convergence, stiffness, runaway, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from birc import driver, passes
from birc.backends.c_family.build import find_compiler
from birc.errors import BircError
from birc.ir.check import check_step
from birc.ir.methods import METHODS
from birc.ir.model import Model
from birc.ir.solvers import SOLVERS, TABLE
from birc.ir.step import Define, Integrate, Step
from birc.ir.text import parse_step, print_step
from birc.passes import PASSES
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, advance, close, lowered, model_of, run
from tests.passes.test_solvers import EIF, adex, after, fed, orders

MODELS = LIBRARY | SMALL
ANY = ("AdEx", "Izhikevich", "fed_eif", "held_feed", "moving_threshold", "all_held", "powers", "merged_around_a_nonlinear_one",
       "names_of_the_compiler", "noisy_euler", "multiplicative", "channel_with_functions", "HH", "names_of_gates")  # fmt: skip
AFFINE = ("HH", "LIF", "exponential_with_hold", "singular", "held_in_a_block", "oscillator", "noises",
          "noise_through_a_coefficient", "held_noise", "names_of_gates")  # fmt: skip

GATES = """
neuron Gates:
    param C = 1 uF/cm^2, g = 0.1 mS/cm^2, tau = 3 ms, t_ref = 1 ms
    state v = -65 mV, ca = 0.1, s = 0.5
    input I: uA/cm^2
    gate m: inf = 1 / (1 + exp(-(v + 40 mV) / 10 mV))
            tau = 1 ms + 5 ms * exp(-(v + 60 mV)^2 / (900 mV^2))
    gate h: inf = 1 / (1 + exp((v + 40 mV) / 10 mV))
            tau = (4 ms) / (1 + ca)
    ca' = (m - ca * s) / (10 ms)
    tau * s' = -s
    C * v' = I - g * (m^3 * h + s) * (v - 50 mV) - g * (1 + ca) * (v + 65 mV)
    spike when v >= 0 mV: v = -65 mV
    refractory t_ref: hold v
"""
MODELS["names_of_gates"] = model_of(GATES)


def around_solver(model: Model, solver: str) -> tuple[Step, Step]:
    """The program before the pass of a solver and after it, with every block solved by it; an exact feed stays exact."""
    first = passes.run(driver.lower(model)[0], ())
    assert isinstance(first, Model)
    moved = [o.state for o in first.odes if not any(o.state in b.states and b.method == "exact" for b in first.blocks)]
    chosen = [f"{s}={solver}" for s in moved or [o.state for o in first.odes]]
    programs: list[tuple[str, passes.Program]] = []
    driver.lower(model, chosen, after=lambda name, program, seconds: programs.append((name, program)))
    place = [name for name, _ in programs].index(f"expand-{solver.replace('_', '-')}")
    before, changed = programs[place - 1][1], programs[place][1]
    assert isinstance(before, Step) and isinstance(changed, Step) and before is not changed
    return before, changed


@pytest.mark.parametrize("solver", [s.name for s in TABLE if s.name != "exact"])
def test_pass_against_the_definition(solver: str) -> None:
    for name in AFFINE if SOLVERS[solver].fits == "affine" else ANY:
        before, changed = around_solver(MODELS[name], solver)
        check_step(changed)
        assert parse_step(print_step(changed)) == changed
        assert passes.run(changed, [f"expand-{solver.replace('_', '-')}"]) is changed
        for seed in (1, 2):
            close(run(before, seed, 0.01), run(changed, seed, 0.01), 1e-9)


def test_every_solver_has_a_pass_and_a_definition() -> None:
    assert set(METHODS) == set(SOLVERS)
    assert {f"expand-{name.replace('_', '-')}" for name in SOLVERS} <= {p.name for p in PASSES}


# --- orders


PLANE = """
neuron Plane:
    param tau = 3 ms
    state x = 1, y = 0.5, s = 1
    tau * x' = -x * (1 + y^2) + y + s
    tau * y' = -y * (1 + x) + x + 0.3 * s
    tau * s' = -s / 2
"""


def plane(t: float, y: Any) -> Any:
    """The right-hand side of `PLANE`."""
    return [(-y[0] * (1 + y[1] ** 2) + y[1] + y[2]) / 3, (-y[1] * (1 + y[0]) + y[0] + 0.3 * y[2]) / 3, -y[2] / 6]


@pytest.mark.parametrize("solver", [s for s in TABLE if s.name != "exact"], ids=lambda s: s.name)
def test_order_with_a_feed(solver: Any) -> None:
    """Where an exact block feeds one that is solved in stages, the order is that of the method."""
    exact = solve_ivp(plane, (0, 4), [1.0, 0.5, 1.0], method="DOP853", rtol=1e-13, atol=1e-13).y[:, -1]
    model, steps = model_of(PLANE), (0.2, 0.1, 0.05) if solver.order == 4 else (0.1, 0.05, 0.025)
    found = [after(model, h, 4.0, {}, {}, solver=[f"x={solver.name}", f"y={solver.name}"])[-1] for h in steps]
    errors = [float(np.max(np.abs(f - exact))) for f in found]
    assert orders(errors) == pytest.approx([solver.order] * 2, abs=0.25)


@pytest.mark.parametrize("solver", [s for s in TABLE if s.fits == "any"], ids=lambda s: s.name)
def test_order_on_an_exponential_rise(solver: Any) -> None:
    start = {"v": 0.5, "s": 1.0, "r": 2.0}
    exact = solve_ivp(fed, (0, 2), list(start.values()), method="DOP853", rtol=1e-13, atol=1e-13).y[:, -1]
    steps = (0.5, 0.25, 0.125) if solver.order == 4 else (0.1, 0.05, 0.025)
    errors = [abs(after(model_of(EIF), h, 2.0, {}, start, solver=f"v={solver.name}")[-1, 0] - exact[0]) for h in steps]
    assert orders(errors) == pytest.approx([solver.order] * 2, abs=0.25)


def test_a_guard_keeps_the_order_of_rosenbrock() -> None:
    """The growth of a guarded state is left out of the matrix, and any matrix gives order 2."""
    model, start = model_of(EIF + "    spike when v >= 20: v = 0\n"), {"v": 0.5, "s": 1.0, "r": 2.0}
    assert lowered(model, solver="v=rosenbrock").guards
    exact = solve_ivp(fed, (0, 2), list(start.values()), method="DOP853", rtol=1e-13, atol=1e-13).y[:, -1]
    errors = [abs(after(model, h, 2.0, {}, start, solver="v=rosenbrock")[-1, 0] - exact[0]) for h in (0.1, 0.05, 0.025)]
    assert orders(errors) == pytest.approx([2, 2], abs=0.25)


# --- stiffness


STIFF = """
neuron Stiff:
    param k = 1000000
    state x = 2, y = 1
    (1 ms) * x' = -k * (x - y^2)
    (1 ms) * y' = -y * (1 + 0.1 * x)
"""


@pytest.mark.parametrize("solver", ["rosenbrock", "implicit_euler", "strang", "strang4", "exponential"])
def test_stiff_equations(solver: str) -> None:
    """x clings to y^2, and y decays slowly, with steps a hundred thousand times too long for an explicit method."""
    exact = solve_ivp(lambda t, y: [-y[0] * (1 + 0.1 * y[0] ** 2)], (0, 2), [1.0], rtol=1e-10, atol=1e-12).y[0, -1]
    found = advance(lowered(model_of(STIFF), solver=solver), 20, 0.1, {})
    assert found["y"] == pytest.approx(exact, rel=0.12) and found["x"] == pytest.approx(exact**2, rel=0.3)


def test_explicit_methods_fail_there() -> None:
    for solver in ("rk4", "heun", "euler"):
        with np.errstate(all="ignore"):
            assert not abs(advance(lowered(model_of(STIFF), solver=solver), 20, 0.1, {})["x"]) < 1e3, solver


# --- runaway


def test_euler_steps_in_sequence_show_others_the_overshoot() -> None:
    # what comes behind v sees it as it is before the reset, as in the published scheme: a coarse step feeds the runaway to w
    sequence, accurate = (
        driver.build(lowered(LIBRARY["AdEx"], solver=solver), "numpy", dt="0.02 ms").run("200 ms", inputs={"I": 1000.0}, record=["w"])
        for solver in ("sequential_euler", "rk4")
    )
    assert len(sequence.index) < len(accurate.index) == 8 and sequence.w.max() > accurate.w.max()


@pytest.mark.parametrize("solver", [s.name for s in TABLE if s.fits == "any" and s.name != "sequential_euler"])
@pytest.mark.parametrize("dt", ["0.1 ms", "0.02 ms"])
def test_adex_with_every_solver(solver: str, dt: str) -> None:
    """Brette & Gerstner (2005) with its cut at 0 mV: as many spikes as with spikes located inside steps, and w stays finite."""
    spikes = adex(1000.0, 200.0)
    result = driver.build(lowered(LIBRARY["AdEx"], solver=solver), "numpy", dt=dt).run("200 ms", n=1, inputs={"I": 1000.0}, record=["w"])
    assert len(result.spikes[1]) == len(spikes)
    assert np.abs(np.asarray(result["w"])).max() < 1000
    late = 2 if SOLVERS[solver].order > 1 else 5
    np.testing.assert_allclose(result.spikes[1], spikes, rtol=0, atol=late * float(dt.split()[0]) * len(spikes))


# --- the default for gated models


def test_timing_of_hodgkin_huxley() -> None:
    """Over 100 ms at 0.01 ms, spikes of the default stay within a step of the solution; 0.05 ms long steps do as well."""
    assert [b.method for b in lowered(LIBRARY["HH"]).blocks] == ["strang4"]
    reference = driver.build(lowered(LIBRARY["HH"], solver="rk4"), "numpy", dt="0.01 ms").run("100 ms", n=1, inputs={"I": 10.0}).spikes[1]
    for dt, within in (("0.01 ms", 0.01), ("0.05 ms", 0.05)):
        found = driver.build(lowered(LIBRARY["HH"]), "numpy", dt=dt).run("100 ms", n=1, inputs={"I": 10.0}).spikes[1]
        assert len(found) == len(reference) > 5
        np.testing.assert_allclose(found, reference, rtol=0, atol=within + 1e-9)


# --- what is refused


MANY = "neuron Many:\n    state " + ", ".join(f"x{i} = 0.1" for i in range(17)) + "\n" + "".join(
    f"    (1 ms) * x{i}' = -x{i}^3 + x{(i + 1) % 17}\n" for i in range(17)
)  # fmt: skip


def test_blocks_that_are_too_large() -> None:
    with pytest.raises(BircError) as caught:
        driver.lower(model_of(MANY), "rosenbrock")
    (found,) = caught.value.diagnostics
    assert found.code == "L102" and "16 states at most that depend on one another, and these are 17" in found.message
    driver.lower(model_of(MANY), "heun")


def test_all_that_cannot_work_is_said_at_once() -> None:
    text = "neuron A:\n    state x = 1, y = 0\n    (1 ms) * x' = -x^2\n    (1 ms) * y' = x - y^3\n    with solver exact on x\n"
    with pytest.raises(BircError) as caught:
        driver.lower(model_of(text + "    with solver strang4 on y\n"))
    assert [d.code for d in caught.value.diagnostics] == ["L102", "L102"]
    assert ["exact" in d.message for d in caught.value.diagnostics] == [True, False]


# --- texts


PAIR = """
neuron Cell:
    param tau = 10 ms, t_ref = 1 ms
    state v = 0, s = 1
    tau * v' = v^2 + s
    tau * s' = -s * v
    spike when v > 1: v = 0
    refractory t_ref: hold v
"""
GATED = """
neuron Cell:
    state v = 0 mV
    gate m: inf = 1 / (1 + exp(-v / 10 mV))
            tau = 5 ms
    (10 ms) * v' = m * (50 mV - v)
    spike when v > 20 mV
"""


@pytest.mark.parametrize("solver", ["exponential_euler", "strang", "strang4", "heun", "implicit_euler", "rosenbrock"])
def test_text(solver: str, golden: Golden) -> None:
    before, changed = around_solver(model_of(GATED if SOLVERS[solver].fits == "affine" else PAIR), solver)
    golden.check(f"golden/passes/expand_{solver}.txt", f"# before\n{print_step(before)}\n# after\n{print_step(changed)}")


def test_gates_that_do_not_read_one_another_are_done_once() -> None:
    """m and h read v and ca, which have half steps before and after; they go all the way at the turn."""
    _, step = around_solver(MODELS["names_of_gates"], "strang")
    names = {s.name for _, s in step.statements() if isinstance(s, Define)}
    assert {"m.s2", "h.s2", "ca.s1", "ca.s2", "v.s1", "v.s2"} <= names and not {"m.s1", "h.s1"} & names


def test_elimination_of_an_arrow_fills_nothing_in() -> None:
    """Gates depend on v and themselves: the equations of three gates and v need no entry between gates."""
    _, step = around_solver(LIBRARY["HH"], "rosenbrock")
    filled = [s.name for _, s in step.statements() if isinstance(s, Define) and ".w.U." in s.name]
    places = [name.split(".U.")[1].split(".")[:2] for name in filled]
    assert len(places) == 3 and all(i == j for i, j in places)


def test_held_states_do_not_move() -> None:
    for solver in [s.name for s in TABLE if s.fits == "any"]:
        step = lowered(SMALL["held_feed"], solver=f"v={solver}")
        assert advance(step, 1, 0.5, {"v": 0.7, "s": 0.4, "refractory": 2})["v"] == 0.7, solver


def test_nothing_is_left_to_integrate() -> None:
    for solver in SOLVERS.values():
        step = lowered(LIBRARY["LIF"], solver=solver.name)
        assert not any(isinstance(s, Integrate) for _, s in step.statements())
        assert {b.method for b in step.blocks} == {solver.name}


# --- long runs


@pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")
def test_a_million_exact_steps() -> None:
    """Time constants of ten steps to a million: the closed form, the same as after a few steps."""
    compiled = driver.build(lowered(LIBRARY["LIF"]), "native", dt="0.1 ms")
    for tau in (1.0, 10.0, 1e3, 1e5):
        params = {"tau_m": tau, "tau_s": tau}
        result = compiled.run(steps=1_000_000, n=1, inputs={"I": 100.0}, params=params, record=["v"], every=1_000_000)
        assert float(np.asarray(result["v"])[-1, 0]) == pytest.approx(-60 - 10 * math.exp(-1e5 / tau), rel=1e-12)
