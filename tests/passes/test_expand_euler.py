"""`expand-euler`: every state advances from its value at k."""

from __future__ import annotations

from tests.conftest import Golden
from tests.passes.programs import text_around

TEXT = """
neuron Cell:
    param tau = 10 ms, t_ref = 1 ms, sigma = 0.1 / sqrt(1 ms)
    state v = 0, s = 1
    noise xi
    v' = (s - v) / tau + sigma * xi
    tau * s' = -s - v
    spike when v > 1: v = 0
    refractory t_ref: hold v
    with solver euler
"""


def test_text(golden: Golden) -> None:
    text = text_around(TEXT, "expand-euler")
    golden.check("golden/passes/expand_euler.txt", text)
