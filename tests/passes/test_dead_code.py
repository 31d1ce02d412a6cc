"""`dead-code`: what reaches nothing goes."""

from __future__ import annotations

from birc.ir.step import Define, Deliver
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import lowered, model_of, run, same_bits, steps_around, text_around

TEXT = """
neuron Cell:
    param unused = 3, used = 2
    input I: 1, J: 1
    state v = 0
    let nothing = exp(J) * unused
    (10 ms) * v' = used * I - v
    on exc(w: 1): v += 0 * w
"""


def test_text(golden: Golden) -> None:
    text = text_around(TEXT, "dead-code")
    golden.check("golden/passes/dead_code.txt", text)


def test_ports_parameters_and_states_stay() -> None:
    step = lowered(model_of(TEXT))
    assert [p.name for p in step.inputs] == ["I", "J"] and [p.name for p in step.params] == ["unused", "used"]
    assert any(isinstance(s, Deliver) for _, s in step.statements())
    assert "unused" not in {d.name for d in step.bind}


NOISY = """
neuron A:
    param sigma = 1 / sqrt(1 ms)
    state x = 0, y = 0
    noise xi
    x' = -x / (5 ms) + sigma * xi
    (5 ms) * y' = x - y
"""


def test_a_draw_that_goes_changes_no_other() -> None:
    """Draws are numbered, not taken one after the other: without the lanes that nothing reads the rest are the same."""
    before, after = steps_around(model_of(NOISY), "dead-code")
    same_bits(run(before, 4), run(after, 4))
    assert before.noises == after.noises


def test_values_of_the_middle_of_the_step_go_where_nobody_reads_them() -> None:
    before, after = (
        {s.name for _, s in step.statements() if isinstance(s, Define)} for step in steps_around(SMALL["fed_eif"], "dead-code")
    )
    assert before - after >= {"r.half"}
    assert "s.half" in after
