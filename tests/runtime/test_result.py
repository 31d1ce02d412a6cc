"""Results are saved whole, read back, and drawn."""

from __future__ import annotations

import builtins
import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from birc.runtime import Result
from birc.runtime.plot import figure, plot
from birc.runtime.result import load_state
from birc.runtime.simulate import simulate
from tests.runtime.leaky import LEAKY, Interpreter


def run(**options: Any) -> Result:
    options = {"dt": 0.1, "steps": 100, "n": 3, "record": "v,u", "inputs": {"I": [0.0, 0.02, 0.1]}, **options}
    return simulate(Interpreter(), LEAKY, **options)


def test_a_saved_result_holds_everything(tmp_path: Path) -> None:
    out = run(manifest={"target": "numpy"})
    path = out.save(tmp_path / "out.npz")
    with np.load(path, allow_pickle=False) as saved:
        assert np.array_equal(saved["v"], out.v)
        assert np.array_equal(saved["u"], out.u)
        assert np.array_equal(saved["spikes.index"], out.spikes.index)
        assert np.array_equal(saved["spikes.time"], out.spikes.time)
        assert np.array_equal(saved["spikes.stamp"], out.stamps)
        assert np.array_equal(saved["time"], out.time)
        about = json.loads(str(saved["about"]))
    assert about["manifest"] == {"target": "numpy"}
    assert about["units"] == {"time": "ms", "v": "mV", "u": "V"}
    assert about["dt"] == 0.1 and about["n"] == 3 and about["seed"] == 0


def test_a_run_goes_on_from_a_file(tmp_path: Path) -> None:
    options: dict[str, Any] = {"params": {"sigma": 2.0}, "inputs": {}}
    first, whole = run(**options, seed=5), run(**options, seed=5, steps=150)
    state = load_state(first.save(tmp_path / "out.npz"))
    second = run(**options, n=None, steps=50, state=state)
    assert np.array_equal(second.v, whole.v[100:])
    with pytest.raises(BircError) as caught:
        load_state(tmp_path / "none.npz")
    assert caught.value.code == "I116"
    np.savez(tmp_path / "other.npz", about=np.array("[]"))
    with pytest.raises(BircError) as caught:
        load_state(tmp_path / "other.npz")
    assert "was not written by a run of birc" in str(caught.value)


def test_spikes_as_csv_are_a_spike_list_again(tmp_path: Path) -> None:
    out = run()
    path = out.save(tmp_path / "out.csv")
    assert path.read_text().startswith("index,time_ms\n2,")
    assert len(path.read_text().splitlines()) == len(out.stamps) + 1
    again = run(inputs={"tick": f"@{path}"}, record="v")
    assert again.stop == 100
    direct = run(inputs={"tick": out.spikes}, record="v")
    assert np.array_equal(again.v, direct.v)


def test_a_full_disk_leaves_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(BircError, match="X102"):
        run().save(tmp_path / "out.npz")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BircError, match="I150"):
        run().save(tmp_path / "out.mat")
    with pytest.raises(BircError, match="I150"):
        plot(run(), tmp_path / "out.jpeg2")


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_a_figure_is_written_in_each_format(tmp_path: Path, ending: str) -> None:
    path = plot(run(), tmp_path / f"out.{ending}")
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"%PDF-", b"<?xml")
    assert [file.name for file in tmp_path.iterdir()] == [f"out.{ending}"]


def test_a_figure_has_labels_with_units() -> None:
    out = run()
    drawn = figure(out, title="Three neurons")
    top, middle, bottom = drawn.axes
    assert top.get_ylabel() == "v (mV)" and middle.get_ylabel() == "u (V)"
    assert bottom.get_ylabel() == "neuron" and bottom.get_xlabel() == "time (ms)"
    assert top.get_title(loc="left") == f"Three neurons (3 neurons, {out.rate:.3g} Hz)"
    line = top.get_lines()[2]
    assert np.array_equal(line.get_ydata(), out.v[:, 2])
    points = bottom.collections[0].get_offsets()
    assert np.allclose(np.asarray(points), np.column_stack([out.spikes.time, out.spikes.index]))


@pytest.mark.parametrize("options", [{"record": (), "inputs": {}}, {"n": 1, "inputs": {}}, {"steps": 1}, {"every": 1000}])
def test_figures_of_little_are_drawn(tmp_path: Path, options: dict[str, Any]) -> None:
    assert plot(run(**options), tmp_path / "out.png").stat().st_size > 1000


def test_without_matplotlib_the_way_to_get_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(BircError) as caught:
        plot(run(), tmp_path / "out.png")
    assert str(caught.value).endswith('help: pip install "birc[plot]"')
    assert caught.value.code == "X101"
