"""What a step of a network means, on cases worked out by hand. The step is 1 ms, so stamps are times in ms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from birc.errors import BircError
from birc.ir.model import Network
from birc.networks import compile_network
from birc.sources import load
from tests.networks.written import RELAY, compiled, stamps

STDP = """
synapse Learn:
    param A = 1, B = 10
    state w = 100
    trace x of pre: tau = 10 ms
    trace y of post: tau = 10 ms
    on pre:
        w -= A * y
        send w
    on post:
        w += B * x
"""


def test_a_spike_arrives_after_its_delays(tmp_path: Path) -> None:
    """A source spike at 3 ms has stamp 3 and acts at 3 + axon + dend; a spike at time 0 has stamp 0."""
    text = (
        RELAY
        + """
network N:
    population A: Relay[1]
    population B: Relay[1]
    source s: spikes(file = "{file}")[1]
    project s -> A.exc: w = 1, one_to_one, axon = 2 ms
    project A -> B.exc: w = 1, one_to_one, axon = 1 ms, dend = 3 ms
"""
    )
    file = tmp_path / "s.csv"
    file.write_text("index,time_ms\n0,0\n0,3\n")
    out = compiled(text.replace("{file}", str(file))).run("12 ms", sources=True)
    assert stamps(out, "s") == [3]  # the stamp 0 is before the first step
    assert stamps(out, "A") == [2, 5]
    assert stamps(out, "B") == [6, 9]


def test_a_chain_without_delay_fires_in_one_stamp_in_any_order_of_the_file() -> None:
    text = (
        RELAY
        + """
network N:
    population C: Relay[1]
    population B: Relay[1]
    population A: Relay[1]
    source s: regular(rate = 0.25 kHz)[1]
    project B -> C.exc: w = 1, one_to_one
    project A -> B.exc: w = 1, one_to_one
    project s -> A.exc: w = 1, one_to_one
"""
    )
    out = compiled(text).run("9 ms")
    assert stamps(out, "A") == stamps(out, "B") == stamps(out, "C") == [4, 8]


def test_coincident_events_add_up() -> None:
    """Two sources and two projections reach one cell at one stamp; each adds its weight."""
    text = (
        RELAY
        + """
network N:
    population A: Sum[1]
    source s: regular(rate = 0.2 kHz)[2]
    source t: regular(rate = 0.1 kHz)[1]
    project s -> A.exc: w = 2, all_to_all
    project t -> A.exc: w = 5, all_to_all
    project t -> A.inh: w = 1, all_to_all
    record A.x, s.spikes
"""
    )
    out = compiled(text).run("10 ms")
    assert out["A"].x[:, 0].tolist() == [0, 0, 0, 0, 4, 4, 4, 4, 4, 12]


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


def test_traces_are_read_before_they_rise_and_pre_comes_before_post() -> None:
    text = (
        RELAY
        + STDP
        + """
network N:
    population B: Relay[1]
    source s: regular(rate = 1000 / 3 * 1 Hz)[1]
    project s -> B.exc: Learn, one_to_one, axon = 1 ms
"""
    )
    out = compiled(text).run("8 ms")
    assert stamps(out, "B") == [4, 7]
    # stamp 4: pre reads y = 0, sends 100; B fires at 4; post reads x = 0 (left limit): w = 100; then x = y = 1
    # stamp 7: pre reads y = exp(-0.3): w = 100 - exp(-0.3); post reads x = exp(-0.3): w += 10 exp(-0.3)
    assert out.synapses("s -> B.exc").values["w"] == pytest.approx([100 + 9 * np.exp(-0.3)], rel=1e-14)


def test_the_axon_and_the_way_back_shift_what_a_synapse_sees() -> None:
    """pre is seen at s + axon, post at s_post + back; a spike evoked by the payload is seen after it."""
    text = (
        RELAY
        + STDP
        + """
network N:
    population B: Relay[1]
    source s: regular(rate = 0.1 kHz)[1]
    project s -> B.exc: Learn, one_to_one, axon = 2 ms, dend = 3 ms, back = 1 ms
