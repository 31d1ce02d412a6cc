"""Engines that learn, against the compiler's derivative: what passes, and that every kind of mistake is found and named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends import Artifact, Learned, Lesson, Missing
from birc.errors import BircError
from birc.ir.step import Step
from birc.ir.surrogates import TABLE
from birc.passes import adjoint, dense_events
from birc.runtime.bind import bind
from birc.runtime.gradients import backward, forward, of_parameters, of_start
from birc.runtime.values import Setting
from birc.verification.case import Case
from birc.verification.gradients import SURROGATE, verify_gradients
from birc.verification.report import Report
from tests.passes.programs import LIBRARY


@dataclass(frozen=True)
class Pupil:
    """An engine that computes with the interpreter, and may get one thing wrong."""

    step: Step
    wrong: str = ""
    name: str = "pupil"
    level: str = "L1"

    def missing(self) -> Missing | None:
        return Missing("a book", "buy one") if self.wrong == "missing" else None

    def learn(self, artifact: Artifact, lesson: Lesson) -> Learned:
        if self.wrong == "raises":
            raise BircError("X301", "it does not start")
        plain = dense_events.run(self.step)
        n = next(iter(lesson.inputs.values())).shape[1]
        found = bind(self.step, Setting("pupil", n, 0, 1, lesson.dt, 0), "f64", {})
        surrogate = "arctan" if self.wrong == "surrogate" else lesson.surrogate
        adjoined = adjoint.run(plain, TABLE[surrogate])
        values = {d.name: d.value.attr for d in adjoined.bind if d.value.op == "const"} | found.values
        seen = forward(plain, values, found.state, lesson.inputs)
        gradients = backward(adjoined, values, seen, lesson.inputs, lesson.up)
        everything = {"spikes": seen.spikes, **seen.states, **seen.outputs}
        params = of_parameters(self.step, values, found.params, of_start(self.step, gradients))
        learned = Learned({o: everything[o] for o in lesson.up}, gradients.inputs, {p: params[p].copy() for p in lesson.learn})
        if self.wrong == "tau_m":
            learned.params["tau_m"][4] *= 1.001
        if self.wrong == "nan":
            learned.params["tau_m"][2] = np.nan
        if self.wrong == "v":
            return replace(learned, seen={**learned.seen, "v": learned.seen["v"] + 1e-3})
        return learned


@dataclass(frozen=True)
class School:
    engines: tuple[Any, ...]

    def learnable(self, artifact: Artifact) -> tuple[str, ...]:
        return tuple(p.name for p in artifact.step.params)


def report(wrong: str = "") -> Report:
    step = driver.lower(LIBRARY["LIFUnit"])[1]
    case = Case(step, dt="1 ms", n=12)
    reference = case.reference(itself=False)
    trials, _ = case.trials(reference, "f64")
    artifact = Artifact("school", step, "f64", {}, {})
    head = Report("school", "LIFUnit", "pass", dt="1 ms", dtype="f64")
    (found,) = verify_gradients(School((Pupil(step, wrong),)), artifact, head, trials[0], case.h)
    return found


def test_what_is_right_passes_and_says_what_was_compared() -> None:
    found = report()
    assert (found.status, found.level, found.worst, found.who) == ("pass", "L1", 0.0, "school/pupil")
    assert found.profile.startswith("forward and 7 derivatives over 60 steps, ")
    assert not found.profile.endswith(" 0 spikes")


@pytest.mark.parametrize(("wrong", "variable"), [("tau_m", "dL/dtau_m"), ("surrogate", "dL/dI"), ("v", "v"), ("nan", "dL/dtau_m")])
def test_what_is_wrong_is_named(wrong: str, variable: str) -> None:
    found = report(wrong)
    assert (found.status, found.variable) == ("fail", variable)
    assert found.reason.startswith(f"{variable} is ")
    assert ("nan" in found.reason) == (wrong == "nan")
    if wrong == "tau_m":
        assert found.reason.endswith("(neuron 4)")


def test_what_cannot_be_tried_is_no_pass() -> None:
    found = report("missing")
    assert (found.status, found.reason) == ("unavailable", "lacks a book: buy one")
    found = report("raises")
    assert (found.status, found.reason) == ("fail", "it does not start")


def test_the_surrogate_is_one_of_the_table() -> None:
    assert SURROGATE in TABLE


@pytest.mark.slow
@pytest.mark.skipif(find_spec("keras") is None, reason='needs keras: pip install "birc[keras]"')
@pytest.mark.parametrize("model", ["lif", "hodgkin_huxley"])
def test_every_engine_of_keras(model: str) -> None:
    own, *engines = driver.verify(model, ["keras"])
    assert own.status == "pass"
    assert [r.reader for r in engines] == ["tensorflow", "tensorflow, sweep", "jax", "jax, sweep", "torch"]
    for r in engines:
        if find_spec(r.reader.partition(",")[0]) is None:
            assert r.status == "unavailable"
        else:
            assert r.status == "pass", r.reason
