"""`expand-rk4`: the four stages of a block."""

from __future__ import annotations

from tests.conftest import Golden
from tests.passes.programs import text_around

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
