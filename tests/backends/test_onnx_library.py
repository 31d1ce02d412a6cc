"""Library models as ONNX: verified, bit-equal with NumPy in float32, and usable as files on their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends import Dtype
from birc.errors import BircError

pytest.importorskip("onnx", reason='needs onnx: pip install "birc[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime", reason='needs onnxruntime: pip install "birc[onnx]"')

ALGEBRAIC = {"lif": 260.0, "lif_unit": 1.7, "lif_exp": 520.0, "lif_alpha": 520.0, "alif": 300.0, "izhikevich": 12.0, "qif": 150.0}
"""Models whose phases hold no transcendental function, each with a current that makes it fire."""


@pytest.mark.parametrize("name", sorted(ALGEBRAIC))
def test_float32_has_the_bits_of_numpy_in_float32(name: str) -> None:
    current = np.linspace(0.7, 1.3, 20) * ALGEBRAIC[name]
    runs = [
        driver.compile(name, target, dtype="f32").run("100 ms", n=20, inputs={"I": current}, record=["v"]) for target in ("numpy", "onnx")
    ]
    assert len(runs[0].spikes[0]) > 0
    np.testing.assert_array_equal(runs[1].v, runs[0].v)
    for found, expected in zip(runs[1].spikes, runs[0].spikes, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("name", "dtype", "level"), [("lif", "f64", "L0"), ("adex", "f64", "L1"), ("hodgkin_huxley", "f64", "L1"), ("eif", "f32", "L2")]
)
def test_library_models_are_verified(name: str, dtype: Dtype, level: str) -> None:
    (report,) = driver.verify(name, ["onnx"], dtype=dtype, duration="60 ms", n=8)
    assert report.level == level, report.detail or report.reason


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Path:
    made = driver.compile_model("lif_unit", "onnx", dtype="f32", dt="1 ms", params={"t_ref": "3 ms"})
    return made.write(tmp_path_factory.mktemp("onnx") / "out")


def session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options)


def reference(current: Any) -> Any:
    made = driver.compile("lif_unit", "numpy", dtype="f32", dt="1 ms", params={"t_ref": "3 ms"})
    return made.run(steps=len(current), n=current.shape[1], inputs={"I": current.astype(float)}, record=["v"])


def test_a_written_file_runs_with_nothing_but_its_input(folder: Path) -> None:
    current = np.tile(np.array([0.9, 1.5, 3.0], np.float32), (200, 1))
    loaded = session(folder / "model.onnx")
    assert [i.name for i in loaded.get_inputs()] == ["I", "syn"]
    spikes, v = loaded.run(["spikes", "v_trace"], {"I": current, "syn": np.zeros((200, 1), np.float32)})
    expected = reference(current)
    np.testing.assert_array_equal(v, expected.v)
    assert spikes.sum(0).tolist() == np.bincount(expected.spikes[0], minlength=3).tolist() != [0, 0, 0]


def test_defaults_in_a_file_can_be_replaced_by_one_value_per_neuron(folder: Path) -> None:
    loaded = session(folder / "model.onnx")
    names = json.loads((folder / "manifest.json").read_text())["onnx"]
    feed = {"I": np.full((50, 1), 1.5, np.float32), "syn": np.zeros((50, 1), np.float32)}
    (spikes,) = loaded.run(["spikes"], feed | {names["bind"]["v_th"]: np.array([0.3, 0.6, 2.0], np.float32)})
    assert spikes.shape == (50, 3)
    assert spikes.sum(0)[0] > spikes.sum(0)[1] > spikes.sum(0)[2] == 0


def test_the_step_file_streams(folder: Path) -> None:
    loaded = session(folder / "model.step.onnx")
    current = np.tile(np.array([0.9, 1.5, 3.0], np.float32), (60, 1))
    state = {"v": np.zeros(3, np.float32), "refractory": np.zeros(3, np.int32)}
    rows = []
    for row in current:
        v, r = loaded.run(["v_next", "refractory_next"], {**state, "I": row, "syn": np.zeros(1, np.float32)})
        state = {"v": v, "refractory": r}
        rows.append(v)
    np.testing.assert_array_equal(rows, reference(current).v)


def test_without_the_package_nothing_is_written_and_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("birc.backends.onnx.find_spec", lambda name: None)
    with pytest.raises(BircError) as caught:
        driver.compile("lif_unit", "onnx")
    assert (caught.value.code, caught.value.diagnostics[0].help) == ("X311", 'pip install "birc[onnx]"')
    (report,) = driver.verify("lif_unit", ["onnx"])
    assert (report.status, report.reason) == ("unavailable", 'lacks onnx and onnxruntime: pip install "birc[onnx]"')


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"t_ref": "-1 ms"}, "I130"),
        ({"tau_m": "0 ms"}, "I130"),
        ({"v_th": float("nan")}, "I111"),
        ({"t": 1}, "I102"),
        ({"t_ref": "1 mV"}, "U112"),
    ],
)
def test_parameters_out_of_range_are_refused_as_numpy_refuses_them(params: dict[str, object], code: str, tmp_path: Path) -> None:
    said = set()
    for target in ("numpy", "onnx"):
        with pytest.raises(BircError) as caught:
            driver.compile("lif_unit", target).run("1 ms", params=params)
        assert caught.value.code == code
        said.add(str(caught.value))
    assert len(said) == 1
    with pytest.raises(BircError) as caught:
        driver.compile("lif_unit", "onnx", params=params).write(tmp_path / "out")
    assert caught.value.code == code
    assert not list(tmp_path.rglob("*.onnx"))
