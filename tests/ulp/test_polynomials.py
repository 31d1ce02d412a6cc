"""The numbers of `birc_math.h` are those that `tests.ulp.polynomials` computes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from birc.backends.c_family.headers import header
from tests.ulp.polynomials import CONSTANTS, POLYNOMIALS, parts

NAMES = {
    "1/log(2)": ("log2e",),
    "log(2)": ("ln2", "ln2_rest"),
    "2/log(2)": ("twice_log2e", "twice_log2e_rest"),
    "2/3/log(2)": ("two_thirds_log2e", "two_thirds_log2e_rest"),
    "1/pi": ("per_pi",),
    "pi": ("pi", "pi_2", "pi_3"),
}
KEPT = {"exponential": [0.5]}
"""Terms that the header has beside the computed ones."""


def section(kind: str) -> str:
    """What the header says about a type."""
    return header("birc_math.h").partition(f"template <> struct Real<{kind}> {{")[2].partition("\n};")[0]


@pytest.mark.parametrize("kind", ["double", "float"])
@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name: str, kind: str) -> None:
    body = section(kind).partition(f" {name}({kind} ")[2].partition("    }\n")[0]
    numbers = [float(number) for number in re.findall(r"(?<![\w.])-?\d+\.\d+(?:e-?\d+)?|-?\d\.?\d*e-\d+", body)]
    wanted = [*KEPT.get(name, []), *POLYNOMIALS[name].coefficients(kind)]
    if kind == "float":
        numbers = [float(np.float32(number)) for number in numbers]
    assert sorted(numbers) == sorted(wanted)


@pytest.mark.parametrize("kind", ["double", "float"])
@pytest.mark.parametrize("what", NAMES)
def test_constants(what: str, kind: str) -> None:
    found = dict(re.findall(r"(\w+) = (-?0x[0-9a-f.]+p-?\d+)f?[,;]", section(kind)))
    exact, _ = CONSTANTS[what]
    assert [float.fromhex(found[name]) for name in NAMES[what]] == parts(exact, kind, len(NAMES[what]))
