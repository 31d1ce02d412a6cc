"""Library neurons agree with those of other simulators, and these have the conventions that docs/conventions.md says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.peers import synapses
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


@pytest.mark.slow
def test_nest_potentiates_before_it_sends() -> None:
    """The target's spike is seen together with the second of the source."""
    needs("nest")
    pre, post = [100, 300, 500], [300 - synapses.DELAY]
    mine = synapses.ours("PairSTDP", "A_p = 0.02, A_m = 0.022, w_max = 100 pA, tau_p = 17 ms, tau_m = 25 ms", pre, post)
    parameters = {"weight": 50.0, "Wmax": 100.0, "lambda": 0.02, "alpha": 1.1, "mu_plus": 0.0, "mu_minus": 0.0, "tau_plus": 17.0}
    theirs = synapses.theirs("stdp_synapse", parameters, pre, post, {"tau_minus": 25.0})
    last = 50 + 2 * np.exp(-20 / 17) - 2.2 * np.exp(-20 / 25)
    assert mine == pytest.approx([50, 50, last], rel=1e-12)
    assert theirs == pytest.approx([50, 50 + 2 * np.exp(-20 / 17), last], rel=1e-12)


@pytest.mark.slow
def test_nest_takes_u_behind_the_rise() -> None:
    needs("nest")
    parameters = {"weight": 100.0, "U": 0.3, "tau_rec": 200.0, "tau_fac": 150.0}
    sent = [synapses.theirs("tsodyks2_synapse", parameters | u, [100], [100], {}).tolist() for u in ({}, {"u": 0.3})]
    assert sent == [[50.0], [30.0]]


def test_the_page_has_every_comparison() -> None:
    text = Path(PAGE).read_text("utf-8")
    assert [c.name for c in COMPARISONS if f"| {c.ours} | {c.theirs} |" not in text] == []
