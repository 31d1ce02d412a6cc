"""Networks of neurons that locate their spikes inside steps: when these were is in the result, whichever way it is kept."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest

from birc.backends import Array
from birc.backends.c_family import build
from birc.networks import CompiledNetwork
from birc.runtime.network import simulate
from birc.runtime.result import Result
from tests.networks.written import compiled

TEXT = """
neuron Leaky:
    param tau = 10 ms, v_inf = 1.5
    state v = 0
    tau * v' = v_inf - v
    on exc(w: 1): v += w
    spike when v >= 1:
        v = 0
    with spikes located

neuron Plain:
    state v = 0
    10 ms * v' = 1.5 - v
    spike when v >= 1:
        v = 0

network Net:
    population A: Leaky(v = uniform(0, 0.9), v_inf = uniform(1.2, 2))[20]
    population B: Leaky[1]
    population C: Plain[1]
    project A -> A.exc: w = 0.01, random(p = 0.3), axon = 1 ms
    record A.v every 1 ms
"""
TARGETS = ["numpy", pytest.param("native", marks=pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler"))]


def network(target: str = "numpy") -> CompiledNetwork:
    return compiled(TEXT, target, dt="0.1 ms")


def offsets(out: Result) -> Array:
    """Those of a population that has them."""
    assert out.offsets is not None
    return out.offsets


@pytest.mark.parametrize("target", TARGETS)
def test_times_are_those_of_the_closed_form(target: str) -> None:
    """From 0 to 1 under a drive of 1.5: tau * ln(1.5 / 0.5)."""
    out = network(target).run("60 ms", seed=3)
    period = 10 * log(3)
    np.testing.assert_allclose(out["B"].spikes.time, period * np.arange(1, 6), atol=1e-6)
    np.testing.assert_allclose(offsets(out["B"]), (out["B"].spikes.time - 0.1 * (out["B"].stamps - 1)) / 0.1, atol=1e-9)
    assert out["C"].offsets is None and out["C"].spikes.time[0] == 11.0
    assert np.all(np.diff(out["A"].spikes.time) >= 0) and len(out["A"].index) > 60


@pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")
def test_they_are_the_same_in_one_stretch_and_in_many(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = network().run("60 ms", seed=3)
    monkeypatch.setattr(simulate, "MOST_ROWS", 21 * 7)
    other = network("native").run("60 ms", seed=3)
    for name in ("A", "B"):
        assert np.array_equal(whole[name].spikes.time, other[name].spikes.time)
        assert np.array_equal(whole[name].index, other[name].index)


def test_they_outlast_checkpoints_and_files(tmp_path: Path) -> None:
    made = network()
    wanted = made.run("60 ms", seed=3)
    folder = tmp_path / "parts"
    streamed = made.run("60 ms", seed=3, stream=tmp_path)
    made.run("40 ms", seed=3, checkpoint="10 ms", folder=folder)
    resumed = made.run("60 ms", seed=3, checkpoint="10 ms", folder=folder, go_on=True, stream=tmp_path)
    for out in (streamed, resumed):
        assert np.array_equal(out["A"].spikes.time, wanted["A"].spikes.time)
        assert np.array_equal(offsets(out["A"]), offsets(wanted["A"]))
    with np.load(wanted.save(tmp_path / "out.npz")) as table:
        assert np.array_equal(table["A.spikes.time"], wanted["A"].spikes.time)
        assert np.array_equal(table["A.spikes.offset"], offsets(wanted["A"]))
        assert "C.spikes.offset" not in table
    rows = wanted.save(tmp_path / "out.csv").read_text("utf-8").splitlines()
    assert f"B,0,{wanted['B'].spikes.time.tolist()[0]!r}" in rows
