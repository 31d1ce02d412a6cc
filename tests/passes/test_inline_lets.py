"""`inline-lets`: a name of an expression stands for it wherever it is used."""

from __future__ import annotations

from birc.ir.expr import size
from tests.conftest import Golden
from tests.passes.programs import lowered as lower
from tests.passes.programs import model_of, models_around, run, text_around

TEXT = """
neuron Cell:
    param g = 2
    let pull = g * gap
    let gap = 1 - v
    state v = 0, w = 0
    v' = pull / (1 ms)
    on exc(a: 1): v += a * gap
    spike when pull < 0.1:
        v = 0
        w = pull
    output y: 1 = gap
"""


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/inline_lets.txt", text_around(TEXT, "inline-lets"))


def test_a_let_has_the_value_of_where_it_is_used() -> None:
    """After `v = 0` the pull is g * 1."""
    outcome = run(lower(model_of(TEXT)), v=0.99)
    assert outcome.fired.any()
    assert (outcome.state["w"][outcome.fired] == 2.0).all()
    assert (outcome.outputs["y"][outcome.fired] == 1.0).all()


def test_a_chain_that_doubles_stays_small() -> None:
    chain = "".join(f"    let a{i} = a{i - 1} + a{i - 1}\n" for i in range(1, 80))
    text = f"neuron Cell:\n    state v = 1\n    let a0 = v\n{chain}    v' = -a79 / (1 ms)\n"
    _, after = models_around(model_of(text), "inline-lets")
    assert size(after.odes[0].rhs) < 90


def test_nothing_to_do() -> None:
    before, after = models_around(model_of("neuron A:\n    state x = 1\n"), "inline-lets")
    assert after is before
