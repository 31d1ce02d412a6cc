"""Functions of the matrices of linear blocks, when parameters are bound: e^{Ah}, what a constant input adds, and the spread of noise.

Squaring s times loses 2^s units in the last place, most of them in the slow modes of a stiff matrix. Where that is more than 5e-13, the
exponential is computed in decimal arithmetic of enough digits instead.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation, Overflow, localcontext
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SMALL = 0.125
"""The norm down to which a matrix is scaled: 13 terms of the series then give all digits of float64."""
ILL_CONDITIONED = SMALL * 2.0**12
"""The norm from which float64 loses more than 12 bits."""


def norm(a: Array) -> float:
    """The largest sum of magnitudes in a row."""
    return float(np.max(np.sum(np.abs(a), axis=1), initial=0.0))


def expm(a: Array) -> Array:
    """The matrix exponential, by scaling and squaring of a Taylor series (Higham 2005 for the idea of scaling)."""
    size = norm(a)
    if not math.isfinite(size):
        return np.full_like(a, math.nan)
    if size > ILL_CONDITIONED:
        return _precise(np.ascontiguousarray(a, np.float64).tobytes(), len(a))
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


@lru_cache(maxsize=256)
def _precise(entries: bytes, n: int) -> Array:
    """The same in decimal arithmetic, with 30 digits beyond those that squaring loses."""
    a = np.frombuffer(entries).reshape(n, n)
    squarings = _squarings(norm(a))
    with localcontext() as context:
        context.traps[Overflow] = context.traps[InvalidOperation] = False  # what grows beyond all bounds is infinite
        context.prec = 30 + math.ceil(squarings * math.log10(2.0) * 2)
        scale = Decimal(2) ** squarings
        scaled = np.array([[Decimal(float(x)) / scale for x in row] for row in a], dtype=object)
        term = total = np.array([[Decimal(int(i == j)) for j in range(n)] for i in range(n)], dtype=object)
        for k in range(1, context.prec):  # SMALL^k / k! is below the last digit long before
            term = term @ scaled / Decimal(k)
            total = total + term
        for _ in range(squarings):
            total = total @ total
        return np.array([[float(x) for x in row] for row in total])


def propagator(a: Array, h: float) -> Array:
    """exp(A h)."""
    return expm(a * h)


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
