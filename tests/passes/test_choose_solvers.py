"""`choose-solvers`: a method for each block, with its reason; a `with` line takes precedence."""

from __future__ import annotations

import pytest

from birc import driver
from birc.errors import BircError
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, model_of, models_around, text_around

TEXT = """
neuron Cell:
    param tau = 5 ms
    state v = 0, w = 0, s = 0, g = 0
    tau * v' = v - v^3 - w + s
    tau * w' = v - w
    tau * s' = -s
    tau * g' = -g * (1 + s)
    spike when v > 1
    with solver euler on w
"""


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/choose_solvers.txt", text_around(TEXT, "choose-solvers"))


def methods(name: str) -> dict[tuple[str, ...], str]:
    """The method of each block."""
    model = LIBRARY.get(name) or SMALL[name]
    return {b.states: b.method for b in models_around(model, "choose-solvers")[1].blocks}


@pytest.mark.parametrize(("name", "expected"), [
    ("LIF", {("i_s", "v"): "exact"}),
    ("AdEx", {("v", "w"): "rk4"}),
    ("HH", {("na.m", "na.h", "k.n", "v"): "strang4"}),
    ("rk4_on_v", {("v",): "rk4", ("m",): "strang"}),
    ("euler_with_hold", {("v", "w"): "euler"}),
    ("fed_eif", {("r", "s"): "exact", ("v",): "rk4"}),
])  # fmt: skip
def test_methods(name: str, expected: dict[tuple[str, ...], str]) -> None:
    assert methods(name) == expected


def test_every_block_has_a_reason() -> None:
    for model in (*LIBRARY.values(), *SMALL.values()):
        assert all(b.reason for b in models_around(model, "choose-solvers")[1].blocks)


def refused(line: str, rate: str) -> BircError:
    """The error of a `with` line."""
    with pytest.raises(BircError) as caught:
        driver.lower(
            model_of(f"neuron A:\n    state x = 1, y = 0\n    (1 ms) * x' = {rate}\n    (1 ms) * y' = x - y\n    with solver {line}\n")
        )
    return caught.value


def test_a_solver_that_cannot_work() -> None:
    assert [d.code for d in refused("exact on x", "-x^2").diagnostics] == ["L102"]
    assert [d.code for d in refused("exact", "-x^2").diagnostics] == ["L102"]
    assert [d.code for d in refused("exponential on x", "-x^2").diagnostics] == ["L102"]
    assert refused("exact on x", "-x^2").diagnostics[0].span is not None


def test_the_later_line_wins() -> None:
    text = (
        "neuron A:\n    state x = 1, y = 0\n    (1 ms) * x' = -x\n    (1 ms) * y' = -y\n    with solver rk4\n    with solver euler on y\n"
    )
    blocks = models_around(model_of(text), "choose-solvers")[1].blocks
    assert {b.states: b.method for b in blocks} == {("x",): "rk4", ("y",): "euler"}
