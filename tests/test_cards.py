"""Model cards: what they say is what the model is, in a terminal, as JSON and in files; the figures show what was simulated."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from birc import driver
from birc.cards import Card, Found, card_of, entries, find, pages, write_card
from birc.cards.bench import Bench, answer, bench, curve
from birc.cards.figure import main_variable, panels, presets
from birc.cards.find import FAMILIES
from birc.cards.markdown import table
from birc.cards.plane import moving, plane
from birc.cli import main
from birc.errors import BircError
from birc.ir.model import Model

ROOT = Path(__file__).parent.parent
Capture = pytest.CaptureFixture[str]


def card(name: str) -> Card:
    (found,) = find(name)
    return card_of(found)


def on_bench(name: str) -> Bench:
    (found,) = find(name)
    return bench(found)


# --- what a card says


def test_equations_are_what_the_author_wrote_with_the_base_first() -> None:
    (own,) = card("ALIF").equations
    assert own.lines == (
        "tau_m * v' = (E_L - v) + R * (i_s + I)",
        "tau_s * i_s' = -i_s",
        "on exc(w: pA): i_s += w",
        "on inh(w: pA): i_s -= w",
        "refractory t_ref: hold v",
        "tau_b * b' = -b",
        "spike when v >= v_th + b:",
        "    v = v_reset",
        "    b += beta",
    )


def test_equations_of_channels_stand_under_their_alias() -> None:
    own, *channels = card("HH").equations
    assert own.lines[0] == "C * v' = I - na.i - k.i - leak.i"
    assert [group.title.partition(":")[0] for group in channels] == ["na", "k", "leak"]
    assert channels[0].lines[-1] == "outward i = g * m^3 * h * (v - E)"
    gate = next(i for i, line in enumerate(channels[0].lines) if line.startswith("gate m: alpha ="))
    assert channels[0].lines[gate + 1].startswith("        beta =")


def test_parameters_have_their_values_ranges_and_units() -> None:
    params = {p.name: p for p in card("PLIF").params}
    assert params["a"].learn and not params["R"].learn
    lif = {p.name: (p.default, p.range, p.unit) for p in card("LIF").params}
    assert lif["tau_m"] == ("20 ms", "(0 ms, inf)", "ms")
    assert lif["t_ref"] == ("2 ms", "[0 ms, inf)", "ms")
    hh = {p.name: p.default for p in card("HH").params}
    assert hh["leak.E"] == "-54.387 mV"
    assert hh["T"] == "6.3 degC"
    assert hh["na.T"] == "6.3 degC = T"


def test_a_preset_shows_its_own_values() -> None:
    plain, fast = card("Izhikevich"), card("Izhikevich.FS")
    assert {p.name: p.default for p in plain.params}["a"] == "0.02 ms^-1"
    assert {p.name: p.default for p in fast.params}["a"] == "0.1 ms^-1"
    assert fast.title == "Izhikevich.FS"
    assert dict({p.name: p for p in plain.presets}["FS"].values)["a"] == "0.1 ms^-1"


def test_states_have_the_solver_that_explain_names() -> None:
    for name in ("AdEx", "HH", "LIF"):
        said = {row.variable: (row.method, row.reason) for row in driver.explain(find(name)[0].loaded, model=name)}
        assert {s.name: (s.solver, s.why) for s in card(name).states} == said
    assert {s.name: s.start for s in card("Izhikevich").states} == {"v": "-65 mV", "u": "-13 mV/ms"}


def test_ports_and_targets() -> None:
    found = card("LIF")
    assert [(p.name, p.kind, p.unit) for p in found.ports] == [("I", "input", "pA"), ("exc", "event", "pA"), ("inh", "event", "pA")]
    assert dict(found.targets)["native"] == ""
    assert "NIR has no node for" in dict(card("AdEx").targets)["nir"]


def test_every_model_of_the_library_has_a_family_and_a_card() -> None:
    found = entries()
    assert {entry.family for entry in found} <= set(FAMILIES)
    neurons = [entry for entry in found if entry.kind == "neuron"]
    assert "other" not in {entry.family for entry in neurons}
    names = [entry.item.name.lower() for entry in neurons]
    assert len(set(names)) == len(names)  # cards are files, and some file systems do not tell cases apart
    for entry in found:
        made = card_of(entry)
        assert (made.equations or entry.kind == "network") and made.summary and made.about
        assert made.kind != "neuron" or made.states


def test_families_by_structure() -> None:
    family = {entry.item.name: entry.family for entry in entries()}
    assert family["LIF"] == family["ALIF"] == "linear integrate-and-fire"
    assert family["AdEx"] == family["Izhikevich"] == "nonlinear integrate-and-fire"
    assert family["HH"] == family["MorrisLecar"] == "conductance-based"
    assert family["FitzHughNagumo"] == "reduced, without reset"
    assert family["RulkovMap"] == "maps"
    assert family["LI"] == "without spikes"


@pytest.mark.parametrize("entry", [e for e in entries() if e.kind == "neuron"], ids=lambda e: e.item.name)
def test_the_command_of_a_card_runs(entry: Found, capsys: Capture) -> None:
    program, *words = shlex.split(card_of(entry).command)
    assert program == "birc"
    words[words.index("--for") + 1] = "5 ms"
    assert main(words) == 0, capsys.readouterr().err


# --- the command


def test_a_file_of_several_models_gives_a_card_for_each(capsys: Capture) -> None:
    assert main(["models", "glif", "--json"]) == 0
    cards = json.loads(capsys.readouterr().out)
    assert [c["model"] for c in cards] == ["GLIF1", "GLIF2", "GLIF3", "GLIF4", "GLIF5"]


def test_a_card_in_a_terminal(capsys: Capture) -> None:
    assert main(["models", "LIF"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("LIF: Leaky integrate-and-fire neuron.\n\n  Lapicque (1907)")
    assert 'for example: birc run lif --model LIF --for "500 ms" --input I="250 pA"' in out
    assert "\nequations\n  tau_m * v' = (E_L - v) + R * (i_s + I)\n" in out
    assert "\nv_reset    -65 mV\n" in out
    assert "linear with constant coefficients: solved exactly" in out


def test_the_list_is_by_family(capsys: Capture) -> None:
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    places = [FAMILIES.index(row["family"]) for row in rows]
    assert places == sorted(places)
    assert {"model": "LIF", "family": "linear integrate-and-fire", "file": "lif"}.items() <= next(
        row for row in rows if row["model"] == "LIF"
    ).items()


@pytest.mark.parametrize(("words", "code", "said"), [
    (["izhikevitch"], "A005", "did you mean `izhikevich`?"),
    (["zzz"], "A005", "`birc models` lists it"),
    (["Izhikevich.RSS"], "A012", "did you mean `RS`?"),
    (["lif.zzz"], "A012", "presets: no_refractory"),
    (["--source"], "A007", "birc models lif --source"),
    (["lif", "--source", "--card", "out"], "A007", "birc models lif --source"),
])  # fmt: skip
def test_what_there_is_not(words: list[str], code: str, said: str, capsys: Capture) -> None:
    assert main(["models", *words]) == 2
    err = capsys.readouterr().err
    assert f"error[{code}]" in err and said in err


def test_without_matplotlib_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["models", "lif", "--card", str(tmp_path / "out")]) == 3
    assert 'pip install "birc[plot]"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- files


def test_a_card_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (found,) = find("AdEx")
    written = write_card(tmp_path / "cards", found)
    assert [path.name for path in written] == ["AdEx.png", "AdEx-presets.png", "AdEx.md"]
    assert sorted(path.name for path in (tmp_path / "cards").iterdir()) == sorted(path.name for path in written)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written[:2])
    text = written[2].read_text("utf-8")
    assert text == pages([found])["AdEx.md"]
    assert "](AdEx.png)" in text and "](AdEx-presets.png)" in text
    assert "| `C` | 281 pF | (0 pF, inf) |" in text


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "file").write_text("")
    assert main(["models", "LI", "--card", str(tmp_path / "file" / "out")]) == 3
    assert "error[X102]" in capsys.readouterr().err


def test_the_cards_of_the_library_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "cards", "--check"], cwd=ROOT, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_cells_of_tables() -> None:
    assert table(("a", "b", "c"), [("1", "", "x|y"), ("2", "", "")]) == "| a | c |\n| --- | --- |\n| 1 | x\\|y |\n| 2 |  |"


# --- figures


def test_firing_begins_at_the_rheobase_of_the_closed_form() -> None:
    found = curve(on_bench("LIF"))
    assert found is not None
    assert found.onset == pytest.approx(200.0, abs=0.5)  # (v_th - E_L) / R
    strong = 300.0
    interval = 2.0 + 20.0 * np.log((100.0 * 300e-3 - 5.0) / (100.0 * 300e-3 - 20.0))
    rate = float(np.interp(strong, found.inputs, found.steady))
    assert rate == pytest.approx(1e3 / interval, rel=0.02)


def test_a_model_that_never_fires_has_no_curve() -> None:
    assert curve(on_bench("LI")) is None
    reply = answer(on_bench("LI"), None, ("v",))
    assert np.all(reply.result["v"][-1] < reply.result["v"].max(axis=0))


def test_steps_lie_around_the_onset() -> None:
    on = on_bench("AdEx")
    found = curve(on)
    reply = answer(on, found, ("v",))
    assert found is not None
    below, above, strong = reply.amplitudes
    assert below < found.onset < above < strong
    counts = reply.result.counts
    assert counts[0] == 0 < counts[1] < counts[2]


def test_the_phase_plane_is_that_of_the_equations() -> None:
    on = on_bench("FitzHughNagumo")
    states = moving(on)
    assert len(states) == 2 and states[0] == main_variable(on)
    assert moving(on_bench("Izhikevich")) == ("v", "u")
    found = plane(on_bench("Izhikevich"), ("v", "u"), ((-80.0, 30.0), (-20.0, 0.0)), (0.0, 10.0))
    v, u = np.meshgrid(*found.axes)
    assert np.allclose(found.rates[10.0][0], 0.04 * v**2 + 5 * v + 140 - u + 10.0)
    assert np.allclose(found.rates[0.0][1], 0.02 * (0.2 * v - u))


def test_what_has_no_phase_plane() -> None:
    assert moving(on_bench("HH")) == ()  # four equations
    assert moving(on_bench("LIF")) == ()  # the current does not feel the potential
    assert moving(on_bench("RulkovMap")) == ()
    assert moving(on_bench("QIF")) == ("v",)


def test_panels_hold_states_of_one_unit() -> None:
    on = on_bench("HH")
    assert panels(on) == [["v"], ["na.m", "na.h", "k.n"]]


def test_a_preset_is_driven_under_the_scheme_of_its_check() -> None:
    on = on_bench("Izhikevich2004")
    check = next(c for c in on.checks if c.preset == "tonic_spiking" and c.solver is not None)
    ran = on.driven(check, ("v",))
    assert ran.out.dt == check.dt
    assert len(ran.out.stamps) == 5
    assert ran.out.spikes.time[[0, -1]].tolist() == [13.25, 87.0]
    other = on.driven(replace(check, solver=None), ("v",))
    assert other.out.spikes.time.tolist() != ran.out.spikes.time.tolist()


def test_presets_of_equal_values_share_a_panel() -> None:
    pytest.importorskip("matplotlib")
    figure = presets(on_bench("Izhikevich"))
    assert figure is not None
    titles = [panel.get_title("left") for panel in figure.axes if panel.get_visible()]
    assert titles[0] == "RS, regular_spiking"
    values = {preset.values for preset in on_bench("Izhikevich").step.presets}
    assert len(titles) == len(values) < len(on_bench("Izhikevich").step.presets)
    assert presets(on_bench("EIF")) is None


def test_a_name_that_is_nowhere() -> None:
    with pytest.raises(BircError) as error:
        find("NoSuchModel")
    assert error.value.code == "A005"
    assert all(isinstance(entry.item, Model) for entry in find("hodgkin_huxley"))
