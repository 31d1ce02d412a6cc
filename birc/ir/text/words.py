"""The smallest pieces of the text, both ways: names, numbers, strings, units, attributes.

What is written here reads back to an equal value, whatever characters a name or a docstring contains.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction

from birc.ir.expr import Attr
from birc.units import BASES, ONE, Unit, UnknownUnit, parse_unit

NAME = re.compile(r"[A-Za-z_.][A-Za-z0-9_.']*")
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?|inf\b|nan\b)|true\b|false\b")
UNIT = re.compile(r"1(?![0-9])|[A-Za-z]+(?:\^-?[0-9]+)?(?:[*/][A-Za-z]+(?:\^-?[0-9]+)?)*")
ATTRIBUTE = re.compile(r"[^\]\[\"\s#]+")

NOTHING = "_"
"""Stands where a value is absent; a name that is just this is quoted."""

MAX_DIGITS = 4000


def quote(text: str) -> str:
    """A string on one line, in double quotes."""
    return json.dumps(text)


def unquote(text: str) -> str:
    """The string that `quote` wrote."""
    return str(json.loads(text))


def name(text: str) -> str:
    """A name; quoted where it is unusual."""
    return quote(text) if not NAME.fullmatch(text) or text == NOTHING or NUMBER.fullmatch(text) else text


def plain(text: str) -> str:
    """A name in a path, where a dot separates; quoted where it is unusual."""
    return text if PLAIN.fullmatch(text) and text != NOTHING else quote(text)


def ref(text: str) -> str:
    """A name with its `%`."""
    return "%" + name(text)


def number(value: float | bool) -> str:
    """A number, exactly: a real has a point, an exponent or a name, an int has none."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case _:
            return repr(float(value))


def to_number(text: str) -> float | bool:
    """The number that `number` wrote."""
    if text in ("true", "false"):
        return text == "true"
    if text.lstrip("-").isdigit():
        return int(text)
    return float(text)


def attribute(value: Attr) -> str:
    """An attribute in its brackets: a bare word, a string or a number."""
    if not isinstance(value, str):
        return "" if value is None else f"[{number(value)}]"
    bare = ATTRIBUTE.fullmatch(value) and not NUMBER.fullmatch(value)
    return f"[{value if bare else quote(value)}]"


def to_attribute(text: str) -> Attr:
    """The attribute inside the brackets."""
    if STRING.fullmatch(text):
        return unquote(text)
    return to_number(text) if NUMBER.fullmatch(text) else text


def unit(value: Unit) -> str:
    """A unit token; spelled out where the token alone would not say it (rational exponents)."""
    if UNIT.fullmatch(value.text):
        try:
            if parse_unit(value.text) == value:
                return value.text
        except UnknownUnit:
            pass
    exponents = " ".join(f"{base}:{exponent}" for base, exponent in zip(BASES, value.dimension, strict=True) if exponent)
    return f"unit({quote(value.text)} scale:{value.scale}{' ' if exponents else ''}{exponents})"


_SPELLED = re.compile(rf"unit\(({STRING.pattern}) scale:(-?[0-9]+(?:/[0-9]+)?)((?: [A-Za-z]+:-?[0-9]+(?:/[0-9]+)?)*)\)")
SPELLED_UNIT = _SPELLED


def to_unit(text: str) -> Unit:
    """The unit that `unit` wrote. Raises `UnknownUnit`."""
    spelled = _SPELLED.fullmatch(text)
    if spelled is None:
        return ONE if text == "1" else parse_unit(text)
    try:
        pairs = [part.split(":") for part in spelled[3].split()]
        exponents = {base: Fraction(exponent) for base, exponent in pairs}
        scale = Fraction(spelled[2])
    except ZeroDivisionError:
        raise UnknownUnit(text, 0) from None
    if not set(exponents) <= set(BASES) or len(exponents) != len(pairs):
        raise UnknownUnit(text, 0)
    return Unit(tuple(exponents.get(base, Fraction(0)) for base in BASES), scale, unquote(spelled[1]))


def too_long(digits: str) -> bool:
    """Whether a number has more digits than any number needs (and than Python converts)."""
    return len(digits) > MAX_DIGITS
