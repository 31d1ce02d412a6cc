"""Small models, each with something that a pass could get wrong."""

from __future__ import annotations

from birc.ir.model import Model
from tests.passes.programs import model_of

TEXTS: dict[str, str] = {
    "no_equation": """
        state x = 1, y = 2
        on exc(w: 1): x += w
        output z: 1 = x + y
    """,
    "only_a_step_rule": """
        state x = 1, y = 0
        step x = 0.9 * x + y
        step y = x
    """,
    "elapsed": """
        param tau = 5 ms
        state x = 1, y = 0
        input f: ms^-1
        step x = x * exp(-elapsed / tau) + f * elapsed
        y' = (x - y) / tau + elapsed / tau^2
    """,
    "clipped": """
        param tau = 2 ms
        state x = 0.5 in [0, 1], y = 0 in [0, inf], z = 0 in [-inf, 0.25]
        input I: 1
        tau * x' = I - x
        tau * y' = I - y
        z' = (x - z^3) / tau
        on exc(w: 1):
            x += w
            y = x + w
            x -= w * y
        on inh(w: 1): z -= 0.1 * w
    """,
    "held_in_a_block": """
        param tau = 10 ms, tau_w = 30 ms, a = 0.5, t_ref = 1 ms
        state v = 0, w = 0
        input I: 1
        tau * v' = -v - w + I
        tau_w * w' = a * v - w
        spike when v >= 1:
            v = 0
            w += 0.1
        refractory t_ref: hold v
    """,
    "all_held": """
        param tau = 10 ms, t_ref = 1 ms
        state v = 0, w = 0
        input I: 1
        tau * v' = -v - w + I
        tau * w' = v - w
        on exc(a: 1): v += a
        on set(a: 1): v = a * v
        spike when v >= 1: v = 0
        refractory t_ref: hold v, w
    """,
    "euler_with_hold": """
        param tau = 10 ms, t_ref = 1 ms
        state v = 0, w = 0
        input I: 1
        tau * v' = -v - w + I
        tau * w' = v - w
        spike when v >= 1: v = 0
        refractory t_ref: hold v
        with solver euler
    """,
    "rk4_on_v": """
        param C = 1 uF/cm^2, g = 0.1 mS/cm^2, t_ref = 1 ms
        state v = -65 mV
        input I: uA/cm^2
        gate m: inf = 1 / (1 + exp(-(v + 40 mV) / 10 mV))
                tau = 1 ms + 5 ms * exp(-(v + 60 mV)^2 / (900 mV^2))
        C * v' = I - g * m^3 * (v - 50 mV) - g * (v + 65 mV)
        spike when v >= 0 mV: v = -65 mV
        refractory t_ref: hold v
        with solver rk4 on v
    """,
    "exponential_with_hold": """
        param C = 1 uF/cm^2, g = 0.1 mS/cm^2, t_ref = 1 ms
        state v = -65 mV
        input I: uA/cm^2
        gate m: inf = 1 / (1 + exp(-(v + 40 mV) / 10 mV))
                tau = 1 ms + 5 ms * exp(-(v + 60 mV)^2 / (900 mV^2))
        C * v' = I - g * m^3 * (v - 50 mV) - g * (v + 65 mV)
        spike when v >= 0 mV: v = -65 mV
        refractory t_ref: hold v
    """,
    "fed_eif": """
        param tau = 10 ms, tau_s = 3 ms, v_th = 1, delta = 0.2, t_ref = 0.5 ms
        state v = 0, s = 0.5, r = 0.2
        input I: 1
        tau * v' = -v + delta * exp((v - v_th) / delta) + I + s
        tau_s * s' = r - s
        tau_s * r' = -r
        on exc(w: 1): r += w
        spike when v >= 3: v = 0
        refractory t_ref: hold v
    """,
    "held_feed": """
        param tau = 10 ms, tau_s = 3 ms, t_ref = 2 ms
        state v = 0, s = 0.5
        tau * v' = -v + v^2 + s
        tau_s * s' = -s
        spike when v >= 3: v = 0
        refractory t_ref: hold v, s
    """,
    "moving_threshold": """
        param tau = 10 ms, tau_b = 50 ms, delta = 0.2
        state v = 0, w = 0, b = 0
        input I: 1
        tau * v' = -v + delta * exp((v - 1) / delta) - w + I
        tau * w' = v - w
        tau_b * b' = -b
        spike when v >= 2 + b:
            v = 0
            b += 0.5
    """,
    "oscillator": """
        param w = 0.5 ms^-1, g = 0.05 ms^-1, tau = 4 ms
        state x = 1, y = 0, z = 0
        input I: 1
        x' = w * y - g * x
        y' = -w * x - g * y
        tau * z' = x - z + I
    """,
    "defective": """
        param tau = 4 ms
        state a = 1, b = 0, c = 0
        input I: 1
        tau * a' = I - a
        tau * b' = a - b
        tau * c' = a + b - c
    """,
    "second_order": """
        param w = 0.8 ms^-1
        state x = 1, x' = 0 ms^-1
        x'' = -w^2 * x
        on kick(a: ms^-1): x' += a
    """,
    "merged_around_a_nonlinear_one": """
        param tau = 5 ms
        state a = 1, b = 0.1, c = 0
        tau * a' = -a
        tau * b' = a - b^3
        tau * c' = a + b - c
    """,
    "nonlinear_feed": """
        param tau = 5 ms
        state a = 1, b = 0.1, v = 0
        tau * a' = -a
        tau * b' = -b
        tau * v' = a + max(b, 0) - v
    """,
    "names_of_the_compiler": """
        param tau = 5 ms, t_ref = 1 ms
        state v = 1, half = 0.5, held = 0.2, x = 0, y = 0, c0 = 1, s0 = 2
        tau * v' = -v
        tau * half' = v - half
        tau * held' = half - 2 * held + v
        tau * x' = half + held + v - x^3
        tau * y' = half * c0 - y^3 + s0
        on exc(w: 1): held += w
        spike when x > 1: x = 0
        refractory t_ref: hold held, half
    """,
    "rise_and_refractory": """
        param tau = 2 ms, t_ref = 0.3 ms
        state v = 0
        input I: 1
        tau * v' = I - v
        spike on rise v + 0.001 * I > 0.5: v -= 0.1
        refractory t_ref
    """,
    "parameter_conditions": """
        param tau = 2 ms, a = 1, b = 0
        state v = 0
        input I: 1
        tau * v' = (if a > 0 then I else -I) - v
        spike when not (not (b > 0) and v < 0.5): v = 0
    """,
    "constant_condition": """
        state x = 1
        x' = -x / (1 ms)
        spike when not (2 < 1) and x > 0.5: x = 1
    """,
    "channel_with_functions": """
        param tau = 2 ms, E = 1 mV
        use C(k = 2 * E) as c
        use C as d
        fn f(x: mV) = x + E
        let half = 0.5 * f(c.i)
        state v = 0 mV
        tau * v' = -v + f(half) - d.i
        output y: mV = half
        with solver rk4 on v
    """,
    "singular": """
        param k = 10 mV
        state v = -55 mV, x = 0
        input I: mV
        let a = 0.01 mV^-1*ms^-1 * (v + 55 mV) / (1 - exp(-(v + 55 mV) / k))
        let b = (0.1 - 0.01 mV^-1 * v) / (exp(1 - 0.1 mV^-1 * v) - 1)
        let c = 2 * v * (3 - exp(-v / k)) / (k * (1 - exp(-v / k)))
        let d = (exp(v / k) - 1) / (3 * v / k)
        v' = (I - v) / (20 ms)
        x' = a * (1 - x) - (b + c + d) * x / (5 ms)
    """,
    "powers": """
        param n = 2.5
        state x = 0.5, y = 2
        x' = (1 - x^3 + y^-2 - y^7 / 1000) / (5 ms)
        y' = (1 - y^0.5 + y^0 - x^n) / (5 ms)
    """,
}

