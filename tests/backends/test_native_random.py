"""The generator in C++: published vectors, and the same bits as the NumPy reference."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from birc.backends.c_family import build
from birc.backends.c_family.headers import header
from birc.ir import random

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")

EXPORT = 'extern "C" __attribute__((visibility("default")))'
HARNESS = f"""
{EXPORT} void words(const uint32* c, const uint32* k, uint32* out) {{
    const birc::Words w = birc::philox(c[0], c[1], c[2], c[3], k[0], k[1]);
    out[0] = (uint32)w.w0; out[1] = (uint32)w.w1; out[2] = (uint32)w.w2; out[3] = (uint32)w.w3;
}}
{EXPORT} void normals(uint64 seed, uint32 stream, int64 step, uint32 lane, double* out, int64 n) {{
    for (int64 i = 0; i < n; i++) out[i] = birc::normal(seed, stream, step, (uint32)i, lane);
}}
{EXPORT} void cosines(const double* u, double* out, int64 n) {{
    for (int64 i = 0; i < n; i++) out[i] = birc::cos_turns(u[i]);
}}
{EXPORT} void logarithms(const double* u, double* out, int64 n) {{
    for (int64 i = 0; i < n; i++) out[i] = birc::draw_log(u[i]);
}}
"""


@cache
def library() -> ctypes.CDLL:
    return build.library("\n".join(header(f"birc_{name}.h") for name in ("types", "random")) + HARNESS)


def pointer(array: npt.NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


VECTORS = [
    ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0], "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_published_vectors(counter: list[int], key: list[int], expected: str) -> None:
    """Known answers of Random123 (Salmon et al. 2011)."""
    out = np.zeros(4, np.uint32)
    library().words(pointer(np.array(counter, np.uint32)), pointer(np.array(key, np.uint32)), pointer(out))
    assert " ".join(f"{word:08x}" for word in out) == expected


@pytest.mark.parametrize("seed", [0, 1, 0xFEDCBA9876543210])
@pytest.mark.parametrize("step", [0, 7, (1 << 32) - 1, (1 << 32) + 5, (1 << 48) - 1])
def test_normals_are_the_same_bits(seed: int, step: int) -> None:
    out = np.zeros(5000)
    for lane in (0, 3):
        library().normals(
            ctypes.c_uint64(seed), ctypes.c_uint32(99), ctypes.c_int64(step), ctypes.c_uint32(lane), pointer(out), ctypes.c_int64(5000)
        )
        np.testing.assert_array_equal(out.view(np.uint64), random.normal(seed, 99, step, np.arange(5000), lane).view(np.uint64))


def test_logarithm_and_cosine_are_the_same_bits() -> None:
    u = np.concatenate([[2.0**-54, 0.25, 0.5, 0.75, 1.0, 1 - 2.0**-53], np.random.default_rng(1).uniform(0, 1, 100_000)])
    out = np.zeros(len(u))
    library().cosines(pointer(u), pointer(out), ctypes.c_int64(len(u)))
    np.testing.assert_array_equal(out.view(np.uint64), random.cos_turns(u).view(np.uint64))
    library().logarithms(pointer(u), pointer(out), ctypes.c_int64(len(u)))
    np.testing.assert_array_equal(out.view(np.uint64), random.log(u).view(np.uint64))
