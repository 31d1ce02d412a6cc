"""Continuous inputs: every form, and the message for every wrong one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from birc.ir import random
from birc.ir.step import Port
from birc.runtime.inputs import continuous, parse_assignment
from birc.runtime.values import Setting, parse_call
from birc.units import ONE, parse_unit

PORT = Port("I", parse_unit("nA"))


def setting(n: int = 3, steps: int = 10, start: int = 0, h: float = 0.1) -> Setting:
    return Setting("M", n, start, steps, h, 1)


def rows(given: Any, port: Port = PORT, **options: Any) -> np.ndarray[Any, Any]:
    """All rows of a run, put together from two stretches."""
    place = setting(**options)
    source = continuous(given, port, place)
    half = place.steps // 2
    parts = [source.rows(place.start, half), source.rows(place.start + half, place.steps - half)]
    wide = [np.broadcast_to(p, (s, place.n)) for p, s in zip(parts, (half, place.steps - half), strict=True)]
    return np.concatenate(wide)


def message(given: Any, **options: Any) -> str:
    with pytest.raises(BircError) as caught:
        rows(given, **options)
    return str(caught.value)


def test_a_quantity_is_in_internal_units_and_a_number_in_the_ports() -> None:
    assert (rows("250 pA") == 250).all()
    assert (rows("0.25 nA") == 250).all()
    assert (rows(0.25) == 250).all()


def test_arrays_are_per_neuron_or_over_time() -> None:
    assert np.array_equal(rows([1, 2, 3])[7], [1000, 2000, 3000])
    over = np.arange(10.0)[:, None]
    assert np.array_equal(rows(over)[7], [7000] * 3)
    full = np.arange(30.0).reshape(10, 3)
    assert np.array_equal(rows(full), full * 1000)
    assert np.array_equal(rows(np.arange(10), n=1)[:, 0], np.arange(10) * 1000.0)
    assert np.array_equal(rows(full, start=50), full * 1000)
    assert np.array_equal(rows([[1, 2, 3]])[7], [1000, 2000, 3000])


@pytest.mark.parametrize(
    ("given", "options", "text"),
    [
        (
            np.zeros(10),
            {},
            "error[I110]: input `I` has shape (10,), which does not fit a run of 10 steps of 3 neurons\n"
            "  help: for the same values in every neuron, make it a column: x[:, None]\n"
            "        it can be one number; (3,): one value per neuron; (10, 1): one per step; (10, 3): one per step and neuron",
        ),
        (np.zeros((3, 10)), {}, "help: steps come first: transpose it"),
        (np.zeros((10, 2)), {}, "input `I` has shape (10, 2)"),
        (np.zeros((10, 3, 1)), {}, "input `I` has shape (10, 3, 1)"),
        (np.zeros(4), {"n": 1}, "it can be one number; (10,): one value per step"),
        (np.zeros(0), {}, "input `I` has shape (0,)"),
        ([1.0, float("nan"), 2.0], {}, "error[I111]: input `I`: the value at 1 is nan"),
        ([[1.0], [2.0, 3.0]], {}, "error[I112]: input `I`: this is no array of numbers"),
        (np.array([1j]), {}, "error[I112]: input `I`: expected numbers, not complex128"),
        (["a", "b", "c"], {}, "error[I112]: input `I`: expected numbers, not <U1"),
        (None, {}, "error[I112]: input `I`: expected numbers, not NoneType"),
        ({"a": 1}, {}, "error[I112]: input `I`: expected numbers, not dict"),
        (float("inf"), {}, "error[I111]: input `I`: the value is inf"),
        (1e307, {}, "error[I111]: input `I`: the value is inf"),
        ("inf", {}, "error[I111]: input `I`: `inf` is not finite"),
        ("steps(1 nA)", {}, "error[I114]: input `I`: there is no `steps(…)` here\n  help: did you mean `step`?"),
        ("foo()", {}, "there are `step`, `ramp`, `pulses`, `sine`, `noise`, `linspace`, `uniform`, `normal`"),
        ("step()", {}, "error[I115]: input `I`: `amplitude` is missing\n  help: its form is `step(amplitude, start = …, stop = …)`"),
        ("ramp(0 pA, 1 nA, 1 ms, 0 ms)", {}, "error[I115]: input `I`: the ramp's stop must come"),
        ("noise(0 pA, -1 pA)", {}, "a standard deviation cannot be negative"),
        ("noise(0 pA, 1 pA, 2 pA)", {}, "`noise` takes 2 arguments at most"),
        ("noise(0 pA, sigma = 1 pA)", {}, "`noise` has no argument `sigma`"),
        ("noise(0 pA, mean = 1 pA)", {}, "`mean` is given twice"),
        ("@no.npy", {}, "error[I116]: input `I`: there is no file `no.npy`"),
        ("@no.txt", {}, "`no.txt` is no file of a known kind"),
    ],
)
def test_wrong_inputs_are_explained(given: Any, options: dict[str, Any], text: str) -> None:
    assert text in message(given, **options)


def test_a_unit_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BircError):
        rows("250 mV")


def test_a_step_is_on_from_start_to_before_stop() -> None:
    assert np.array_equal(rows("step(250 pA, 0.2 ms, 0.5 ms)")[:, 0], [0, 0, 250, 250, 250, 0, 0, 0, 0, 0])
    assert np.array_equal(rows("step(amplitude = 250 pA, start = 0.8 ms)")[:, 2], [0] * 8 + [250] * 2)
    assert np.array_equal(rows("step(250 pA, 0.2 ms, 0.5 ms)", start=4)[:, 0], [250] + [0] * 9)


def test_a_ramp_goes_up_and_stays() -> None:
    assert np.allclose(rows("ramp(100 pA, 200 pA, 0.2 ms, 0.6 ms)")[:, 1], [100, 100, 100, 125, 150, 175, 200, 200, 200, 200])


def test_pulses_come_every_period() -> None:
    assert rows("pulses(3 pA, 0.4 ms, 0.2 ms, start = 0.1 ms)")[:, 0].tolist() == [0, 3, 3, 0, 0, 3, 3, 0, 0, 3]
    assert "a pulse lasts one step at least" in message("pulses(3 pA, 0.4 ms, 0.5 ms)")


def test_a_sine_has_its_frequency_and_offset() -> None:
    k = np.arange(10)
    assert np.allclose(rows("sine(2 pA, 1 kHz, offset = 1 pA)")[:, 0], 1 + 2 * np.sin(2 * np.pi * k / 10))


def test_values_spread_over_neurons() -> None:
    assert np.array_equal(rows("linspace(0 pA, 500 pA)")[4], [0, 250, 500])
    drawn = rows("uniform(1 pA, 2 pA)", n=1000)
    assert (drawn == drawn[0]).all() and drawn.min() > 1 and drawn.max() < 2 and abs(drawn[0].mean() - 1.5) < 0.05
    assert abs(rows("normal(1 pA, 2 pA)", n=1000)[0].std() - 2) < 0.2


def test_noise_is_drawn_for_each_stamp_and_neuron() -> None:
    drawn = rows("noise(1 pA, 2 pA)")
    expected = 1 + 2 * random.normal(1, random.stream("M.I:input"), np.arange(10)[:, None], np.arange(3))
    assert np.array_equal(drawn, expected)
    assert np.array_equal(rows("noise(1 pA, 2 pA)", start=5)[:5], drawn[5:])


def test_files(tmp_path: Path) -> None:
    full = np.arange(30.0).reshape(10, 3)
    np.save(tmp_path / "a.npy", full)
    np.savez(tmp_path / "a.npz", full=full, each=np.arange(3))
    (tmp_path / "a.csv").write_text("t, I\n" + "".join(f"{k},{k * 2}\n" for k in range(10)))
    (tmp_path / "b.csv").write_text("# no header\n" + "".join(f"{k};{k * 2};0\n" for k in range(10)))
    assert np.array_equal(rows(f"@{tmp_path}/a.npy"), full * 1000)
    assert np.array_equal(rows(f"@{tmp_path}/a.npz:each")[3], [0, 1000, 2000])
    assert np.array_equal(rows(f"@{tmp_path}/a.csv:I")[:, 2], np.arange(10) * 2000.0)
    assert np.array_equal(rows(f"@{tmp_path}/a.csv:1")[:, 2], np.arange(10) * 2000.0)
    assert np.array_equal(rows(f"@{tmp_path}/b.csv")[9], [9000, 18000, 0])
    assert "holds several arrays\n  help: name one behind a colon: `full`, `each`" in message(f"@{tmp_path}/a.npz")
    assert "has no `ful`\n  help: did you mean `full`?" in message(f"@{tmp_path}/a.npz:ful")
    assert f"did you mean `{tmp_path}/a.npy`?" in message(f"@{tmp_path}/aa.npy")


class Trap:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return open, ("/nonexistent/written-by-a-pickle", "w")  # type: ignore[return-value]


@pytest.mark.parametrize("suffix", ["npy", "npz", "csv"])
def test_broken_and_hostile_files_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    np.save(tmp_path / "good.npy", np.arange(1000.0))
    np.savez(tmp_path / "good.npz", a=np.arange(1000.0))
    np.save(tmp_path / "trap.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "trap.npz", np.array([Trap()], dtype=object), allow_pickle=True)
    with (tmp_path / "huge.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"shape": (10**15,), "fortran_order": False, "descr": "<f8"})
    contents = [b"", b"\x00\xff\x00", b"PK\x03\x04 cut off", b"\x93NUMPY\x01\x00\xff\xff", b"a,b\n1,2\n3\n", b"1,2\n3,x\n", b"a\n"]
    contents += [(tmp_path / f"{name}").read_bytes() for name in ("trap.npy", "trap.npz", "huge.npy")]
    contents += [(tmp_path / f"{name}").read_bytes()[:-300] for name in ("good.npy", "good.npz")]
    for content in contents:
        path.write_bytes(content)
        assert "cannot be read" in message(f"@{path}"), content[:40]


def test_an_assignment_is_a_name_and_a_value() -> None:
    assert parse_assignment("I = step(1 pA, start = 0 ms)", "--input") == ("I", "step(1 pA, start = 0 ms)")
    for wrong in ("I", "=1", "I=", ""):
        with pytest.raises(BircError) as caught:
            parse_assignment(wrong, "--input")
        assert caught.value.code == "I118"


def test_calls_are_split_at_their_own_commas() -> None:
    call = parse_call("f(g(1, 2), key = (3, [4, 5]), 6 == 7)")
    assert call is not None
    assert call.arguments == ((None, "g(1, 2)"), ("key", "(3, [4, 5])"), (None, "6 == 7"))
    assert parse_call("exp(1)") is None
    assert parse_call("f(1) + g(2)") is None
    assert parse_call("250 pA") is None


def test_units_of_one_need_no_scaling() -> None:
    values = np.arange(30.0).reshape(10, 3)
    source = continuous(values, Port("I", ONE), setting())
    assert np.array_equal(source.rows(0, 10), values)
