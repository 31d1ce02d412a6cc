"""Products with inputs that are mostly zeros, or all 0 and 1 as spikes are: y = x w + b, and dL/dw; on addresses and on arrays of NumPy.

Only what is not 0 in x takes part. Where x is 0 a weight that is infinite or NaN makes nothing, while a dense product has NaN there.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from birc.backends.c_family import build
from birc.backends.c_family.headers import header
from birc.fused.rooms import aligned
from birc.fused.sweep import POINTER, Array, address, plain, processors

MOST = 0.4
"""The share of values that are not 0 up to which this is the faster way if some are not 1 either; for 0 and 1 it always is.
`python -m tests.bench.product` prints both ways' times; where they cross depends on the machine and the framework."""
AGAIN = 32
"""Values of a row that are not 0, on average, up to which y is computed again on the way back rather than kept, where x is kept by bits:
about as long as it takes to get new memory from the system."""
LOOKED_AT = 64
"""Rows, about, from which the share is estimated."""
SHARE = 10_000_000
"""Products of two numbers, were x dense, from which on another thread is worth while."""
WORD = 32
"""Values of a row in a word of its bits."""


@dataclass(frozen=True)
class Size:
    """Of x [rows, features] and y [rows, units]."""

    rows: int
    features: int
    units: int

    @property
    def threads(self) -> int:
        """As many as there is work for."""
        return max(1, min(processors(), self.rows * self.features * self.units // SHARE))

    @property
    def bits(self) -> tuple[int, int]:
        """The shape of x as one bit for each value, in words of 32 bits."""
        return self.rows, -(-self.features // WORD)

    @property
    def spacing(self) -> int:
        """From one row that is looked at to the next."""
        return max(1, self.rows // LOOKED_AT)

    def numbers(self) -> tuple[int, int, int, int]:
        """As the unit takes them."""
        return self.rows, self.features, self.units, self.threads


def size_of(x: Any, kernel: Any) -> Size:
    """Of x [rows, features] and whatever has a column for each unit."""
    rows, features = x.shape
    return Size(rows, features, kernel.shape[1])


def text() -> str:
    """The unit."""
    return "\n".join((header("birc_types.h"), header("product.h", "birc.fused"), ""))


@cache
def library() -> ctypes.CDLL:
    """The built unit. Raises X201 to X204."""
    made = build.library(text())
    sizes = [ctypes.c_int64] * 4
    made.birc_product_count.argtypes = [POINTER, *sizes[:3], POINTER]
    made.birc_product_count.restype = None
    made.birc_product_bits.argtypes = [*sizes[:3], *[POINTER] * 2]
    made.birc_product_bits.restype = ctypes.c_int
    made.birc_product.argtypes = [*sizes, *[POINTER] * 5]
    made.birc_product.restype = None
    made.birc_product_back.argtypes = [*sizes, *[POINTER] * 4]
    made.birc_product_back.restype = None
    return made


def found(size: Size, x: int) -> tuple[float, float]:
    """How many values of a row of x, by its address, are not 0, and how many are not 1 either; on average over some of its rows."""
    counts = (ctypes.c_int64 * 2)()
    library().birc_product_count(x or None, size.rows, size.features, size.spacing, counts)
    looked_at = max(1, -(-size.rows // size.spacing))
    return counts[0] / looked_at, counts[1] / looked_at


def mark(size: Size, x: int, bits: int) -> bool:
    """Fill the bits of x, by addresses. Tells whether x holds nothing but 0 and 1, so that the bits are all of it."""
    return bool(library().birc_product_bits(size.rows, size.features, size.threads, x, bits))


def ahead(size: Size, bits: int, x: int, kernel: int, bias: int, to: int) -> None:
    """y, by addresses, from the bits of x and, where these are not all of it, x; else that is 0. Without a bias, 0, it is 0."""
    library().birc_product(*size.numbers(), bits, x or None, kernel, bias or None, to)


def back(size: Size, bits: int, x: int, up: int, to: int) -> None:
    """dL/dw from dL/dy, the bits of x and, where these are not all of it, x."""
    library().birc_product_back(*size.numbers(), bits, x or None, up, to)


def product(x: Array, kernel: Array, bias: Array | None = None) -> tuple[Array, Array, Array]:
    """y [rows, units] for x [rows, features], in single precision; the bits of x, and [1] if they are all of it, else [0]."""
    x, kernel, bias = plain(x), plain(kernel), None if bias is None else plain(bias)
    size = size_of(x, kernel)
    y, bits = aligned(size.rows, size.units), aligned(*size.bits).view(np.int32)
    whole = mark(size, address(x), address(bits))
    ahead(size, address(bits), 0 if whole else address(x), address(kernel), address(bias), address(y))
    return y, bits, np.array([whole], np.int32)


def kernel_bar(x: Array, bits: Array, whole: Array, up: Array) -> Array:
    """dL/dw [features, units] for dL/dy [rows, units], from what `product` gave."""
    x, up = plain(x), plain(up)
    size = size_of(x, up)
    bar = aligned(size.features, size.units)
    back(size, address(bits), 0 if whole[0] else address(x), address(up), address(bar))
    return bar
