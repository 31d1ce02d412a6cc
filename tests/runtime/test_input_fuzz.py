"""Whatever text or array is given for an input, the answer is a source or a BircError."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from birc.errors import BircError
from birc.ir.step import Port
from birc.runtime.events import event_source
from birc.runtime.inputs import continuous
from birc.runtime.values import Setting, per_neuron
from birc.units import parse_unit

SETTING = Setting("M", 3, 0, 4, 0.1, 1)
PORT = Port("I", parse_unit("pA"))
WORDS = [
    "step", "ramp", "sine", "noise", "poisson", "regular", "at", "linspace", "uniform", "normal", "exp", "inf", "pi", "start", "weight",
    "(", ")", ",", "=", "==", "*", "/", "-", "+", "^", " ", "250 pA", "0 pA", "1 kHz", "5 ms", "0 ms", "-1 ms", "1e300 ms", "1e308 Hz",
    "1e308", "0", "3", ".", ":", "@", "@x.npy", "@.csv", "@/", "\0", "\n", "é", "'", '"', "[", "]", "%", "if a then b else c",
]  # fmt: skip
TEXT = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=12).map("".join),
    st.builds(
        lambda name, parts: f"{name}({', '.join(parts)})",
        st.sampled_from(WORDS[:10]),
        st.lists(
            st.sampled_from(
                [
                    "250 pA",
                    "0 pA",
                    "5 ms",
                    "0.1 ms",
                    "1 kHz",
                    "-2 pA",
                    "start = 1 ms",
                    "1e300 ms",
                    "1e20 ms",
                    "1e308 pA",
                    "-1e308 pA",
                    "inf",
                    "0",
                ]
            ),
            max_size=5,
        ),
    ),
    st.text(max_size=20),
)
ARRAY = arrays.arrays(
    dtype=st.sampled_from([np.float64, np.int32, np.bool_, np.complex128, np.float16, object]),
    shape=st.sampled_from([(), (0,), (1,), (3,), (4,), (4, 1), (4, 3), (3, 4), (1, 3), (4, 3, 1)]),
)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_any_text(text: str) -> None:
    with suppress(BircError):
        assert continuous(text, PORT, SETTING).rows(0, 4).dtype == np.float64
    with suppress(BircError):
        assert len(event_source(text, PORT, SETTING).events(0, 4).offsets) == 5
    with suppress(BircError):
        assert np.isfinite(per_neuron(text, PORT.unit, "x", SETTING, "x", "init")).all()


@settings(max_examples=200, deadline=None)
@given(ARRAY)
def test_any_array(array: Any) -> None:
    with suppress(BircError):
        rows = continuous(array, PORT, SETTING).rows(0, 4)
        assert rows.shape[0] in (1, 4) and rows.shape[1] in (1, 3) and np.isfinite(rows).all()
    with suppress(BircError):
        assert np.isfinite(event_source(array, PORT, SETTING).events(0, 4).payload).all()
    with suppress(BircError):
        assert np.isfinite(event_source((array, array, array), PORT, SETTING).events(0, 4).payload).all()


@pytest.mark.parametrize("given", [b"250 pA", object(), lambda: 1, {1, 2}, [None], [[]], "", "()", range(3), 10**400, [10**400]])
def test_odd_things(given: Any) -> None:
    with suppress(BircError):
        continuous(given, PORT, SETTING)
    with suppress(BircError):
        event_source(given, PORT, SETTING)
