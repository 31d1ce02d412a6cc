"""Rows on the flow: solvers, inputs, gates, `step` statements."""

from __future__ import annotations

from math import cos, exp, expm1, sin, sqrt

from tests.conformance.kit import Case

SHARP = 1 + 1e-9
RATE = 1 / 10 - 1 / (10 * SHARP)


def near(t: float) -> float:
    """v(t) of a current of 1 with tau_s = 10 (1 + 1e-9) ms into a membrane of 10 ms, written so that nothing cancels."""
    return exp(-t / 10) / 10 * t * (expm1(RATE * t) / (RATE * t))


def joint(t: float) -> float:
    """w(t) of 10 w' = v - w with v = 2 (1 - e^(-t/20)), from 0."""
    return 2 * (1 - 2 * exp(-t / 20) + exp(-t / 10))


def square_rk4(x: float, h: float) -> float:
    """One step of x' = x^2 (Kutta 1901)."""
    k1 = x**2
    k2 = (x + h / 2 * k1) ** 2
    k3 = (x + h / 2 * k2) ** 2
    k4 = (x + h * k3) ** 2
    return x + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6


def fed_rk4(v: float, i: float, h: float) -> float:
    """One step of v' = v^2 + i, where i = i(0) e^(-t/2) is read at the time of each stage."""
    middle, end = i * exp(-h / 4), i * exp(-h / 2)
    k1 = v**2 + i
    k2 = (v + h / 2 * k1) ** 2 + middle
    k3 = (v + h / 2 * k2) ** 2 + middle
    k4 = (v + h * k3) ** 2 + end
    return v + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6


def there_and_back(m: float, v: float, h: float) -> tuple[float, float]:
    """One step of m' = (1 - m) v, v' = -m v: v half a step, m a whole one, v the other half (Strang 1968)."""
    v *= exp(-m * h / 2)
    m = 1 - (1 - m) * exp(-v * h)
    return m, v * exp(-m * h / 2)


def fall_rosenbrock(x: float, h: float) -> float:
    """One step of x' = -x^2 by ROS2 (Verwer et al. 1999)."""
    slope = 1 + (1 - sqrt(0.5)) * h * 2 * x
    k1 = -(x**2) / slope
    k2 = (-((x + h * k1) ** 2) - 2 * k1) / slope
    return x + 1.5 * h * k1 + 0.5 * h * k2


BACK = there_and_back(0.0, 2.0, 0.5)
HALVES = there_and_back(*there_and_back(0.0, 2.0, 0.25), 0.25)

M1 = 1 - exp(-2 * 0.5)
SPEED = sqrt(0.25)
BETA = 4 * exp(-25 / 18)
FED = fed_rk4(0.0, 1.0, 0.5)

