"""`birc verify`: statuses, levels, coverage, the record and the words of an explained divergence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends import Array, Dtype, Missing, load_backend
from birc.errors import Diagnostic, Source
from birc.frontend.load import load_partial
from birc.ir.expr import Expr, make
from birc.ir.model import Model
from birc.ir.step import Step
from birc.runtime.simulate import prepare
from birc.sources import Loaded, choose, load
from birc.verification import Report, verify_target
from birc.verification.narrow import narrowed
from birc.verification.sensitive import ROUNDINGS, as_often, sensitive, shifts
from birc.verification.trial import Stimulus, Trace, run_free
from tests.conformance.kit import step_of
from tests.conformance.targets import need
from tests.conftest import Golden
from tests.mutants.wrong import Wrong, rule


def program(text: str) -> Step:
    """The step program of a neuron written in a test."""
    module, diagnostics = load_partial(Source("test.birc", text))
    assert module is not None and not diagnostics, "\n".join(map(str, diagnostics))
    (item,) = module.items
    assert isinstance(item, Model)
    return driver.lower(item)[1]


def library(name: str) -> Step:
    """The step program of a library model."""
    return driver.lower(choose(load(name), None)[0])[1]


def verified(step: Step, target: str = "numpy", **options: Any) -> Report:
    options = {"dt": "0.1 ms", "duration": "30 ms", "n": 8, **options}
    need(target)
    return verify_target(step, load_backend(target), **options)


@pytest.mark.parametrize("target", ["numpy", "native"])
@pytest.mark.parametrize(("model", "level"), [("lif", "L0"), ("izhikevich", "L0")])
def test_without_transcendental_functions_targets_agree_to_the_bit(model: str, level: str, target: str) -> None:
    report = verified(library(model), target)
    assert (report.status, report.level, report.worst, report.reason) == ("pass", level, 0.0, "")


@pytest.mark.parametrize("model", ["adex", "hodgkin_huxley"])
def test_transcendental_functions_agree_at_l1(model: str) -> None:
    report = verified(library(model), "native")
    assert report.status == "pass"
    assert report.level in ("L0", "L1")
    assert report.worst is not None and report.worst <= 1e-12


@pytest.mark.parametrize("target", ["numpy", "native"])
@pytest.mark.parametrize("model", ["lif", "adex"])
def test_float32_is_l2(model: str, target: str) -> None:
    report = verified(library(model), target, dtype="f32")
    assert (report.status, report.level, report.dtype) == ("pass", "L2", "f32")
    assert report.worst is not None and 0 < report.worst <= 1e-5


def test_of_a_chaotic_neuron_only_the_number_of_spikes_counts_in_a_free_float32_run() -> None:
    step = library("hindmarsh_rose")
    report = verified(step, "native", dtype="f32", duration="400 ms", n=16)
    assert (report.status, report.level) == ("pass", "L2")
    assert re.fullmatch(r"of \d+ of 16 neurons only how often they fire is compared: .*", report.reason)
    assert verified(step, "native", duration="400 ms", n=16).reason == ""


def test_spikes_that_roundings_do_not_move_are_compared_one_by_one() -> None:
    raster = np.zeros((50, 3), dtype=bool)
    raster[[10, 30], 0] = raster[[20], 1] = True
    chaotic = raster.copy()
    chaotic[30, 0], chaotic[36, 0] = False, True
    trace = Trace({"v": np.ones((51, 3)), "k": np.ones((51, 3), dtype=np.int32)}, {}, raster)
    asked: list[float] = []

    def again(state: Mapping[str, Array]) -> Trace:
        asked.append(float(state["v"][0]))
        assert (state["k"] == 1).all()
        return Trace({}, {}, chaotic if len(asked) == 2 else raster)

    assert sensitive(trace, again).tolist() == [True, False, False]
    assert asked == [1 + r for r in ROUNDINGS] and all(np.float32(a) != 1 for a in asked)
    assert shifts(chaotic, raster).tolist() == [6, 0, 0]
    assert as_often(raster, chaotic)
    assert not as_often(np.zeros((50, 40), dtype=bool), np.ones((50, 40), dtype=bool))


def test_what_float32_cannot_compute_is_driven_more_weakly() -> None:
    """exp(200) is finite in float64 alone, exp(100) too, exp(50) in both."""
    step = program("neuron Steep:\n    state v = 0, g = 0\n    input I: 1\n    0.1 ms * v' = I - v\n    1 ms * g' = exp(v) - g\n")
    numpy = load_backend("numpy")
    double, single = (numpy.load(numpy.emit(step, dtype)) for dtype in ("f64", "f32"))
    prepared = prepare(double, step, h=0.1, steps=100, dtype="f64", n=3)
    stimulus = Stimulus(3, 100, {"I": np.tile([0.0, 50.0, 200.0], (100, 1))}, {})
    assert run_free(double, step, "f64", prepared, stimulus).finite
    assert not run_free(single, step, "f32", prepared, stimulus).finite
    found, weaker = narrowed(step, single, prepared, stimulus)
    assert weaker == 1
    assert found.inputs["I"].tolist() == [[0.0, 50.0, 50.0]] * 100
    assert run_free(single, step, "f32", prepared, found).finite


def test_noise_is_verified_like_anything_else() -> None:
    report = verified(step_of("filtered"), "native", dt="1 ms")
    assert (report.status, report.level) == ("pass", "L0")


def test_a_spike_out_of_reach_is_no_pass() -> None:
    step = program("neuron Quiet:\n    state v = 0\n    10 ms * v' = -v\n    spike when v >= 1:\n        v = 0\n")
    report = verified(step)
    assert report.status == "not exercised"
    assert report.reason == "the stimulus did not reach a spike"
    assert report.unreached == ("a spike", "one side of `select` in %v.2 (test.birc:5)")


def test_a_handler_out_of_reach_is_no_pass() -> None:
    step = program("neuron Brief:\n    state x = 0\n    on hit(w: 1): x += w\n")
    report = verified(step, duration="0.1 ms", n=1)
    assert (report.status, report.reason) == ("not exercised", "the stimulus did not reach an event at `hit`")
    assert verified(step).status == "pass"


def test_coverage_lists_both_sides_of_clips_and_selects() -> None:
    step = program("neuron Clipped:\n    state x = 0.5 in [0, 1]\n    10 ms * x' = 0.25 - x\n")
    report = verified(step)
    assert report.status == "pass"
    assert report.unreached == ("one side of `max` in %x.2 (test.birc:2)", "one side of `min` in %x.2 (test.birc:2)")


def test_a_refractory_period_that_never_ends_is_listed() -> None:
    text = "neuron Once:\n    state v = 0\n    v' = 1 ms^-1\n    spike when v >= 1:\n        v = 0\n    refractory 1 s: hold v\n"
    assert "the end of a refractory period" in verified(program(text)).unreached


def test_a_model_that_runs_away_is_compared_up_to_there() -> None:
    step = program("neuron Blow:\n    state x = 1\n    x' = x^2 / 1 ms\n")
    assert verified(step, duration="10 ms").status == "pass"


class Picky(Wrong):
    """A target that takes nothing."""

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        return (Diagnostic("L201", "the picky target has no `exp`", step.span),)


class Elsewhere(Wrong):
    """A target that needs what is not here."""

    def missing(self) -> Missing | None:
        return Missing("a quantum computer", "wait some years")


def test_refused_with_a_span() -> None:
    step = step_of("lif")
    report = verify_target(step, Picky(load_backend("numpy")), dt="1 ms")
    assert (report.status, report.reason, report.span) == ("refused", "the picky target has no `exp`", step.span)
    assert "lif.birc:2" in report.detail


def test_unavailable_says_how_to_get_it() -> None:
    report = verify_target(step_of("lif"), Elsewhere(load_backend("numpy")), dt="1 ms")
    assert (report.status, report.reason) == ("unavailable", "lacks a quantum computer: wait some years")


NETWORK = """neuron N:
    state v = 0
    on exc(w: 1): v += w
    spike when v >= 1:
        v = 0

