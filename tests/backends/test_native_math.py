"""The functions of the C family against the processor's 80-bit arithmetic."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from birc.backends.c_family import build
from birc.backends.c_family.headers import header

Array = npt.NDArray[Any]
FUNCTIONS = ("exp", "expm1", "log", "log1p", "tanh", "sinh", "cosh", "sigmoid", "sin","cos","tan")
TYPES: dict[str, type[np.floating[Any]]] = {"double": np.float64, "float": np.float32}

pytestmark = [
    pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler"),
    pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="no long double to judge by"),
]


@cache
def library() -> ctypes.CDLL:
    text = "\n".join(header(f"birc_{name}.h") for name in ("types", "math")) + "\n"
    for name in FUNCTIONS:
        for kind in TYPES:
            text += f'extern "C" __attribute__((visibility("default"))) void {name}_{kind}('
            text += f"const {kind}* __restrict x, {kind}* __restrict y, int64 n) {{\n"
            text += f"    for (int64 i = 0; i < n; i++) y[i] = birc::{name}(x[i]);\n}}\n"
    return build.library(text)


def true_values(name: str, x: Array) -> Array:
    x = x.astype(np.longdouble)
    with np.errstate(all="ignore"):
        if name == "sigmoid":
            e = np.exp(-np.abs(x))
            return np.where(x >= 0, 1 / (1 + e), e / (1 + e))
        result: Array = getattr(np, name)(x)
        return result


def arguments(name: str, real: type[np.floating[Any]]) -> Array:
    """Numbers of every size, where the function has a value, and the corners."""
    rng = np.random.default_rng(0)
    parts = [rng.uniform(-r, r, 100_000) for r in (800, 100, 30, 1)]
    parts.append(np.ldexp(rng.uniform(-1, 1, 100_000), rng.integers(-1070, 20, 100_000)))
    parts.append(
        np.array(
            [0, -0.0, np.inf, -np.inf, np.nan, 709.78, 709.79, -745.13, -745.2, 710.4, 88.7, 88.73, -103.9, 5e-324, 1e-310, 1e-40, 1e-45]
        )
    )
    x = np.concatenate(parts)
    if name in ("log", "log1p"):
        x = np.concatenate([np.abs(x), 10.0 ** rng.uniform(-300, 300, 100_000), rng.uniform(0.5, 2, 100_000)])
    if name == "log1p":
        x = np.concatenate([x, rng.uniform(-1, 0, 100_000)])
    with np.errstate(all="ignore"):
        return x.astype(real)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_within_three_ulp_and_right_at_the_corners(name: str, kind: str) -> None:
    real = TYPES[kind]
    x = arguments(name, real)
    y = np.empty_like(x)
    getattr(library(), f"{name}_{kind}")(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data), ctypes.c_int64(len(x)))
    true = true_values(name, x)
    with np.errstate(all="ignore"):
        rounded = true.astype(real)
    ordinary = np.isfinite(rounded) & (rounded != 0)
    np.testing.assert_array_equal(y[~ordinary], rounded[~ordinary])
    ulps = np.abs(y[ordinary] - true[ordinary]) / np.spacing(np.abs(rounded[ordinary]))
    assert ulps.max() < 3, f"{name}({x[ordinary][ulps.argmax()]!r})"
