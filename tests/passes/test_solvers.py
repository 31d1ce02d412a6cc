"""The solvers against closed forms, matrix exponentials and an adaptive method: what is exact is exact, orders are what they should be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal, getcontext
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import quad_vec, solve_ivp
from scipy.linalg import expm

from birc import driver
from birc.backends import Dtype
from birc.ir.evaluate import Moment, evaluate_names, interpret
from birc.ir.expr import Expr, const, op, substitute, topo, var
from birc.ir.model import Model
from birc.ir.step import Integrate, Step
from birc.passes.singular_quotients import remove
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, advance, bound, lowered, model_of, moment, stages

Array = npt.NDArray[Any]

getcontext().prec = 60


# --- exact: closed forms


@pytest.mark.parametrize(
    ("tau_m", "tau_s"), [(20.0, 5.0), (5.0, 20.0), (10.0, 10.0), (10.0, 10.0 + 1e-9), (10.0, 10.0 - 1e-9), (10.0, 10.0 + 1e-12)]
)
def test_exact_lif_with_a_current(tau_m: float, tau_s: float) -> None:
    h, count = 0.1, 200
    start = {"v": -70.0, "i_s": 120.0}
    found = advance(lowered(LIBRARY["LIF"]), count, h, start, {"I": 50.0}, tau_m=tau_m, tau_s=tau_s)
    t, m, s, driven = (Decimal(x) for x in (h, tau_m, tau_s, 0.1 * 50.0))
    t *= count
    rise = (m * s / (m - s) * ((-t / m).exp() - (-t / s).exp()) if m != s else t * (-t / m).exp()) / m
    v = Decimal(-70) + driven * (1 - (-t / m).exp()) + Decimal("0.1") * 120 * rise
    assert found["i_s"] == pytest.approx(float(120 * (-t / s).exp()), rel=1e-12)
    assert found["v"] == pytest.approx(float(v), rel=1e-12)


Numbers = Mapping[str, float]

SYSTEMS: dict[str, tuple[list[str], Callable[[Numbers], tuple[Any, Any]]]] = {
    "oscillator": (
        ["x", "y", "z"],
        lambda p: ([[-p["g"], p["w"], 0], [-p["w"], -p["g"], 0], [1 / p["tau"], 0, -1 / p["tau"]]], [0, 0, 2 / p["tau"]]),
    ),
    "defective": (
        ["a", "b", "c"],
        lambda p: (np.array([[-1, 0, 0], [1, -1, 0], [1, 1, -1]]) / p["tau"], [2 / p["tau"], 0, 0]),
    ),
    "second_order": (["x", "x'"], lambda p: ([[0, 1], [-(p["w"] ** 2), 0]], [0, 0])),
    "held_in_a_block": (
        ["v", "w"],
        lambda p: ([[-1 / p["tau"], -1 / p["tau"]], [p["a"] / p["tau_w"], -1 / p["tau_w"]]], [2 / p["tau"], 0]),
    ),
}
"""States, and their matrix and drive for an input of 2."""


def affine(a: Array, b: Array, h: float, x: Array) -> Array:
    """x(h) of x' = a x + b, by a matrix exponential of its own."""
    n = len(x)
    block = np.zeros((n + 1, n + 1))
    block[:n, :n], block[:n, n] = a, b
    result: Array = (expm(block * h) @ np.append(x, 1.0))[:n]
    return result


