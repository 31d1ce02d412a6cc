"""How a step's definitions are shared out among loops over lanes."""

from __future__ import annotations

from itertools import pairwise

from birc.backends.c_family.loops import CHAIN, Loop, loops_of
from birc.driver import compile_model
from birc.ir.expr import topo
from birc.ir.step import Step


def loops(step: Step, chain: int | None = CHAIN) -> list[Loop]:
    return [part for part in loops_of(step, chain) if isinstance(part, Loop)]


def step(model: str, solver: str | None = None) -> Step:
    return compile_model(model, target="native", dt="0.1 ms", solver=solver).step


def test_stages_that_wait_for_one_another_have_loops_of_their_own() -> None:
    """Each stage of a Runge-Kutta step of AdEx has an exponential of what the one before makes."""
    parts = loops(step("adex", "rk4"))
    assert [sum(e.op == "exp" for _, root, _ in part.defines for e in topo(root)) for part in parts] == [1, 1, 1, 1]
    for before, part in pairwise(parts):
        assert before.makes() & part.reads()


def test_short_chains_stay_together() -> None:
    assert len(loops(step("lif_alpha"))) == 1
    assert len(loops(step("izhikevich", "euler"))) == 1


def test_nothing_is_lost_or_moved() -> None:
    for model in ("hodgkin_huxley", "adex", "lif_exp"):
        program = step(model)
        whole, parts = loops(program, None), loops(program)
        assert [d for part in parts for d in part.defines] == [d for part in whole for d in part.defines]
        assert parts[-1].stores == whole[-1].stores
        assert not any(part.stores for part in parts[:-1])
