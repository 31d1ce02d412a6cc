"""Rows on noise: the draws of Salmon et al. (2011) and Box and Muller (1958) in plain Python, apart from the compiler's own."""

from __future__ import annotations

from hashlib import blake2s
from math import cos, exp, log, pi, sqrt

from tests.conformance.kit import Case

SEED = (1 << 40) + 5


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Philox4x32-10."""
    a, b, c, d = counter
    k, m = key
    for _ in range(10):
        first, second = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (second >> 32) ^ b ^ k, second & 0xFFFFFFFF, (first >> 32) ^ d ^ m, first & 0xFFFFFFFF
        k, m = (k + 0x9E3779B9) & 0xFFFFFFFF, (m + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


def normal(name: str, step: int, neuron: int, lane: int = 0) -> float:
    """The normal number of a noise (`Model.noise`) for the step from stamp `step`."""
    stream = int.from_bytes(blake2s(name.encode(), digest_size=4).digest(), "little")
    a, b, c, d = philox((step, lane, neuron, stream), (SEED & 0xFFFFFFFF, SEED >> 32))
    first, second = (((high << 21 | low >> 11) + 0.5) * 2.0**-53 for high, low in ((a, b), (c, d)))
    return sqrt(-2 * log(first)) * cos(2 * pi * second)


def walk(noise: str, scale: float, stamp: int) -> tuple[float, ...]:
    """Three neurons' sums of `scale` times each step's draw, up to a stamp."""
    return tuple(scale * sum(normal(f"Walk.{noise}", k, i) for k in range(stamp)) for i in range(3))


# Over a step of 10 ms = 2 tau: v(1) = s sqrt(1 - e^-4) N(0), v(2) = e^-2 v(1) + s sqrt(1 - e^-4) N(1). Euler-Maruyama would have 2 s N.
SPREAD = 0.5 * sqrt(1 - exp(-4))
FIRST = tuple(SPREAD * normal("OU.xi", 0, i) for i in range(3))
SECOND = tuple(exp(-2) * FIRST[i] + SPREAD * normal("OU.xi", 1, i) for i in range(3))

# The white noise of i (strength 1 ms^-1/2, tau = 5 ms) reaches v (tau = 10 ms) inside the step. Over h, with A(t) = e^(-t/5) of i and
# B(t) = (e^(-t/5) - e^(-t/10)) (1/10) / (1/10 - 1/5) of v: var i = integral of A^2, cov = integral of A B, var v = integral of B^2.


def decay(rate: float, h: float) -> float:
    """The integral of e^(-rate t) from 0 to h."""
    return (1 - exp(-rate * h)) / rate


def filtered(neuron: int) -> tuple[float, float]:
    """(v, i) after one step of 2 ms: lower Cholesky factor of the covariance, states in the order of the block, times the lanes' draws."""
    h, weight = 2.0, (1 / 10) / (1 / 10 - 1 / 5)
    var_i = decay(2 / 5, h)
    cov = weight * (decay(2 / 5, h) - decay(1 / 5 + 1 / 10, h))
    var_v = weight**2 * (decay(2 / 5, h) - 2 * decay(1 / 5 + 1 / 10, h) + decay(2 / 10, h))
    z = [normal("Filtered.xi", 0, neuron, lane) for lane in range(2)]
    i = sqrt(var_i) * z[0]
    v = cov / sqrt(var_i) * z[0] + sqrt(var_v - cov**2 / var_i) * z[1]
    return v, i


CHANCE = (
    # sigma sqrt(h) N with sigma = sqrt(4 ms^-1), h = 0.25 ms: 2 * 0.5 = 1; and 1 * 0.5 for the other noise.
    Case(
        "walk",
        "walk",
        steps=3,
        n=3,
        dt="0.25 ms",
        seed=SEED,
        values={"v": {s: walk("xi", 1.0, s) for s in (1, 2, 3)}, "u": {s: walk("eta", 0.5, s) for s in (1, 2, 3)}},
        exact=True,
    ),
    Case("ou", "ou", steps=2, n=3, dt="10 ms", seed=SEED, values={"v": {1: FIRST, 2: SECOND}}),
    Case(
        "filtered",
        "filtered",
        steps=1,
        n=3,
        dt="2 ms",
        seed=SEED,
        values={"v": {1: tuple(filtered(i)[0] for i in range(3))}, "i": {1: tuple(filtered(i)[1] for i in range(3))}},
    ),
    # It fires whenever it may, and the reset puts v to 0; while held it stays there.
    Case("held_noise", "held_noise", steps=10, seed=SEED, stamps=((1, 5, 9),), values={"v": {1: 0.0, 2: 0.0, 4: 0.0, 8: 0.0}}, exact=True),
)
