"""One step at a time is the same as a run, and its mistakes are explained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from birc.runtime import Simulator
from birc.runtime.simulate import simulate
from tests.runtime.leaky import LEAKY, Interpreter


def simulator(**options: Any) -> Simulator:
    return Simulator(Interpreter(), LEAKY, **{"dt": "0.1 ms", "n": 3, **options})


def test_steps_are_a_run() -> None:
    generator = np.random.default_rng(1)
    current, kicks = generator.uniform(0, 0.05, (50, 3)), generator.uniform(0, 6, (50, 3)) * (generator.random((50, 3)) < 0.5)
    options: dict[str, Any] = {"params": {"sigma": 2.0}, "seed": 3}
    run = simulate(Interpreter(), LEAKY, dt=0.1, steps=50, n=3, inputs={"I": current, "exc": kicks}, record="v,double", **options)
    sim = simulator(**options)
    for k in range(50):
        fired = sim.step({"I": current[k], "exc": kicks[k]})
        assert list(np.flatnonzero(fired)) == list(run.index[run.stamps == k + 1])
        assert np.array_equal(sim["v"], run.v[k])
        assert np.array_equal(sim["double"], run["double"][k])
    assert len(run.index) > 3
    assert sim.stamp == 50 and sim.time == pytest.approx(5.0)
    assert np.array_equal(sim.state.values["u"], run.state.values["u"])


def test_a_simulator_goes_on_from_a_state_and_a_run_from_a_simulator() -> None:
    sim = simulator(params={"sigma": 2.0})
    for _ in range(7):
        sim.step()
    kept = sim.state
    after = []
    for _ in range(3):
        sim.step()
        after.append(sim["v"])
    run = simulate(Interpreter(), LEAKY, dt=0.1, steps=3, state=kept, params={"sigma": 2.0}, record="v")
    again = simulator(n=None, state=kept, params={"sigma": 2.0})
    again.step()
    assert np.array_equal(run.v, after)
    assert np.array_equal(again["v"], after[0])


def test_events_of_one_step_are_payloads_or_indices() -> None:
    sim = simulator()
    sim.step({"exc": [0, 3, 0]})
    assert np.array_equal(sim["v"], [0, 3, 0])
    sim = simulator()
    sim.step({"exc": ([1, 1], "2 mV")})
    assert np.array_equal(sim["v"], [0, 4, 0])
    assert list(sim.step({"exc": (2, 20.0)})) == [False, False, True]


def test_what_a_simulator_returns_is_a_copy() -> None:
    sim = simulator()
    sim["v"][:] = 9
    sim.state.values["v"][:] = 9
    assert np.array_equal(sim["v"], [0, 0, 0])


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({"exx": 1}, "error[I101]"),
        ({"I": np.zeros(2)}, "error[I110]: input `I` has shape (2,)"),
        ({"I": float("nan")}, "error[I111]"),
        ({"exc": 1}, "error[I110]: input `exc` has shape ()\n  help: give a payload per neuron, (3,), or (index, weight)"),
        ({"exc": ([5], 1.0)}, "error[I121]"),
        ({"exc": ([1],)}, "error[I122]"),
        ({"exc": (1, 2, 3)}, "error[I119]"),
    ],
)
def test_wrong_inputs_are_explained_and_change_nothing(inputs: dict[str, Any], text: str) -> None:
    sim = simulator()
    with pytest.raises(BircError) as caught:
        sim.step(inputs)
    assert text in str(caught.value)
    assert sim.stamp == 0


def test_a_step_that_leaves_the_finite_range_is_taken_back() -> None:
    sim = simulator(init={"u": 1e305})
    with pytest.raises(BircError) as caught:
        sim.step({"drift": [0, 1.7e308, 0]})
    assert "error[R001]: `u` of neuron 1 became infinite at stamp 1 (0.1 ms)" in str(caught.value)
    assert np.array_equal(sim["u"], [1e305] * 3)
    assert sim.stamp == 0
    sim.step()
    assert sim.stamp == 1


def test_an_unknown_name_is_explained() -> None:
    with pytest.raises(BircError) as caught:
        simulator()["vv"]
    assert "the model has no state or output `vv`" in str(caught.value)
