"""Piecewise polynomials keep their error, between the points at which they were tried too."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from birc.ir.tables import FEWEST, Pieces, Unreachable, fit, look_up

Array = npt.NDArray[Any]


def rates(x: Array) -> Array:
    """Functions as gates have them: a sigmoid, one that spans twelve orders of magnitude, one with a removable singularity."""
    with np.errstate(all="ignore"):
        ratio = np.where(x == -40, 1.0, (x + 40) / 10 / -np.expm1(-(x + 40) / 10))
    return np.stack([1 / (1 + np.exp(-(x + 35) / 10)), np.exp(-(x + 65) / 7), ratio])


def relative(table: Pieces, x: Array) -> Array:
    """The error of each function at x, over its largest value in the same piece."""
    right = rates(x.astype(np.float64))
    piece = np.clip((x - table.low) / table.width, 0, table.pieces - 1).astype(int)
    largest = np.zeros((len(right), table.pieces))
    for i, values in enumerate(right):
        np.maximum.at(largest[i], piece, np.abs(values))
    off: Array = np.abs(look_up(table, x) - right) / largest[:, piece]
    return off


@pytest.mark.parametrize("real", [np.float64, np.float32])
@pytest.mark.parametrize("error", [1e-3, 1e-5, 1e-6])
def test_the_error_holds_at_random_points(real: Any, error: float) -> None:
    table = fit(rates, -120.0, 80.0, error, real)
    x = np.random.default_rng(0).uniform(-120, 80, 200_000).astype(real)
    assert relative(table, x).max() <= error


def test_smaller_errors_take_more_pieces() -> None:
    tables = [fit(rates, -120.0, 80.0, error, np.float64) for error in (1e-4, 1e-8, 1e-12)]
    sizes = [table.coefficients.size for table in tables]
    assert sizes == sorted(sizes) and tables[0].pieces == FEWEST[np.dtype(np.float64)] < tables[2].pieces
    assert relative(tables[2], np.linspace(-120, 80, 10_001)).max() <= 1e-12


@pytest.mark.parametrize("real", [np.float64, np.float32])
@pytest.mark.parametrize(("low", "high"), [(-120.0, 80.0), (-0.37, 1.21), (0.0, 1e-3), (17.3, 4000.0)])
def test_the_pieces_cover_the_range_and_their_centres_are_exact(real: Any, low: float, high: float) -> None:
    table = fit(lambda x: np.cos(x / (high - low))[None], low, high, 1e-5, real)
    assert table.low <= low and table.low + table.pieces * table.width >= high
    assert table.pieces * table.width < 1.1 * (high - low)
    centres = table.first + table.width * np.arange(table.pieces)
    assert (centres.astype(real).astype(np.float64) == centres).all()


def test_the_outermost_pieces_go_on() -> None:
    table = fit(lambda x: np.stack([x**2, x**3]), -1.0, 1.0, 1e-9, np.float64)
    x = np.array([-3.0, -1.0, 1.0, 2.0])
    assert look_up(table, x) == pytest.approx(np.stack([x**2, x**3]), abs=1e-6)
    assert np.isnan(look_up(table, np.array([np.nan]))).all()


def test_what_no_table_can_hold() -> None:
    with pytest.raises(Unreachable) as jump:
        fit(lambda x: np.where(x < 0.3, 1.0, 2.0)[None], 0.0, 1.0, 1e-6, np.float64)
    assert 0.1 < jump.value.best < 1 and jump.value.at is None
    with pytest.raises(Unreachable) as pole, np.errstate(all="ignore"):
        fit(lambda x: np.log(x)[None], -1.0, 1.0, 1e-6, np.float64)
    assert pole.value.at is not None and pole.value.at < 0
