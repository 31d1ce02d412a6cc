"""Units as those of the SI, for formats that know no others."""

from __future__ import annotations

from fractions import Fraction

from birc.units import BASES, NAMES, NONE, Dimension

POWERS = dict(zip(BASES, (-3, -3, -12, -6, -21, 0), strict=True))
"""How many powers of ten birc's base units are away from those of the SI."""
SYMBOLS = dict(zip(BASES, ("s", "V", "A", "m", "mol", "K"), strict=True))
NAMED = {NAMES[name].dimension: name for name in ("s", "V", "A", "m", "mol", "K", "S", "ohm", "F", "C", "J", "W", "Hz")}


def si(of: Dimension) -> tuple[str, float]:
    """The SI unit of a dimension, and how many of it one internal unit is: of a voltage, `V` and 0.001."""
    if of == NONE:
        return "1", 1.0
    exponents = {base: exponent for base, exponent in zip(BASES, of, strict=True) if exponent}
    power = sum((POWERS[base] * exponent for base, exponent in exponents.items()), Fraction(0))
    factor = float(Fraction(10) ** int(power)) if power.denominator == 1 else 10.0 ** float(power)
    text = "*".join(SYMBOLS[base] if exponent == 1 else f"{SYMBOLS[base]}^{exponent}" for base, exponent in exponents.items())
    return NAMED.get(of, text), factor
