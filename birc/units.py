"""Dimensions and unit names, and their exact scale in birc's internal coherent system.

The internal system is ms, mV, pA, um, K and, for amounts, uM*um^3; so nS, pF, Gohm, Hz/1000 and uM come out coherent.
Scales are fractions: a literal is converted by exact arithmetic and rounded once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

BASES = ("ms", "mV", "pA", "um", "amount", "K")
Dimension = tuple[Fraction, ...]
"""Exponents over `BASES`; rational, because noise is time^-1/2 and `sqrt` halves."""

NONE: Dimension = (Fraction(0),) * len(BASES)


def dimension(**exponents: int | Fraction) -> Dimension:
    """A dimension from exponents by base name."""
    return tuple(Fraction(exponents.get(base, 0)) for base in BASES)


TIME = dimension(ms=1)
VOLTAGE = dimension(mV=1)
CURRENT = dimension(pA=1)
LENGTH = dimension(um=1)
AMOUNT = dimension(amount=1)
TEMPERATURE = dimension(K=1)


def times(a: Dimension, b: Dimension) -> Dimension:
    """The dimension of a product."""
    return tuple(x + y for x, y in zip(a, b, strict=True))


def over(a: Dimension, b: Dimension) -> Dimension:
    """The dimension of a quotient."""
    return tuple(x - y for x, y in zip(a, b, strict=True))


def power(a: Dimension, exponent: Fraction | int) -> Dimension:
    """The dimension of a power."""
    return tuple(x * exponent for x in a)


@dataclass(frozen=True)
class Unit:
    """A unit as written: its dimension, and how many internal units one of it is."""

    dimension: Dimension
    scale: Fraction
    text: str

    def __str__(self) -> str:
        return self.text


_CONDUCTANCE = over(CURRENT, VOLTAGE)
_CHARGE = times(CURRENT, TIME)
_CAPACITANCE = over(_CHARGE, VOLTAGE)
_RESISTANCE = over(VOLTAGE, CURRENT)
_CONCENTRATION = over(AMOUNT, power(LENGTH, 3))
_ENERGY = times(_CHARGE, VOLTAGE)
_MASS = times(_ENERGY, power(over(TIME, LENGTH), 2))

# An SI unit (or litre, gram, molar): its dimension, and the power of ten by which it exceeds the internal unit.
_NAMED: dict[str, tuple[Dimension, int]] = {
    "s": (TIME, 3),
    "V": (VOLTAGE, 3),
    "A": (CURRENT, 12),
    "m": (LENGTH, 6),
    "mol": (AMOUNT, 21),
    "K": (TEMPERATURE, 0),
    "Hz": (power(TIME, -1), -3),
    "S": (_CONDUCTANCE, 9),
    "ohm": (_RESISTANCE, -9),
    "F": (_CAPACITANCE, 12),
    "C": (_CHARGE, 15),
    "M": (_CONCENTRATION, 6),
    "J": (_ENERGY, 18),
    "W": (over(_ENERGY, TIME), 15),
    "g": (_MASS, 9),
    "L": (power(LENGTH, 3), 15),
}
_PREFIXES = {"": 0, "G": 9, "M": 6, "k": 3, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
# Only what people write: no megaseconds or centivolts, and nothing that reads as something else.
_ALLOWED = {
    "s": ("", "m", "u", "n"),
    "V": ("", "k", "m", "u", "n"),
    "A": ("", "m", "u", "n", "p", "f"),
    "m": ("", "c", "m", "u", "n"),
    "mol": ("", "m", "u", "n", "p", "f"),
    "K": ("",),
    "Hz": ("", "k", "M", "m"),
    "S": ("", "m", "u", "n", "p", "f"),
    "ohm": ("", "k", "M", "G", "m"),
    "F": ("", "m", "u", "n", "p", "f"),
    "C": ("", "m", "u", "n", "p", "f"),
    "M": ("", "m", "u", "n", "p"),
    "J": ("", "k", "m", "u", "n", "p", "f"),
    "W": ("", "m", "u", "n", "p"),
    "g": ("", "k", "m", "u", "n"),
    "L": ("", "m", "u", "n", "p", "f"),
}

NAMES: dict[str, Unit] = {
    prefix + name: Unit(_NAMED[name][0], Fraction(10) ** (_NAMED[name][1] + _PREFIXES[prefix]), prefix + name)
    for name, prefixes in _ALLOWED.items()
    for prefix in prefixes
}

ONE = Unit(NONE, Fraction(1), "1")

ZERO_CELSIUS = Fraction("273.15")
"""`degC` is legal only in a literal standing alone: an offset has no place in a product."""

_TOKEN = re.compile(r"([*/]?)([A-Za-z]+)(?:\^(-?[0-9]+))?")


class UnknownUnit(Exception):
    """A unit token has a part that is no unit's name; `name` says which, `start` where in the token."""

    def __init__(self, name: str, start: int) -> None:
        super().__init__(name)
        self.name, self.start = name, start


