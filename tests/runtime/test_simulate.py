"""Runs: chunks, continuation, recording, interruption, and the messages for what cannot be run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from birc.backends import Job, Spikes
from birc.errors import BircError
from birc.runtime import Result
from birc.runtime.simulate import simulate
from tests.runtime.leaky import LEAKY, Interpreter


def run(runner: Any = None, **options: Any) -> Result:
    options = {"dt": "0.1 ms", "duration": "20 ms", **options}
    return simulate(runner or Interpreter(), LEAKY, **options)


def message(**options: Any) -> str:
    with pytest.raises(BircError) as caught:
        run(**options)
    return str(caught.value)


def test_a_run_follows_the_closed_form() -> None:
    out = run(inputs={"I": "0.01 nA"}, record="v")
    assert out.v.shape == (200, 1)
    expected = 10 * (1 - np.exp(-out.time / 10))
    assert np.allclose(out.v[:, 0], expected, rtol=1e-12)
    assert out.time[0] == 0.1
    assert out.units == {"time": "ms", "v": "mV"}
    assert len(out.spikes.index) == 0
    assert out.interrupted == ""


def test_spikes_are_index_and_time_in_ms() -> None:
    out = run(n=3, inputs={"I": [0, 0.02, 0.1]})
    interval = next(k for k in range(1, 200) if 100 * (1 - np.exp(-k / 100)) >= 15)
    third = out.spikes.time[out.spikes.index == 2]
    assert np.allclose(third, 0.1 * interval * np.arange(1, len(third) + 1))
    assert list(out.counts) == [0, len(out.stamps[out.index == 1]), len(third)]
    assert out.rates[2] == pytest.approx(len(third) / 0.02)
    assert out.rate == pytest.approx(len(out.stamps) / 3 / 0.02)


def test_variables_come_in_their_declared_units() -> None:
    out = run(init={"v": "5 mV"}, record=["v", "u", "double", "spikes"])
    assert out.u[0, 0] == pytest.approx(0.010)
    assert out["double"][0, 0] == pytest.approx(2 * out.v[0, 0] / 1000)
    assert out.v is out["v"] and np.shares_memory(out.v, out.recorded["v"])
    with pytest.raises(BircError) as caught:
        out["refractry"]
    assert "recorded: `v`, `u`, `double`" in str(caught.value)
    with pytest.raises(AttributeError):
        _ = out.w


def test_a_run_in_pieces_is_the_run_in_one() -> None:
    options: dict[str, Any] = {"n": 5, "params": {"sigma": 3.0}, "record": ["v"], "seed": 9}
    sources = {"exc": "poisson(0.5 kHz, 4 mV)", "I": "noise(0.01 nA, 0.002 nA)"}
    whole = run(inputs=sources, **options)
    first = run(inputs=sources, duration="7.3 ms", **options)
    options.pop("seed")
    options.pop("n")
    second = run(inputs=sources, duration="12.7 ms", state=first.state, **options)
    assert second.start == 73 and second.stop == 200
    assert np.array_equal(np.concatenate([first.v, second.v]), whole.v)
    assert np.array_equal(np.concatenate([first.stamps, second.stamps]), whole.stamps)
    assert np.array_equal(second.state.values["v"], whole.state.values["v"])


def test_the_length_of_stretches_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"n": 3, "params": {"sigma": 3.0}, "record": "v", "every": 3, "inputs": {"exc": "poisson(1 kHz, 4 mV)"}}
    long = run(**options)
    monkeypatch.setattr("birc.runtime.simulate.STRETCH", 0.0)
    short_runner = Interpreter()
    short = run(short_runner, **options)
    assert max(job.steps for job in short_runner.jobs[1:]) == 1
    assert np.array_equal(long.v, short.v)
    assert np.array_equal(long.stamps, short.stamps)


def test_recording_every_few_steps_keeps_the_stamps_that_it_divides() -> None:
    fine = run(inputs={"I": "0.01 nA"}, record="v", steps=20, duration=None)
    coarse = run(inputs={"I": "0.01 nA"}, record="v", steps=20, duration=None, every="0.3 ms")
    assert np.allclose(coarse.time, [0.3, 0.6, 0.9, 1.2, 1.5, 1.8])
    assert np.array_equal(coarse.v, fine.v[2::3])
    on = run(inputs={"I": "0.01 nA"}, record="v", steps=5, duration=None, every=3, state=coarse.state)
    assert np.allclose(on.time, [2.1, 2.4])


def test_noise_depends_on_the_seed_alone() -> None:
    options: dict[str, Any] = {"params": {"sigma": 3.0}, "record": "v", "n": 2}
    assert np.array_equal(run(seed=4, **options).v, run(seed=4, **options).v)
    assert not np.array_equal(run(seed=4, **options).v, run(seed=5, **options).v)
    assert not np.array_equal(run(seed=4, **options).v[:, 0], run(seed=4, **options).v[:, 1])
    alone = run(seed=4, **{**options, "n": 1})
    assert np.array_equal(alone.v[:, 0], run(seed=4, **options).v[:, 0])


class Interrupted(Interpreter):
    """Gets Ctrl-C in the middle of its third stretch."""

    def run(self, job: Job) -> Spikes:
        if len(self.jobs) == 2:
            job.state["v"][...] = 1e9
            raise KeyboardInterrupt
        return super().run(job)


def test_ctrl_c_keeps_what_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("birc.runtime.simulate.STRETCH", 0.0)
    out = run(Interrupted(), inputs={"I": "0.1 nA"}, record="v")
    assert out.stop == 65
    assert out.interrupted == "interrupted at 6.5 ms"
    assert out.v.shape == (65, 1)
    whole = run(inputs={"I": "0.1 nA"}, record="v")
    assert np.array_equal(out.v, whole.v[:65])
    assert np.array_equal(out.stamps, whole.stamps[whole.stamps <= 65])
    assert np.array_equal(out.state.values["v"], whole.recorded["v"][64])


def test_spikes_that_fill_the_memory_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("birc.runtime.simulate.STRETCH", 0.0)
    monkeypatch.setattr("birc.runtime.recording.available_memory", lambda: 360)
    out = run(inputs={"exc": np.full((200, 1), 20.0)})
    assert out.interrupted == "stopped at 6.4 ms: its spikes take 768 B"
    assert list(out.stamps) == list(range(1, 65))


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    run(progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (200, 200)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize("stamp", [1, 2, 63, 64, 65, 150])
def test_leaving_the_finite_range_names_stamp_neuron_and_variable(stamp: int) -> None:
    drift = np.zeros((200, 3))
    drift[stamp - 1, 1:] = 1.7e308
    with pytest.raises(BircError) as caught:
        run(n=3, init={"u": 1e305}, inputs={"drift": drift})
    assert str(caught.value) == (
        f"error[R001]: `u` of neuron 1 became infinite at stamp {stamp} ({0.1 * stamp:g} ms)\n"
        f"  help: at the stamp before: v = 0 mV, u = 1e+305 V\n"
        "        a shorter step may help; else look at the parameters and the input of this neuron"
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"dt": 0}, "error[I140]: the step must be longer than 0, and it is 0 ms"),
        ({"dt": float("nan")}, "error[I141]: dt: nan is not finite"),
        ({"dt": "-1 ms"}, "error[I140]: the step must be longer than 0, and it is -1 ms"),
        ({"duration": "0.04 ms"}, "error[I141]: a run of 0.04 ms is shorter than one step of 0.1 ms"),
        ({"duration": "1e12 s"}, "error[I141]: 1e+15 ms are 1e+16 steps of 0.1 ms, and a run has at most 1e+11"),
        ({"duration": None}, "error[I141]: say how long to run: either a duration or a number of steps"),
        ({"duration": None, "steps": 10**12}, "error[I141]: the number of steps must be a whole number from 1 to 100000000000"),
        ({"n": 0}, "error[I144]: the number of neurons must be a whole number from 1 to 2147483647, not 0"),
        ({"n": 10**12}, "error[I144]: the number of neurons must be a whole number from 1 to 2147483647"),
        ({"n": 2**31 - 1}, "error[I145]: the state of 2147483647 neurons would take 103.1 GB of memory"),
        ({"seed": -1}, "error[I146]: the seed must be a whole number"),
        ({"threads": 0}, "error[I148]: the number of threads must be a whole number"),
        ({"every": 0}, "error[I143]: recording every 0 is less than one step of 0.1 ms"),
        ({"record": "w"}, "error[I104]: there is no `w` to record\n  help: there are `v`, `u`, `refractory`, `double`, `spikes`"),
        ({"record": "spike"}, "error[I104]: there is no `spike` to record\n  help: did you mean `spikes`?"),
        ({"inputs": {"exx": 1}}, "error[I101]: the model has no input `exx`\n  help: did you mean `exc`?"),
        ({"record": "v", "duration": "1e6 s"}, "error[I145]: recording v (10000000000 rows of 1) would take 80.0 GB of memory"),
    ],
)
def test_arguments_that_make_no_run_are_refused(options: dict[str, Any], text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("birc.runtime.memory.available_memory", lambda: 1 << 30)
    assert text in message(**options)


def test_durations_that_are_no_multiple_of_the_step_are_warned_about() -> None:
    out = run(duration="1.04 ms", params={"t_ref": "0.25 ms"})
    assert out.steps == 10
    assert [str(w).split("\n")[0] for w in out.warnings] == [
        "warning[I142]: the duration of 1.04 ms is no multiple of the step of 0.1 ms",
        "warning[I131]: the duration `t_ref` is 0.25 ms, no multiple of the step of 0.1 ms",
    ]


def test_a_state_of_something_else_is_refused() -> None:
    state = run(n=2).state
    assert "it has 2 neurons, and n is 3" in message(state=state, n=3)
    assert "it was made with a step of 0.1 ms, and this is 0.2 ms" in message(state=state, dt="0.2 ms")
    assert "initial values cannot be given along with it" in message(state=state, init={"v": 1})


def test_single_precision_states_are_single() -> None:
    out = run(Interpreter(dtype="f32"), dtype="f32", record="v,double,refractory", inputs={"I": "0.1 nA"})
    assert out.v.dtype == np.float32
    assert out["double"].dtype == np.float32
    assert out["refractory"].dtype == np.int32
    assert "the initial value of `u` in neuron 0 is inf in f32" in message(dtype="f32", init={"u": 1e300})
