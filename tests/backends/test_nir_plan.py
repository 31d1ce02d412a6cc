"""Which models have a NIR graph, decided by structure, and everything that has none, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from birc import driver
from birc.backends import load_backend
from birc.backends.legality import Declares
from birc.errors import BircError
from tests.backends.nir_models import CUBA, FILTER, INTEGRATE, PLAIN, compiled


def refusals(text: str, folder: Path) -> list[tuple[str, str, int]]:
    """Code, message and line of each refusal."""
    with pytest.raises(BircError) as caught:
        compiled(text, folder)
    return [(d.code, d.message, d.span.line if d.span else 0) for d in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("text", "kinds"), [(PLAIN, {"v": "LIF"}), (CUBA, {"v": "CubaLIF"}), (INTEGRATE, {"v": "IF"}), (FILTER, {"y": "CubaLI"})]
)
def test_the_node_is_decided_by_structure(tmp_path: Path, text: str, kinds: dict[str, str]) -> None:
    assert compiled(text, tmp_path).artifact.manifest["nir"]["nodes"] == kinds


def test_a_model_written_otherwise_has_the_same_graph(tmp_path: Path) -> None:
    other = PLAIN.replace("tau_m * v' = -v + gain * I", "let pull = gain * I / tau_m\n    v' = pull - v * 1 / tau_m").replace(
        "spike when v > v_th", "spike when v_th < v"
    )
    assert compiled(other, tmp_path).artifact.manifest["nir"] == compiled(PLAIN, tmp_path).artifact.manifest["nir"]


def test_the_plan_speaks_the_model_s_words(tmp_path: Path) -> None:
    file, text = tmp_path / "model.birc", compiled(CUBA, tmp_path).artifact.files["plan.txt"]
    assert isinstance(text, str)
    assert text.splitlines() == [
        "Cuba: exc, inh -> CubaLIF",
        "",
        f"i: the current of the node below  # {file}:6",
        "    rate = -1 / tau_s per ms",
        "    rest = 0",
        "    + 1 * exc at each event",
        "    + -1 * inh at each event",
        f"v: CubaLIF  # {file}:5",
        "    rate = -1 / tau_m per ms",
        "    rest = -(E / tau_m / (-1 / tau_m))",
        "    + R / tau_m * i per ms",
        "    spikes above v_th, then v_reset",
    ]


@pytest.mark.parametrize("name", ["lif", "lif_unit", "lif_exp", "lif_alpha"])
def test_a_refractory_period_is_refused_where_it_lasts(name: str) -> None:
    with pytest.raises(BircError) as caught:
        driver.compile(name, "nir")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.message) == ("L324", "NIR has no refractory period, and this one lasts 2 ms")
    assert diagnostic.help == 'compile with `--set t_ref="0 ms"`'
    assert "model.nir" not in driver.compile(name, "nir", params={"t_ref": "0 ms"}).artifact.files


def test_everything_that_has_no_node_is_refused_at_once_with_its_place(tmp_path: Path) -> None:
    text = """
neuron Wild:
    param tau = 10 ms in (0 ms, inf), t_ref = 3 ms
    state v = 0 in [-1, 2], w = 0, c = 0
    input I: 1
    noise xi
    tau * v' = -v + v * v + I - w + 0.1 * sqrt(tau) * xi
    tau * w' = -w
    step c = c + 1
    on exc(a: 1): v = v + a * v
    output y: 1 = 2 * v
    spike when v + w > 1:
        v = 0
        w += 1
    refractory t_ref
"""
    found = refusals(text, tmp_path)
    assert found == [
        ("L325", "NIR has no limits of a state: `v`", 4),
        ("L203", "NIR does not take noise", 7),
        ("L321", "NIR has no node for `v * v` in the equation of `v`", 7),
        ("L325", "NIR has no rule per step: `step c`", 9),
        ("L322", "an event of a NIR graph adds to one state; `v = v + a * v` does not", 10),
        ("L203", "NIR does not take outputs", 11),
        ("L323", "a NIR node spikes where one state is above a fixed level; `v + w > 1` is another condition", 12),
        ("L324", "NIR has no refractory period, and this one lasts 3 ms", 15),
    ]


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (("        v = 0\n", "        v = v - 1\n"), "L323",
         "a NIR node sets its potential to a fixed value when it spikes; `v = v - 1` does more"),
        (("spike when v > v_th:\n        v = 0\n", "spike when v > v_th\n"), "L323", "a NIR node is reset when it spikes; `v` is not"),
        (("spike when v > v_th:\n        v = 0\n", "spike on rise v > v_th\n"), "L323",
         "a NIR node spikes while it is above its threshold, not when it rises above it"),
        (("    tau_m * v' = -v + gain * I\n", "    state u = 0\n    tau_m * v' = -v + u + gain * I\n    tau_m * u' = v - u\n"), "L321",
         "`v` and what drives it drive one another; NIR's nodes form a chain"),
        (("    tau_m * v' = -v + gain * I\n", "    state u = 0\n    tau_m * v' = -v + gain * I\n    tau_m * u' = v - u\n"), "L321",
         "`u` reads `v`, but a NIR node that spikes gives out its spikes only"),
        (("    tau_m * v' = -v + gain * I\n", "    state u = 0\n    tau_m * v' = -v + gain * I\n    tau_m * u' = I - u\n"), "L321",
         "`u` does not act on `v`; a graph has one output"),
        (("tau_m * v' = -v + gain * I", "tau_m * v' = v + gain * I"), "L326", "`v` has a time constant of -10 ms; NIR wants one above 0"),
    ],
)  # fmt: skip
def test_each_departure_has_its_reason(tmp_path: Path, change: tuple[str, str], code: str, message: str) -> None:
    text = PLAIN.replace(*change)
    assert text != PLAIN
    assert [(c, m) for c, m, _ in refusals(text, tmp_path)][:1] == [(code, message)]


def test_the_target_s_table_says_what_the_refusals_say() -> None:
    backend = load_backend("nir")
    assert isinstance(backend, Declares)
    lacks = set(backend.takes.lacks())
    assert {"noise", "outputs", "events that act one by one", "states that are true or false"} <= lacks
    assert not {"continuous inputs", "events", "spikes", "f32"} & lacks


def test_an_event_that_adds_in_other_words_is_taken(tmp_path: Path) -> None:
    other = PLAIN.replace("v += 0.5 * w", "v = w / 2 + v")
    assert other != PLAIN
    assert "exc at each event" in str(compiled(other, tmp_path).artifact.files["plan.txt"])


def test_a_program_without_equations_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.bir"
    (tmp_path / "m.birc").write_text(PLAIN)
    path.write_text(driver.dump(tmp_path / "m.birc", "step"))
    with pytest.raises(BircError, match="L327"):
        driver.compile(path, "nir")
