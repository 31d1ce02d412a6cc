"""`reciprocals`: what is fixed during a run is one factor of a product, and nothing is divided by it."""

from __future__ import annotations

import numpy as np
import pytest

from birc.ir.expr import Expr, const, op, topo, value
from birc.ir.model import Model
from birc.ir.step import Define, Step
from birc.passes.expressions import is_fixed
from birc.passes.reciprocals import Gather
from tests.conftest import Golden
from tests.passes.programs import LIBRARY, lowered, text_around

TEXT = """
neuron Cell:
    param C = 200 pF, g = 10 nS, E = -70 mV, tau = 20 ms
    state v = E, w = 0 pA
    input I: pA
    C * v' = -g * (v - E) - w + I
    tau * w' = -w / 8 - g * (v - E) / 3
    with solver euler on v, w
"""
H, TAU = value(".h"), value("tau")
X, Y = value("x"), value("y")


def gathered(e: Expr) -> Expr:
    return Gather([e], {".h", "tau"}).rewrite(e)


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/reciprocals.txt", text_around(TEXT, "reciprocals"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (op("mul", H, op("div", X, TAU)), op("mul", op("div", H, TAU), X)),
        (op("div", op("neg", X), const(16.0)), op("mul", const(-0.0625), X)),
        (op("mul", op("sub", op("neg", X), Y), H), op("mul", op("neg", H), op("add", X, Y))),
        (op("div", op("div", X, TAU), Y), op("div", op("mul", op("div", const(1.0), TAU), X), Y)),
        (op("div", X, op("div", Y, const(4.0))), op("div", op("mul", const(4.0), X), Y)),
        (op("mul", H, X), op("mul", H, X)),
        (op("mul", op("neg", X), Y), op("mul", op("neg", X), Y)),
        (op("div", const(1.0), op("exprel", X)), op("div", const(1.0), op("exprel", X))),
        (op("div", H, TAU), op("div", H, TAU)),
    ],
    ids=str,
)
def test_products(before: Expr, after: Expr) -> None:
    assert gathered(before) is after


def test_what_is_shared_stays_whole() -> None:
    shared = op("mul", H, op("mul", X, Y))
    before = op("add", op("mul", TAU, shared), shared)
    assert gathered(before) is before


def divided_by_what_is_fixed(step: Step) -> list[Expr]:
    bound = {d.name for d in step.bind}
    flow = [s.value for s in step.phase("flow") if isinstance(s, Define)]
    return [e for e in topo(*flow) if e.op == "div" and is_fixed(e.args[1], bound)]


@pytest.mark.parametrize("model", LIBRARY.values(), ids=LIBRARY.keys())
def test_no_model_of_the_library_divides_by_what_is_fixed(model: Model) -> None:
    assert not divided_by_what_is_fixed(lowered(model))


def test_there_was_something_to_gather() -> None:
    assert divided_by_what_is_fixed(lowered(LIBRARY["AdEx"], skip=["reciprocals"]))
    assert np.sum([len(divided_by_what_is_fixed(lowered(m, skip=["reciprocals"]))) for m in LIBRARY.values()]) > 5
