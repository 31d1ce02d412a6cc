"""`order-blocks`: linear components are solved together with the linear components that feed them."""

from __future__ import annotations

import pytest

from birc.ir.model import Block
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, model_of, models_around, text_around

TEXT = """
neuron Cell:
    param tau = 5 ms
    state v = 0, a = 0, b = 0, c = 0
    tau * v' = a + b + max(c, 0) - v
    tau * a' = -a
    tau * b' = a - b
    tau * c' = -c
"""


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/order_blocks.txt", text_around(TEXT, "order-blocks"))


def blocks(text: str) -> list[tuple[str, ...]]:
    """The blocks behind the pass, of the equations of a model with states a … e."""
    head = "neuron A:\n    param tau = 5 ms\n    input I: 1\n    state a = 1, b = 1, c = 1, d = 1, e = 1\n"
    lines = "".join(f"    {line.strip()}\n" for line in text.strip().splitlines())
    return [b.states for b in models_around(model_of(head + lines), "order-blocks")[1].blocks]


def test_library() -> None:
    assert [b.states for b in models_around(LIBRARY["LIF"], "order-blocks")[1].blocks] == [("i_s", "v")]
    assert [b.states for b in models_around(LIBRARY["HH"], "order-blocks")[1].blocks] == [("v", "na.m", "na.h", "k.n")]


@pytest.mark.parametrize(("text", "expected"), [
    ("tau * a' = -a\n tau * b' = -b", [("a",), ("b",)]),
    ("tau * b' = a - b\n tau * a' = -a", [("a", "b")]),
    ("tau * c' = b - c\n tau * b' = a - b\n tau * a' = -a", [("a", "b", "c")]),
    ("tau * a' = -a\n tau * b' = a * I - b", [("a",), ("b",)]),
    ("tau * a' = -a\n tau * b' = -b\n tau * c' = a + b * I - c", [("b",), ("a", "c")]),
    ("tau * a' = -a\n tau * b' = -b\n tau * c' = a * b - c", [("a",), ("b",), ("c",)]),
    ("tau * a' = -a^3\n tau * b' = a - b", [("a",), ("b",)]),
    ("tau * a' = -a\n tau * b' = a - b\n with solver rk4 on b", [("a",), ("b",)]),
    ("tau * a' = -a\n tau * b' = a - b\n with solver euler on a", [("a",), ("b",)]),
    ("tau * a' = -a\n tau * b' = a - b^3\n tau * c' = a + b - c", [("a", "c"), ("b",)]),
])  # fmt: skip
def test_what_is_joined(text: str, expected: list[tuple[str, ...]]) -> None:
    assert sorted(blocks(text)) == sorted(expected)


def test_what_is_read_comes_first() -> None:
    assert blocks("tau * d' = c - d^3\n tau * c' = a - c\n tau * a' = -a\n tau * e' = d - e^3") == [("a", "c"), ("d",), ("e",)]


def test_nothing_to_do() -> None:
    before, after = models_around(SMALL["clipped"], "order-blocks")
    assert after is before
    assert all(isinstance(b, Block) for b in after.blocks)