network Net:
    population A: N[2]
    project A -> A.exc: w = 0.5, all_to_all, axon = 1 ms
"""


def test_a_network_is_refused_with_its_span(tmp_path: Path) -> None:
    path = tmp_path / "net.birc"
    path.write_text(NETWORK, "utf-8")
    taken, refused = driver.verify(path, ["numpy", "nir"], duration="20 ms")
    assert taken.status != "refused"
    assert (refused.model, refused.status, refused.reason) == ("Net", "refused", "the target nir takes no networks yet")
    assert refused.span is not None and refused.span.line == 7


def upside_down(e: Expr) -> Expr | None:
    return make("sub", e.args) if e.op == "add" else None


def test_the_record_is_json() -> None:
    right = verified(step_of("lif"), dt="1 ms").record()
    wrong = verify_target(step_of("delta"), Wrong(load_backend("numpy"), rule(upside_down, "on exc")), dt="1 ms", duration="50 ms", n=4)
    records = json.loads(json.dumps([right, wrong.record()]))
    keys = {
        "target",
        "model",
        "status",
        "level",
        "worst",
        "where",
        "reason",
        "span",
        "unreached",
        "step",
        "variable",
        "emulated",
        "reader",
        "profile",
        "dt",
        "dtype",
    }
    assert set(records[0]) == set(records[1]) == keys
    assert (records[0]["status"], records[0]["level"], records[0]["worst"], records[0]["span"]) == ("pass", "L0", 0.0, None)
    assert records[1]["status"] == "fail"
    assert records[1]["span"]["line"] == 6
    assert records[1]["where"].startswith(f"step {records[1]['step']}, neuron ")


def test_an_explained_divergence(golden: Golden) -> None:
    target = Wrong(load_backend("numpy"), rule(upside_down, "on exc"))
    step = program("neuron Jump:\n    state v = 0\n    on exc(w: 1): v += 2 * w\n    spike when v >= 1:\n        v = 0\n")
    report = verify_target(step, target, dt="1 ms", duration="50 ms", n=4)
    golden.check("verification/divergence.txt", report.detail + "\n")


@pytest.mark.parametrize("seed", [0, 1])
def test_another_seed_is_another_stimulus(seed: int) -> None:
    assert verified(library("alif"), seed=seed).status == "pass"


def test_loaded_files_are_taken_too() -> None:
    source = Source("test.birc", "neuron Decay:\n    state v = 1\n    10 ms * v' = -v\n")
    module, _ = load_partial(source)
    assert module is not None
    (report,) = driver.verify(Loaded(source, module), ["numpy"], duration="5 ms", n=2)
    assert (report.model, report.status) == ("Decay", "pass")
