"""The functions of the C family against the processor's 80-bit arithmetic. `make ulp` measures the same for every float."""

from __future__ import annotations

import ctypes
import itertools
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from birc.backends.c_family import build
from birc.backends.c_family.headers import header

Array = npt.NDArray[Any]
FUNCTIONS = ("exp", "expm1", "exprel", "log", "log1p", "sin", "cos", "tan", "tanh", "sinh", "cosh", "sigmoid")
ODD = ("expm1", "log1p", "sin", "tan", "tanh", "sinh")
"""These keep the sign of a zero."""
TURNS = ("sin", "cos", "tan")
TYPES: dict[str, type[np.floating[Any]]] = {"double": np.float64, "float": np.float32}
MOST_TURNED = {"double": 2.0**48, "float": 2.0**20}
SAMPLES = 1_000_000

pytestmark = [
    pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler"),
    pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="no long double to judge by"),
]


@cache
def library() -> ctypes.CDLL:
    text = "\n".join(header(f"birc_{name}.h") for name in ("types", "math")) + "\n"
    for name, kind in itertools.product((*FUNCTIONS, "pow"), TYPES):
        text += f'extern "C" __attribute__((visibility("default"))) void {name}_{kind}('
        text += f"const {kind}* __restrict x, const {kind}* __restrict y, {kind}* __restrict result, int64 n) {{\n"
        text += f"    for (int64 i = 0; i < n; i++) result[i] = birc::{name}(x[i]{', y[i]' if name == 'pow' else ''});\n}}\n"
    return build.library(text)


def computed(name: str, x: Array, y: Array | None = None) -> Array:
    """What birc's function gives."""
    kind = "double" if x.dtype == np.float64 else "float"
    result = np.empty_like(x)
    addresses = [ctypes.c_void_p(array.ctypes.data) for array in (x, x if y is None else y, result)]
    getattr(library(), f"{name}_{kind}")(*addresses, ctypes.c_int64(len(x)))
    return result


def true_values(name: str, x: Array) -> Array:
    """What it should give; `exprel` is infinite where exp(x) - 1 is."""
    wide = x.astype(np.longdouble)
    with np.errstate(all="ignore"):
        if name == "sigmoid":
            e = np.exp(-np.abs(wide))
            return np.where(x >= 0, 1 / (1 + e), e / (1 + e))
        if name == "exprel":
            top = np.expm1(wide)
            top[top > np.finfo(x.dtype).max] = np.inf
            return np.where(x == 0, 1, top / wide)
        result: Array = getattr(np, name)(wide)
        return result


def arguments(name: str, kind: str) -> Array:
    """Numbers of every size, where the function has a value, and the corners."""
    rng = np.random.default_rng(0)
    some = SAMPLES // 8
    parts = [rng.uniform(-r, r, some) for r in (800, 100, 30, 1)]
    parts.append(np.ldexp(rng.uniform(-1, 1, SAMPLES - 4 * some), rng.integers(-1070, 20, SAMPLES - 4 * some)))
    corners = [0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 5e-324, -5e-324, 1e-310, 1e-40, 1e-45, -1e-45, 2e300, -2e300, 1e38, -1e38]
    edges = [709.78, 709.79, 745.13, 745.2, 746.5, 710.4, 710.48, 88.7, 88.73, 89.41, 89.42, 103.9, 104.1, 40, 20, 1e4]
    parts.append(np.array([*corners, *edges, *(-edge for edge in edges)]))
    x = np.concatenate(parts)
    if name in ("log", "log1p"):
        x = np.concatenate([np.abs(x), -x[:1000], 10.0 ** rng.uniform(-300, 300, some), rng.uniform(0.5, 2, some)])
    if name == "log1p":
        x = np.concatenate([x, rng.uniform(-1, 0, some)])
    if name in TURNS:
        most = MOST_TURNED[kind]
        quarters = np.concatenate([np.arange(-2000, 2001), np.floor(rng.uniform(-most, most, some))]) * (np.pi / 2)
        x = np.concatenate([x, rng.uniform(-most, most, some), quarters, [most, -most]])
        x = np.where(np.abs(x) > most, np.inf, x)
    with np.errstate(all="ignore"):
        return x.astype(TYPES[kind])


