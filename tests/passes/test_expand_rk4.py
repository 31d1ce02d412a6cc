"""`expand-rk4`: the four stages of a block."""

from __future__ import annotations

from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import close, run, steps_around, text_around

TEXT = """
neuron Cell:
    param tau = 10 ms, t_ref = 1 ms
    state v = 0, s = 1
    tau * v' = v^2 + s
    tau * s' = -s
    spike when v > 1: v = 0
    refractory t_ref: hold v
"""


def test_text(golden: Golden) -> None:
    text = text_around(TEXT, "expand-rk4")
    golden.check("golden/passes/expand_rk4.txt", text)


def test_a_guard_follows_its_limit_through_the_stages() -> None:
    before, after = steps_around(SMALL["moving_threshold"], "expand-rk4")
    for v in (2.9, 2.99, 3.5):
        near = {"v": v, "b": 1.0, "I": 5.0}
        close(run(before, 1, 1.0, **near), run(after, 1, 1.0, **near), 1e-12)
