"""Whether a step is short enough: the bounds of the methods, the reference run, the advice."""

from __future__ import annotations

import numpy as np
import pytest

from birc import cli, driver
from birc.errors import Diagnostic
from birc.stiffness import STABILITY, shorter_steps, stable, step_faults, step_faults_of
from tests.exact.problems import loaded, posed

DECAY = "neuron D:\n    param tau = 2 ms\n    state x = 1\n    tau * x' = -x\n    with solver {method} on x\n"


def faults(text: str, dt: str, **options: str) -> tuple[Diagnostic, ...]:
    return step_faults_of(loaded(text), dt=dt, **options)


@pytest.mark.parametrize(("method", "bound"), [("euler", 2.0), ("heun", 2.0), ("rk4", 2.785293563405282)])
def test_the_bound_of_a_decay(method: str, bound: float) -> None:
    # the roots of |R(z)| = 1 on the real axis
    assert stable(method, np.array([-bound * 0.9999 + 0j])) and not stable(method, np.array([-bound * 1.0001 + 0j]))


def test_a_growth_is_not_what_makes_a_method_unstable() -> None:
    assert all(stable(method, np.array([5.0 + 0j])) for method in STABILITY)


@pytest.mark.parametrize("method", sorted(STABILITY))
def test_what_is_said_is_what_happens(method: str) -> None:
    """Just beyond the bound the model itself blows up; with the step that the advice names it decays."""
    bound = 2.7853 if method == "rk4" else 2.0
    for factor, grows in ((1.02, True), (0.98, False)):
        dt = f"{2 * bound * factor} ms"
        (fault, *_) = (*faults(DECAY.format(method=method), dt), None)
        assert (fault is not None and fault.code == "L120") == grows
        compiled = driver.compile(loaded(DECAY.format(method=method)), dt=dt)
        assert (abs(compiled.run(steps=400, record="x")["x"][-1, 0]) > 1) == grows
    assert faults(DECAY.format(method=method), "4 ms" if method != "rk4" else "5 ms")[0].code in ("L120", "L121")
    assert not faults(DECAY.format(method=method), "2 ms")


def test_the_advice_is_a_round_step_that_works() -> None:
    (fault,) = faults(DECAY.format(method="euler"), "7 ms")
    assert fault.severity == "warning" and fault.span is not None and fault.span.line == 4
    assert fault.help is not None and '`--dt "2 ms"`' in fault.help and "`--solver x=rosenbrock`" in fault.help
    assert not [f for f in faults(DECAY.format(method="euler"), "2 ms") if f.code == "L120"]
    assert not faults(DECAY.format(method="rosenbrock"), "7 ms")
    assert not faults(DECAY.format(method="exact"), "7 ms")


def test_forward_euler_feeds_an_oscillation() -> None:
    text = "neuron O:\n    param w = 1 ms^-1\n    state x = 1, y = 0\n    x' = -w * (0.01 * x + y)\n    y' = w * (x - 0.01 * y)\n"
    (fault,) = faults(text, "0.1 ms", solver="euler")
    assert fault.code == "L120" and "turning with a period of 6.28 ms" in fault.message
    assert not faults(text, "0.1 ms", solver="rk4") and not faults(text, "0.01 ms", solver="euler")


def test_a_stiffness_that_comes_later_is_found_along_the_run() -> None:
    # the rate grows as x does; at the start nothing is to be seen
    text = "neuron G:\n    param k = 1 ms^-1\n    state x = 0, y = 0\n    x' = k\n    y' = k * (1 - x * y)\n    with solver euler on y\n"
    problem = posed(text, dt="0.1 ms", duration="50 ms")
    found = step_faults(problem.lowered, problem.system, problem.drive)
    assert [f.code for f in found] == ["L120"]
    assert not step_faults(problem.lowered, problem.system, problem.drive, points=1)


def test_a_method_that_is_stable_is_told_what_it_does_not_resolve() -> None:
    (fault,) = step_faults_of("hodgkin_huxley", dt="0.2 ms")
    assert fault.code == "L121" and fault.help is not None and "birc verify --exact" in fault.help
    assert not step_faults_of("hodgkin_huxley", dt="0.01 ms")


@pytest.mark.parametrize("name", ["lif", "adex", "izhikevich", "qif", "eif", "alif", "lif_alpha"])
def test_the_library_is_fine_at_its_usual_step(name: str) -> None:
    assert not step_faults_of(name, dt="0.1 ms")


def test_noise_and_step_rules_do_not_stand_in_the_way() -> None:
    text = "neuron N:\n    noise xi\n    param tau = 2 ms\n    state v = 1, n = 0\n    v' = -v / tau + sqrt(1 / tau) * xi\n"
    text += "    step n = n + 1\n"
    assert [f.code for f in faults(text, "7 ms", solver="euler")] == ["L120"]


def test_shorter_steps_are_round() -> None:
    steps = shorter_steps(0.3)
    assert [next(steps) for _ in range(5)] == [0.2, 0.1, 0.05, 0.02, 0.01]
    assert next(shorter_steps(0.1)) == 0.05 and next(shorter_steps(1.0)) == 0.5


def test_explain_warns_and_run_does_at_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "lif", "--solver", "euler", "--dt", "50 ms"]) == 0
    said = capsys.readouterr()
    assert "warning[L120]: forward Euler is unstable for `v`" in said.err and "L120" not in said.out
    assert cli.main(["run", "lif", "--solver", "euler", "--dt", "50 ms", "--for", "1 s"]) == 0
    assert "warning[L120]" in capsys.readouterr().err
    assert cli.main(["run", "lif", "--solver", "euler", "--dt", "1 ms", "--for", "1 s"]) == 0
    assert "L120" not in capsys.readouterr().err
