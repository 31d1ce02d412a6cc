"""`expand-exponential`: gates, then v, each with its own coefficient frozen."""

from __future__ import annotations

from birc import driver
from birc.ir.step import Define, Integrate, Step
from birc.passes import Program
from tests.conftest import Golden
from tests.passes.programs import LIBRARY, text_around

TEXT = """
neuron Cell:
    state v = 0 mV
    gate m: inf = 1 / (1 + exp(-v / 10 mV))
            tau = 5 ms
    (10 ms) * v' = m * (50 mV - v)
    spike when v > 20 mV
    with solver exponential
"""


def test_text(golden: Golden) -> None:
    text = text_around(TEXT, "expand-exponential")
    golden.check("golden/passes/expand_exponential.txt", text)


def test_gates_come_first_and_the_membrane_last() -> None:
    programs: list[Program] = []
    driver.lower(LIBRARY["HH"], "exponential", after=lambda name, program, seconds: programs.append(program))
    place = next(i for i, p in enumerate(programs) if isinstance(p, Step))
    before, after = programs[place], programs[-1]
    assert isinstance(before, Step) and isinstance(after, Step)
    (integrate,) = (s for _, s in before.statements() if isinstance(s, Integrate))
    assert integrate.states == ("na.m", "na.h", "k.n", "v")
    names = [s.name for _, s in after.statements() if isinstance(s, Define)]
    assert names.index("k.n.1") < names.index("v.1")
