"""Every wrong rule is reported by the conformance kit and by `birc verify`, with the variable, the step and the line of the model."""

from __future__ import annotations

import pytest

from birc.backends import load_backend
from birc.verification import verify_target
from tests.conformance.kit import differences, step_of
from tests.conformance.rows import BY_NAME
from tests.conformance.targets import need
from tests.mutants.mutants import PROGRAMS, TEXTS, Mutant
from tests.mutants.wrong import Wrong

MUTANTS = (*PROGRAMS, *TEXTS)


def wrong(mutant: Mutant) -> Wrong:
    return Wrong(load_backend(mutant.target), mutant.change, mutant.rewrite, mutant.twist)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_kit_reports(mutant: Mutant) -> None:
    need(mutant.target)
    case = BY_NAME[mutant.row]
    target = wrong(mutant)
    right = differences(case, target.inner.load(target.inner.emit(step_of(case.model), "f64")))
    found = differences(case, target.load(target.emit(step_of(case.model), "f64")))
    assert right == []
    assert found != []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_verification_reports(mutant: Mutant) -> None:
    need(mutant.target)
    case = BY_NAME[mutant.row]
    params = case.params if case.n == 1 else {}
    report = verify_target(step_of(case.model), wrong(mutant), dt=case.dt, duration=mutant.duration or "200 ms", n=12, params=params)
    assert report.status == "fail"
    assert report.variable == mutant.variable, report.detail
    assert report.span is not None
    assert report.span.source.line(report.span.line).strip().startswith(mutant.line), report.detail
    assert mutant.first is None or report.step == mutant.first, report.detail


def test_there_are_enough() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40
