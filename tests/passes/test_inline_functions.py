"""`inline-functions`: calls become bodies, also calls inside functions."""

from __future__ import annotations

from tests.conftest import Golden
from tests.passes.programs import model_of, models_around, text_around

TEXT = """
neuron Cell:
    param k = 2
    fn outer(x: 1, y: 1) = inner(y) - x
    fn inner(x: 1) = k * x^2
    let z = outer(v, 3 * w)
    state v = 0, w = 1
    v' = outer(w, v) / (1 ms)
    spike when inner(z) > 1: v = outer(v, w)
"""


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/inline_functions.txt", text_around(TEXT, "inline-functions"))


def test_arguments_are_put_in_all_at_once() -> None:
    """outer(w, v): the y of `outer` is the x of `inner`, and neither is the model's v or w by accident."""
    _, after = models_around(model_of(TEXT), "inline-functions")
    assert repr(after.odes[0].rhs.args[0]) == "sub(mul(%k, pow(%v, 2.0)), %w)"


def test_a_chain_that_doubles_stays_small() -> None:
    chain = "".join(f"    fn f{i}(x: 1) = f{i - 1}(x) + f{i - 1}(x)\n" for i in range(1, 60))
    text = f"neuron Cell:\n    fn f0(x: 1) = x\n{chain}    state v = 1\n    v' = -f59(v) / (1 ms)\n"
    _, after = models_around(model_of(text), "inline-functions")
    from birc.ir.expr import size

    assert size(after.odes[0].rhs) < 70


def test_nothing_to_do() -> None:
    before, after = models_around(model_of("neuron A:\n    state x = 1\n"), "inline-functions")
    assert after is before
