"""What a run of a network gives back and writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from birc.errors import BircError
from tests.networks.written import RELAY, compiled

TEXT = (
    RELAY
    + """
network N:
    population A: Sum[3]
    population B: Relay[2]
    source s: regular(rate = 0.25 kHz)[1]
    project s -> A.exc: w = 2, all_to_all
    project s -> B.exc: w = 1, all_to_all, axon = 1 ms
    record B.spikes, A[1:3].x every 2 ms
"""
)


def test_groups_and_files(tmp_path: Path) -> None:
    out = compiled(TEXT).run("10 ms")
    assert out.A is out["A"] and out.A.n == 3
    assert out["A"].x.tolist() == [[0, 0], [2, 2], [2, 2], [4, 4], [4, 4]]
    assert out["A"].time.tolist() == [2, 4, 6, 8, 10]
    assert (out["B"].spikes.index.tolist(), out["B"].spikes.time.tolist()) == ([0, 1, 0, 1], [5, 5, 9, 9])
    with np.load(out.save(tmp_path / "out.npz")) as file:
        assert file["B.spikes.time"].tolist() == [5, 5, 9, 9]
        assert file["A.x"].shape == (5, 2)
        about = json.loads(str(file["about"]))
    assert about["manifest"]["ir"].startswith("bir ") and about["seed"] == 0
    text = out.save(tmp_path / "out.csv").read_text()
    assert text.splitlines()[:4] == ["population,index,time_ms", "B,0,5.0", "B,1,5.0", "B,0,9.0"]


def test_views_name_the_recorded_cells() -> None:
    view = compiled(TEXT).run("10 ms").view
    a = next(p for p in view.populations if p.name == "A")
    (x,) = a.recorded
    assert x.who.tolist() == [1, 2]
    assert x.stamps.tolist() == [2, 4, 6, 8, 10]


def test_tables_and_blocks() -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("neo")
    out = compiled(TEXT).run("10 ms", sources=True)
    spikes = out.to_pandas().spikes
    assert set(spikes["population"]) == {"B", "s"}
    block = out.to_neo()
    assert {g.name for g in block.groups} >= {"A", "B", "s"}


def test_a_name_that_is_none() -> None:
    out = compiled(TEXT).run("4 ms")
    with pytest.raises(BircError) as caught:
        out["a"]
    assert str(caught.value).splitlines() == ["error[I104]: the network has no `a`", "  help: did you mean `A`?"]
    with pytest.raises(BircError) as caught:
        out.synapses("s -> A.ex")
    assert str(caught.value).splitlines() == [
        "error[I104]: the network has no projection `s -> A.ex`",
        "  help: did you mean `s -> A.exc`?",
    ]
