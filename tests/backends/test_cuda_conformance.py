"""The conformance kit on the CUDA target, emulated where there is no device."""

from __future__ import annotations

import pytest

from birc.backends import Dtype
from tests.conformance.kit import Case, differences
from tests.conformance.rows import ROWS
from tests.conformance.targets import need, runner

DTYPES: tuple[Dtype, ...] = ("f64", "f32")
RUNS = [pytest.param(case, dtype, id=f"{case.name}-{dtype}") for dtype in DTYPES for case in ROWS if dtype == "f64" or case.exact]


@pytest.mark.parametrize(("case", "dtype"), RUNS)
def test_row(case: Case, dtype: Dtype) -> None:
    need("cuda")
    assert differences(case, runner("cuda", dtype, case.model), dtype) == []
