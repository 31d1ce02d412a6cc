"""NIR graphs: which models have one, what the file says, its equations solved exactly, and two programs that read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends import Numbers, load_backend
from birc.driver import Compiled
from birc.errors import BircError
from birc.runtime.bind import bind
from birc.runtime.durations import step_length
from birc.runtime.values import Setting

PLAIN = """
neuron Plain:
    param tau_m = 10 ms in (0 ms, inf), v_th = 1, gain = 1.7
    state v = 0
    input I: 1
    tau_m * v' = -v + gain * I
    on exc(w: 1): v += 0.5 * w
    spike when v > v_th:
        v = 0
"""
CUBA = """
neuron Cuba:
    param tau_m = 10 ms in (0 ms, inf), tau_s = 3 ms in (0 ms, inf), E = -70 mV, v_th = -50 mV, R = 100 Mohm, v_reset = -70 mV
    state v = E, i = 0 pA
    tau_m * v' = (E - v) + R * i
    tau_s * i' = -i
    on exc(w: pA): i += w
    on inh(w: pA): i -= w
    spike when v > v_th:
        v = v_reset
"""
INTEGRATE = """
neuron Integrate:
    param C = 100 pF in (0 pF, inf), leak = 20 pA, v_th = 20 mV
    state v = 0 mV
    input I: pA
    C * v' = I - leak
    spike when v > v_th:
        v = 0 mV
"""
FILTER = """
neuron Filter:
    param tau = 5 ms in (0 ms, inf)
    state x = 0, y = 0
    input I: 1
    tau * x' = I - x
    tau * y' = 2 * x - y + 1
    on kick(w: 1): x += w
