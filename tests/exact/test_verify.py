"""`birc verify --exact`: orders of the methods, wrong programs that it finds, and the command line."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from typing import Any

import pytest

from birc import cli
from birc.errors import BircError
from birc.exact.compare import ExactReport
from birc.exact.order import theoretical_order
from birc.exact.verify import Posed, pose, verify_exact
from birc.ir.expr import Expr, const, is_const, make, op, topo
from birc.ir.solvers import SOLVERS
from birc.ir.step import Define, Step
from tests.exact.problems import posed

RING = """
neuron R:
    param w = 1 ms^-1
    state x = 1, y = 0.5
    x' = w * (y - x * (1 + y^2))
    y' = w * (0.3 - y * (1 + x^2))
"""
"""Smooth, nonlinear, and each equation affine in its own variable."""

LINE = "neuron L:\n    param w = 1 ms^-1\n    state x = 1, y = 0\n    x' = -w * (0.2 * x + 2 * y)\n    y' = w * (2 * x - 0.2 * y)\n"


@pytest.mark.parametrize("method", sorted(SOLVERS))
def test_each_method_has_its_order(method: str) -> None:
    report = verify_exact(posed(LINE if method == "exact" else RING, solver=method, duration="8 ms", dt="0.1 ms"))
    assert report.status == "pass", report.reason
    assert report.order == SOLVERS[method].order
    measured = [row.state_order for row in report.rows if row.state_order is not None]
    if report.order == 0:
        assert not measured and report.rows[-1].state_error is not None and report.rows[-1].state_error < 1e-12
    else:
        assert abs(measured[-1] - report.order) < 0.25


def test_a_chain_of_methods_has_the_order_of_what_is_read() -> None:
    # a nonlinear block that reads another is handed its state at the start of the step, but an exact one inside it
    chain = "neuron C:\n    param w = 1 ms^-1\n    state a = 1, b = 0.1\n    a' = -w * a{power}\n    b' = w * (a - b^2)\n"
    exact = posed(chain.format(power=""), duration="8 ms", solver="b=rk4")
    nonlinear = posed(chain.format(power="^2"), duration="8 ms", solver="rk4")
    assert [theoretical_order(p.lowered) for p in (exact, nonlinear)] == [4, 1]
    for problem, order in ((exact, 4), (nonlinear, 1)):
        report = verify_exact(problem)
        assert report.status == "pass", report.reason
        measured = [row.state_order for row in report.rows if row.state_order is not None]
        assert abs(measured[-1] - order) < 0.25


def test_spikes_of_an_exact_scheme_are_late_by_less_than_a_step_each() -> None:
    report = verify_exact(pose("lif", duration="200 ms"))
    assert report.status == "pass" and report.order == 0
    for row in report.rows:
        assert row.agree and row.spikes == len(report.spikes) == 6
        assert row.spike_error is not None and 0 < row.spike_error < row.spikes * row.dt


def test_longer_steps_are_tried_only_where_the_drive_allows() -> None:
    def steps(**inputs: str) -> list[float]:
        return [round(row.dt / 0.1, 3) for row in verify_exact(pose("lif", duration="4 ms", inputs=inputs)).rows]

    assert steps(I="250 pA") == [4, 2, 1, 0.5, 0.25, 0.125]
    assert steps(I="step(250 pA, 1 ms, 2 ms)") == [2, 1, 0.5, 0.25, 0.125]
    assert steps(exc="at(1.1 ms, 50 pA)") == [1, 0.5, 0.25, 0.125]


def test_events_and_changing_inputs_are_the_same_for_all() -> None:
    report = verify_exact(pose("lif", duration="60 ms", inputs={"exc": "poisson(1 kHz, 30 pA)", "I": "noise(150 pA, 50 pA)"}, seed=3))
    assert report.status == "pass", report.reason
    assert report.compared_until > 10 and max(row.state_error or 0.0 for row in report.rows) < 1e-12


def test_a_model_at_rest_is_not_exercised() -> None:
    assert verify_exact(pose("lif", duration="4 ms", inputs={})).status == "not exercised"


# --- wrong programs


def changed(step: Step, rule: Any) -> Step:
    """The step with the first operation of its flow replaced for which `rule` has a replacement."""
    done = False

    def through(e: Expr) -> Expr:
        nonlocal done
        new: dict[Expr, Expr] = {}
        for node in topo(e):
            args = tuple(new[a] for a in node.args)
            other = None if done else rule(node, args)
            done = done or other is not None
            new[node] = other if other is not None else make(node.op, args, node.attr)
        return new[e]

    phases = []
    for phase in step.phases:
        body = tuple(
            replace(s, value=through(s.value)) if phase.name == "flow" and isinstance(s, Define) and not done else s for s in phase.body
        )
        phases.append(replace(phase, body=body))
    assert done
    return replace(step, phases=tuple(phases))


def verdict(problem: Posed, rule: Any) -> ExactReport:
    return verify_exact(replace(problem, step=changed(problem.step, rule)))


WRONG = {
    "a coefficient that is off by a thousandth": lambda e, a: const(float(e.attr) * 1.001) if is_const(e) and e.attr == 0.04 else None,
    "a difference for a sum": lambda e, a: op("sub", *a) if e.op == "add" else None,
    "a term that is lost": lambda e, a: a[0] if e.op == "sub" else None,
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_step_program_is_found(name: str) -> None:
    problem = pose("izhikevich", duration="20 ms")
    assert verify_exact(problem).status == "pass"
    found = verdict(problem, WRONG[name])
    assert found.status == "fail" and found.reason


def test_a_method_of_lower_order_is_found() -> None:
    # Heun's method in the place of Runge-Kutta: every number is close, and the order tells
    problem = posed(RING, solver="rk4", duration="8 ms")
    other = posed(RING, solver="heun", duration="8 ms")
    assert verify_exact(replace(problem, step=other.step)).status == "fail"


def test_an_exact_scheme_that_is_not_exact_is_found() -> None:
    problem = posed(LINE, duration="8 ms")
    other = posed(LINE, solver="rk4", duration="8 ms")
    report = verify_exact(replace(problem, step=other.step))
    assert report.status == "fail" and "should be exact" in report.reason


# --- the command line


def test_the_table_and_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "lif", "--exact", "--for", "100 ms", "--target", "numpy"]) == 0
    out = capsys.readouterr().out
    assert "exact solution by DOP853: 3 spikes in 100 ms" in out and "\npass: states agree to" in out
    rows = [line.split() for line in out.splitlines()]
    assert [row[0] for row in rows if row[1:3] == ["ms", "3"]] == ["0.4", "0.2", "0.1", "0.05", "0.025", "0.0125"]


def test_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--for", "20 ms", "--input", "I=12 mV/ms", "--set", "a=0.03 ms^-1", "--solver", "heun", "--target", "numpy", "--json"]
    assert cli.main(["verify", "izhikevich", "--exact", *options]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["methods"] == {"v": "heun", "u": "heun"} and record["order"] == 2 and record["status"] == "pass"
    assert [row["dt_ms"] for row in record["rows"]] == [0.4, 0.2, 0.1, 0.05, 0.025, 0.0125]
    assert len(record["exact"]["spikes"]) == record["rows"][-1]["spikes"] > 0


def test_exit_codes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.main(["verify", "lif", "--exact", "--for", "4 ms", "--input", "I=0 pA", "--target", "numpy"]) == 1
    assert cli.main(["verify", "lif", "--exact", "-n", "3"]) == 2
    assert cli.main(["verify", "lif", "--exact", "--library"]) == 2
    assert cli.main(["verify", "--exact"]) == 2
    assert cli.main(["verify", "lif", "--input", "I=0 pA"]) == 2
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "scipy" else find(name, *rest))
    assert cli.main(["verify", "lif", "--exact", "--target", "numpy"]) == 3
    assert 'pip install "birc[exact]"' in capsys.readouterr().err


def test_an_unknown_input_is_refused_as_in_a_run() -> None:
    with pytest.raises(BircError) as refused:
        pose("lif", inputs={"J": "1 pA"})
    assert refused.value.code == "I101"