@pytest.mark.parametrize("h", [0.01, 0.1, 3.0])
@pytest.mark.parametrize("name", SYSTEMS)
def test_exact_blocks(name: str, h: float) -> None:
    states, system = SYSTEMS[name]
    step = lowered(SMALL[name])
    assert {b.method for b in step.blocks} == {"exact"}
    a, b = (np.array(x, float) for x in system(bound(step, h)))
    x = np.array([0.4, -0.3, 0.7][: len(states)])
    found = advance(step, 1, h, dict(zip(states, x, strict=True)), {"I": 2.0})
    np.testing.assert_allclose([found[s] for s in states], affine(a, b, h, x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("h", [0.1, 1.0])
def test_a_held_variable_is_seen_as_constant_by_its_block(h: float) -> None:
    step = lowered(SMALL["held_in_a_block"])
    p = bound(step, h)
    a, b = (np.array(x, float) for x in SYSTEMS["held_in_a_block"][1](p))
    a[0], b[0] = 0.0, 0.0
    x = np.array([0.4, -0.3])
    found = advance(step, 1, h, {"v": 0.4, "w": -0.3, "refractory": 2}, {"I": 2.0})
    np.testing.assert_allclose([found["v"], found["w"]], affine(a, b, h, x), rtol=1e-13)
    free = advance(step, 1, h, {"v": 0.4, "w": -0.3}, {"I": 2.0})
    assert abs(free["w"] - found["w"]) > 1e-5


def test_alpha_function() -> None:
    step = lowered(LIBRARY["LIFAlpha"])
    found = advance(step, 20, 0.1, {"h_exc": math.e * 100.0})
    assert found["i_exc"] == pytest.approx(100.0, rel=1e-13)  # the peak, at t = tau
    assert advance(step, 50, 0.1, {"h_exc": math.e * 100.0})["i_exc"] == pytest.approx(250 * math.exp(-1.5), rel=1e-13)


# --- noise


class Draws:
    """Normal numbers for `n` instances: the same for a noise and lane within a step, new ones from step to step."""

    def __init__(self, n: int) -> None:
        self.n, self.rng = n, np.random.default_rng(7)
        self.drawn: dict[tuple[str, int], Array] = {}

    def __call__(self, noise: str, lane: int) -> Array:
        if (noise, lane) not in self.drawn:
            self.drawn[noise, lane] = self.rng.normal(size=self.n)
        return self.drawn[noise, lane]


def noisy(step: Step, count: int, h: float, start: Mapping[str, float], n: int = 20000) -> dict[str, Array]:
    """The states of many instances after `count` steps with noise."""
    numbers, draw = bound(step, h), Draws(n)
    now = {s.name: np.full(n, start.get(s.name, 0), np.float64 if s.kind == "real" else np.int32) for s in step.slots}
    for _ in range(count):
        draw.drawn.clear()
        now = interpret(step, Moment(n, numbers, now, draw=draw)).state
    return now


@pytest.mark.parametrize("h", [0.1, 10.0])
def test_variance_of_an_ornstein_uhlenbeck_process(h: float) -> None:
    step = lowered(SMALL["ornstein_uhlenbeck"])
    tau, sigma, count = 5.0, 0.3, 5
    exact = sigma**2 * tau / 2 * (1 - math.exp(-2 * count * h / tau))
    x = noisy(step, count, h, {"x": 1.0})["x"]
    assert x.mean() == pytest.approx(math.exp(-count * h / tau), abs=4 * math.sqrt(exact / len(x)))
    assert x.var() == pytest.approx(exact, rel=0.04)
    assert bound(step, h)[".S.x.xi"] == pytest.approx(sigma * math.sqrt(tau / 2 * (1 - math.exp(-2 * h / tau))), rel=1e-14)


@pytest.mark.parametrize("h", [0.1, 10.0])
def test_covariance_of_a_block_with_noise(h: float) -> None:
    step = lowered(SMALL["two_states_one_noise"])
    a, b = np.array([[-0.2, 0.0], [0.2, -0.2]]), np.array([0.3, 0.0])  # s, v
    integral, _ = quad_vec(lambda s: np.outer(expm(a * s) @ b, expm(a * s) @ b), 0, h, epsrel=1e-12)
    numbers = bound(step, h)
    factor = np.array([[numbers[".S.s.xi.0"], 0.0], [numbers[".S.v.xi.0"], numbers[".S.v.xi.1"]]])
    np.testing.assert_allclose(factor @ factor.T, integral, rtol=1e-10)
    found = noisy(step, 4, h / 4, {"s": 0.0, "v": 0.0})
    np.testing.assert_allclose(np.cov(found["s"], found["v"]), integral, rtol=0.05)


def test_two_noises_are_independent() -> None:
    step = lowered(SMALL["noises"])
    found = noisy(step, 1, 2.0, {})
    a, b = np.array([[-0.2, 0.0], [0.2, -0.2]]), np.array([[0.3, 0.0], [-0.6, 0.3]])  # a, b by xi, eta
    integral, _ = quad_vec(lambda s: expm(a * s) @ b @ b.T @ expm(a * s).T, 0, 2.0, epsrel=1e-12)
    np.testing.assert_allclose(np.cov(found["a"], found["b"]), integral, rtol=0.05)


def test_noise_of_a_held_state_is_zero() -> None:
    step = lowered(SMALL["held_noise"])
    found = noisy(step, 1, 1.0, {"v": 0.5, "s": 0.2, "refractory": 2}, 2000)
    assert (found["v"] == 0.5).all()
    assert found["s"].var() == pytest.approx(0.09 * 2.5 * (1 - math.exp(-0.4)), rel=0.15)


def test_coefficient_of_a_noise_is_that_of_the_start_of_the_step() -> None:
    """Itô: with the noise of y in the coefficient of x at once, x would drift by sigma^2 per time."""
    step = lowered(SMALL["noise_through_a_coefficient"])
    assert [(b.states, b.method) for b in step.blocks] == [(("y", "x"), "strang4")]
    found = noisy(step, 1, 0.1, {"x": 0.0, "y": 0.0}, 50)
    assert found["y"].std() > 0.05 and (found["x"] == 0.0).all()


def test_geometric_brownian_motion_keeps_its_mean() -> None:
    x = noisy(lowered(SMALL["multiplicative"]), 50, 0.1, {"x": 1.0}, 5000)["x"]
    assert x.mean() == pytest.approx(math.exp(-1.0), abs=4 * x.std() / math.sqrt(len(x)))


@pytest.mark.parametrize(("name", "lanes"), [("ornstein_uhlenbeck", {"xi": 1}), ("noises", {"xi": 2, "eta": 2}), ("noisy_rk4", {"xi": 1})])
def test_as_many_draws_are_declared_as_made(name: str, lanes: dict[str, int]) -> None:
    assert {n.name: n.lanes for n in lowered(SMALL[name]).noises} == lanes


# --- orders of convergence


def after(
    model: Model, h: float, time: float, inputs: Mapping[str, float], init: Mapping[str, float], stops: int = 1, **options: Any
) -> Array:
    """All states at equally spaced times up to `time`, [stops, states], by the NumPy backend."""
    compiled = driver.build(lowered(model, **options) if options else lowered(model), "numpy", dt=f"{h!r} ms")
    names = [s.name for s in compiled.step.slots if s.kind == "real"]
    every = round(time / stops / h)
    result = compiled.run(f"{time} ms", n=1, inputs=dict(inputs), init=dict(init), record=names, every=every)
    return np.array([np.asarray(result[name])[:, 0] for name in names]).T


def orders(errors: list[float]) -> list[float]:
    """The order seen between each step length and its half."""
    return [math.log2(a / b) for a, b in pairwise(errors)]


def hodgkin_huxley(t: float, y: Array) -> Array:
    """The squid axon in mV, ms, uA/cm^2; y = v, m, h, n."""
    v, m, h, n = y
    a_m = 0.1 * (v + 40) / -math.expm1(-(v + 40) / 10)
    a_n = 0.01 * (v + 55) / -math.expm1(-(v + 55) / 10)
    a_h, b_h = 0.07 * math.exp(-(v + 65) / 20), 1 / (1 + math.exp(-(v + 35) / 10))
    b_m, b_n = 4 * math.exp(-(v + 65) / 18), 0.125 * math.exp(-(v + 65) / 80)
    i = 120 * m**3 * h * (v - 50) + 36 * n**4 * (v + 77) + 0.3 * (v + 54.387)
    return np.array([10 - i, a_m * (1 - m) - b_m * m, a_h * (1 - h) - b_h * h, a_n * (1 - n) - b_n * n])


@pytest.mark.parametrize(("solver", "steps", "order"), [
    ("exponential", (0.02, 0.01, 0.005), 1), ("euler", (0.01, 0.005, 0.0025), 1), ("rk4", (0.04, 0.02, 0.01), 4),
])  # fmt: skip
def test_order_on_hodgkin_huxley(solver: str, steps: tuple[float, ...], order: int) -> None:
    start = np.array([-51.0, 0.1, 0.55, 0.35])
    times = np.linspace(0, 4, 11)[1:]
    exact = solve_ivp(hodgkin_huxley, (0, 4), start, method="DOP853", rtol=1e-12, atol=1e-12, t_eval=times).y.T
    assert exact[:, 0].max() > 20  # in a spike, not at rest
    names = ("v", "na.m", "na.h", "k.n")
    init = dict(zip(names, start, strict=True))
    found = [after(LIBRARY["HH"], h, 4.0, {"I": 10.0}, init, len(times), solver=solver) for h in steps]
    errors = [float(np.max(np.abs(f - exact) / np.array([100, 1, 1, 1]))) for f in found]
    assert orders(errors) == pytest.approx([order, order], abs=0.2)


EIF = """
neuron Fed:
    param tau = 10 ms, tau_s = 3 ms, delta = 0.2
    state v = 0, s = 0.5, r = 0.2
    tau * v' = -v + delta * exp((v - 1) / delta) + s
    tau_s * s' = r - s
    tau_s * r' = -r
"""


def fed(t: float, y: Array) -> Array:
    """The right-hand side of `EIF`."""
    v, s, r = y
    return np.array([(-v + 0.2 * math.exp((v - 1) / 0.2) + s) / 10, (r - s) / 3, -r / 3])


def test_exact_states_are_read_at_stage_times() -> None:
    start = {"v": 0.5, "s": 1.0, "r": 2.0}
    exact = solve_ivp(fed, (0, 2), list(start.values()), method="DOP853", rtol=1e-13, atol=1e-13).y[:, -1]
    step = lowered(model_of(EIF))
    assert {b.states: b.method for b in step.blocks} == {("r", "s"): "exact", ("v",): "rk4"}
    errors = [abs(after(model_of(EIF), h, 2.0, {}, start)[-1, 0] - exact[0]) for h in (0.5, 0.25, 0.125)]
    assert orders(errors) == pytest.approx([4, 4], abs=0.25)


@pytest.mark.parametrize("skip", [(), ("order-blocks",)])
def test_a_merged_block_is_read_at_stage_times_too(skip: tuple[str, ...]) -> None:
    """a feeds b and c, b feeds c: a and c are solved together, and b still sees a at its stages."""
    step = stages(SMALL["merged_around_a_nonlinear_one"])["lower-to-step"]
    assert isinstance(step, Step)
    rk4 = next(s for _, s in step.statements() if isinstance(s, Integrate) and s.method == "rk4")
    assert rk4.states == ("b",) and [f.state for f in rk4.feeds] == ["a"]
    exact = solve_ivp(lambda t, y: [-y[0] / 5, (y[0] - y[1] ** 3) / 5], (0, 4), [1.0, 0.1], method="DOP853", rtol=1e-13, atol=1e-13).y[
        1, -1
    ]
    model = SMALL["merged_around_a_nonlinear_one"]
    errors = [abs(after(model, h, 4.0, {}, {"a": 1.0, "b": 0.1}, skip=skip)[-1, 1] - exact) for h in (1.0, 0.5)]
    assert orders(errors) == pytest.approx([4], abs=0.3)


def test_a_block_that_depends_on_the_reader_is_read_at_k() -> None:
    """w is linear in v: with v by RK4 and w exact, w's stage values would rest on v's value at k."""
    step = stages(model_of(COUPLED))["lower-to-step"]
    assert isinstance(step, Step)
    integrals = [s for _, s in step.statements() if isinstance(s, Integrate)]
    assert {s.states: (s.method, s.feeds) for s in integrals} == {("w",): ("exact", ()), ("v",): ("rk4", ())}


COUPLED = """
neuron Coupled:
    state v = 0, w = 0
    (5 ms) * v' = -v - w + v^3
    (5 ms) * w' = v - w
    with solver exact on w
    with solver rk4 on v
"""


def test_a_guard_sees_its_limit_at_stage_times() -> None:
    step = stages(SMALL["moving_threshold"])["lower-to-step"]
    assert isinstance(step, Step)
    rk4 = next(s for _, s in step.statements() if isinstance(s, Integrate) and s.method == "rk4")
    assert [state for state, _ in rk4.guards] == ["v"] and [f.state for f in rk4.feeds] == ["b"]


def test_euler_is_euler() -> None:
    """The published step of a leaky neuron, number by number."""
    step = lowered(SMALL["euler_with_hold"])
    assert advance(step, 1, 0.1, {"v": 0.5, "w": 0.25}, {"I": 2.0}) == {
        "v": 0.5 + 0.1 * ((-0.5 - 0.25 + 2.0) / 10),
        "w": 0.25 + 0.1 * (0.25 / 10),
        "refractory": 0,
    }
    held = advance(step, 1, 0.1, {"v": 0.5, "w": 0.25, "refractory": 3}, {"I": 2.0})
    assert held == {"v": 0.5, "w": 0.25 + 0.1 * (0.25 / 10), "refractory": 2}


# --- the runaway guard


def adex(current: float, time: float) -> list[float]:
    """Spike times of the library's AdEx with spikes located inside steps."""
    p = {param.name: float(param.value.attr) for param in LIBRARY["AdEx"].params if isinstance(param.value.attr, float)}

    def rates(t: float, y: Array) -> list[float]:
        v, w = y
        up = p["g_L"] * p["D_T"] * math.exp((v - p["v_T"]) / p["D_T"])
        return [(p["g_L"] * (p["E_L"] - v) + up - w + current) / p["C"], (p["a"] * (v - p["E_L"]) - w) / p["tau_w"]]

    def peak(t: float, y: Array) -> float:
        return float(y[0] - p["v_peak"])

    peak.terminal = True  # type: ignore[attr-defined]
    t, y, spikes = 0.0, [p["E_L"], 0.0], list[float]()
    while True:
        part = solve_ivp(rates, (t, time), y, method="DOP853", rtol=1e-9, atol=1e-9, events=peak)
        t = float(part.t[-1])
        if part.status != 1:
            return spikes
        spikes.append(t)
        y = [p["v_r"], float(part.y[1, -1]) + p["b"]]


def test_runaway_guard() -> None:
    """A stage that shoots up the exponential ruins w: 1 spike instead of 17."""
    spikes = adex(1000.0, 500.0)
    assert len(spikes) == 17
    guarded = driver.build(lowered(LIBRARY["AdEx"]), "numpy", dt="0.01 ms").run("500 ms", n=1, inputs={"I": 1000.0}).spikes
    assert len(guarded[1]) == 17 and sum(t < 50 for t in spikes) == 3
    np.testing.assert_allclose(guarded[1], spikes, rtol=0, atol=0.01 * 17)
    bare = driver.build(lowered(LIBRARY["AdEx"], skip=["guard-runaway"]), "numpy", dt="0.01 ms")
    assert len(bare.run("50 ms", n=1, inputs={"I": 1000.0}).spikes[1]) == 1


# --- singular quotients


RATES = {"na.m": (0.1, -40.0), "k.n": (0.01, -55.0)}


def opening_rate(state: str) -> Expr:
    """The opening rate of a gate of the squid axon, as the model has it behind the pass."""
    model = stages(LIBRARY["HH"])["singular-quotients"]
    assert isinstance(model, Model)
    rhs = next(o.rhs for o in model.odes if o.state == state)
    found = [e for e in topo(rhs) if e.op == "div" and e.args[1].op == "exprel"]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(("dtype", "tolerance"), [("f64", 1e-15), ("f32", 3e-7)])
@pytest.mark.parametrize("state", RATES)
def test_rates_at_their_singular_point(state: str, dtype: Dtype, tolerance: float) -> None:
    factor, centre = RATES[state]
    real = np.float64 if dtype == "f64" else np.float32
    away = [0.0, 1e-12, -1e-12, 1e-9, -1e-7, 1e-5, 1e-3, -0.1, 1.0, -7.0, 60.0]
    v = np.array([centre + d for d in away], real)
    found = evaluate_names(opening_rate(state), {"v": v, "na.T": 279.45, "k.T": 279.45})  # 6.3 degC
    for x, rate in zip(v, found, strict=True):
        d = Decimal(float(x)) - Decimal(centre)
        exact = Decimal(str(factor)) * 10 if d == 0 else Decimal(str(factor)) * d / (1 - (-d / 10).exp())
        assert abs(Decimal(float(rate)) / exact - 1) < Decimal(tolerance), float(x)


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("v", [-40.0, -55.0])
def test_a_step_from_the_singular_point_is_finite(v: float, dtype: Dtype) -> None:
    outcome = interpret(lowered(LIBRARY["HH"]), moment(lowered(LIBRARY["HH"]), dtype=dtype, v=v))
    near = interpret(lowered(LIBRARY["HH"]), moment(lowered(LIBRARY["HH"]), dtype=dtype, v=v + 1e-4))
    for name, a in outcome.state.items():
        np.testing.assert_allclose(a, near.state[name], rtol=1e-4, atol=1e-4)


X, K = var("x"), var("k")


def exp(e: Expr) -> Expr:
    """e^…"""
    return op("exp", e)


MINUS_X, X_BY_K, RISE = op("neg", X), op("div", X, K), op("sub", const(1.0), exp(op("neg", X)))
TENTH = op("sub", const(1.0), op("mul", const(0.1), X))

QUOTIENTS: dict[str, tuple[Expr, Callable[[Decimal, Decimal], Decimal]]] = {
    "x/(1-exp(-x))": (op("div", X, RISE), lambda x, k: x / (1 - (-x).exp())),
    "x/(exp(x)-1)": (op("div", X, op("sub", exp(X), const(1.0))), lambda x, k: x / (x.exp() - 1)),
    "x/expm1(x)": (op("div", X, op("expm1", X)), lambda x, k: x / (x.exp() - 1)),
    "-x/(-1+exp(x/k))": (op("div", MINUS_X, op("add", const(-1.0), exp(X_BY_K))), lambda x, k: -x / ((x / k).exp() - 1)),
    "k*x*(3-exp(-x))/(1-exp(-x))": (
        op("div", op("mul", op("mul", K, X), op("sub", const(3.0), exp(MINUS_X))), RISE),
        lambda x, k: k * x * (3 - (-x).exp()) / (1 - (-x).exp()),
    ),
    "(exp(x/k)-1)/(3*x)": (
        op("div", op("sub", exp(X_BY_K), const(1.0)), op("mul", const(3.0), X)),
        lambda x, k: ((x / k).exp() - 1) / (3 * x),
    ),
    "(1-0.1x)/(exp(10-x)-1)": (
        op("div", TENTH, op("sub", exp(op("sub", const(10.0), X)), const(1.0))),
        lambda x, k: (10 - x) / 10 / ((10 - x).exp() - 1),
    ),
    "2/((1-exp(-x))/x)/k": (op("div", op("div", const(2.0), op("div", RISE, X)), K), lambda x, k: 2 * x / (1 - (-x).exp()) / k),
}


@pytest.mark.parametrize("name", QUOTIENTS)
def test_relatives_of_the_quotient(name: str) -> None:
    e, exact = QUOTIENTS[name]
    changed = e
    for node in topo(e):
        new = remove(node, frozenset({"x"}))
        if new is not None:
            changed = substitute(e, {node: new})
    assert "exprel" in {n.op for n in topo(changed)} and not {"exp", "expm1"} & {n.op for n in topo(changed) if n.op == "sub"}
    points = [1e-9, -1e-5, 0.3, 2.0, -4.0] + ([10 + 1e-9] if "10" in name else [])
    for x in points:
        found = float(evaluate_names(changed, {"x": np.float64(x), "k": np.float64(2.5)}))
        assert found == pytest.approx(float(exact(Decimal(x), Decimal("2.5"))), rel=2e-15)
    centre = np.float64(10.0 if "10" in name else 0.0)
    assert np.isfinite(evaluate_names(changed, {"x": centre, "k": np.float64(2.5)}))


@pytest.mark.parametrize("e", [
    op("div", X, op("sub", const(1.0), op("exp", var("y")))),
    op("div", op("add", X, const(1.0)), op("sub", const(1.0), op("exp", X))),
    op("div", X, op("sub", const(2.0), op("exp", X))),
    op("div", K, op("sub", op("exp", K), const(1.0))),
])  # fmt: skip
def test_other_quotients_are_left_alone(e: Expr) -> None:
    assert remove(e, frozenset({"x", "y"})) is None
