"""The model library: every file checks, names its source, and has presets and checks that would notice a change."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import birc
from birc import driver, sources
from birc.checks import bench
from birc.ir.model import Model, Network
from birc.runtime.network.parameters import with_parameters

FOLDER = Path(birc.__file__).parent / "library"
FILES = sorted(file.stem for file in FOLDER.glob("*.birc"))
WANTED = {
    "lif", "lif_unit", "lif_exp", "lif_alpha", "alif", "izhikevich", "adex", "hodgkin_huxley", "qif", "eif",
    "connor_stevens", "traub_miles", "wang_buzsaki", "morris_lecar", "fitzhugh_nagumo", "hindmarsh_rose", "pospischil",
    "glif", "mihalas_niebur", "srm0", "theta_neuron", "resonate_and_fire", "gif", "rulkov_map", "mat", "plif",
    "lif_subtract", "lif_bounded", "lif_noise", "alif_unit",
    "lif_delta", "lif_cond_exp", "lif_cond_alpha", "lif_cond_beta", "lif_cond_nmda",
    "pair_stdp", "triplet_stdp", "clopath", "graupner_brunel", "tsodyks_markram", "reward_stdp", "eligibility", "homeostasis",
    "vogels_istdp",
    "vogels_abbott_cuba", "vogels_abbott_coba", "vogels_abbott_cobahh",
    "brunel", "song_miller_abbott", "izhikevich_2003_network", "synfire_chain", "potjans_diesmann",
}  # fmt: skip


def test_the_library_is_complete() -> None:
    assert set(FILES) >= WANTED
    assert sorted(sources.library()) == FILES


@pytest.mark.parametrize("file", FILES)
def test_file_is_without_fault(file: str) -> None:
    assert sources.load(file).warnings == ()


@pytest.mark.parametrize("file", FILES)
def test_file_is_in_form(file: str) -> None:
    from birc.frontend.format import format_text

    source = sources.load(file).source
    assert format_text(source) == source.text


@pytest.mark.parametrize("file", FILES)
def test_every_model_names_its_source(file: str) -> None:
    for item in sources.load(file).module.items:
        assert isinstance(item, Model | Network)
        assert item.doc is not None
        assert re.search(r"\((1[89]|20)\d\d\)", item.doc)


@pytest.mark.parametrize("file", FILES)
def test_whatever_runs_has_a_check(file: str) -> None:
    module = sources.load(file).module
    run = {item.name for item in module.items if isinstance(item, Network) or (isinstance(item, Model) and item.kind != "channel")}
    assert {check.model for check in module.checks} == run


@pytest.mark.parametrize("file", FILES)
def test_what_is_dumped_compiles_to_the_same(file: str, tmp_path: Path) -> None:
    dumped = tmp_path / f"{file}.bir"
    dumped.write_text(driver.dump(file), "utf-8")
    assert driver.dump(dumped) == dumped.read_text("utf-8")
    for name in [item.name for item in sources.load(file).module.items if isinstance(item, Model) and item.kind == "neuron"]:
        step = driver.dump(file, "step", model=name)
        assert driver.dump(dumped, "step", model=name) == step
        lowered = tmp_path / f"{name}.step.bir"
        lowered.write_text(step, "utf-8")
        assert driver.dump(lowered, "step") == step
        again, first = (driver.compile(source, model=model).artifact.files for source, model in ((lowered, None), (file, name)))
        assert list(again.values()) == list(first.values())


@pytest.mark.parametrize("file", FILES)
def test_every_preset_compiles_and_runs(file: str) -> None:
    for item in sources.load(file).module.items:
        if isinstance(item, Model) and item.kind == "neuron":
            step = driver.lower(item)[1]
            for preset in item.presets:
                out = driver.build(step, "numpy", preset=preset.name).run("2 ms", n=1, record=[item.states[0].name])
                assert np.isfinite(out.recorded[item.states[0].name]).all()
        elif isinstance(item, Model) and item.kind == "synapse":
            for preset in item.presets:
                bench(item, preset.name, "0.1 ms").compiled.bind()
        elif isinstance(item, Network):
            for preset in item.presets:
                assert with_parameters(item, preset=preset.name).params == ()


@pytest.mark.parametrize("file", FILES)
def test_checks_hold(file: str) -> None:
    results = driver.check(file)
    assert results
    assert [str(result.diagnostic) for result in results if result.diagnostic is not None] == []


@pytest.mark.parametrize(("file", "change", "fault"), [
    ("lif", ("log(4)", "log(4.1)"), "isi"),
    ("izhikevich", ("a = 0.1 ms^-1, b = 0.2 ms^-1", "a = 0.05 ms^-1, b = 0.2 ms^-1"), "count"),
    ("hodgkin_huxley", ("g = 36 mS/cm^2", "g = 30 mS/cm^2"), "isi"),
    ("qif", ("k = 0.1 mV^-1", "k = 0.11 mV^-1"), "isi"),
    ("hodgkin_huxley", ("3^(", "2.8^("), "isi"),
    ("connor_stevens", ("0.0688 mV^-1", "0.07 mV^-1"), "isi"),
    ("traub_miles", ("(v - V_T - 13 mV)", "(v - V_T - 13.5 mV)"), "isi"),
    ("wang_buzsaki", ("phi = 5", "phi = 4.9"), "isi"),
    ("morris_lecar", ("phi = 0.04", "phi = 0.041"), "isi"),
    ("fitzhugh_nagumo", ("tau_w = 12.5 ms", "tau_w = 12.6 ms"), "isi"),
    ("hindmarsh_rose", ("r = 0.005", "r = 0.0051"), "isi"),
    ("pospischil", ("3^1.2", "3^1.1"), "isi"),
    ("glif", ("d_th = 0.37 mV", "d_th = 0.4 mV"), "isi"),
    ("glif", ("di_2 = -198.94 pA", "di_2 = -180 pA"), "isi"),
    ("glif", ("a_v = 0.005 ms^-1", "a_v = 0.0045 ms^-1"), "isi"),
    ("srm0", ("eta_0 = 20 mV", "eta_0 = 21 mV"), "isi"),
    ("theta_neuron", ("1 + cos(theta)", "1.1 + cos(theta)"), "isi"),
    ("resonate_and_fire", ("b = -0.1 ms^-1", "b = -0.12 ms^-1"), "count"),
    ("rulkov_map", ("mu = 0.001", "mu = 0.0011"), "count"),
    ("mat", ("alpha_2 = 2 mV, omega = 19 mV", "alpha_2 = 2.1 mV, omega = 19 mV"), "isi"),
    ("alif_unit", ("beta = 180 ms", "beta = 170 ms"), "isi"),
    ("lif_bounded", ("v_min = -0.2", "v_min = -0.25"), "count"),
    ("lif_delta", ("on inh(w: mV): v -= w", "on inh(w: mV): v += w"), "v =="),
    ("lif_cond_exp", ("g_exc * (E_exc - v)", "1.01 * g_exc * (E_exc - v)"), "v =="),
    ("lif_cond_alpha", ("dg_inh += e / tau_inh * w", "dg_inh += w / tau_inh"), "g_inh"),
    ("lif_cond_beta", ("b_inh += w /", "b_inh += 0.9 * w /"), "a_inh"),
    ("lif_cond_nmda", ("Mg / 3.57 mM", "Mg / 3.4 mM"), "v =="),
    ("pair_stdp", ("w += A_p * w_max * x", "w += A_m * w_max * x"), "w =="),
    ("pair_stdp", ("trace x of pre: tau = tau_p, nearest", "trace x of pre: tau = tau_p"), "w =="),
    ("triplet_stdp", ("A3_p = 0.0065", "A3_p = 0.0064"), "w =="),
    ("clopath", ("tau_x * x' = -x", "tau_m * x' = -x"), "w =="),
    ("graupner_brunel", ("gamma_p * (1 - rho) * up - gamma_d * rho * down\n    on", "gamma_p * (1 - rho) * up\n    on"), "rho"),
    ("tsodyks_markram", ("x -= u * x", "x -= 0.9 * u * x"), "sent"),
    ("reward_stdp", ("tau_c * c' = -c", "2 * tau_c * c' = -c"), "c =="),
    ("homeostasis", ("x * y * (y - theta)", "x * y * (y - 2 * theta)"), "w =="),
    ("eligibility", ("z += 1", "z += 1.02"), "w =="),
    ("vogels_istdp", ("2 * rho_0 * tau", "rho_0 * tau"), "w =="),
    ("song_miller_abbott", ("w -= A_m * w_max * y", "w += A_m * w_max * y"), "w =="),
    ("synfire_chain", ("w = 12 pA", "w = 5 pA"), "count"),
])  # fmt: skip
def test_checks_notice_a_change(file: str, change: tuple[str, str], fault: str, tmp_path: Path) -> None:
    text = (FOLDER / f"{file}.birc").read_text("utf-8")
    assert change[0] in text
    wrong = tmp_path / f"{file}.birc"
    wrong.write_text(text.replace(*change), "utf-8")
    bad = [str(result.diagnostic) for result in driver.check(wrong) if result.diagnostic is not None]
    assert any(fault in message for message in bad)
