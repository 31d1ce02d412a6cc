"""Units: the algebra of dimensions, and literals that are converted exactly and rounded once."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birc.units import (
    NAMES,
    NONE,
    TIME,
    VOLTAGE,
    Dimension,
    Unit,
    UnknownUnit,
    internal_unit,
    literal,
    over,
    parse_unit,
    power,
    times,
)

exponents = st.fractions(min_value=-6, max_value=6, max_denominator=6)
dimensions: st.SearchStrategy[Dimension] = st.tuples(*[exponents] * 6)
names = st.sampled_from(sorted(NAMES))
numbers = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,12})?(e-?[0-9]{1,2})?", fullmatch=True)


@st.composite
def tokens(draw: st.DrawFn) -> str:
    """Unit tokens such as `mV^-1*ms/um`."""
    parts = draw(st.lists(st.tuples(st.sampled_from("*/"), names, st.integers(-3, 3).filter(bool)), min_size=1, max_size=4))
    text = "".join(f"{sign}{name}" + (f"^{n}" if n != 1 else "") for sign, name, n in parts)
    return text[1:]


@given(dimensions, dimensions, dimensions)
def test_dimensions_form_a_group(a: Dimension, b: Dimension, c: Dimension) -> None:
    assert times(a, b) == times(b, a)
    assert times(times(a, b), c) == times(a, times(b, c))
    assert times(a, NONE) == a
    assert over(a, a) == NONE
    assert over(times(a, b), b) == a


@given(dimensions, dimensions, exponents, exponents)
def test_powers(a: Dimension, b: Dimension, p: Fraction, q: Fraction) -> None:
    assert power(times(a, b), p) == times(power(a, p), power(b, p))
    assert power(power(a, p), q) == power(a, p * q)
    assert times(power(a, p), power(a, q)) == power(a, p + q)
    assert power(a, 1) == a
    assert power(a, 0) == NONE


@given(tokens(), tokens())
def test_a_product_of_units_has_the_product_of_scales(a: str, b: str) -> None:
    left, right, both = parse_unit(a), parse_unit(b), parse_unit(f"{a}*{b}")
    assert both.dimension == times(left.dimension, right.dimension)
    assert both.scale == left.scale * right.scale


@given(tokens())
def test_a_division_is_a_negative_power(token: str) -> None:
    name = token.split("*")[0].split("/")[0].split("^")[0]
    assert parse_unit(f"{token}/{name}").dimension == parse_unit(f"{token}*{name}^-1").dimension
    assert parse_unit(f"{token}/{name}").scale == parse_unit(f"{token}*{name}^-1").scale


@given(numbers, tokens())
def test_a_literal_is_its_exact_value_rounded_once(number: str, token: str) -> None:
    exact = Fraction(number) * parse_unit(token).scale
    try:
        expected = float(exact)
    except OverflowError:
        with pytest.raises(OverflowError):
            literal(number, token)
        return
    assert literal(number, token) == expected


@given(numbers)
def test_a_bare_literal_reads_as_python_does(number: str) -> None:
    assert literal(number, None) == float(number)


@given(dimensions)
def test_the_internal_unit_of_a_dimension_has_scale_one(of: Dimension) -> None:
    unit = internal_unit(of)
    assert unit.dimension == of
    assert unit.scale == 1


@given(st.tuples(*[st.integers(-4, 4).map(Fraction)] * 6))
def test_an_internal_unit_reads_back(of: Dimension) -> None:
    unit = internal_unit(of)
    assert parse_unit(unit.text) == Unit(of, Fraction(1), unit.text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20 ms", 20.0),
        ("1 s", 1000.0),
        ("0.3 V", 300.0),
        ("250 pA", 250.0),
        ("1 nA", 1000.0),
        ("30 nS", 30.0),
        ("281 pF", 281.0),
        ("100 Mohm", 0.1),
        ("2 kHz", 2.0),
        ("1 uF/cm^2", 0.01),
        ("36 mS/cm^2", 0.36),
        ("150 ohm*cm", 0.0015),
        ("0.07 uM", 0.07),
        ("1 nM", 0.001),
        ("0.2 uM^-1*s^-1", 0.0002),
        ("1 uA/cm^2", 0.01),
        ("20 degC", 293.15),
        ("-273.15 degC", 0.0),
        ("0.1 pA/s", 0.0001),
    ],
)
def test_known_values(text: str, value: float) -> None:
    number, unit = text.split(" ")
    assert literal(number, unit) == value


def test_prefixes_agree_to_the_last_bit() -> None:
    assert literal("0.1", "nA") == literal("100", "pA")
    assert literal("70.6", "mV") == literal("0.0706", "V") == 70.6


def test_the_inside_is_coherent() -> None:
    """A conductance times a voltage is a current, a capacitance times a voltage over a time as well, all with scale 1."""
    for product in ("nS*mV", "pF*mV/ms", "mV/Gohm", "pA"):
        assert parse_unit(product).scale == 1
        assert parse_unit(product).dimension == parse_unit("pA").dimension
    assert parse_unit("uM*um^3").scale == 1
    assert over(VOLTAGE, TIME) == parse_unit("mV/ms").dimension


@pytest.mark.parametrize(
    ("token", "name", "start"),
    [("mv", "mv", 0), ("ms*m/q", "q", 5), ("ms**mV", "**mV", 2), ("degC", "degC", 0), ("Mm", "Mm", 0), ("ms^100", "ms^100", 0)],
)
def test_unknown_units_say_which_part(token: str, name: str, start: int) -> None:
    with pytest.raises(UnknownUnit) as caught:
        parse_unit(token)
    assert (caught.value.name, caught.value.start) == (name, start)


def test_micro_is_read_as_u() -> None:
    assert parse_unit("µV").scale == parse_unit("uV").scale


def test_literals_that_no_float_holds() -> None:
    with pytest.raises(OverflowError):
        literal("1e500", "ms")
    assert literal("1e-500", "ms") == 0.0
    assert literal("0e500", "ms") == 0.0
    assert math.isfinite(literal("1e300", "s"))