def check(name: str, x: Array, result: Array, true: Array, y: Array | None = None) -> None:
    """Within 3 ulp of the true value; equal where that is zero, infinite or not a number."""
    with np.errstate(all="ignore"):
        rounded = true.astype(x.dtype)
    ordinary = np.isfinite(rounded) & (rounded != 0)
    np.testing.assert_array_equal(result[~ordinary], rounded[~ordinary])
    ulps = np.abs(result[ordinary] - true[ordinary]) / np.spacing(np.abs(rounded[ordinary]))
    worst = ulps.argmax()
    assert ulps.max() < 3, (name, x[ordinary][worst], None if y is None else y[ordinary][worst])


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_within_three_ulp_and_right_at_the_corners(name: str, kind: str) -> None:
    x = arguments(name, kind)
    check(name, x, computed(name, x), true_values(name, x))


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", ODD)
def test_zeros_keep_their_sign(name: str, kind: str) -> None:
    result = computed(name, np.array([0.0, -0.0], TYPES[kind]))
    assert result.tolist() == [0, 0]
    assert np.signbit(result).tolist() == [False, True]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", TURNS)
def test_no_number_where_an_argument_is_too_large_to_turn(name: str, kind: str) -> None:
    most = MOST_TURNED[kind]
    x = np.array([most, -most, np.nextafter(TYPES[kind](most), TYPES[kind](np.inf)), -2 * most, 1e30, np.inf], TYPES[kind])
    assert np.isnan(computed(name, x)).tolist() == [False, False, True, True, True, True]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", ["sin", "cos"])
def test_waves_stay_within_one(name: str, kind: str) -> None:
    rng = np.random.default_rng(1)
    crests = np.floor(rng.uniform(-1e5, 1e5, SAMPLES)) * (np.pi / 2) + rng.uniform(-1e-3, 1e-3, SAMPLES)
    assert np.abs(computed(name, crests.astype(TYPES[kind]))).max() == 1
    assert computed("cos", np.zeros(1, TYPES[kind])).tolist() == [1]


def powers(kind: str) -> tuple[Array, Array]:
    """Bases of every size with powers over the whole range of results, and whole powers of negative numbers."""
    rng = np.random.default_rng(2)
    real = TYPES[kind]
    most, largest = (1080, 1000) if kind == "double" else (152, 120)
    n = SAMPLES // 4
    x = np.concatenate([np.ldexp(rng.uniform(0.5, 1, n), rng.integers(-largest, largest, n)), rng.uniform(0, 3, 2 * n)])
    y = np.concatenate([rng.uniform(-most, most, 2 * n) / np.log2(x[: 2 * n]), rng.uniform(-10, 10, n)])
    negative = -np.ldexp(rng.uniform(0.5, 1, n), rng.integers(-20, 20, n))
    whole = rng.integers(-most // 20, most // 20, n)
    return np.concatenate([x, negative]).astype(real), np.concatenate([y, whole]).astype(real)


@pytest.mark.parametrize("kind", TYPES)
def test_powers_within_three_ulp(kind: str) -> None:
    x, y = powers(kind)
    with np.errstate(all="ignore"):
        true = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    check("pow", x, computed("pow", x, y), true, y)


@pytest.mark.parametrize("kind", TYPES)
def test_special_powers_are_those_of_c(kind: str) -> None:
    """C99, F.9.4.4, as NumPy has it from the C library: zeros, infinities, NaN, ones, whole and half powers, each with its sign."""
    real = TYPES[kind]
    tiny, large = np.finfo(real).smallest_subnormal, np.finfo(real).max
    values: list[float] = [
        0.0,
        0.25,
        0.5,
        0.75,
        1.0,
        1.5,
        2.0,
        3.0,
        4.0,
        5.0,
        101.0,
        2.0**24 - 1,
        2.0**53 - 1,
        1e300,
        np.inf,
        np.nan,
        float(tiny),
        float(large),
    ]
    with np.errstate(all="ignore"):
        signed = np.array([*values, *(-value for value in values)], real)
        x, y = (grid.ravel().copy() for grid in np.meshgrid(signed, signed))
        true = np.power(x, y)
        result = computed("pow", x, y)
        special = ~np.isfinite(true) | (true == 0) | (np.abs(true) == 1)
        np.testing.assert_array_equal(result[special], true[special])
        number = ~np.isnan(true)
        np.testing.assert_array_equal(np.signbit(result)[number], np.signbit(true)[number])
        near = np.abs(result[~special].astype(np.longdouble) - true[~special]) / np.spacing(np.abs(true[~special]))
        assert near.max() < 3
