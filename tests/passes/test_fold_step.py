"""`fold-step`: literals that solvers put in are folded."""

from __future__ import annotations

from tests.conftest import Golden
from tests.passes.programs import text_around

TEXT = """
neuron Cell:
    state v = 0
    (10 ms) * v' = 1 - v
"""


def test_text(golden: Golden) -> None:
    text = text_around(TEXT, "fold-step")
    golden.check("golden/passes/fold_step.txt", text)
