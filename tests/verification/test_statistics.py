"""Chaotic networks are compared by what can be told of them."""

from __future__ import annotations

import numpy as np

from birc.verification.statistics import apart, regularity, together


def poisson(seed: int, rate: float, n: int = 100, steps: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Independent cells that fire at each step with the same probability."""
    stamp, index = np.nonzero(np.random.default_rng(seed).random((steps, n)) < rate)
    return index.astype(np.int32), stamp + 1


def test_two_draws_of_one_process_are_not_told_apart() -> None:
    for seed in range(10):
        assert apart(poisson(seed, 0.01), poisson(seed + 100, 0.01), 4000) == ""


def test_what_differs_is_told() -> None:
    assert apart(poisson(1, 0.01), poisson(2, 0.013), 4000).startswith("fires 5")
    index = np.tile(np.arange(100, dtype=np.int32), 40)
    regular = index, np.repeat(np.arange(40) * 100, 100) + index + 1
    assert "coefficient of variation of 0.00, the reference of 0." in apart(poisson(1, 0.01), regular, 4000)
    index, stamp = poisson(3, 0.01)
    clumped = index, np.where(stamp % 400 < 100, stamp, stamp // 400 * 400 + stamp % 100 + 1)
    assert "fires" in apart((index, stamp), clumped, 4000)


def test_the_numbers_themselves() -> None:
    index, stamp = poisson(5, 0.01)
    cv, fano = regularity(index, stamp), together(stamp, 4000)
    assert cv is not None and 0.9 < cv < 1.05
    assert fano is not None and 0.5 < fano < 2.0
    assert regularity(index[:20], stamp[:20]) is None
    assert together(stamp[:20], 4000) is None