FLOW = (
    # v = 2 (1 - e^(-k/20)) reaches 1 where e^(-k/20) <= 1/2: 20 log 2 = 13.86, so at 14. v stands at 0.25 for 5 steps, and w goes there.
    Case(
        "reads_held",
        "reads_held",
        steps=20,
        inputs={"I": 2.0},
        stamps=((14,),),
        values={
            "v": {13: 2 * (1 - exp(-13 / 20)), 14: 0.25, 19: 0.25, 20: 2 - 1.75 * exp(-1 / 20)},
            "w": {13: joint(13), 14: joint(14), 15: 0.25 + (joint(14) - 0.25) * exp(-1 / 10), 19: 0.25 + (joint(14) - 0.25) * exp(-5 / 10)},
        },
    ),
    # tau_m = tau_s = 10 ms: v = t/10 e^(-t/10).
    Case("alpha", "alpha", steps=30, values={"v": {k: k / 10 * exp(-k / 10) for k in (1, 10, 30)}, "i": {30: exp(-3)}}),
    Case("alpha_near", "alpha", steps=30, params={"tau_s": f"{10 * SHARP!r} ms"}, values={"v": {k: near(k) for k in (1, 10, 30)}}),
    # 10 ms against 4 ms: v = (1/10) (e^(-t/4) - e^(-t/10)) / (1/10 - 1/4).
    Case(
        "alpha_apart",
        "alpha",
        steps=30,
        params={"tau_s": "4 ms"},
        values={"v": {k: 0.1 * (exp(-k / 4) - exp(-k / 10)) / (1 / 10 - 1 / 4) for k in (1, 10, 30)}},
    ),
    Case(
        "oscillator",
        "oscillator",
        steps=40,
        values={
            "x": {k: exp(-0.1 * k) * cos(0.75 * k) for k in (1, 10, 40)},
            "y": {k: exp(-0.1 * k) * sin(0.75 * k) for k in (1, 10, 40)},
        },
    ),
    # x'' = -x/4 from x = 1, x' = 1/2: cos(t/2) + sin(t/2).
    Case(
        "second_order",
        "second_order",
        steps=40,
        values={
            "x": {k: cos(SPEED * k) + sin(SPEED * k) for k in (1, 10, 40)},
            "x'": {k: SPEED * (cos(SPEED * k) - sin(SPEED * k)) for k in (1, 40)},
        },
    ),
    # a and b change places at each step; v adds a at k: 1, 3, 4, 6.
    Case(
        "together",
        "together",
        steps=4,
        values={"a": {1: 2.0, 2: 1.0, 3: 2.0}, "b": {1: 1.0, 2: 2.0}, "v": {1: 1.0, 2: 3.0, 3: 4.0, 4: 6.0}},
        exact=True,
    ),
    # x = 0.3, then 0.03 + 0.3, then 0.033 + 0.3.
    Case("literal", "literal", steps=3, values={"x": {1: 0.3, 2: 0.33, 3: 0.333}}),
    Case("elapsed", "elapsed", steps=4, dt="0.25 ms", values={"x": {1: 0.25, 4: 1.0}}, exact=True),
    # I = 0, 0, 1, 3 held over the steps from 0, 1, 2, 3; J is not given.
    Case(
        "held_input",
        "held_input",
        steps=4,
        inputs={"I": [0, 0, 1, 3]},
        values={"v": {1: 0.0, 2: 0.0, 3: 1.0, 4: 4.0}, "u": {3: 1.0, 4: 4.0}},
        exact=True,
    ),
    # v rests at -40 mV. m: alpha = 0.1 x / (1 - e^(-x/10)) is 1 at x = 0, beta = 4 e^(-25/18). s: 1 / (1 + e^-2). Both begin there and
    # stay.
    Case(
        "gates",
        "gates",
        steps=10,
        values={"m": {1: 1 / (1 + BETA), 10: 1 / (1 + BETA)}, "s": {1: 1 / (1 + exp(-2)), 10: 1 / (1 + exp(-2))}},
    ),
    # The same where x is 1e-9 mV, so that 1 - e^(-x/10) has lost all but 7 digits: alpha = 1 + x/20.
    Case("gates_near", "gates", steps=2, params={"shift": "1e-9 mV"}, values={"m": {1: (1 + 5e-11) / (1 + 5e-11 + BETA)}}),
    # m rests at 0.25 until v is set to 1 at stamp 2; then it goes to 0.75 with 2.5 ms.
    Case(
        "gate_relaxes",
        "gate_relaxes",
        steps=4,
        inputs={"put": ([0], [2.0], [1.0])},
        values={"m": {1: 0.25, 2: 0.25, 3: 0.75 - 0.5 * exp(-1 / 2.5), 4: 0.75 - 0.5 * exp(-2 / 2.5)}},
    ),
    # m' = (1 - m) v with v = 2 over 0.5 ms: m = 1 - e^-1. Then v' = -m v with that m: v = 2 e^(-m/2).
    Case("sequence", "sequence", steps=1, dt="0.5 ms", values={"m": {1: M1}, "v": {1: 2 * exp(-M1 * 0.5)}}),
    Case("there_and_back", "there_and_back", steps=1, dt="0.5 ms", values={"m": {1: BACK[0]}, "v": {1: BACK[1]}}),
    Case(
        "extrapolated",
        "extrapolated",
        steps=1,
        dt="0.5 ms",
        values={"m": {1: (4 * HALVES[0] - BACK[0]) / 3}, "v": {1: (4 * HALVES[1] - BACK[1]) / 3}},
    ),
    # x' = -x^2 from 1: k1 = -1, k2 = -0.9^2; backwards, y + y^2 / 10 = 1.
    Case("heun", "heun", steps=1, dt="0.1 ms", values={"x": {1: 1 - 0.05 * (1 + 0.81)}}),
    Case("rosenbrock", "rosenbrock", steps=2, dt="0.1 ms", values={"x": {2: fall_rosenbrock(fall_rosenbrock(1.0, 0.1), 0.1)}}),
    Case("implicit_euler", "implicit_euler", steps=1, dt="0.1 ms", values={"x": {1: (sqrt(1.4) - 1) / 0.2}}),
    # One step by the formula, and four steps towards 1 / (1 - t), which at t = 0.4 they meet to 1e-4.
    Case("quadratic", "quadratic", steps=1, dt="0.1 ms", values={"x": {1: square_rk4(1.0, 0.1)}}),
    Case("quadratic_converges", "quadratic", steps=4, dt="0.1 ms", values={"x": {4: 1 / 0.6}}, tolerance=1e-5),
    Case(
        "fed", "fed", steps=2, dt="0.5 ms", values={"v": {1: fed_rk4(0.0, 1.0, 0.5), 2: fed_rk4(fed_rk4(0.0, 1.0, 0.5), exp(-0.25), 0.5)}}
    ),
    # Stages of v beyond 30 are seen as 30. k1 = (841, 29); k2 at (30, 14.5) = (885.5, 15.5); k3 at (30, 7.75) = (892.25, 22.25);
    # k4 at (30, 22.25) = (877.75, 7.75). u = (29 + 2 * 15.5 + 2 * 22.25 + 7.75) / 6 = 112.25 / 6, and v is far above 30: a spike.
    Case("guard", "guard", steps=1, stamps=((1,),), values={"u": {1: 112.25 / 6}, "v": {1: 0.0}}),
)
