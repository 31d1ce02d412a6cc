"""Library neurons agree with those of other simulators, and these have the conventions that docs/conventions.md says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.peers.__main__ import PAGE
from tests.peers.both import ask, birc, installed
from tests.peers.comparisons import COMPARISONS, DT, Comparison


def needs(environment: str) -> None:
    if not installed(environment):
        pytest.skip(f"{environment} is not there: python -m tests.bench.peers make {environment}")


@pytest.mark.slow
@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda comparison: comparison.name)
def test_neurons_agree(comparison: Comparison) -> None:
    needs(comparison.environment)
    figures = comparison.run()
    assert figures
    assert [f for f in figures if not f.holds] == []


@pytest.mark.slow
def test_brian2_is_refractory_for_a_step_less() -> None:
    needs("brian2")
    ours = birc("lif", dt=DT, steps=1000, inputs={"I": "250 pA"})
    theirs = ask("brian2", model="lif", method="exact", I=250.0, dt=DT, steps=1000, record=("v",), refractory=2.0)
    assert len(ours.spikes) == len(theirs.spikes) == 3
    assert (np.diff(ours.spikes) - np.diff(theirs.spikes)).tolist() == [1, 1]


@pytest.mark.slow
def test_brian2_delivers_behind_the_test() -> None:
    needs("brian2")
    events = [(100, 2.0)]
    ours = birc("lif_unit", dt=DT, steps=200, inputs={}, events={"syn": events})
    task = {"model": "lif_unit", "method": "exact", "I": 0.0, "dt": DT, "steps": 200, "record": ("v",), "refractory": 2.1, "events": events}
    behind, before = (ask("brian2", **task, when=slot) for slot in ("synapses", "before_thresholds"))
    assert ours.spikes == [100]
    assert [k + 1 for k in before.spikes] == [100]
    assert [k + 1 for k in behind.spikes] == [101]


def test_the_page_has_every_comparison() -> None:
    text = Path(PAGE).read_text("utf-8")
    assert [c.name for c in COMPARISONS if f"| {c.ours} | {c.theirs} |" not in text] == []
