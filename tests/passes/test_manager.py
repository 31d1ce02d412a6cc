"""The pass manager: order, leaving out, callbacks and times."""

from __future__ import annotations

import pytest

from birc import passes
from birc.errors import BircError
from birc.ir.model import Model
from birc.ir.step import Step
from birc.passes import PASSES, PIPELINES, Program
from tests.passes.programs import LIBRARY, model_of

TEXT = "neuron A:\n    state x = 1\n    x' = -x / (1 ms)\n"


def seen(model: Model, names: tuple[str, ...], skip: tuple[str, ...] = ()) -> list[str]:
    """The passes that ran."""
    found: list[str] = []

    def keep(name: str, program: Program, seconds: float) -> None:
        assert 0 <= seconds < 60
        found.append(name)

    passes.run(model, names, keep, skip)
    return found


def test_all_run_in_their_order() -> None:
    assert seen(model_of(TEXT), PIPELINES["step"]) == [p.name for p in PASSES if p.level in ("model", "lower", "step")]


def test_the_callback_sees_each_result() -> None:
    programs: list[Program] = []
    last = passes.run(LIBRARY["LIF"], PIPELINES["step"], lambda name, program, seconds: programs.append(program))
    assert programs[-1] is last
    kinds = [isinstance(p, Step) for p in programs]
    assert kinds == sorted(kinds) and True in kinds and False in kinds


def test_the_model_pipeline_stops_before_lowering() -> None:
    assert isinstance(passes.run(model_of(TEXT), PIPELINES["model"]), Model)


def test_one_alone() -> None:
    assert seen(model_of(TEXT), ("simplify",)) == ["simplify"]


def test_a_pass_on_steps_passes_over_a_model() -> None:
    assert seen(model_of(TEXT), ("dead-code",)) == []
    step = passes.run(model_of(TEXT), PIPELINES["step"])
    assert passes.run(step, ["simplify"]) is step


def test_leaving_out() -> None:
    optional = tuple(p.name for p in PASSES if not p.needed)
    assert seen(LIBRARY["HH"], PIPELINES["step"], optional) == [p.name for p in PASSES if p.needed and p.level != "adjoint"]


@pytest.mark.parametrize("name", [p.name for p in PASSES if p.needed and p.level != "adjoint"])
def test_a_needed_pass_cannot_be_left_out(name: str) -> None:
    with pytest.raises(BircError) as caught:
        passes.run(model_of(TEXT), PIPELINES["step"], skip=[name])
    assert str(caught.value) == f"error[A021]: pass `{name}` is needed for lowering and cannot be switched off"


def test_the_first_one_named_is_reported() -> None:
    with pytest.raises(BircError, match="`lower-to-step`"):
        passes.run(model_of(TEXT), [], skip=["lower-to-step", "expand-rk4", "expand-euler", "classify-odes", "inline-lets"])


@pytest.mark.parametrize(("name", "help"), [("simplfy", "did you mean `simplify`?"), ("qqq", "`birc passes` lists them")])
def test_a_pass_that_does_not_exist(name: str, help: str) -> None:
    for names, skip in (([name], []), ([], [name])):
        with pytest.raises(BircError) as caught:
            passes.run(model_of(TEXT), names, skip=skip)
        assert str(caught.value) == f"error[A020]: there is no pass `{name}`\n  help: {help}"


def test_every_pass_says_what_it_does() -> None:
    assert len({p.name for p in PASSES}) == len(PASSES)
    for p in PASSES:
        assert p.summary.endswith(".") and len(p.summary) > 20
        assert p.run.__module__ == f"birc.passes.{p.name.replace('-', '_')}"


def test_the_same_object_comes_back_when_nothing_changed() -> None:
    model = model_of("neuron A:\n    state x = 1\n")
    for p in PASSES:
        if p.level == "model":
            assert passes.run(model, [p.name]) is model
