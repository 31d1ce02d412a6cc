"""`fma`: one rounding, by exact arithmetic as the truth."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from birc.ir.fused import fma

HARD = 4096


def operands(kind: Any, rng: np.random.Generator) -> list[Any]:
    """Numbers of many sizes; a third of the sums cancels but for the last bits."""
    a, b, c = (rng.normal(size=(3, HARD)) * 2.0 ** rng.uniform(-20, 20, (3, HARD))).astype(kind)
    c[::3] = -(a[::3] * b[::3]) * (1 + np.finfo(kind).eps * rng.integers(-2, 3, len(c[::3])).astype(kind))
    return [a, b, c]


def nearest(found: Any, truth: Fraction) -> bool:
    """Whether no neighbour is nearer, and of two that are as near it is the even one."""
    off = abs(Fraction(float(found)) - truth)
    for side in (-np.inf, np.inf):
        other = np.nextafter(found, found.dtype.type(side))
        further = abs(Fraction(float(other)) - truth)
        if further < off or (further == off and found.view(f"i{found.itemsize}") & 1):
            return False
    return True


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rounded_once(kind: Any) -> None:
    a, b, c = operands(kind, np.random.default_rng(1))
    found = fma(a, b, c)
    assert found.dtype == kind
    truths = [Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)) for x, y, z in zip(a, b, c, strict=True)]
    assert all(nearest(f, t) for f, t in zip(found, truths, strict=True))
    assert np.any(found != a * b + c)


def test_any_float32() -> None:
    bits = np.random.default_rng(2).integers(0, 2**32, (3, HARD), dtype=np.uint32)
    a, b, c = (x for x in bits.view(np.float32))
    with np.errstate(all="ignore"):
        found = fma(a, b, c)
        naive = a.astype(np.float64) * b + c
    finite = np.isfinite(a) & np.isfinite(b) & np.isfinite(c) & np.isfinite(found)
    truths = [Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)) for x, y, z in zip(a[finite], b[finite], c[finite], strict=True)]
    inside = np.abs(found[finite]) < np.finfo(np.float32).max
    assert all(nearest(f, t) for f, t, i in zip(found[finite], truths, inside, strict=True) if i)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(naive))


def test_a_tie_is_broken_by_the_exact_value() -> None:
    tiny = np.float32(2.0**-40)
    one, half = np.float32(1.0), np.float32(2.0**-24)
    assert fma(one, one, half) == one
    assert fma(np.float32(1 + 2.0**-20), half, one) == np.nextafter(one, np.float32(2))
    assert fma(tiny, tiny, one) == one


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_special_values(kind: Any) -> None:
    inf, nan, zero, one = (kind(x) for x in (np.inf, np.nan, 0.0, 1.0))
    with np.errstate(all="ignore"):
        assert fma(inf, one, one) == inf and fma(one, one, -inf) == -inf
        assert all(np.isnan(x) for x in (fma(inf, zero, one), fma(inf, one, -inf), fma(nan, one, one), fma(one, one, nan)))
        assert fma(zero, one, zero) == 0 and fma(one, one, -one) == 0
