"""What networks draw and refuse; what a step means stands in the conformance kit. The step is 1 ms, so stamps are times in ms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from birc.errors import BircError
from birc.ir.model import Network
from birc.networks import compile_network
from birc.sources import load
from tests.networks.written import RELAY, compiled


def test_delays_of_one_projection_may_differ() -> None:
    text = (
        RELAY
        + """
network N:
    population A: Sum[3]
    source s: regular(rate = 0.1 kHz)[1]
    project s -> A.exc: w = 1, all_to_all, axon = uniform(1 ms, 6 ms)
    record A.x, s.spikes
"""
    )
    made = compiled(text)
    out = made.run("18 ms", seed=3)
    delays = made.bind(seed=3, steps=18).network.projections[0].edges.delay()
    arrived = np.argmax(out["A"].x > 0, axis=0) + 1
    assert sorted(arrived.tolist()) == sorted((10 + delays).tolist())
    assert len(set(delays.tolist())) > 1


def test_a_cycle_that_a_drawn_delay_could_close_is_refused() -> None:
    text = (
        RELAY
        + """
network N:
    population A: Relay[1]
    population B: Relay[1]
    project A -> B.exc: w = 1, one_to_one, axon = 0.2 ms
    project B -> A.exc: w = 1, one_to_one
"""
    )
    with pytest.raises(BircError) as caught:
        compiled(text).run("2 ms")
    assert caught.value.diagnostics[0].code == "I132"
    assert "no delay at all with a step of 1 ms" in str(caught.value)


def test_a_third_party_without_delay_closes_no_cycle() -> None:
    text = (
        RELAY
        + """
network N:
    population A: Relay[1]
    population B: Relay[1]
    project A -> B.exc: w = 1, one_to_one
    third A -> B.exc via A.exc: p = 1, w = 1
"""
    )
    with pytest.raises(BircError) as caught:
        compiled(text).run("2 ms")
    assert str(caught.value) == (
        "error[M135]: the cycle A -> A has no delay: some of it is no step long\n"
        "  net.birc:21:5\n"
        "  21 |     third A -> B.exc via A.exc: p = 1, w = 1\n"
        "     |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  help: a spike needs time around a cycle: `axon = 1 ms`"
    )


def test_weights_of_a_file_are_multiplied_by_a_constant(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("source,target,weight\n1,0,7\n0,1,5\n")
    text = (
        RELAY
        + """
network N:
    population A: Sum[2]
    source s: regular(rate = 0.1 kHz)[2]
    project s -> A.exc: w = WEIGHT, from file "FILE"
"""
    ).replace("FILE", str(tmp_path / "e.csv"))

    def weights(w: str) -> list[float]:
        found: list[float] = np.asarray(compiled(text.replace("WEIGHT", w)).bind().network.projections[0].weight).tolist()
        return found

    assert weights("2") == [10, 14]
    assert weights(f'"{tmp_path}/e.csv:weight"') == [5, 7]
    with pytest.raises(BircError) as caught:
        weights("uniform(0, 1)")
    assert caught.value.diagnostics[0].message == "the weights of s -> A.exc are those of its file times a constant `w`"


def test_a_third_party_hears_of_some_synapses() -> None:
    text = (
        RELAY
        + """
network N:
    population A: Relay[40]
    population B: Sum[40]
    population G: Sum[5]
    source s: regular(rate = 0.1 kHz)[40]
    project s -> A.exc: w = 1, one_to_one, axon = 1 ms
    project A -> B.exc: w = 1, all_to_all, axon = 2 ms
    third A -> B.exc via G.exc: p = 0.25, w = 1
    record G.x
"""
    )
    out = compiled(text).run("15 ms", seed=5)
    heard = out["G"].x
    assert heard[11].sum() == 0  # A fires at 11, its spikes arrive at 13
    assert 340 < heard[12].sum() < 460 and heard[14].sum() == heard[12].sum()  # of 1600 synapses
    assert (heard[12] > 40).all()


def test_the_synapses_of_a_third_party_are_in_order() -> None:
    text = (
        RELAY
        + """
network N:
    population A: Relay[9]
    population B: Sum[20]
    population G: Sum[30]
    project A -> B.exc: w = 1, all_to_all, axon = uniform(1 ms, 3 ms)
    third A -> B.exc via G.exc: p = 0.7, w = uniform(0, 1)
"""
    )
    edges = compiled(text).bind().network.projections[1].edges
    keys = np.stack([edges.target, edges.delay(), edges.source()])
    assert edges.count > 100 and np.array_equal(np.lexsort(keys), np.arange(edges.count))


def test_a_third_party_that_hears_at_once_acts_behind_its_source() -> None:
    text = (
        RELAY
        + """
network N:
    population G: Sum[1]
    population A: Relay[1]
    population B: Sum[1]
    source s: regular(rate = 0.1 kHz)[1]
    project s -> A.exc: w = 1, one_to_one
    project A -> B.exc: w = 1, one_to_one
    third A -> B.exc via G.exc: p = 1, w = 1
    record G.x
"""
    )
    assert compiled(text).run("12 ms")["G"].x[:, 0].tolist() == [0] * 9 + [1, 1, 1]


def test_runs_go_on_from_a_state_to_the_bit() -> None:

    network = next(i for i in load("examples/network.birc").module.items if isinstance(i, Network))
    made = compile_network(network)
    whole = made.run("12 ms", seed=2)
    first = made.run("7 ms", seed=2)
    second = made.run("5 ms", state=first.state)
    for name, values in whole.state.values.items():
        assert np.array_equal(values, second.state.values[name]), name
    stamps = np.concatenate([first["E"].stamps, second["E"].stamps])
    assert np.array_equal(stamps, whole["E"].stamps)
