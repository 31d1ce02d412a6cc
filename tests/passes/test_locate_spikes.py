"""`with spikes located`: where a spike is inside its step, what follows it, and that every pass keeps the meaning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver, passes
from birc.errors import BircError
from birc.ir import solvers
from birc.ir.check import check_step
from birc.ir.model import Model, Option
from birc.ir.step import OFFSET, REFRACTORY
from birc.ir.text import parse_step, print_step
from tests.conftest import Golden
from tests.passes.programs import LIBRARY, close, model_of, run, same_bits, stages, steps_around

LIF = """
neuron Cell:
    param tau = 20 ms, t_ref = 2 ms
    state v = 0
    input I: 1
    on exc(w: 1): v += w
    tau * v' = -v + I
    spike when v >= 1:
        v = 0
    refractory t_ref: hold v
    with spikes located
"""
QIF = """
neuron Cell:
    state v = -1
    input I: 1
    v' = (v^2 + I) / 1 ms
    spike when v >= 10: v = -10
    with spikes located
"""
SPIKING = {"LIF": (-52.0, -49.0), "Izhikevich": (-20.0, 40.0), "AdEx": (-50.0, 5.0), "HH": (-5.0, 20.0), "ALIF": (-55.0, -45.0)}
"""Neurons of the library, each with potentials some of which lead to a spike in the next step."""
SOLVERS = tuple(f"expand-{name.replace('_', '-')}" for name in solvers.SOLVERS)
REARRANGED = ("reciprocals", "factor-sums", "share-exponentials")


def located(model: Model) -> Model:
    return replace(model, options=(*model.options, Option("spikes", "located")))


def compiled(folder: Path, text: str, **options: Any) -> driver.Compiled:
    file = folder / "m.birc"
    file.write_text(text)
    return driver.compile_model(file, **options)


def times(folder: Path, text: str, dt: float, duration: str, current: float, **options: Any) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = compiled(folder, text, dt=f"{dt} ms", **options).run(duration, inputs={"I": current}).spikes.time
    return found


# --- the program


def test_text(golden: Golden) -> None:
    program = stages(model_of(LIF))["lower-to-step"]
    golden.check("golden/passes/locate_spikes.txt", print_step(program))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SPIKING)
def test_it_reads_back(name: str) -> None:
    for program in steps_around(located(LIBRARY[name]), "expand-rk4"):
        text = print_step(program)
        assert parse_step(text) == program and print_step(parse_step(text)) == text


@pytest.mark.parametrize("name", SPIKING)
def test_every_pass_keeps_the_meaning(name: str) -> None:
    model, (low, high) = located(LIBRARY[name]), SPIKING[name]
    v = np.linspace(low, high, 12)
    behind = [p.name for p in passes.PASSES if p.level == "step"]
    fired = 0
    for name in behind:
        before, after = steps_around(model, name)
        check_step(after)
        for seed in range(3):
            one, two = run(before, seed, v=v), run(after, seed, v=v)
            if name in SOLVERS or name in REARRANGED:
                close(one, two, 1e-9)
            else:
                same_bits(one, two)
            fired += int(np.sum(two.fired))
    assert fired > 0


def test_where_nothing_fires_it_is_the_grid_to_the_bit(tmp_path: Path) -> None:
    options: dict[str, Any] = {"inputs": {"I": np.linspace(-1, 0.99, 5)}, "n": 5, "record": "v"}
    grid, inside = (compiled(tmp_path, LIF, spikes=spikes).run("50 ms", **options) for spikes in ("grid", "located"))
    assert np.array_equal(grid.v, inside.v) and len(inside.index) == 0
    assert grid.offsets is None and inside.offsets is not None


# --- against closed forms


@pytest.mark.parametrize("reference", [0.0, 2.0])
@pytest.mark.parametrize("target", ["numpy", "native"])
def test_the_interval_of_lif(target: str, reference: float, tmp_path: Path) -> None:
    rise = 20 * np.log(3.0)  # from 0 to 1 under 1.5
    text = LIF.replace("t_ref = 2 ms", f"t_ref = {reference} ms")
    off = []
    for dt in (1.0, 0.5, 0.25):
        found = times(tmp_path, text, dt, "500 ms", 1.5, target=target)
        expected = rise + (rise + reference) * np.arange(len(found))
        assert expected[-1] > 500 - rise - reference
        off.append(np.abs(found - expected).max())
    assert off[0] < 1e-6 and off[1] < off[0] / 16 and off[2] < off[1] / 16


def test_the_interval_of_qif(tmp_path: Path) -> None:
    period = np.arctan(10) - np.arctan(-10)  # of v' = v^2 + 1 from -10 to 10
    off = []
    for dt in (0.02, 0.01, 0.005):
        found = times(tmp_path, QIF, dt, "30 ms", 1.0)
        off.append(np.abs(np.diff(found) - period).max())
        assert len(found) == 10
    assert off[0] < 1e-3 and off[1] < off[0] / 8 and off[2] < off[1] / 8


def test_a_moving_threshold_that_is_met_while_it_falls(tmp_path: Path) -> None:
    text = """
neuron Cell:
    state v = 0, th = 4
    input I: 1
    v' = I / 1 ms
    th' = -th / 10 ms
    spike when th <= v: th = 4
    with spikes located