"""


@pytest.fixture
def compiled(tmp_path: Path) -> Any:
    def make(text: str, **options: Any) -> Compiled:
        path = tmp_path / "model.birc"
        path.write_text(text)
        return driver.compile(path, "nir", **options)

    return make


def refusals(make: Any, text: str) -> list[tuple[str, str, int]]:
    with pytest.raises(BircError) as caught:
        make(text)
    return [(d.code, d.message, d.span.line if d.span else 0) for d in caught.value.diagnostics]


# --- which models have a graph


@pytest.mark.parametrize(
    ("text", "kinds"), [(PLAIN, {"v": "LIF"}), (CUBA, {"v": "CubaLIF"}), (INTEGRATE, {"v": "IF"}), (FILTER, {"y": "CubaLI"})]
)
def test_the_node_is_decided_by_structure(compiled: Any, text: str, kinds: dict[str, str]) -> None:
    assert compiled(text).artifact.manifest["nir"]["nodes"] == kinds


def test_a_model_written_otherwise_has_the_same_graph(compiled: Any) -> None:
    other = PLAIN.replace("tau_m * v' = -v + gain * I", "let pull = gain * I / tau_m\n    v' = pull - v * 1 / tau_m").replace(
        "spike when v > v_th", "spike when v_th < v"
    )
    assert compiled(other).artifact.manifest["nir"] == compiled(PLAIN).artifact.manifest["nir"]


def test_the_plan_speaks_the_model_s_words(compiled: Any) -> None:
    assert compiled(CUBA).artifact.files["plan.txt"].splitlines() == [
        "Cuba: exc, inh -> CubaLIF",
        "",
        "i: the current of the node below  # " + compiled(CUBA).step.span.source.name + ":6",
        "    rate = -1 / tau_s per ms",
        "    rest = 0",
        "    + 1 * exc at each event",
        "    + -1 * inh at each event",
        "v: CubaLIF  # " + compiled(CUBA).step.span.source.name + ":5",
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
    assert diagnostic.help == "compile with t_ref = 0 ms"
    assert "model.nir" not in driver.compile(name, "nir", params={"t_ref": "0 ms"}).artifact.files


def test_everything_that_has_no_node_is_refused_at_once_with_its_place(compiled: Any) -> None:
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
    found = refusals(compiled, text)
    assert found == [
        ("L325", "NIR has no limits of a state: `v`", 4),
        ("L325", "NIR has no noise: `xi`", 6),
        ("L321", "NIR has no node for `v * v` in the equation of `v`", 7),
        ("L325", "NIR has no rule per step: `step c`", 9),
        ("L322", "an event of a NIR graph adds to one state; `v = v + a * v` does not", 10),
        ("L325", "NIR has no outputs beside spikes and potentials: `y`", 11),
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
def test_each_departure_has_its_reason(compiled: Any, change: tuple[str, str], code: str, message: str) -> None:
    text = PLAIN.replace(*change)
    assert text != PLAIN
    assert [(c, m) for c, m, _ in refusals(compiled, text)][:1] == [(code, message)]


def test_a_program_without_equations_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.bir"
    (tmp_path / "m.birc").write_text(PLAIN)
    path.write_text(driver.dump(tmp_path / "m.birc", "step"))
    with pytest.raises(BircError, match="L327"):
        driver.compile(path, "nir")


# --- the file

nir = pytest.importorskip("nir", reason='needs nir: pip install "birc[nir]"')


def graph_of(made: Compiled) -> tuple[bytes, Any]:
    from birc.backends.nir.graph import read

    h = step_length(made.dt)
    bound = bind(made.step, Setting(made.model, 1, 0, 1, h, 0), "f64", made.params, made.preset)
    backend = load_backend("nir")
    filled = backend.fill(made.artifact, Numbers(h, bound.values, {n: a[0] for n, a in bound.state.items()}))  # type: ignore[attr-defined]
    data = filled.files["model.nir"]
    return data, (read(data), filled.manifest["nir"])


def test_a_leaky_node_is_in_seconds_with_its_gains_in_an_affine_map(compiled: Any) -> None:
    _, (graph, _) = graph_of(compiled(PLAIN, dt="0.5 ms"))
    assert sorted(graph.edges) == [("input", "v_in"), ("v", "output"), ("v_in", "v")]
    np.testing.assert_allclose(graph.nodes["v_in"].weight, [[1.7, 0.5 * 10 / 0.5]])
    np.testing.assert_array_equal(graph.nodes["v_in"].bias, [0.0])
    node = graph.nodes["v"]
    found = [float(x[0]) for x in (node.tau, node.r, node.v_leak, node.v_threshold, node.v_reset)]
    np.testing.assert_allclose(found, [0.01, 1, 0, 1, 0])


def test_a_potential_is_counted_from_rest_and_a_current_by_the_step(compiled: Any) -> None:
    _, (graph, meaning) = graph_of(compiled(CUBA, dt="0.1 ms"))
    node = graph.nodes["v"]
    found = [float(x[0]) for x in (node.tau_syn, node.tau_mem, node.r, node.w_in, node.v_leak, node.v_threshold, node.v_reset)]
    np.testing.assert_allclose(found, [0.003, 0.01, 100, 30, 0, 20, 0])
    np.testing.assert_allclose(graph.nodes["v_in"].weight, [[0.001, -0.001]])
    assert (meaning["rest"], meaning["scale"], meaning["dt"]) == ({"i": 0.0, "v": pytest.approx(-70)}, {"i": pytest.approx(0.001)}, 1e-4)


def test_an_integrator_has_its_constant_drive_as_a_bias(compiled: Any) -> None:
    _, (graph, _) = graph_of(compiled(INTEGRATE))
    np.testing.assert_allclose(graph.nodes["v_in"].weight, [[10.0]])
    np.testing.assert_allclose(graph.nodes["v_in"].bias, [-200.0])


def test_float32_files_hold_float32(compiled: Any) -> None:
    _, (graph, _) = graph_of(compiled(PLAIN, dtype="f32"))
    assert {graph.nodes["v"].tau.dtype, graph.nodes["v_in"].weight.dtype} == {np.dtype(np.float32)}


def test_the_file_is_the_same_bytes_each_time(compiled: Any) -> None:
    assert graph_of(compiled(CUBA))[0] == graph_of(compiled(CUBA))[0]


def test_what_readers_do_otherwise_is_said(compiled: Any) -> None:
    made = compiled(CUBA, dt="0.2 ms", params={"v_reset": "-65 mV"})
    _, (_, meaning) = graph_of(made)
    assert meaning["deviations"] == [
        "reset: not to rest; norse and snntorch reset to rest all the same",
        "snntorch: runs at a step of 0.0001 s, whatever the graph was made for",
        "method: readers step by forward Euler; the model's own solution is exact",
    ]


def test_writing_makes_the_file(compiled: Any, tmp_path: Path) -> None:
    folder = compiled(CUBA).write(tmp_path / "out")
    assert sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) == ["manifest.json", "model.nir", "plan.txt"]
    assert type(nir.read(folder / "model.nir").nodes["v"]).__name__ == "CubaLIF"


# --- its meaning


@pytest.mark.parametrize("name", ["lif", "lif_unit", "lif_exp", "lif_alpha"])
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_library_models_without_refractoriness_are_verified(name: str, dtype: Any) -> None:
    (report,) = driver.verify(name, ["nir"], params={"t_ref": "0 ms"}, dtype=dtype, duration="100 ms")
    assert (report.status, report.level) == ("pass", "L1" if dtype == "f64" else "L2")


@pytest.mark.parametrize("text", [PLAIN, CUBA, INTEGRATE, FILTER])
def test_hand_written_models_are_verified(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.birc"
    path.write_text(text)
    (report,) = driver.verify(path, ["nir"], duration="100 ms")
    assert (report.status, report.level) == ("pass", "L1")


def test_a_wrong_number_in_the_file_is_seen(compiled: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from birc.backends.nir import graph

    right = graph.gain
    monkeypatch.setattr(graph, "gain", lambda *arguments: right(*arguments) * (1 + 1e-6))
    path = tmp_path / "model.birc"
    path.write_text(CUBA)
    (report,) = driver.verify(path, ["nir"], duration="100 ms")
    assert report.status == "fail"


def test_parameters_that_differ_between_neurons_are_no_graph_of_one(compiled: Any) -> None:
    with pytest.raises(BircError, match="L328"):
        compiled(PLAIN).run("10 ms", n=2, params={"gain": np.array([1.0, 2.0])})


# --- programs that read it


def samples(ports: list[dict[str, str]], amplitude: float, steps: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    columns = []
    for port in ports:
        size = rng.uniform(0, amplitude, steps)
        columns.append(size if port["kind"] == "current" else size * (rng.random(steps) < 0.05) * (0.3 if port["port"] == "inh" else 1.0))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("reader", ["norse", "snntorch"])
@pytest.mark.parametrize(
    ("text", "amplitude"), [(PLAIN, 2.0), (CUBA, 2000.0), (CUBA.replace("v_reset = -70 mV", "v_reset = -60 mV"), 2000.0)]
)
def test_readers_spike_as_their_profile_says(compiled: Any, reader: str, text: str, amplitude: float) -> None:
    from birc.backends.nir import readers

    lacking = readers.missing(reader)
    if lacking is not None:
        pytest.skip(f"needs {lacking.what}: {lacking.how}")
    data, (_, meaning) = graph_of(compiled(text, dtype="f32", dt="0.1 ms"))
    given = samples(meaning["input"], amplitude, 1500, 1)
    wanted, margin = readers.expected(reader, data, given, 1e-4)
    assert wanted.sum() > 10
    assert margin > 1e-5
    np.testing.assert_array_equal(readers.run(reader, data, given, 1e-4), wanted)
    other, _ = readers.expected(reader, data, 1.01 * given, 1e-4)
    assert (other != wanted).any()


def test_norse_advances_an_integrator_by_a_second(compiled: Any) -> None:
    from birc.backends.nir import readers

    lacking = readers.missing("norse")
    if lacking is not None:
        pytest.skip(f"needs {lacking.what}: {lacking.how}")
    data, (_, meaning) = graph_of(compiled(INTEGRATE, dtype="f32"))
    given = samples(meaning["input"], 50.0, 200, 2)
    wanted, margin = readers.expected("norse", data, given, 1e-4)
    assert 10 < wanted.sum() < 190
    assert margin > 1e-5
    np.testing.assert_array_equal(readers.run("norse", data, given, 1e-4), wanted)
