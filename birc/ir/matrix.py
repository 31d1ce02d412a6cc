"""Functions of the matrices of linear blocks, when parameters are bound: e^{Ah}, what a constant input adds, and the spread of noise.

Squaring s times loses 2^s units in the last place, most of them in the slow modes of a stiff matrix. Where that is more than 5e-13, the
exponential is computed in decimal arithmetic of enough digits instead.

So is always e^{Ah} - 1 in a cycle of states: a rounded angle that is turned by a million times over is off by a million times the rounding.
It is given as two numbers, the first 12 bits and the rest. Were the first the nearest double, what the rest adds would be rounded away,
step for step alike; as it is, the sum of both products is rounded by chance.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation, Overflow, localcontext
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SMALL = 0.125
"""The norm down to which a matrix is scaled: 13 terms of the series then give all digits of float64."""
ILL_CONDITIONED = SMALL * 2.0**12
"""The norm from which float64 loses more than 12 bits."""
LEADING = 12
"""Bits of the first part of e^{Ah} - 1: float32 holds their product with half of its own."""


def norm(a: Array) -> float:
    """The largest sum of magnitudes in a row."""
    return float(np.max(np.sum(np.abs(a), axis=1), initial=0.0))


def expm(a: Array) -> Array:
    """The matrix exponential, by scaling and squaring of a Taylor series (Higham 2005 for the idea of scaling)."""
    size = norm(a)
    if not math.isfinite(size):
        return np.full_like(a, math.nan)
    if size > ILL_CONDITIONED:
        return _precise(a, 1.0).value
    squarings = _squarings(size)
    scaled = a / 2.0**squarings
    term = total = np.eye(len(a))
    for k in range(1, 14):
        term = term @ scaled / k
        total = total + term
    for _ in range(squarings):
        total = total @ total
    return total


def _squarings(size: float) -> int:
    return max(0, math.ceil(math.log2(size / SMALL))) if size > SMALL else 0


class Exponential(NamedTuple):
    """e^{Ah}, and e^{Ah} - 1 as the sum of two: LEADING bits, and the rest."""

    value: Array
    leading: Array
    rest: Array


def _precise(a: Array, h: float) -> Exponential:
    """In decimal arithmetic, with 35 digits beyond those that squaring loses."""
    return _decimal(np.ascontiguousarray(a, np.float64).tobytes(), len(a), float(h))


@lru_cache(maxsize=2**16)
def _decimal(entries: bytes, n: int, h: float) -> Exponential:
    a = np.frombuffer(entries).reshape(n, n)
    size = norm(a) * h
    if not math.isfinite(size):
        return Exponential(*np.full((3, n, n), math.nan))
    squarings = _squarings(size)
    with localcontext() as context:
        context.traps[Overflow] = context.traps[InvalidOperation] = False  # what grows beyond all bounds is infinite
        context.prec = 35 + math.ceil(squarings * math.log10(2.0) * 2)
        scale = Decimal(h) / Decimal(2) ** squarings
        scaled = np.array([[Decimal(float(x)) * scale for x in row] for row in a], dtype=object)
        term = total = scaled
        for k in range(2, _terms(context.prec)):
            term = term @ scaled / Decimal(k)
            total = total + term
        for _ in range(squarings):
            total = total @ total + total + total
        leading = _leading(total.astype(np.float64))
        value = (total + np.array([[Decimal(int(i == j)) for j in range(n)] for i in range(n)])).astype(np.float64)
        pairs = zip(total.flat, leading.flat, strict=True)
        rest = np.array([float(x - Decimal(float(y))) if math.isfinite(y) else 0.0 for x, y in pairs])
        return Exponential(value, leading, rest.reshape(n, n))


def _leading(x: Array) -> Array:
    """The nearest numbers of LEADING bits."""
    mantissa, exponent = np.frexp(x)
    rounded: Array = np.ldexp(np.round(np.ldexp(mantissa, LEADING)), exponent - LEADING)
    return rounded


def _terms(digits: int) -> int:
    """The first term of the series for a norm of SMALL, SMALL^k / k!, that is below the last digit."""
    return next(k for k in count(1) if k * math.log10(SMALL) - math.lgamma(k + 1) / math.log(10) < -digits)


def propagator(a: Array, h: float) -> Array:
    """exp(A h)."""
    return expm(a * h)


def increment(a: Array, h: float) -> Array:
    """exp(A h) - 1 to LEADING bits."""
    return _precise(a, h).leading


def increment_rest(a: Array, h: float) -> Array:
    """What `increment` leaves of exp(A h) - 1."""
    return _precise(a, h).rest


def input_gain(a: Array, h: float) -> Array:
    """∫0^h exp(A s) ds."""
    n = len(a)
    block = np.zeros((2 * n, 2 * n))
    block[:n, :n] = a * h
    block[:n, n:] = np.eye(n) * h
    gain: Array = expm(block)[:n, n:]
    return gain


def noise_factor(rows: Array, h: float) -> Array:
    """The lower Cholesky factor of ∫0^h exp(A s) D exp(A s)^T ds; `rows` holds A above D (Van Loan 1978)."""
    n = rows.shape[1]
    a, d = rows[:n], rows[n:]
    size = norm(a * h)
    doublings = max(0, math.ceil(math.log2(size))) if 0 < size < math.inf else 0  # exp(-A h) would swamp the result of a stiff A
    part = h / 2.0**doublings
    block = np.zeros((2 * n, 2 * n))
    block[:n, :n] = -a * part
    block[:n, n:] = d * part
    block[n:, n:] = a.T * part
    e = expm(block)
    covariance = e[n:, n:].T @ e[:n, n:]
    for k in range(doublings):
        step = expm(a * (part * 2.0**k))
        covariance = covariance + step @ covariance @ step.T
    return cholesky((covariance + covariance.T) / 2)


def cholesky(m: Array) -> Array:
    """Lower factor of a positive *semi*definite matrix: a zero pivot gives a zero column."""
    n = len(m)
    low = np.zeros_like(m)
    for j in range(n):
        pivot = m[j, j] - low[j, :j] @ low[j, :j]
        low[j, j] = math.sqrt(max(pivot, 0.0))
        if low[j, j] > 0:
            low[j + 1 :, j] = (m[j + 1 :, j] - low[j + 1 :, :j] @ low[j, :j]) / low[j, j]
    return low
