"""Random models mean the same in the interpreter after each pass, without each pass, and on the targets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from birc import passes
from birc.backends import load_backend
from birc.errors import Source
from birc.frontend.load import load
from birc.ir.expr import Expr, const, op, substitute, value
from birc.ir.model import Model
from birc.ir.step import Define, Statement, Step, Store
from birc.verification.oracle import Oracle
from tests.fuzz import compare
from tests.fuzz.generate import random_model

BATCH = 10


@pytest.mark.parametrize("first", range(0, 200, BATCH))
def test_passes_and_numpy_agree(first: int) -> None:
    for seed in range(first, first + BATCH):
        assert [f"seed {seed}: {d}" for d in compare.differences(random_model(seed), seed=seed)] == []


@pytest.mark.parametrize("seed", [2, 3, 6, 7, 8, 10])
def test_so_they_do_with_spikes_inside_steps(seed: int) -> None:
    text = f"{random_model(seed).rstrip()}\n    with spikes located\n"
    assert [f"seed {seed}: {d}" for d in compare.differences(text, seed=seed)] == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1020, 5))
def test_native_agrees(first: int) -> None:
    if load_backend("native").missing() is not None:
        pytest.skip("no C++ compiler here")
    for seed in range(first, first + 5):
        assert [f"seed {seed}: {d}" for d in compare.differences(random_model(seed), ("native",), seed=seed)] == []


LIF = """\
neuron LIF:
    state v = 0 mV
    input I: mV
    20 ms * v' = -v + I
    on exc(w: mV): v += w
    spike when v >= 5 mV:
        v = 0 mV
    refractory 1 ms
"""


def _step() -> Step:
    model = load(Source("lif.birc", LIF)).items[-1]
    assert isinstance(model, Model)
    step = passes.run(model, passes.PIPELINES["step"])
    assert isinstance(step, Step)
    return step


def _mutant(step: Step, name: str) -> Step:
    """The step with one definition changed a little."""

    def change(body: tuple[Statement, ...]) -> tuple[Statement, ...]:
        return tuple(replace(s, value=_changed(s)) if isinstance(s, Define) and s.name == name else s for s in body)

    return replace(step, phases=tuple(replace(p, body=change(p.body)) for p in step.phases))


def _changed(define: Define) -> Expr:
    if define.name == ".fired":
        return substitute(define.value, {op("not", value(".busy")): const(True)})
    if define.name == ".r.1":
        return substitute(define.value, {const(1): const(2)})
    return op("mul", define.value, const(1.00001))


@pytest.mark.parametrize("name", ["v.1", ".fired", ".r.1"])
def test_a_wrong_step_is_found(name: str) -> None:
    step = _step()
    path = compare.follow(step, seed=3)
    assert any(fired.any() for fired in path.fired)
    assert list(compare.compare("unchanged", Oracle(step, "f64"), step, path)) == []
    wrong = _mutant(step, name)
    assert wrong != step
    found = list(compare.compare("mutant", Oracle(wrong, "f64"), wrong, path))
    assert len(found) == 1


def test_a_lost_store_is_found() -> None:
    step = _step()
    path = compare.follow(step, seed=3)
    reset = tuple(s for s in step.phase("reset") if not (isinstance(s, Store) and s.slot == "v"))
    wrong = replace(step, phases=tuple(replace(p, body=reset) if p.name == "reset" else p for p in step.phases))
    assert [d.variable for d in compare.compare("mutant", Oracle(wrong, "f64"), wrong, path)] == ["v"]