def parse_unit(text: str) -> Unit:
    """Read a unit token such as `mV^-1*ms^-1` or `uF/cm^2`; `1` is dimensionless.

    Raises `UnknownUnit`.
    """
    text = text.replace("µ", "u").replace("μ", "u")
    if text == "1":
        return ONE
    found, scale, at = NONE, Fraction(1), 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or (at == 0) == bool(match[1]):
            raise UnknownUnit(text[at:], at)
        sign, name, exponent = match.groups()
        unit = NAMES.get(name)
        if unit is None:
            raise UnknownUnit(name, match.start(2))
        n = int(exponent or 1) * (-1 if sign == "/" else 1)
        if abs(n) > 99:
            raise UnknownUnit(match[0], match.start(2))
        found, scale = times(found, power(unit.dimension, n)), scale * unit.scale**n
        at = match.end()
    return Unit(found, scale, text)


_MAX_EXPONENT = 400


def literal(number: str, unit: str | None) -> float:
    """The internal value of a literal as written, converted exactly and rounded once.

    Raises `UnknownUnit`, and `OverflowError` where the value lies beyond float64.
    """
    mantissa, _, exponent = number.lower().partition("e")
    if exponent and abs(int(exponent)) > _MAX_EXPONENT:
        if float(number) == 0.0:
            return 0.0
        raise OverflowError(number)
    value = Fraction(mantissa) * Fraction(10) ** int(exponent or 0)
    if unit == "degC":
        return float(value + ZERO_CELSIUS)
    return float(value * parse_unit(unit).scale if unit is not None else value)


_CANONICAL = [
    "ms", "mV", "pA", "nS", "pF", "Gohm", "um", "K", "uM", "ms^-1", "mV/ms", "pA/ms", "nS/ms", "uM/ms", "mV^2", "um^2",
    "um^3", "mV^-1", "ms^2", "pA/um^2", "nS/um^2", "pF/um^2", "mV^-1*ms^-1", "Gohm*um", "uM^-1", "uM^-1*ms^-1", "fC", "nS/mV",
]  # fmt: skip
_BY_DIMENSION: dict[Dimension, Unit] = {}
for _name in _CANONICAL:
    _BY_DIMENSION.setdefault(parse_unit(_name).dimension, parse_unit(_name))


def internal_unit(of: Dimension) -> Unit:
    """The unit of scale 1 with a dimension, under its usual name (`pA`, `mV/ms`, `ms^-1/2` for noise)."""
    if of == NONE:
        return ONE
    known = _BY_DIMENSION.get(of)
    if known is not None and known.scale == 1:
        return known
    exponents = dict(zip(BASES, of, strict=True))
    exponents["um"] += 3 * exponents["amount"]  # an amount is written as a concentration times a volume
    parts = []
    for base, exponent in exponents.items():
        if exponent:
            name = "uM" if base == "amount" else base
            parts.append(name if exponent == 1 else f"{name}^{exponent}")
    return Unit(of, Fraction(1), "*".join(parts))


def describe(of: Dimension) -> str:
    """What a dimension is called in prose (`current`), else its unit."""
    return _PROSE.get(of, internal_unit(of).text)


_PROSE: dict[Dimension, str] = {
    NONE: "dimensionless",
    TIME: "time",
    VOLTAGE: "voltage",
    CURRENT: "current",
    LENGTH: "length",
    TEMPERATURE: "temperature",
    _CONDUCTANCE: "conductance",
    _RESISTANCE: "resistance",
    _CAPACITANCE: "capacitance",
    _CHARGE: "charge",
    _CONCENTRATION: "concentration",
    power(TIME, -1): "rate",
    over(VOLTAGE, TIME): "voltage rate",
    over(CURRENT, TIME): "current rate",
    over(CURRENT, power(LENGTH, 2)): "current density",
    over(_CONDUCTANCE, power(LENGTH, 2)): "conductance density",
    over(_CAPACITANCE, power(LENGTH, 2)): "capacitance density",
}
