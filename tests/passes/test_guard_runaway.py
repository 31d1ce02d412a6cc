"""`guard-runaway`: where a reset variable grows without bound, a solver's stages see it at most at its threshold."""

from __future__ import annotations

import pytest

from birc.ir.expr import const, op, var
from birc.passes.guard_runaway import superlinear, threshold
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, model_of, models_around, text_around

TEXT = """
neuron Cell:
    param v_peak = 30 mV
    state v = -65 mV
    (1 ms) * v' = v^2 / (1 mV) - 4000 mV
    spike when v_peak <= v: v = -65 mV
"""


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/guard_runaway.txt", text_around(TEXT, "guard-runaway"))


@pytest.mark.parametrize(("name", "guarded"), [
    ("AdEx", True), ("EIF", True), ("QIF", True), ("Izhikevich", True), ("moving_threshold", True),
    ("LIF", False), ("HH", False), ("clipped", False),
])  # fmt: skip
def test_who_is_guarded(name: str, guarded: bool) -> None:
    model = LIBRARY.get(name) or SMALL[name]
    assert bool(models_around(model, "guard-runaway")[1].guards) == guarded


@pytest.mark.parametrize(("line", "guarded"), [
    ("spike when v > 1: v = 0", True),
    ("spike when v > 1 + w: v = 0", True),
    ("spike when v > 1", False),  # no reset: v may stay above
    ("spike when v > 1: w = 0", False),
    ("spike when v < -1: v = 0", False),
    ("spike when v > 1 and w > 0: v = 0", False),
    ("spike when v > 1 - v: v = 0", False),
    ("spike on rise v > 1: v = 0", False),
    ("spike when v > 1: v = 0\n    refractory 2 ms", False),  # v may grow beyond the threshold without firing
    ("spike when v > 1: v = 0\n    refractory 2 ms: hold v", True),
    ("spike when v > 1: v = 0\n    with solver euler", False),  # it has no stages
])  # fmt: skip
def test_when(line: str, guarded: bool) -> None:
    text = f"neuron A:\n    state v = 0, w = 0\n    (1 ms) * v' = v^2 - w\n    (1 ms) * w' = v - w\n    {line}\n"
    assert bool(models_around(model_of(text), "guard-runaway")[1].guards) == guarded


V, X = var("v"), var("x")


@pytest.mark.parametrize(("e", "grows"), [
    (op("mul", V, V), True),
    (op("mul", X, V), False),
    (op("exp", op("div", V, X)), True),
    (op("exp", X), False),
    (op("pow", V, const(1.5)), True),
    (op("pow", V, const(0.5)), False),
    (op("mul", V, op("tanh", V)), False),
    (op("sub", X, op("mul", op("mul", X, V), V)), True),
    (op("sqrt", op("add", V, X)), False),
])  # fmt: skip
def test_growth(e: object, grows: bool) -> None:
    from birc.ir.expr import Expr

    assert isinstance(e, Expr)
    assert superlinear(e, "v") == grows


def test_thresholds() -> None:
    assert threshold(op("ge", V, X)) == ("v", X)
    assert threshold(op("lt", X, V)) == ("v", X)
    assert threshold(op("ge", V, op("add", V, X))) is None
    assert threshold(op("eq", V, X)) is None
