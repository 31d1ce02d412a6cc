"""Random numbers that every backend draws alike: Philox4x32-10 (Salmon et al. 2011) and draws made from its words.

A number is a function of (seed, stream, step, instance, lane) and of nothing else: no state, no order of drawing. The draws use only
`+ - * /`, `sqrt` and integer operations, one rounding each and never fused, so that the same lines in another language give the same bits.

Key: the 64-bit seed, low word first. Counter: `step` low 32 bits; `step` high 16 bits and `lane` 16 bits; `instance`; `stream`.
A static draw (an initial value, a connection) has a stream of its own, with its target in place of the step and its source in place
of the instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2s
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.errors import BircError

Array = npt.NDArray[Any]
Words = tuple[Array, Array, Array, Array]

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
MAX_STEP = 1 << 48
MAX_LANE = 1 << 16

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> Words:
    """Four random 32-bit words (in uint64 arrays) for each counter; the counter's four words broadcast against one another."""
    c0, c1, c2, c3 = (np.asarray(c, dtype=np.uint64) for c in counter)
    k0, k1 = key
    m0, m1 = (np.uint64(m) for m in MULTIPLIERS)
    for _ in range(ROUNDS):
        first, second = c0 * m0, c2 * m1
        c0 = (second >> HALF) ^ c1 ^ np.uint64(k0)
        c2 = (first >> HALF) ^ c3 ^ np.uint64(k1)
        c1, c3 = second & LOW, first & LOW
        k0, k1 = (k0 + WEYL[0]) & 0xFFFFFFFF, (k1 + WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def block(seed: int, stream: int, step: Any, instance: Any, lane: Any = 0) -> Words:
    """The words of one draw; step, instance and lane are numbers or arrays that broadcast ([steps, 1] and [n] give [steps, n])."""
    step = np.asarray(step, dtype=np.uint64)
    high = ((step >> HALF) & np.uint64(0xFFFF)) << np.uint64(16) | np.asarray(lane, dtype=np.uint64)
    return philox((step & LOW, high, instance, stream), (seed & 0xFFFFFFFF, seed >> 32))


def uniform_of(high: Array, low: Array) -> Array:
    """(k + 0.5) / 2^53 for the upper 53 of 64 bits: above 0, and 1 only where the sum rounds up to 2^53 (once in 2^54)."""
    k = (high << np.uint64(21)) | (low >> np.uint64(11))
    return (k.astype(np.float64) + 0.5) * 2.0**-53


def uniform(seed: int, stream: int, step: Any, instance: Any, lane: int = 0) -> Array:
    """Uniform draws on (0, 1]."""

    def draw(step: Array, instance: Array) -> Array:
        w0, w1, _, _ = block(seed, stream, step, instance, lane)
        return uniform_of(w0, w1)

    return _in_pieces(draw, step, instance)


def uniform_of_cells(seed: int, stream: int, step: int, n: int) -> Array:
    """Uniform draws on (0, 1] of the cells 0 … n - 1 of a source: four share a block, so that cell i has word i mod 4 of instance i // 4.

    Its upper 32 bits are that word of lane 0, the lower ones that of lane 1: needed only where the upper ones leave the result open.
    """
    instances = np.arange((n + 3) // 4)
    high, low = (np.stack(block(seed, stream, step, instances, lane), axis=-1).reshape(-1)[:n] for lane in (0, 1))
    return uniform_of(high, low)


FIELD = 1024
"""Cells of a source that share a process of rare events."""
RARE = 1 / 32
"""The mean of a cell's events per step up to which they are rare."""


def rare_events(seed: int, stream: int, step: int, n: int, apart: float) -> tuple[Array, Array]:
    """Which of the cells 0 … n - 1 of a source have events, ascending, and how many each (both int32): on average one in `apart` cells.

    They are those of a Poisson process along the cells of each field: from its first cell on events are -log(u) apart cells away from one
    another, and cell i has those between i and i + 1. Draw j of field f is made of words 2 (j mod 2) and the next of its instance f,
    lane j // 2.
    """
    cells = np.minimum(n - np.arange(0, n, FIELD), FIELD)[:, None]
    fields, draws = np.arange(len(cells))[:, None], 4 + int(0.75 * FIELD / apart)
    while True:
        words = block(seed, stream, step, fields, np.arange(draws))
        u = np.stack((uniform_of(*words[:2]), uniform_of(*words[2:])), axis=-1).reshape(len(cells), -1)
        place = np.cumsum(-log(u) * apart, axis=1)
        if np.all(place[:, -1:] >= cells):
            break
        draws *= 2
    cell = (np.floor(place) + FIELD * fields)[place < cells].astype(np.int32)
    index, many = np.unique(cell, return_counts=True)
    return index, many.astype(np.int32)


def normal(seed: int, stream: int, step: Any, instance: Any, lane: int = 0) -> Array:
    """Standard normal draws in float64: the cosine branch of Box and Muller (1958), one block each."""

    def draw(step: Array, instance: Array) -> Array:
        w0, w1, w2, w3 = block(seed, stream, step, instance, lane)
        radius = np.sqrt(-2.0 * log(uniform_of(w0, w1)))
        result: Array = radius * cos_turns(uniform_of(w2, w3))
        return result

    return _in_pieces(draw, step, instance)


PIECE = 1 << 14
"""Draws made at a time, so that what lies in between stays in the processor's cache."""


def _in_pieces(draw: Callable[[Array, Array], Array], step: Any, instance: Any) -> Array:
    """`draw` of step and instance broadcast together, the longest axis halved until a piece is small."""
    steps, instances = np.broadcast_arrays(np.asarray(step, dtype=np.uint64), np.asarray(instance, dtype=np.uint64))
    result = np.empty(steps.shape)

    def fill(part: Array, s: Array, i: Array) -> None:
        if part.size <= PIECE:
            part[...] = draw(s, i)
            return
        axis = int(np.argmax(part.shape))
        half = part.shape[axis] // 2
        for side in (slice(None, half), slice(half, None)):
            where = (slice(None),) * axis + (side,)
            fill(part[where], s[where], i[where])

    fill(result, steps, instances)
    return result


LN2 = 0.6931471805599453
SQRT2 = 1.4142135623730951
ATANH = tuple(1.0 / (2 * k + 1) for k in range(10))
"""atanh(s) = s * sum_k s^(2k) / (2k + 1); |s| <= 3 - 2 sqrt(2) leaves 3e-17 beyond the tenth."""


def log(x: Array) -> Array:
    """Natural logarithm of positive normal float64 numbers, within 2 ulp.

    x = 2^e m with m in (sqrt(1/2), sqrt(2)], and log m = 2 atanh((m - 1) / (m + 1)).
    """
    bits = np.asarray(x, dtype=np.float64).view(np.uint64)
    m = ((bits & np.uint64(0x000FFFFFFFFFFFFF)) | np.uint64(0x3FF0000000000000)).view(np.float64)
    e = (bits >> np.uint64(52)).astype(np.float64) - 1023.0
    large = m > SQRT2
    m = np.where(large, 0.5 * m, m)
    e = np.where(large, e + 1.0, e)
    s = (m - 1.0) / (m + 1.0)
    result: Array = e * LN2 + 2.0 * s * _horner(ATANH, s * s)
    return result


PI = 3.141592653589793
SINE = (
    1.0, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800, -1 / 1307674368000, 1 / 355687428096000,
    -1 / 121645100408832000, 1 / 51090942171709440000,
)  # fmt: skip
"""sin(x) = x * sum_k (-1)^k x^(2k) / (2k + 1)!; |x| <= pi/2 leaves 2e-18 beyond the eleventh."""


def cos_turns(u: Array) -> Array:
    """cos(2 pi u) for u in [0, 1], within 4e-16.

    It is sin(pi (1/2 - 2 min(u, 1 - u))), whose argument is exact near the zeros of the cosine.
    """
    x = PI * (0.5 - 2.0 * np.minimum(u, 1.0 - u))
    result: Array = x * _horner(SINE, x * x)
    return result


def _horner(coefficients: tuple[float, ...], z: Array) -> Array:
    """c0 + z (c1 + z (c2 + …)), innermost first."""
    total: Any = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = total * z + c
    return np.asarray(total)


MAX_MEAN = 500.0
"""Beyond it a Poisson mean per step is refused: exp(-mean) would near the smallest float64."""

EXPONENTIAL = (
    1.0, 1.0, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320, 1 / 362880, 1 / 3628800, 1 / 39916800, 1 / 479001600,
    1 / 6227020800,
)  # fmt: skip
LN2_HIGH = 0.693147180369123816490
LN2_LOW = 1.90821492927058770002e-10


def exp(x: float) -> float:
    """exp(x) for |x| <= 700, within 2 ulp: x = k log 2 + r with |r| <= log(2)/2, and 14 terms in r."""
    k = float(np.floor(x / LN2 + 0.5))
    r = np.float64((x - k * LN2_HIGH) - k * LN2_LOW)
    return float(np.ldexp(_horner(EXPONENTIAL, np.asarray(r)), int(k)))


def poisson_table(mean: float) -> Array:
    """Cumulative probabilities of a Poisson count, up to where float64 adds no more; 0 <= mean <= MAX_MEAN."""
    probability = exp(-mean)
    total, count, table = probability, 0, [probability]
    while True:
        count += 1
        probability = probability * mean / count
        if total + probability == total and count > mean:
            return np.array(table)
        total = total + probability
        table.append(total)


def poisson(table: Array, u: Array) -> Array:
    """Counts by inversion of one uniform each: the smallest m with u <= P(count <= m)."""
    return np.searchsorted(table, u, side="left")


def stream(name: str) -> int:
    """The 32-bit stream of a name: the first four bytes (little-endian) of its BLAKE2s hash, the same everywhere."""
    return int.from_bytes(blake2s(name.encode("utf-8"), digest_size=4).digest(), "little")


def streams(names: Iterable[str]) -> dict[str, int]:
    """The stream of each name. Raises I160 where two names share one."""
    taken: dict[int, str] = {}
    for name in dict.fromkeys(names):
        other = taken.setdefault(stream(name), name)
        if other != name:
            raise BircError("I160", f"`{other}` and `{name}` would draw the same random numbers", help="rename one of them")
    return {name: number for number, name in taken.items()}
