"""What cannot be is told when a network is bound or run: where, with the figure, and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from birc.errors import BircError
from tests.networks.written import RELAY, compiled

HEAD = (
    RELAY
    + """
network N:
    population E: Relay[10]
    population I: Relay[5]
    source bg: poisson(rate = 0.1 kHz)[10]
"""
)

WRONG = [
    (
        'project E -> I.exc: w = "w.npy", all_to_all, axon = 1 ms',
        "error[I110]: an array of shape (7,) does not fit 50 synapses",
        "  help: it can be (50,): one number per synapse; (10, 5): one per source and target",
    ),
    (
        'project E -> I.exc: w = "nan.npy", all_to_all, axon = 1 ms',
        "error[I111]: `w` of E -> I.exc: `nan.npy` holds values that are not finite",
        "",
    ),
    (
        'project E -> I.exc: w = 1, from_file(file = "far.npz"), axon = 1 ms',
        "error[I117]: synapse 2 of `far.npz` has source 99",
        "  help: there are 10, counted from 0",
    ),
    (
        'project E -> I.exc: w = 1, from_file(file = "twice.npz"), axon = 1 ms',
        "error[I117]: synapses 1 and 2 of `twice.npz` both lead from 1 to 1",
        "  help: the flag `multapses` allows several synapses of a pair",
    ),
    (
        'project E -> I.exc: w = 1, from_file(file = "none.npz"), axon = 1 ms',
        "error[I116]: `file` of E -> I.exc: there is no file `none.npz`",
        "",
    ),
    (
        "project E -> I.exc: w = 1, all_to_all, axon = 10000000 s",
        "error[I132]: the delay of E -> I.exc of 1e+10 ms is no number of steps from 0 to 1048576",
        "",
    ),
    (
        "project E -> I.exc: w = 1, all_to_all, axon = 0.1 ms",
        "error[I132]: the delay of E -> I.exc of 0.1 ms is no delay at all with a step of 1 ms",
        "  help: make it 1 ms at least, or shorten the step",
    ),
    (
        "project E -> I.exc: w = normal(1, -1), all_to_all, axon = 1 ms",
        "error[I115]: `w` of E -> I.exc: a standard deviation cannot be negative",
        "",
    ),
]


@pytest.mark.parametrize(("line", "first", "last"), WRONG, ids=[w[1][6:10] + str(i) for i, w in enumerate(WRONG)])
@pytest.mark.parametrize("target", ["numpy", "native"])
def test_mistakes_in_what_is_bound(line: str, first: str, last: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("w.npy", np.ones(7))
    np.save("nan.npy", np.array([1.0, np.nan]))
    np.savez("far.npz", source=[0, 1, 99], target=[0, 1, 2])
    np.savez("twice.npz", source=[0, 1, 1], target=[0, 1, 1])
    made = compiled(f"{HEAD}    {line}\n", target)
    with pytest.raises(BircError) as caught:
        made.run("3 ms")
    lines = str(caught.value).splitlines()
    assert lines[0] == first
    assert not last or lines[-1] == last
    assert "none.npz" in line or lines[2].endswith(line)


@pytest.mark.parametrize("target", ["numpy", "native"])
def test_a_state_that_explodes_is_told_with_its_cell_and_stamp(target: str) -> None:
    text = """
neuron Bad:
    state v = 0
    on exc(w: 1): v += w
    step v = v * v

network N:
    population A: Bad[3]
    source s: regular(rate = 0.1 kHz)[1]
    project s -> A[1:2].exc: w = 1e100, one_to_one
"""
    with pytest.raises(BircError) as caught:
        compiled(text, target).run("40 ms")
    assert str(caught.value).splitlines() == [
        "error[R001]: `v` of neuron 1 of `A` became infinite at stamp 12 (12 ms)",
        "  net.birc:3:11",
        "  3 |     state v = 0",
        "    |           ^^^^^",
        "  help: it was 1e+200 at the stamp before; look at its parameters and at what reaches it, or make the step shorter",
    ]


def test_a_population_that_runs_away_stops_the_run() -> None:
    text = HEAD + "    project E -> E.exc: w = 1, all_to_all, self, axon = 1 ms\n    project bg -> E.exc: w = 1, one_to_one, axon = 1 ms\n"
    with pytest.raises(BircError) as caught:
        compiled(text).run("400 ms")
    assert caught.value.diagnostics[0].code == "R003"
    assert "`E` runs away: " in str(caught.value) and "500 Hz are allowed" in str(caught.value)
    assert compiled(text).run("400 ms", max_rate="1 kHz")["E"].rate > 500


def test_more_synapses_than_memory_are_refused_before_they_are_made() -> None:
    text = (
        RELAY
        + """
network N:
    population A: Relay[300000]
    project A -> A.exc: w = 1, random(p = 0.9), axon = 1 ms
"""
    )
    with pytest.raises(BircError, match=r"error\[I145\]: 8\.1e\+10 synapses of A -> A.exc would take 324\.0 GB of memory, and"):
        compiled(text).run("1 ms")


def test_a_payload_that_leaves_the_range_on_its_way_is_told() -> None:
    """To a port that acts once per event: the synapse's own state is finite still."""
    text = """
neuron Odd:
    state v = 0
    on exc(w: 1): v = v + w * (1 - v)
    spike when v > 10:
        v = 0

synapse S:
    state w = 1
    on pre:
        send w * w
        w *= 1e60

network N:
    population A: Odd[2]
    source s: regular(rate = 0.5 kHz)[2]
    project s -> A[1:2].exc: S, all_to_all, axon = 1 ms, dend = 9 ms
"""
    with pytest.raises(BircError) as caught:
        compiled(text).run("9 ms")
    assert str(caught.value) == (
        "error[R001]: what s -> A[1:2].exc sends to its target 0 became infinite at stamp 9 (9 ms)\n"
        "  help: look at the parameters and states of its synapses"
    )
