"""Steps that verification runs side by side come out as one after the other; what is shown of comparisons alone is what is shown of all."""

from __future__ import annotations

import numpy as np
import pytest

from birc import driver
from birc.backends import load_backend
from birc.ir.step import Step
from birc.sources import choose, load
from birc.verification.case import Case
from birc.verification.expose import COMPARISONS, expose
from birc.verification.trial import run_lock_step
from birc.verification.watch import watch

MODELS = ("lif", "izhikevich", "adex", "gif", "mihalas_niebur")


def library(name: str) -> Step:
    return driver.lower(choose(load(name), None)[0])[1]


@pytest.mark.parametrize("name", MODELS)
def test_steps_side_by_side_are_those_one_after_the_other(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(library(name), dt="0.1 ms", duration="40 ms", n=5)
    trials, _ = case.trials(case.reference(itself=False), "f64")
    assert len(trials) == 2 and trials[0].trace.fired.any() and (not case.step.events or len(trials[0].stimulus.events))
    for trial in trials:
        together = run_lock_step(case.fast, case.step, "f64", trial)
        monkeypatch.setattr("birc.verification.trial.LANES", 7 * 5)
        some = run_lock_step(case.fast, case.step, "f64", trial)
        monkeypatch.setattr("birc.verification.trial.LANES", 1)
        alone = run_lock_step(case.fast, case.step, "f64", trial)
        monkeypatch.undo()
        for other in (some, alone):
            assert np.array_equal(together.fired, other.fired) and np.array_equal(together.fired, trial.trace.fired)
            for slot in case.step.slots:
                assert np.array_equal(together.states[slot.name], other.states[slot.name])
                assert np.array_equal(together.states[slot.name], trial.trace.states[slot.name][1:])


@pytest.mark.parametrize("name", MODELS)
def test_comparisons_alone_are_shown_as_among_all(name: str) -> None:
    case = Case(library(name), dt="0.1 ms", duration="20 ms", n=3)
    main = case.trials(case.reference(itself=False), "f64")[0][0]
    few = watch(case.step, load_backend("numpy"), "f64", COMPARISONS)
    compared = [point for point in few.points if point.value.op in COMPARISONS]
    assert compared == [point for point in expose(case.step)[1] if point.value.op in COMPARISONS]
    assert len(few.points) < len(case.fast_watch.points)
    for seen, all_of_it in zip(few.values(main), case.fast_watch.values(main), strict=True):
        assert seen.shape == all_of_it.shape
        for point in compared:
            assert np.array_equal(seen.by_name[point.name], all_of_it.by_name[point.name])
            for side in point.value.args:
                assert np.array_equal(seen.of(side), all_of_it.of(side))


def test_the_targets_of_a_case_share_its_runs() -> None:
    case = Case(library("lif"), dt="0.1 ms", duration="10 ms", n=3)
    reference = case.reference(itself=False)
    assert case.reference(itself=False) is reference is not case.reference(itself=True)
    assert case.trials(reference, "f64") is case.trials(reference, "f64")
    assert case.trials(reference, "f32") is case.trials(reference, "f64")  # float32 can follow this stimulus
