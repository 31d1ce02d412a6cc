"""Izhikevich's models: the twenty patterns of 2004 against the loop that published them, presets, patterns as a table and a figure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from birc import driver
from birc.checks import drive
from birc.cli import main
from birc.errors import BircError
from birc.ir.model import Model, Preset
from birc.patterns import Pattern, draw, patterns
from birc.patterns.figure import PEAK, trace
from birc.patterns.runs import published_checks
from birc.sources import choose, load

Stimulus = Callable[[float], float]


def pulses(*spans: tuple[float, float, float], base: float = 0.0) -> Stimulus:
    return lambda t: next((height for low, high, height in spans if low < t < high), base)


def after(start: float, height: float) -> Stimulus:
    return lambda t: height if t > start else 0.0


def accommodation(t: float) -> float:
    return t / 25 if t < 200 else 0.0 if t < 300 else (t - 300) / 12.5 * 4 if t < 312.5 else 0.0


def inhibition(t: float) -> float:
    return 80.0 if t < 50 or t > 250 else 75.0


SHORT = 100 / 11

# a, b, c, d, initial v, step, length of the run, stimulus: figure 1 of Izhikevich (2004), from the script of that figure
PUBLISHED: dict[str, tuple[float, float, float, float, float, float, float, Stimulus]] = {
    "tonic_spiking": (0.02, 0.2, -65, 6, -70, 0.25, 100, after(10, 14)),
    "phasic_spiking": (0.02, 0.25, -65, 6, -64, 0.25, 200, after(20, 0.5)),
    "tonic_bursting": (0.02, 0.2, -50, 2, -70, 0.25, 220, after(22, 15)),
    "phasic_bursting": (0.02, 0.25, -55, 0.05, -64, 0.2, 200, after(20, 0.6)),
    "mixed_mode": (0.02, 0.2, -55, 4, -70, 0.25, 160, after(16, 10)),
    "spike_frequency_adaptation": (0.01, 0.2, -65, 8, -70, 0.25, 85, after(8.5, 30)),
    "class_1_excitable": (0.02, -0.1, -55, 6, -60, 0.25, 300, lambda t: 0.075 * (t - 30) if t > 30 else 0.0),
    "class_2_excitable": (0.2, 0.26, -65, 0, -64, 0.25, 300, lambda t: -0.5 + (0.015 * (t - 30) if t > 30 else 0.0)),
    "spike_latency": (0.02, 0.2, -65, 6, -70, 0.2, 100, pulses((10, 13, 7.04))),
    "subthreshold_oscillations": (0.05, 0.26, -60, 0, -62, 0.25, 200, pulses((20, 25, 2))),
    "resonator": (0.1, 0.26, -60, -1, -62, 0.25, 400, pulses(*((t, t + 4, 0.65) for t in (40, 60, 280, 320)))),
    "integrator": (0.02, -0.1, -55, 6, -60, 0.25, 100, pulses(*((t, t + 2, 9) for t in (SHORT, SHORT + 5, 70, 80)))),
    "rebound_spike": (0.03, 0.25, -60, 4, -64, 0.2, 200, pulses((20, 25, -15))),
    "rebound_burst": (0.03, 0.25, -52, 0, -64, 0.2, 200, pulses((20, 25, -15))),
    "threshold_variability": (0.03, 0.25, -60, 4, -64, 0.25, 100, pulses((10, 15, 1), (80, 85, 1), (70, 75, -6))),
    "bistability": (0.1, 0.26, -60, 0, -61, 0.25, 300, pulses((37.5, 42.5, 1.24), (216, 221, 1.24), base=0.24)),
    "depolarizing_afterpotential": (1, 0.2, -60, -21, -70, 0.1, 50, lambda t: 20.0 if abs(t - 10) < 1 else 0.0),
    "accommodation": (0.02, 1, -55, 4, -65, 0.5, 400, accommodation),
    "inhibition_induced_spiking": (-0.02, -1, -60, 8, -63.8, 0.5, 350, inhibition),
    "inhibition_induced_bursting": (-0.026, -1, -45, -2, -63.8, 0.5, 350, inhibition),
}
OTHER_PARABOLA = ("class_1_excitable", "integrator")


def loop(name: str) -> tuple[list[float], list[float], list[int]]:
    """The stimulus and v of each step, and the stamps of spikes, by the loop of the script."""
    a, b, c, d, v, h, length, stimulus = PUBLISHED[name]
    slope, constant = (4.1, 108.0) if name in OTHER_PARABOLA else (5.0, 140.0)
    u = -16.0 if name == "accommodation" else b * v
    inputs, seen, spikes = [], [], []
    for k in range(round(length / h) + 1):
        inputs.append(stimulus(k * h))
        v = v + h * (0.04 * v * v + slope * v + constant - u + inputs[-1])
        u = u + h * a * (b * (v + 65) if name == "accommodation" else b * v - u)
        if v > 30:
            v, u = c, u + d
            spikes.append(k + 1)
        seen.append(v)
    return inputs, seen, spikes


CHECKS = {str(check.preset): check for check in published_checks("izhikevich_2004")}
RS = driver.build(driver.lower(choose(load("izhikevich_2004"), "Izhikevich2004")[0], "sequential_euler")[1], "numpy")


def test_all_twenty_patterns_are_there() -> None:
    assert list(CHECKS) == list(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_pattern_is_the_published_run(name: str) -> None:
    inputs, v, spikes = loop(name)
    check = CHECKS[name]
    assert (check.solver, check.spikes) == ("sequential_euler", None)
    ran = drive(check, RS.step, RS.runner, PUBLISHED[name][5], ["v"])
    assert check.dt == PUBLISHED[name][5] and ran.out.steps == len(inputs)
    assert np.allclose(ran.driven["I"], inputs, rtol=0, atol=1e-12)
    assert ran.out.stamps.tolist() == spikes and spikes
    difference = np.abs(ran.out["v"][:, 0] - v)
    assert np.median(difference) < 1e-9 and difference.max() < 0.05  # each upstroke multiplies the rounding of those before it


def test_two_dozen_presets_can_be_chosen() -> None:
    names = [f"{m}.{p.name}" for f in ("izhikevich", "izhikevich_2004", "izhikevich_2007") for m, p in presets(f)]
    assert len(set(names)) == len(names) >= 24
    short = dict(zip(("RS", "IB", "CH", "FS", "TC", "RZ", "LTS"), names[7:14], strict=True))
    values = {preset.name: preset.values for _, preset in presets("izhikevich")}
    assert all(values[key] == values[long.partition(".")[2]] for key, long in short.items())
    assert short["RS"] == "Izhikevich.regular_spiking"


def presets(file: str) -> list[tuple[str, Preset]]:
    return [(item.name, preset) for item in load(file).module.items if isinstance(item, Model) for preset in item.presets]


PRESETS = ", ".join(["RS", "IB", "CH", "FS", "TC", "RZ", "LTS", "regular_spiking", "intrinsically_bursting", "chattering", "fast_spiking",
                     "thalamo_cortical", "resonator", "low_threshold_spiking"])  # fmt: skip


def test_a_neuron_type_is_a_preset() -> None:
    long = driver.compile("izhikevich", neuron_type="fast_spiking")
    assert long.preset == "fast_spiking" and long.artifact.manifest["preset"] == "fast_spiking"
    drive = {"I": "10 mV/ms"}
    fast = driver.run("izhikevich", "200 ms", neuron_type="fast_spiking", inputs=drive).stamps.tolist()
    assert fast == driver.run("izhikevich", "200 ms", preset="FS", inputs=drive).stamps.tolist()
    assert fast != driver.run("izhikevich", "200 ms", neuron_type="regular_spiking", inputs=drive).stamps.tolist()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"neuron_type": "regular_spikin"},
            f"error[A012]: `Izhikevich` has no preset `regular_spikin`\n  help: did you mean `regular_spiking`? presets: {PRESETS}",
        ),
        ({"preset": "zzz"}, f"error[A012]: `Izhikevich` has no preset `zzz`\n  help: presets: {PRESETS}"),
        (
            {"neuron_type": "regular_spiking", "preset": "RS"},
            "error[A019]: the preset is given twice: `preset='RS'` and `neuron_type='regular_spiking'`\n"
            "  help: `neuron_type` is another word for `preset`: give one of them",
        ),
    ],
)
def test_a_preset_that_cannot_be_taken_is_said_with_what_there_is(given: dict[str, str], message: str) -> None:
    with pytest.raises(BircError) as caught:
        driver.compile("izhikevich", **given)
    assert str(caught.value) == message


def test_a_value_outside_its_range_is_said_with_the_range() -> None:
    with pytest.raises(BircError) as caught:
        driver.compile("izhikevich_2007", params={"C": "-1 pF"}).run("1 ms")
    assert "C" in str(caught.value) and "(0 pF, inf" in str(caught.value)


@pytest.fixture(scope="module")
def some() -> list[Pattern]:
    """The three shortest patterns."""
    wanted = {"spike_latency", "integrator", "depolarizing_afterpotential"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("birc.patterns.runs.published_checks", lambda file: [c for c in published_checks(file) if c.preset in wanted])
        return list(patterns("izhikevich"))


def test_patterns_tell_the_scheme_from_the_equations(some: list[Pattern]) -> None:
    counts = {p.name: (len(p.published.index), len(p.accurate.index)) for p in some}
    assert counts == {"spike_latency": (1, 0), "integrator": (1, 1), "depolarizing_afterpotential": (1, 8)}
    assert [p.agrees for p in some] == [False, True, False]


def test_a_figure_of_patterns(some: list[Pattern], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert draw(some, tmp_path / "p.svg").read_text("utf-8").count("spike latency") == 1
    time, v = trace(some[1].published)
    assert v.max() == PEAK and len(v) == some[1].published.steps + 1 and (np.diff(time) >= 0).all()
    with pytest.raises(BircError) as caught:
        draw(some, tmp_path / "p.txt")
    assert caught.value.code == "I150"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["izhikevic", "--patterns"], "A005"),
        (["lif", "--patterns"], "A008"),
        (["--patterns"], "A007"),
        (["izhikevich", "--plot", "p.png"], "A007"),
        (["izhikevich", "--patterns", "--source"], "A007"),
    ],
)
def test_wrong_wishes(words: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", *words]) != 0
    assert f"error[{code}]" in capsys.readouterr().err


def test_the_command_prints_a_table_and_json(
    some: list[Pattern], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("birc.patterns.patterns", lambda name: iter(some))
    assert main(["models", "izhikevich", "--patterns"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:2] == ["spike_latency", "0.2"] and line.rstrip().endswith("differs") for line in lines)
    assert main(["models", "izhikevich", "--patterns", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert records[0]["accurate_ms"] == [] and np.allclose(records[0]["published_ms"], [26.8])
