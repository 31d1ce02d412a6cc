"""`singular-quotients`: 0/0 in rate functions becomes `exprel`; its values are tested with the solvers."""

from __future__ import annotations

from birc.ir.expr import size, topo
from tests.conftest import Golden
from tests.passes.programs import model_of, models_around, text_around

TEXT = """
neuron Cell:
    param k = 10 mV
    state v = -65 mV, n = 0
    v' = -v / (10 ms)
    let opening = 0.01 mV^-1*ms^-1 * (v + 55 mV) / (1 - exp(-(v + 55 mV) / 10 mV))
    n' = opening * (1 - n) - (v - 2 * k) / (exp((v - 2 * k) / k) - 1) * n / (1 mV*ms)
"""


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/singular_quotients.txt", text_around(TEXT, "singular-quotients"))


def test_a_sum_that_doubles_is_looked_through_in_no_time() -> None:
    chain = "".join(f"    let a{i} = a{i - 1} + a{i - 1}\n    let b{i} = b{i - 1} * b{i - 1}\n" for i in range(1, 60))
    text = f"neuron A:\n    state v = 1\n    let a0 = v\n    let b0 = v\n{chain}    v' = a59 * b59 / (exp(a59) - 1) / (1 ms)\n"
    _, after = models_around(model_of(text), "singular-quotients")
    assert size(after.odes[0].rhs) < 300


def test_nothing_to_do() -> None:
    before, after = models_around(model_of("neuron A:\n    state x = 1\n    x' = -x / (1 ms) / (1 + exp(x))\n"), "singular-quotients")
    assert after is before
    assert "exprel" not in {e.op for e in topo(after.odes[0].rhs)}
