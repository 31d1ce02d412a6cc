"""Runs that are stopped and go on: what comes out is what an uninterrupted run gives, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from birc.errors import BircError
from birc.networks import CompiledNetwork, compile_network
from birc.runtime.network.state import NetworkState
from tests.networks.written import network_of

TEXT = """
from birc use LIF

synapse Learn:
    state w = 50 pA in [0 pA, 100 pA]
    trace x of pre: tau = 20 ms
    trace y of post: tau = 20 ms
    on pre:
        w -= 0.5 pA * y
        send w
    on post:
        w += 0.4 pA * x

network N:
    population E: LIF(v = uniform(-70 mV, -50 mV))[30]
    source bg: poisson(rate = 2 kHz)[30]
    project bg -> E.exc: w = 60 pA, one_to_one, axon = 0.1 ms
    project E -> E.exc: Learn, random(p = 0.3), axon = uniform(0.5 ms, 2 ms), dend = 0.5 ms
    record E.spikes, E[0:4].v every 0.5 ms
"""


@pytest.fixture(scope="module")
def made() -> CompiledNetwork:
    return compile_network(network_of(TEXT))


def killed(made: CompiledNetwork, folder: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that dies behind its `at`-th stretch of steps, as if the process were killed."""
    runner, count = made.runner, 0

    class Dying:
        def run(self, job: object) -> object:
            nonlocal count
            count += 1
            if count > at:
                raise SystemExit
            return runner.run(job)  # type: ignore[arg-type]

    monkeypatch.setitem(made.__dict__, "runner", Dying())
    with pytest.raises(SystemExit):
        made.run("60 ms", seed=4, checkpoint="10 ms", folder=folder)
    monkeypatch.setitem(made.__dict__, "runner", runner)


@pytest.mark.parametrize("at", [6, 17, 30])
def test_a_run_that_was_killed_goes_on_to_the_same_end(
    made: CompiledNetwork, tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run.checkpoint"
    whole = made.run("60 ms", seed=4)
    monkeypatch.setattr("birc.runtime.network.simulate.STRETCH", 0.0)
    killed(made, folder, at * 16, monkeypatch)
    monkeypatch.undo()
    out = made.run("60 ms", checkpoint="10 ms", folder=folder, go_on=True)
    assert out.start == 0 and out.stop == whole.stop
    for name, group in whole.groups.items():
        assert np.array_equal(out[name].stamps, group.stamps) and np.array_equal(out[name].index, group.index)
    assert np.array_equal(out["E"].v, whole["E"].v)
    for name, values in whole.state.values.items():
        assert np.array_equal(values, out.state.values[name]), name
    first, second = whole.save(tmp_path / "a.npz"), out.save(tmp_path / "b.npz")
    assert first.read_bytes() == second.read_bytes()


def test_checkpoints_of_another_run_are_not_overwritten(made: CompiledNetwork, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    with pytest.raises(BircError) as caught:
        made.run("20 ms", checkpoint="10 ms", folder=tmp_path / "c")
    assert str(caught.value).splitlines() == [
        f"error[I155]: there are checkpoints of an earlier run in `{tmp_path / 'c'}`",
        "  help: `--resume` goes on from them; remove the folder to start again",
    ]


def test_nothing_to_go_on_from(made: CompiledNetwork, tmp_path: Path) -> None:
    with pytest.raises(BircError) as caught:
        made.run("20 ms", folder=tmp_path / "none", go_on=True)
    assert caught.value.diagnostics[0].code == "I116"


def test_a_state_of_another_network_does_not_fit(made: CompiledNetwork) -> None:
    state = made.run("1 ms").state
    other = compile_network(network_of(TEXT.replace("60 pA", "61 pA")))
    with pytest.raises(BircError) as caught:
        other.run("1 ms", state=state)
    message = "the run cannot go on from this state: it is of another network, or of `N` before it was changed"
    assert str(caught.value) == f"error[I147]: {message}"
    changed = NetworkState(state.network, state.stamp, 0.2, state.seed, state.dtype, state.program, state.values)
    with pytest.raises(BircError, match=r"made with a step of 0\.2 ms, and this is 0\.1 ms"):
        made.run("1 ms", state=changed)
    with pytest.raises(BircError, match="made with seed 0, which also made the synapses"):
        made.run("1 ms", state=state, seed=3)
