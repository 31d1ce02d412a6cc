"""Piecewise polynomials: how functions of one number are fitted with a bounded error, and what looking one up means.

A range is cut into pieces of one width; on each, a polynomial interpolates at Chebyshev nodes, which is close to the best of its degree
(Trefethen 2013, Approximation Theory and Approximation Practice, ch. 2 and 16). The centre of a piece is a number of few digits, so that
the distance from it is exact in float32 too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

DEGREES = range(2, 9)
FEWEST = {np.dtype(np.float32): 32, np.dtype(np.float64): 16}
"""Pieces that two vector registers of 64 bytes hold."""
MOST = 1024
"""Pieces of a table at most: more would not stay in a processor's first cache."""
MARGIN = 0.95
"""Part of the error that may be seen where a fit is tried: between two of the points, eight to a wave of the error, it grows by 2 %."""
DIGITS = 8
"""Bits of the width of a piece."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """Polynomials in (x - centre) / width: `coefficients` [functions, degree + 1, pieces], lowest power first, in the type of a run."""

    low: float
    width: float
    coefficients: Array

    @property
    def first(self) -> float:
        """The centre of the first piece."""
        return self.low + self.width / 2

    @property
    def pieces(self) -> int:
        """How many pieces."""
        return int(self.coefficients.shape[2])

    @property
    def degree(self) -> int:
        """Of every polynomial."""
        return int(self.coefficients.shape[1]) - 1

    def of(self, real: Any) -> Pieces:
        """The same in a type."""
        return Pieces(self.low, self.width, self.coefficients.astype(real))


def look_up(table: Pieces, x: Array) -> Array:
    """All functions at x [n], as [functions, n]; the outermost pieces go on behind the ends."""
    real = table.coefficients.dtype.type
    inverse = real(1 / table.width)
    with np.errstate(all="ignore"):
        place = (x - real(table.low)) * inverse
        place = np.where(place > 0, place, real(0))
        piece = np.minimum(place, real(table.pieces - 1)).astype(np.int64)
        u = (x - (piece.astype(real) * real(table.width) + real(table.first))) * inverse
        rows = table.coefficients[:, :, piece]
        value = rows[:, -1]
        for power in range(table.degree - 1, -1, -1):
            value = value * u + rows[:, power]
    return value


class Unreachable(Exception):
    """No table within the limits keeps the error; `best` is the least that was seen, `at` a place where a function is not finite."""

    def __init__(self, best: float, at: float | None = None) -> None:
        super().__init__(best, at)
        self.best, self.at = best, at


def fit(functions: Callable[[Array], Array], low: float, high: float, error: float, real: Any) -> Pieces:
    """The fewest pieces, and for these the least degree, whose polynomials keep the error; tried at many points, in the type of a run.

    `functions` gives [functions, points] in float64. Raises `Unreachable`.
    """
    best = math.inf
    count = FEWEST[np.dtype(real)]
    while count <= MOST:
        start, width = _grid(low, high, count)
        for degree in DEGREES:
            pieces = _interpolate(functions, start, width, count, degree, real)
            seen = _error(pieces, functions)
            best = min(best, seen)
            if seen <= MARGIN * error:
                return pieces
        count *= 2
    raise Unreachable(best)


def _grid(low: float, high: float, count: int) -> tuple[float, float]:
    """Where the first piece begins, and the width of one: multiples of a power of two that is small beside the width."""
    unit = 2.0 ** (math.frexp((high - low) / count)[1] - DIGITS)
    start = math.floor(low / unit) * unit
    return start, math.ceil((high - start) / (count * unit)) * unit


def _interpolate(functions: Callable[[Array], Array], low: float, width: float, count: int, degree: int, real: Any) -> Pieces:
    nodes = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1)) / 2
    centres = low + width * (np.arange(count) + 0.5)
    values = _values(functions, centres + width * nodes[:, None])
    coefficients = np.einsum("dk,fkp->fdp", np.linalg.inv(np.vander(nodes, increasing=True)), values)
    return Pieces(low, width, np.ascontiguousarray(coefficients.astype(real)))


def _error(table: Pieces, functions: Callable[[Array], Array]) -> float:
    """The largest difference, over the largest value of the function in the same piece; the points are the arguments of a run.

    Values that have not all their digits in the type of the run count as nothing.
    """
    kind = np.finfo(table.coefficients.dtype)
    count = 8 * (table.degree + 1)
    inside = np.cos(np.pi * np.arange(count) / (count - 1)) / 2
    centres = table.low + table.width * (np.arange(table.pieces) + 0.5)
    x = (centres + table.width * inside[:, None]).astype(table.coefficients.dtype)
    right = _values(functions, x.astype(np.float64))
    got = look_up(table, x.reshape(-1)).reshape(right.shape).astype(np.float64)
    off, size = np.abs(got - right).max(axis=1), np.maximum(np.abs(right).max(axis=1), float(kind.tiny / kind.eps))
    return float((off / size).max()) if np.isfinite(off).all() else math.inf


def _values(functions: Callable[[Array], Array], x: Array) -> Array:
    """The functions at x [points, pieces], as [functions, points, pieces]; all finite."""
    found = functions(x.reshape(-1)).reshape(-1, *x.shape)
    wrong = ~np.isfinite(found).all(axis=0)
    if wrong.any():
        raise Unreachable(math.inf, float(x[wrong][0]))
    return found
