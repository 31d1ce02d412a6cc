"""What a NIR file says, and its equations solved exactly against the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends.nir import graph as graphs
from birc.errors import BircError
from tests.backends.nir_models import CUBA, FILTER, INTEGRATE, PLAIN, compiled, graph_of

nir = pytest.importorskip("nir", reason='needs nir: pip install "birc[nir]"')


def test_a_leaky_node_is_in_seconds_with_its_gains_in_an_affine_map(tmp_path: Path) -> None:
    _, graph, _ = graph_of(compiled(PLAIN, tmp_path, dt="0.5 ms"))
    assert sorted(graph.edges) == [("input", "v_in"), ("v", "output"), ("v_in", "v")]
    np.testing.assert_allclose(graph.nodes["v_in"].weight, [[1.7, 0.5 * 10 / 0.5]])
    np.testing.assert_array_equal(graph.nodes["v_in"].bias, [0.0])
    node = graph.nodes["v"]
    found = [float(x[0]) for x in (node.tau, node.r, node.v_leak, node.v_threshold, node.v_reset)]
    np.testing.assert_allclose(found, [0.01, 1, 0, 1, 0])


def test_a_potential_is_counted_from_rest_and_a_current_by_the_step(tmp_path: Path) -> None:
    _, graph, meaning = graph_of(compiled(CUBA, tmp_path, dt="0.1 ms"))
    node = graph.nodes["v"]
    found = [float(x[0]) for x in (node.tau_syn, node.tau_mem, node.r, node.w_in, node.v_leak, node.v_threshold, node.v_reset)]
    np.testing.assert_allclose(found, [0.003, 0.01, 100, 30, 0, 20, 0])
    np.testing.assert_allclose(graph.nodes["v_in"].weight, [[0.001, -0.001]])
    assert (meaning["rest"], meaning["scale"], meaning["dt"]) == ({"i": 0.0, "v": pytest.approx(-70)}, {"i": pytest.approx(0.001)}, 1e-4)


def test_an_integrator_has_its_constant_drive_as_a_bias(tmp_path: Path) -> None:
    _, graph, _ = graph_of(compiled(INTEGRATE, tmp_path))
    np.testing.assert_allclose(graph.nodes["v_in"].weight, [[10.0]])
    np.testing.assert_allclose(graph.nodes["v_in"].bias, [-200.0])


def test_float32_files_hold_float32(tmp_path: Path) -> None:
    _, graph, _ = graph_of(compiled(PLAIN, tmp_path, dtype="f32"))
    assert {graph.nodes["v"].tau.dtype, graph.nodes["v_in"].weight.dtype} == {np.dtype(np.float32)}


def test_the_file_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    assert graph_of(compiled(CUBA, tmp_path))[0] == graph_of(compiled(CUBA, tmp_path))[0]


def test_what_readers_do_otherwise_is_said(tmp_path: Path) -> None:
    made = compiled(CUBA, tmp_path, dt="0.2 ms", params={"v_reset": "-65 mV"})
    _, _, meaning = graph_of(made)
    assert meaning["deviations"] == [
        "norse: resets to rest, whatever v_reset says",
        "snntorch: resets to rest, whatever v_reset says",
        "snntorch: runs at a step of 0.1 ms, and the graph was made for 0.2 ms",
        "method: readers step by forward Euler; the model's own solution is exact",
    ]
    (warning,) = made.warnings
    assert (warning.code, warning.severity, warning.span.line if warning.span else 0) == ("L329", "warning", 9)
    assert warning.help == "\n".join(meaning["deviations"][:-1])


def test_what_nir_lacks_is_said_where_it_stands(tmp_path: Path) -> None:
    made = compiled(CUBA.replace("v > v_th", "v >= v_th").replace("state v = E", "state v = -60 mV"), tmp_path)
    assert [(w.span.line if w.span else 0, w.help) for w in made.warnings] == [
        (9, "threshold: NIR's is strict, v > threshold; the model's is v >= threshold"),
        (5, "start: `v` does not start at rest; NIR has no initial values"),
    ]


def test_writing_makes_the_file(tmp_path: Path) -> None:
    made = compiled(CUBA, tmp_path)
    assert made.warnings == ()
    folder = made.write(tmp_path / "out")
    assert sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) == ["manifest.json", "model.nir", "plan.txt"]
    assert type(nir.read(folder / "model.nir").nodes["v"]).__name__ == "CubaLIF"


# --- its meaning


@pytest.mark.parametrize("name", ["lif", "lif_unit", "lif_exp", "lif_alpha"])
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_library_models_without_refractoriness_are_verified(name: str, dtype: Any) -> None:
    report, *_ = driver.verify(name, ["nir"], params={"t_ref": "0 ms"}, dtype=dtype, duration="100 ms")
    assert (report.status, report.level) == ("pass", "L1" if dtype == "f64" else "L2")


@pytest.mark.parametrize("text", [PLAIN, CUBA, INTEGRATE, FILTER])
def test_hand_written_models_are_verified(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.birc"
    path.write_text(text)
    report, *_ = driver.verify(path, ["nir"], duration="100 ms")
    assert (report.status, report.level) == ("pass", "L1")


def test_a_wrong_number_in_the_file_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = graphs.gain
    monkeypatch.setattr(graphs, "gain", lambda *arguments: right(*arguments) * (1 + 1e-6))
    path = tmp_path / "model.birc"
    path.write_text(CUBA)
    report, *_ = driver.verify(path, ["nir"], duration="100 ms")
    assert report.status == "fail"


def test_parameters_that_differ_between_neurons_are_no_graph_of_one(tmp_path: Path) -> None:
    with pytest.raises(BircError, match="L328"):
        compiled(PLAIN, tmp_path).run("10 ms", n=2, params={"gain": np.array([1.0, 2.0])})


def test_without_the_package_nothing_is_written_and_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("birc.backends.nir.find_spec", lambda name: None)
    with pytest.raises(BircError) as caught:
        compiled(PLAIN, tmp_path).write(tmp_path / "out")
    assert (caught.value.code, caught.value.diagnostics[0].help) == ("X321", 'pip install "birc[nir]"')
    assert not (tmp_path / "out").exists()