NOISY: dict[str, str] = {
    "ornstein_uhlenbeck": """
        param tau = 5 ms, sigma = 0.3 / sqrt(1 ms)
        state x = 1
        noise xi
        x' = -x / tau + sigma * xi
    """,
    "two_states_one_noise": """
        param tau = 5 ms, sigma = 0.3 / sqrt(1 ms)
        state v = 0, s = 1
        noise xi
        tau * v' = s - v
        s' = -s / tau + sigma * xi
    """,
    "held_noise": """
        param tau = 5 ms, sigma = 0.3 / sqrt(1 ms), t_ref = 2 ms
        state v = 0, s = 1
        noise xi
        v' = (s - v) / tau + sigma * xi
        s' = -s / tau + sigma * xi
        spike when v > 1: v = 0
        refractory t_ref: hold v
    """,
    "noises": """
        param tau = 5 ms, sigma = 0.3 / sqrt(1 ms)
        state a = 0, b = 0, c = 0
        noise xi, eta
        a' = -a / tau + sigma * xi
        b' = (a - b) / tau + sigma * eta - 2 * sigma * xi
        c' = -c / (2 * tau) + sigma * xi
    """,
    "noise_of_an_input": """
        param tau = 5 ms
        state x = 0
        input s: 1
        noise xi
        x' = -x / tau + s / sqrt(tau) * xi
    """,
    "multiplicative": """
        param tau = 5 ms, sigma = 0.3 / sqrt(1 ms)
        state x = 1
        noise xi
        x' = -x / tau + sigma * x * xi
    """,
    "noise_through_a_coefficient": """
        param tau = 5 ms, sigma = 0.3 / sqrt(1 ms)
        state x = 0, y = 1
        noise xi
        y' = (1 - y) * (2 + x^2) / tau + sigma * xi
        x' = -x / tau + sigma * y * xi
    """,
    "noisy_rk4": """
        param tau = 5 ms, sigma = 0.3 / sqrt(1 ms), t_ref = 1 ms
        state v = 0, s = 0
        noise xi
        v' = (v^2 - v + s) / tau + sigma * (1 + s) * xi
        s' = -s / tau + 0.1 * sigma * xi
        spike when v > 2: v = 0
        refractory t_ref: hold v
    """,
    "noisy_euler": """
        param tau = 5 ms, sigma = 0.3 / sqrt(1 ms), t_ref = 1 ms
        state v = 0
        noise xi
        v' = (1 - v) / tau + sigma * xi
        spike when v > 2: v = 0
        refractory t_ref: hold v
        with solver euler
    """,
}

CHANNEL = """
channel C:
    param k = 3 mV, E = 2 mV
    state s = 0.5
    fn g(x: mV) = x / k
    (4 ms) * s' = g(v) - s
    with solver rk4 on s
    outward i = s * (v - E)

"""


def whole(name: str, body: str) -> str:
    """The file of a small model."""
    return (CHANNEL if "use C" in body else "") + f"neuron {''.join(part.title() for part in name.split('_'))}:" + body.rstrip() + "\n"


SMALL: dict[str, Model] = {name: model_of(whole(name, body)) for name, body in (TEXTS | NOISY).items()}
"""By name."""
