"""`check` blocks: protocols, schemes, and what is said of spikes in a stretch of a run."""

from __future__ import annotations

import numpy as np
import pytest

from birc import driver
from birc.checks import drive, held_rows
from birc.errors import BircError, Source
from birc.frontend.load import load as load_module
from birc.ir.model import Check, Waveform
from birc.ir.text import print_module, read_bir
from birc.sources import Loaded, load

CLOCK = """neuron Clock:
    param T = 10 ms
    state v = 0 ms
    input I: 1
    v' = I
    spike when v >= T: v -= T
"""


def loaded(text: str) -> Loaded:
    source = Source("c.birc", text)
    return Loaded(source, load_module(source))


def checked(text: str) -> list[str]:
    """The messages of what does not hold."""
    results = driver.check(loaded(f"{CLOCK}\ncheck {text}\n"))
    return ["" if r.diagnostic is None else r.diagnostic.message for r in results]


def block(text: str) -> Check:
    (found,) = loaded(f"{CLOCK}\ncheck {text}\n    expect count >= 0\n").module.checks
    return found


def rows(value: str, duration: str = "10 ms") -> list[float]:
    held = held_rows(block(f"Clock:\n    drive I = {value} for {duration}"), {"T": 10.0}, 1.0)["I"]
    return [float(x) for x in held]


def test_measures_of_spikes() -> None:
    # spikes at 10, 20, ... 100 ms, then none
    held = "Clock with dt = 0.5 ms:\n    drive I = 1 for 100 ms\n    drive I = 0 for 100 ms\n"
    good = (
        "count == 10", "first == T", "last == 10 * T", "isi == T", "rate == 50 Hz", "count == 3 during [20 ms, 40 ms]",
        "count == 1 during (20 ms, 40 ms)", "first == 40 ms during (30 ms, 200 ms]", "isi == T during [10 ms, 20 ms]",
        "rate == 100 Hz during [0 ms, 100 ms]", "v == 9.5 ms within 0 step during [0 ms, 9.5 ms]",
        "v in [0.5 ms, 4 ms] always during (10 ms, 14 ms]", "I == 1 within 0 step during [0 ms, 100 ms]",
    )  # fmt: skip
    assert checked(held + "".join(f"    expect {text}\n" for text in good)) == [""] * len(good)
    assert checked(held + "    expect count == 3 during [20 ms, 39 ms]\n    expect v in [0 ms, 3 ms] always during (10 ms, 14 ms]") == [
        "expected true, got False (internal units: ms, mV, pA, nS …)",
        "expected in [0, 3], got 3.5 at stamp 27 (13.5 ms) (internal units: ms, mV, pA, nS …)",
    ]


def test_what_has_no_value_is_no_pass() -> None:
    silent = "Clock:\n    drive I = 1 for 15 ms\n"
    assert checked(silent + "    expect first > 0 ms during [0 ms, 5 ms]") == ["there is no first spike: the model fired 0 times"]
    assert checked(silent + "    expect last < 1 s during [0 ms, 5 ms]") == ["there is no last spike: the model fired 0 times"]
    assert checked(silent + "    expect isi < 1 s") == ["there is no last interval: the model fired 1 times"]
    assert checked(silent + "    expect count == 0 during [20 ms, 30 ms]") == ["the run, of 15 ms, has no stamp in this stretch"]


def test_waveforms_begin_with_their_drive() -> None:
    assert rows("step(2, 3 ms, 5 ms)") == [0, 0, 0, 2, 2, 0, 0, 0, 0, 0]
    assert rows("step(amplitude = 2, start = 0.8 * T)") == [0] * 8 + [2, 2]
    assert rows("ramp(1, 3, 2 ms, 6 ms)") == [1, 1, 1, 1.5, 2, 2.5, 3, 3, 3, 3]
    assert rows("pulses(1, 4 ms, 2 ms, start = 1 ms)") == [0, 1, 1, 0, 0, 1, 1, 0, 0, 1]
    assert np.allclose(rows("sine(2, 100 Hz, offset = 1)"), 1 + 2 * np.sin(2 * np.pi * np.arange(10) / 10))
    two = held_rows(block("Clock:\n    drive I = 1 for 2 ms\n    drive I = ramp(0, 2, 0 ms, 2 ms) for 3 ms"), {"T": 10.0}, 1.0)["I"]
    assert two.tolist() == [1, 1, 0, 1, 2]
    with pytest.raises(BircError) as caught:
        rows("pulses(1, 4 ms, 5 ms)")
    assert caught.value.code == "I115" and caught.value.diagnostics[0].span is not None


def test_the_scheme_of_a_check_is_its_own() -> None:
    found = block("Clock with dt = 0.3 ms, solver = rk4, spikes = located:\n    drive I = 1 for 20.1 ms")
    assert (found.dt, found.solver, found.spikes) == (0.3, "rk4", "located")
    assert checked("Clock with dt = 0.3 ms, spikes = located:\n    drive I = 1 for 21 ms\n    expect first == 10 ms within 1e-9 ms") == [""]
    assert checked("Clock with dt = 0.3 ms:\n    drive I = 1 for 21 ms\n    expect first == 10.2 ms within 1e-9 ms") == [""]


def test_a_solver_that_cannot_work_is_refused() -> None:
    text = "neuron Q:\n    state v = 0\n    v' = v^2 / 1 ms - 1 / 1 ms\n    spike when v > 9: v = 0\n    input I: 1\n    output y: 1 = I\n"
    text += "check Q with solver = exact:\n    drive I = 1 for 1 ms\n    expect count == 0\n"
    with pytest.raises(BircError) as caught:
        driver.check(loaded(text))
    assert caught.value.code == "L102"


def test_a_protocol_goes_through_the_text_of_the_ir() -> None:
    found = block(
        "Clock with dt = 0.3 ms, solver = rk4, spikes = located:\n"
        "    drive I = ramp(0, T / 1 ms, 1 ms, stop = 2 * T) for 2 * T\n"
        "    drive I = step(1) for 20 ms\n    expect v in [0 ms, T) always during (1 ms, 2 * T]\n"
        "    expect first == T within 1 step during [0 ms, T]"
    )
    assert isinstance(found.drives[0].value, Waveform) and found.expects[0].during is not None
    text = print_module((found,))
    assert read_bir(Source("c.bir", text)) == (found,)
    assert print_module(read_bir(Source("c.bir", text))) == text


def test_a_drive_of_a_library_check_runs_as_it_stands() -> None:
    check = load("lif").module.checks[0]
    compiled = driver.compile("lif")
    ran = drive(check, compiled.step, compiled.runner, 0.1, ["v"])
    assert ran.out.steps == len(ran.driven["I"]) and ran.out["v"].shape == (ran.out.steps, 1)
