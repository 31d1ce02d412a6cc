"""Matrix exponentials against closed forms in decimal arithmetic: stiff, oscillatory, defective and growing ones."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from birc.ir.matrix import ILL_CONDITIONED, Array, cholesky, expm, increment, increment_rest, input_gain, noise_factor, norm
from tests.turns import cos_sin


def closed(a: Array) -> Array:
    """e^A of a 2 x 2 matrix with real eigenvalues x > y: e^y + (e^x - e^y) (A - y) / (x - y), with 80 digits."""
    with localcontext() as context:
        context.prec = 80
        (p, q), (r, s) = ((Decimal(float(e)) for e in row) for row in a)
        root = ((p - s) ** 2 + 4 * q * r).sqrt()
        x, y = (p + s + root) / 2, (p + s - root) / 2
        slope = (x.exp() - y.exp()) / (x - y)
        return np.array([[float(y.exp() + slope * (p - y)), float(slope * q)], [float(slope * r), float(y.exp() + slope * (s - y))]])


@pytest.mark.parametrize("k", [0.1, 10.0, 1e2, 1e3, 1e5, 1e7, 1e9, 1e12])
def test_stiff_matrices(k: float) -> None:
    """One rate of k and one of about 1: squaring alone loses the slow one as k grows."""
    a = np.array([[-k, k], [0.25, -1.0]])
    np.testing.assert_allclose(expm(a), closed(a), rtol=1e-12)


@pytest.mark.parametrize("k", [1.0, 1e3, 1e6])
def test_oscillations(k: float) -> None:
    """A damped rotation by k."""
    a = np.array([[-1.0, k], [-k, -1.0]])
    c, s = math.exp(-1) * math.cos(k), math.exp(-1) * math.sin(k)
    np.testing.assert_allclose(expm(a), [[c, s], [-s, c]], rtol=0, atol=2e-13)


@pytest.mark.parametrize("k", [1.0, 30.0])
def test_defective_matrices(k: float) -> None:
    """One eigenvalue, -k, and one eigenvector: (x + y)' has the rate -k too."""
    a = np.array([[-k - 1, 1.0], [-1.0, -k + 1]])
    np.testing.assert_allclose(expm(a), math.exp(-k) * np.array([[0.0, 1.0], [-1.0, 2.0]]), rtol=1e-12, atol=1e-14 * math.exp(-k))


def test_what_is_not_finite() -> None:
    assert np.isnan(expm(np.array([[np.inf, 0.0], [0.0, 1.0]]))).all()
    with np.errstate(all="ignore"):
        assert np.isinf(expm(np.array([[1e4, 1.0], [1.0, 1e4]]))).all()
        assert not np.isfinite(expm(np.array([[1e12, 1.0], [1.0, 1e12]]))).any()
    assert expm(np.zeros((3, 3))).tolist() == np.eye(3).tolist()


@pytest.mark.parametrize("k", [1e-9, 0.1, 30.0, 1e7])
def test_increments_in_two_parts(k: float) -> None:
    """A rotation by k: together they have more than the digits of a double, and the first has 12 bits."""
    h = 0.1
    a = np.array([[0.0, -k], [k, 0.0]])
    first, rest = increment(a, h), increment_rest(a, h)
    with localcontext() as context:
        context.prec = 80
        turn = Decimal(k) * Decimal(h)
        for (i, j), true in (((0, 0), -2 * cos_sin(turn / 2)[1] ** 2), ((1, 0), cos_sin(turn)[1])):
            assert abs(Decimal(float(first[i, j])) + Decimal(float(rest[i, j])) - true) <= abs(true) / 2**64
            assert first[i, j] == np.float32(first[i, j]) and math.frexp(first[i, j])[0] * 2**12 % 1 == 0


def test_increments_that_are_not_finite() -> None:
    grown = np.array([[1e5, 0.0], [0.0, 1e5]])
    assert np.isinf(np.diag(increment(grown, 1.0))).all() and not increment_rest(grown, 1.0).any()
    assert np.isnan(increment(np.array([[np.nan, 1.0], [0.0, 1.0]]), 1.0)).all()


@pytest.mark.parametrize("k", [1.0, 1e7])
def test_input_gain(k: float) -> None:
    """A ∫0^h e^{As} ds = e^{Ah} - 1."""
    a, h = np.array([[-k, k], [0.25, -1.0]]), 0.1
    gain = np.linalg.solve(a, closed(a * h) - np.eye(2))
    np.testing.assert_allclose(input_gain(a, h), gain, rtol=1e-9)
    assert (norm(a * h) > ILL_CONDITIONED) == (k > 1e6)


@pytest.mark.parametrize("k", [1.0, 50.0, 1e5])
def test_noise_factor(k: float) -> None:
    """The covariance solves A C + C A^T + D = e^{Ah} D e^{A^T h}."""
    a, d, h = np.array([[-k, 0.5 * k], [0.25, -1.0]]), np.array([[1.0, 0.5], [0.5, 0.25]]), 0.3
    low = noise_factor(np.vstack([a, d]), h)
    c, p = low @ low.T, closed(a * h)
    np.testing.assert_allclose(a @ c + c @ a.T, p @ d @ p.T - d, rtol=1e-8, atol=1e-8)


def test_cholesky_of_a_singular_covariance() -> None:
    low = cholesky(np.array([[4.0, 2.0], [2.0, 1.0]]))
    assert low.tolist() == [[2.0, 0.0], [1.0, 0.0]]
