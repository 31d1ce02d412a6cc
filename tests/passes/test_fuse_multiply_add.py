"""`fuse-multiply-add`: only on request, only reals, and close to what it stands for."""

from __future__ import annotations

import pytest

import birc
from birc import driver, passes
from birc.approximations import approximations
from birc.backends import Dtype
from birc.ir.check import check_step
from birc.ir.expr import Expr, topo
from birc.ir.model import Model
from birc.ir.step import Step
from birc.ir.text import parse_step, print_step
from birc.passes.expressions import map_step
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, close, lowered, model_of, run

MODELS = LIBRARY | SMALL
TEXT = """
neuron Cell:
    param tau = 10 ms
    state v = 0
    input I: 1
    tau * v' = I - v
    on exc(w: 1): v += w * 2
    spike when v >= 1: v = 0
    refractory 2 ms
"""


def ops(step: Step) -> set[str]:
    """The operations of the phases."""
    found: set[str] = set()

    def look(e: Expr) -> Expr:
        found.update(n.op for n in topo(e))
        return e

    map_step(step, look, bind=False)
    return found


def test_text(golden: Golden) -> None:
    step = lowered(model_of(TEXT))
    golden.check("golden/passes/fuse_multiply_add.txt", print_step(passes.for_target(step)))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_meaning(model: Model) -> None:
    step = lowered(model)
    fused = passes.for_target(step)
    check_step(fused)
    assert "fma" not in ops(step)
    for seed in (1, 2):
        close(run(step, seed), run(fused, seed), 1e-10)
    assert passes.for_target(fused) is fused
    assert parse_step(print_step(fused)) == fused


@pytest.mark.parametrize(("target", "dtype", "wanted"), [("native", "f32", True), ("native", "f64", False), ("numpy", "f32", False)])
def test_only_float32_of_targets_that_take_it(target: str, dtype: Dtype, wanted: bool) -> None:
    compiled = birc.compile("izhikevich", target=target, dtype=dtype)
    assert ("fma" in ops(compiled.step)) is wanted
    assert ("fused multiply-add" in compiled.artifact.manifest["approximations"]) is wanted
    assert ("fused multiply-add" in approximations(compiled.step)) is wanted


def test_it_can_be_left_out() -> None:
    assert "fma" not in ops(birc.compile("izhikevich", target="native", dtype="f32", skip=["fuse-multiply-add"]).step)


def test_dump_behind_it() -> None:
    assert "fma" in driver.dump("izhikevich", "step", after="fuse-multiply-add")
    assert "fma" not in driver.dump("izhikevich", "step")