"""
    )
    out = compiled(text).run("19 ms")
    assert stamps(out, "B") == [15]
    # pre at 12 (x rises), payload arrives and fires at 15, post seen at 16: w = 100 + 10 exp(-0.4)
    assert out.synapses("s -> B.exc").values["w"] == pytest.approx([100 + 10 * np.exp(-0.4)], rel=1e-14)


def test_a_nearest_trace_saturates() -> None:
    text = (
        RELAY
        + STDP.replace("tau = 10 ms", "tau = 10 ms, nearest", 1).replace("Learn", "Near")
        + """
network N:
    population B: Sum[1]
    population C: Relay[1]
    source s: regular(rate = 1 kHz)[1]
    project s -> B.exc: Near, one_to_one, axon = 1 ms
"""
    )
    made = compiled(text)
    out = made.run("6 ms")
    assert out.state.values["s -> B.exc.trace.x"].tolist() == [1.0]


def test_coincident_events_of_a_source_run_a_handler_once_each(tmp_path: Path) -> None:
    text = (
        RELAY
        + """
synapse Count:
    state n = 0
    trace x of pre: tau = 10 ms
    on pre:
        n += 1 + 100 * x
        send n

network N:
    population B: Sum[1]
    source s: spikes(file = "{file}")[1]
    project s -> B.exc: Count, one_to_one, axon = 1 ms
    record B.x
"""
    )
    file = tmp_path / "s.csv"
    file.write_text("index,time_ms\n0,2\n0,2\n0,2\n0,4\n")
    out = compiled(text.replace("{file}", str(file))).run("6 ms")
    # at 3: n = 1, 2, 3, all of them sent, x still 0; then x = 3. At 5: n = 4 + 300 exp(-0.2)
    assert out["B"].x[:, 0] == pytest.approx([0, 0, 6, 6, 10 + 300 * np.exp(-0.2), 10 + 300 * np.exp(-0.2)], rel=1e-14)


def test_a_signal_rises_with_events_and_decays() -> None:
    text = (
        RELAY
        + """
network N:
    population B: Sum[1]
    source s: regular(rate = 0.25 kHz)[1]
    signal DA: tau = 10 ms
    project s -> DA: w = 2, all_to_all, axon = 1 ms
    record DA
"""
    )
    out = compiled(text).run("10 ms")
    level = out["DA"].level[:, 0]
    decay = np.exp(-0.1)
    assert level == pytest.approx(
        [0, 0, 0, 0, 2, *(2 * decay**k for k in (1, 2, 3)), 2 + 2 * decay**4, (2 + 2 * decay**4) * decay], rel=1e-14
    )


def test_lazily_kept_states_decay_as_they_do_step_by_step() -> None:
    """Tsodyks and Markram's recursion: x and u between spikes have a closed form."""
    text = (
        RELAY
        + """
synapse STP:
    param w = 1, U = 0.2, tau_rec = 80 ms, tau_fac = 50 ms
    state x = 1, u = 0
    tau_rec * x' = 1 - x
    tau_fac * u' = -u
    on pre:
        u += U * (1 - u)
        send w * u * x
        x -= u * x

network N:
    population B: Sum[1]
    source s: regular(rate = 0.05 kHz)[1]
    project s -> B.exc: STP, one_to_one, axon = 1 ms
    record B.x
"""
    )
    made = compiled(text)
    assert made.program.projections[0].synapse.flow is None  # type: ignore[union-attr]
    out = made.run("100 ms")
    x, u, total, sums = 1.0, 0.0, 0.0, []
    last = 0
    for arrival in (21, 41, 61, 81):
        gap = arrival - last
        x, u = 1 + (x - 1) * np.exp(-gap / 80), u * np.exp(-gap / 50)
        u += 0.2 * (1 - u)
        total += u * x
        x -= u * x
        last = arrival
        sums.append(total)
    assert out["B"].x[[20, 40, 60, 80], 0] == pytest.approx(sums, rel=1e-13)


def test_continuous_values_are_those_at_the_start_of_the_step() -> None:
    text = """
neuron Ramp:
    state v = 0
    output o: 1 = 2 * v
    step v = v + 1

neuron Echo:
    state y = 0
    input I: 1
    step y = I

network N:
    population A: Ramp[2]
    population B: Echo[2]
    project A.o -> B.I: one_to_one
    record B.y
"""
    out = compiled(text).run("4 ms")
    assert out["B"].y[:, 1].tolist() == [0, 2, 4, 6]


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
