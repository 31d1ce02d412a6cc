"""a * b + c with one rounding, made of additions and multiplications that round each.

Boldo and Melquiond (2008), IEEE Trans. Comput. 57:462: the sum is rounded to odd in a wider format, or from its exact parts, so that the
last rounding is the only one that counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def fma(a: Any, b: Any, c: Any) -> Any:
    """Rounded once, in float32 where all three are float32; in float64 as long as a * b does not leave the range of normal numbers."""
    a, b, c = np.asarray(a), np.asarray(b), np.asarray(c)
    if np.result_type(a, b, c) == np.float32:
        product = a.astype(np.float64) * b.astype(np.float64)  # exact
        return _odd(*_sum(product, c.astype(np.float64))).astype(np.float32)[()]
    a, b, c = (x.astype(np.float64) for x in (a, b, c))
    product, rest = _product(a, b)
    low, lower = _sum(c, rest)
    high, middle = _sum(product, low)
    exact = high + _odd(*_sum(lower, middle))
    return np.where(np.isfinite(exact), exact, a * b + c)[()]


def _sum(x: Array, y: Array) -> tuple[Array, Array]:
    """x + y and what its rounding lost (Knuth 1969)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def _product(x: Array, y: Array) -> tuple[Array, Array]:
    """x * y and what its rounding lost (Dekker 1971)."""
    product = x * y
    (a, b), (c, d) = _halves(x), _halves(y)
    return product, ((a * c - product) + a * d + b * c) + b * d


def _halves(x: Array) -> tuple[Array, Array]:
    """x as a sum of two numbers of 26 bits (Veltkamp 1968)."""
    wide = x * 134217729.0
    high = wide - (wide - x)
    return high, x - high


def _odd(total: Array, lost: Array) -> Array:
    """Of the two numbers around total + lost the one with an odd last bit; `total` where nothing was lost."""
    even = (np.array(total).view(np.int64) & 1) == 0
    other = np.nextafter(total, np.copysign(np.inf, lost))
    return np.where(even & np.isfinite(lost) & (lost != 0), other, total)
