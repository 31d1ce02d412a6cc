"""`classify-odes`: components of the ODE graph, and what each is."""

from __future__ import annotations

import pytest

from birc.ir.graph import components, transitive
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, model_of, models_around, text_around

TEXT = """
neuron Cell:
    param tau = 5 ms
    state v = 0, w = 0, s = 0, c = 0
    input I: 1
    tau * v' = v - v^3 - w + s
    tau * w' = v - w
    tau * s' = I^2 - s
    tau * c' = -c * (1 + s)
    spike when v > 1
"""


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/classify_odes.txt", text_around(TEXT, "classify-odes"))


def kinds(name: str) -> list[tuple[tuple[str, ...], str]]:
    """The blocks of a model of the library or of the small ones."""
    model = LIBRARY.get(name) or SMALL[name]
    return [(b.states, b.linearity) for b in models_around(model, "classify-odes")[1].blocks]


@pytest.mark.parametrize(("name", "blocks"), [
    ("LIF", [(("i_s",), "constant"), (("v",), "constant")]),
    ("Izhikevich", [(("v", "u"), "nonlinear")]),
    ("AdEx", [(("v", "w"), "nonlinear")]),
    ("HH", [(("v", "na.m", "na.h", "k.n"), "affine")]),
    ("oscillator", [(("x", "y"), "constant"), (("z",), "constant")]),
    ("second_order", [(("x", "x'"), "constant")]),
    ("fed_eif", [(("r",), "constant"), (("s",), "constant"), (("v",), "nonlinear")]),
    ("multiplicative", [(("x",), "affine")]),
    ("no_equation", []),
])  # fmt: skip
def test_blocks(name: str, blocks: list[tuple[tuple[str, ...], str]]) -> None:
    assert kinds(name) == blocks


@pytest.mark.parametrize(("rate", "kind"), [
    ("-x", "constant"),
    ("I - k * x", "constant"),
    ("k^2 * (I^2 - x / k) + elapsed / (1 ms)", "constant"),
    ("if k > 0 then -x else -2 * x", "constant"),
    ("-I * x", "affine"),
    ("if I > 0 then -x else -2 * x", "affine"),
    ("-y * x", "affine"),
    ("-x^2", "nonlinear"),
    ("-abs(x)", "nonlinear"),
    ("if x > 0 then -1 else 1", "nonlinear"),
    ("min(x, 1)", "nonlinear"),
    ("1 / x", "nonlinear"),
])  # fmt: skip
def test_kinds(rate: str, kind: str) -> None:
    model = model_of(f"neuron A:\n    param k = 2\n    input I: 1\n    state x = 1, y = 1\n    (1 ms) * x' = {rate}\n")
    (block,) = models_around(model, "classify-odes")[1].blocks
    assert block.linearity == kind


def test_components_come_after_what_they_read() -> None:
    edges = {"a": frozenset("bd"), "b": frozenset("c"), "c": frozenset("b"), "d": frozenset(), "e": frozenset("ae")}
    assert components("abcde", edges) == [("b", "c"), ("d",), ("a",), ("e",)]
    assert transitive(edges)["e"] == frozenset("abcde")
    assert transitive(edges)["b"] == frozenset("bc")


def test_a_long_chain() -> None:
    names = [f"x{i}" for i in range(5000)]
    edges = {n: frozenset(names[i + 1 : i + 2]) for i, n in enumerate(names)}
    assert components(names, edges) == [(n,) for n in reversed(names)]