"""
    for dt in (0.3, 0.07):
        first = times(tmp_path, text, dt, "12 ms", 0.25)[0]
        assert abs(4 * np.exp(-first / 10) - 0.25 * first) < 1e-7


# --- what a spike does to the step it is in


def test_what_held_at_the_start_of_a_step_is_a_spike_there(tmp_path: Path) -> None:
    out = compiled(tmp_path, LIF, dt="1 ms").run("5 ms", inputs={"I": 0.0}, init={"v": 2.0}, record="v")
    assert out.spikes.time.tolist() == [0.0] and out.stamps.tolist() == [1]


def test_a_delivery_fires_at_the_end_of_its_step_as_on_the_grid(tmp_path: Path) -> None:
    given: dict[str, Any] = {"inputs": {"I": 0.0, "exc": (np.zeros(3, int), np.array([1.0, 2.0, 6.0]), np.full(3, 1.5))}, "record": "v"}
    inside, grid = (compiled(tmp_path, LIF, dt="1 ms", spikes=spikes).run("9 ms", **given) for spikes in ("located", "grid"))
    assert inside.spikes.time.tolist() == grid.spikes.time.tolist() == [1.0, 6.0]
    assert np.array_equal(inside.v, grid.v)


def test_what_arrives_behind_the_spike_of_its_step_does_not_move_what_is_held(tmp_path: Path) -> None:
    rise = 20 * np.log(3.0)
    arrives = np.array([np.ceil(rise)])
    given: dict[str, Any] = {"inputs": {"I": 1.5, "exc": (np.zeros(1, int), arrives, np.full(1, 0.5))}, "record": "v"}
    out = compiled(tmp_path, LIF, dt="1 ms").run("60 ms", **given)
    assert np.allclose(out.spikes.time, [rise, 2 * rise + 2], rtol=0, atol=1e-6)


def test_a_release_lies_at_the_same_part_of_its_step(tmp_path: Path) -> None:
    step = compiled(tmp_path, LIF, dt="1 ms").run("26 ms", inputs={"I": 1.5}, record=["v", OFFSET, REFRACTORY])
    rise = 20 * np.log(3.0)
    free = np.arange(24, 27) - rise - 2
    assert np.all(step.v[21:23, 0] == 0) and np.allclose(step.v[23:, 0], 1.5 * (1 - np.exp(-free / 20)), rtol=0, atol=1e-7)
    assert np.allclose(step[OFFSET][21:, 0], rise - 21, rtol=0, atol=1e-6)


def test_a_spike_that_changes_nothing_leaves_the_states_alone(tmp_path: Path) -> None:
    text = """
neuron Cell:
    state x = 0, y = 1
    x' = y / 1 ms
    y' = -x / 1 ms
    spike on rise x > 0.5
    refractory 3 ms
"""
    plain, inside = (compiled(tmp_path, text, dt="0.1 ms", spikes=s).run("40 ms", record="x,y") for s in ("grid", "located"))
    assert np.array_equal(plain.x, inside.x) and np.array_equal(plain.stamps, inside.stamps)
    assert np.allclose(inside.spikes.time, np.pi / 6 + 2 * np.pi * np.arange(7), rtol=0, atol=1e-6)


# --- what cannot be


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (("v >= 1", "v >= 1 and I > 0"), ["not a single comparison"]),
        (("    with spikes", "    state n = 0\n    step n = n + 1\n    with spikes"), ["`step n`"]),
        (("-v + I", "-v + I + xi * sqrt(tau)"), ["the noise `xi`"]),
        (("    with spikes", "    with solver implicit_euler\n    with spikes"), ["implicit_euler"]),
        (("-v + I", "-v + I + xi * sqrt(tau)\n    state n = 0\n    step n = n + 1"), ["the noise `xi`", "`step n`"]),
    ],
)
def test_what_is_in_the_way_is_said(change: tuple[str, str], reasons: list[str], tmp_path: Path) -> None:
    text = LIF.replace(*change)
    text = text.replace("    state v", "    noise xi\n    state v", 1) if "xi" in text else text
    with pytest.raises(BircError) as caught:
        compiled(tmp_path, text)
    assert [d.code for d in caught.value.diagnostics] == ["L114"] * len(reasons)
    for found, reason in zip(caught.value.diagnostics, reasons, strict=True):
        assert reason in found.message and found.span is not None


def test_a_model_without_spikes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BircError) as caught:
        compiled(tmp_path, "neuron Cell:\n    state v = 0\n    v' = -v / 1 ms\n", spikes="located")
    assert caught.value.code == "L114"
    with pytest.raises(BircError) as caught:
        compiled(tmp_path, LIF, spikes="lokated")
    assert caught.value.code == "A015" and "did you mean `located`" in str(caught.value)


def test_the_last_word_counts(tmp_path: Path) -> None:
    slots = [[s.name for s in compiled(tmp_path, LIF, spikes=s).step.slots] for s in (None, "grid", "located")]
    assert [OFFSET in names for names in slots] == [True, False, True]


def test_it_is_named_among_the_approximations(tmp_path: Path) -> None:
    found = compiled(tmp_path, LIF).artifact.manifest["approximations"]
    assert found == ["spikes: located by cubic interpolation, at most one in a step; the rest of a step with a spike by rk4"]


def test_targets_without_it_say_so(tmp_path: Path) -> None:
    with pytest.raises(BircError) as caught:
        compiled(tmp_path, LIF, target="nir")
    assert "L203" in [d.code for d in caught.value.diagnostics] and "spikes inside steps" in str(caught.value)
