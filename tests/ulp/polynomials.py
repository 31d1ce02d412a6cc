"""The numbers in `birc_math.h`: polynomials that interpolate at Chebyshev nodes, and constants in parts, from exact fractions.

`python -m tests.ulp.polynomials` prints them. Each function is divided by its first terms, which are kept exactly, and what is left is
given by its Taylor series, so that nothing but the last rounding of each coefficient is inexact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

TERMS = 60
"""Of a Taylor series; the arguments are at most pi^2/4."""


def _arctan_inverse(n: int) -> Fraction:
    return sum((Fraction((-1) ** k, (2 * k + 1) * n ** (2 * k + 1)) for k in range(200)), Fraction(0))


PI = 4 * (4 * _arctan_inverse(5) - _arctan_inverse(239))
"""Machin's formula (1706)."""
LN2 = sum((Fraction(2, (2 * k + 1) * 3 ** (2 * k + 1)) for k in range(300)), Fraction(0))
"""2 atanh(1/3)."""


@dataclass(frozen=True)
class Polynomial:
    """A function by its Taylor coefficients, the interval on which it is wanted, and how many coefficients each type takes."""

    what: str
    taylor: Callable[[int], Fraction]
    low: float
    high: float
    count: dict[str, int]

    def coefficients(self, kind: str) -> list[float]:
        """From the constant one up, rounded to the type."""
        n = self.count[kind]
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        nodes = [Fraction(middle + half * math.cos(math.pi * (2 * k + 1) / (2 * n))) for k in range(n)]
        values = [sum((self.taylor(k) * x**k for k in range(TERMS)), Fraction(0)) for x in nodes]
        return [rounded(c, kind) for c in interpolate(nodes, values)]


def interpolate(nodes: list[Fraction], values: list[Fraction]) -> list[Fraction]:
    """Newton's divided differences, then powers of x."""
    differences = list(values)
    for order in range(1, len(nodes)):
        for i in range(len(nodes) - 1, order - 1, -1):
            differences[i] = (differences[i] - differences[i - 1]) / (nodes[i] - nodes[i - order])
    result = [differences[-1]]
    for node, difference in zip(nodes[-2::-1], differences[-2::-1], strict=True):
        shifted = [Fraction(0), *result]
        result = [a - node * b for a, b in zip(shifted, [*result, Fraction(0)], strict=True)]
        result[0] += difference
    return result


def rounded(x: Fraction, kind: str) -> float:
    """The nearest number of a type."""
    exact = x.numerator / x.denominator  # Python rounds the quotient of whole numbers once
    return exact if kind == "double" else _nearest_float(x)


def _nearest_float(x: Fraction) -> float:
    guess = np.float32(x.numerator / x.denominator)
    around = (np.nextafter(guess, np.float32(-np.inf)), guess, np.nextafter(guess, np.float32(np.inf)))
    return float(min(around, key=lambda candidate: abs(Fraction(float(candidate)) - x)))


def parts(x: Fraction, kind: str, count: int) -> list[float]:
    """A number as a sum: each part is the nearest number of the type to what the parts before it leave."""
    found: list[float] = []
    for _ in range(count):
        found.append(rounded(x, kind))
        x -= Fraction(found[-1])
    return found


ROOT = 3 - 2 * math.sqrt(2)
"""(m - 1) / (m + 1) at m = sqrt(2)."""
HALF_LN2 = math.log(2) / 2 * (1 + 1e-6)

POLYNOMIALS: dict[str, Polynomial] = {
    "exponential": Polynomial(
        "(exp(r) - 1 - r - r^2/2) / r^3, |r| <= log(2)/2",
        lambda k: Fraction(1, math.factorial(k + 3)),
        -HALF_LN2,
        HALF_LN2,
        {"double": 9, "float": 4},
    ),
    "logarithm": Polynomial(
        "(2 atanh(s) - 2 s) / s^3 over z = s^2, s <= 3 - 2 sqrt(2)",
        lambda k: Fraction(2, 2 * k + 3),
        0,
        ROOT**2,
        {"double": 7, "float": 3},
    ),
    "logarithm_rest": Polynomial(
        "(2 atanh(s) - 2 s - 2/3 s^3) / s^5 / log(2) over z = s^2, s <= 3 - 2 sqrt(2)",
        lambda k: Fraction(2, 2 * k + 5) / LN2,
        0,
        ROOT**2,
        {"double": 8, "float": 4},
    ),
    "wave": Polynomial(
        "(sin(r) - r) / r^3 over z = r^2, |r| <= 1.65",
        lambda k: Fraction((-1) ** (k + 1), math.factorial(2 * k + 3)),
        0,
        1.65**2,
        {"double": 8, "float": 5},
    ),
    "crest": Polynomial(
        "(cos(r) - 1 + r^2/2) / r^4 over z = r^2, |r| <= pi/4",
        lambda k: Fraction((-1) ** k, math.factorial(2 * k + 4)),
        0,
        math.pi**2 / 16,
        {"double": 6, "float": 3},
    ),
}

CONSTANTS: dict[str, tuple[Fraction, int]] = {
    "log(2)": (LN2, 3),
    "1/log(2)": (1 / LN2, 1),
    "pi": (PI, 4),
    "1/pi": (1 / PI, 1),
    "2/pi": (2 / PI, 1),
    "2/log(2)": (2 / LN2, 2),
    "2/3/log(2)": (2 / LN2 / 3, 2),
}


def text(x: float, kind: str) -> str:
    """A number as the header writes it."""
    return x.hex() if kind == "double" else f"{np.float32(x)!s}f"


def main() -> None:
    """Print everything."""
    for kind in ("double", "float"):
        print(f"// {kind}")
        for name, (x, count) in CONSTANTS.items():
            print(f"// {name} = {' + '.join(float(part).hex() for part in parts(x, kind, count))}")
        for name, polynomial in POLYNOMIALS.items():
            print(f"// {name}: {polynomial.what}")
            for c in polynomial.coefficients(kind):
                print(f"    {c!r}" if kind == "double" else f"    {np.float32(c)!s}f")


if __name__ == "__main__":
    main()
