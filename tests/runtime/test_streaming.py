"""Recordings that go to disk: the same numbers as in memory, in a bounded amount of it, and nothing left behind."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import birc
from birc.errors import BircError
from birc.runtime import archive, streaming

OPTIONS: dict[str, Any] = {"n": 7, "inputs": {"I": "linspace(0 pA, 700 pA)"}, "record": "v,i_s", "every": 3}


def test_a_streamed_run_is_the_run_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "WINDOW", 1000)  # several windows
    compiled = birc.compile("lif", target="native")
    plain = compiled.run("200 ms", **OPTIONS)
    streamed = compiled.run("200 ms", stream=tmp_path / "new", **OPTIONS)
    for name in ("v", "i_s"):
        assert np.array_equal(streamed[name], plain[name])
        assert streamed.extent(name) == plain.extent(name) == (plain[name].min(), plain[name].max())
    assert len(plain.index) > 20
    assert np.array_equal(streamed.stamps, plain.stamps) and np.array_equal(streamed.index, plain.index)
    assert streamed.save(tmp_path / "a.npz").read_bytes() == plain.save(tmp_path / "b.npz").read_bytes()
    assert list((tmp_path / "new").iterdir()) == []


def test_nothing_recorded_is_an_empty_recording(tmp_path: Path) -> None:
    out = birc.compile("lif").run("1 ms", record="v", every="10 ms", stream=tmp_path)
    assert out.v.shape == (0, 1) and len(out.spikes.index) == 0
    with np.load(out.save(tmp_path / "a.npz")) as table:
        assert table["v"].shape == (0, 1)


def test_a_saved_archive_is_what_numpy_reads_in_declared_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PIECE", 10)
    out = birc.compile("lif").run("200 ms", **OPTIONS)
    with np.load(out.save(tmp_path / "a.npz"), allow_pickle=False) as table:
        assert np.array_equal(table["v"], out.v) and np.array_equal(table["time"], out.time)
        assert np.array_equal(table["spikes.time"], out.spikes.time)


def test_memory_is_bounded_by_the_window(tmp_path: Path) -> None:
    compiled = birc.compile("lif_unit", target="native")
    compiled.run("1 ms", record="v", n=1000, stream=tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    out = compiled.run(steps=40_000, record="v", n=1000, stream=tmp_path)  # 320 MB
    out.save(tmp_path / "a.npz")
    assert out.extent("v") == (0.0, 0.0)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert os.path.getsize(tmp_path / "a.npz") > 320_000_000
    assert grown < 3 * streaming.WINDOW


def test_a_disk_that_is_too_small_is_said_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(BircError) as caught:
        birc.compile("lif").run("1e6 s", n=100_000, record="v", stream=tmp_path)
    assert str(caught.value).startswith("error[I149]: recording v (10000000000 rows of 100000) would take 8.0 PB of disk, and ")


def test_a_disk_that_fills_up_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, _: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(streaming.StreamedRecording, "_file", lambda self: Full())
    with pytest.raises(BircError) as caught:
        birc.compile("lif").run("1 ms", record="v", stream=tmp_path)
    expected = (
        f"error[X102]: cannot write `{tmp_path}`: No space left on device\n  help: the disk is full: free some space or write elsewhere"
    )
    assert str(caught.value) == expected


def test_a_folder_that_is_none_is_said_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BircError, match="X102"):
        birc.compile("lif").run("1 ms", record="v", stream=tmp_path / "file")
