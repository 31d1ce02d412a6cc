"""What a network's feeds, gap junctions and parameters become in the model IR."""

from __future__ import annotations

import pytest

from birc.errors import BircError, Source
from birc.frontend.load import load
from birc.ir.expr import const, leaves, op, var
from birc.ir.model import Network
from birc.networks import compile_network

MODELS = """neuron Cell:
    state v = 0 mV, k = 0
    input I: mV/ms, DA: 1
    v' = I * (1 + DA) - v / 10 ms
    k' = 0 / 1 ms
    on exc(w: mV): v += w
    spike when v >= 10 mV: v = 0 mV
    output twice: mV = 2 * v

synapse S:
    state w = 1 mV
    input u: mV, DA: 1
    w' = (u + 1 mV * DA) / 1 s
    on pre: send w
"""


def network(*lines: str) -> Network:
    text = MODELS + "\nnetwork N:\n" + "".join(f"    {line}\n" for line in lines)
    found = load(Source("n.birc", text)).items[-1]
    assert isinstance(found, Network)
    return found


def test_inputs_of_synapses_are_fed_by_signals_and_neurons() -> None:
    net = network(
        "signal DA: tau = 10 ms",
        "population E: Cell[3]",
        "population F: Cell(DA = DA)[2]",
        "project E -> DA: w = 0.5, all_to_all",
        "project E -> F.exc: S(u = post.v, DA = DA), all_to_all",
        "project E -> F.exc: S(u = pre.twice), all_to_all",
    )
    assert net.populations[1].arguments == (("DA", var("DA")),)
    assert [p.arguments for p in net.projections[1:]] == [(("u", var("post.v")), ("DA", var("DA"))), (("u", var("pre.twice")),)]


def test_a_gap_junction_is_a_flag_with_a_conductance() -> None:
    (projection,) = network("population E: Cell[2]", "project E.v -> E.I: gap, w = 0.2 ms^-1, all_to_all").projections
    assert projection.flags == ("gap",)
    assert projection.properties == (("w", const(0.2)),)
    assert (projection.source.port, projection.target.port) == ("v", "I")


def test_gap_junctions_draw_their_sides_together() -> None:
    net = network("population E: Cell(v = uniform(0 mV, 9 mV))[2]", "project E.v -> E.I: gap, w = 0.2 ms^-1, all_to_all", "record E.v")
    v = compile_network(net).run("20 ms")["E"].recorded["v"]
    assert abs(v[-1, 0] - v[-1, 1]) < 1e-3 * abs(v[0, 0] - v[0, 1])
    # their mean decays as if they were alone
    assert v[-1].mean() == pytest.approx(v[0].mean() * (1 - 0.01) ** 199, rel=0.02)


def test_counts_of_parameters_are_rounded_expressions() -> None:
    net = network(
        "param n = 3.4 in (0, 100]",
        "let half = n / 2",
        "fn plus(x: 1) = x + 1",
        "population E: Cell[plus(n)]",
        "population F: Cell[2]",
        "project E -> F.exc: w = 1 mV * half, fixed_indegree(k = half)",
    )
    assert net.populations[0].count == 4
    assert net.populations[0].size == op("floor", op("add", op("add", var("n"), const(1.0)), const(0.5)))
    assert (net.populations[1].count, net.populations[1].size) == (2, None)
    arguments = dict(net.projections[0].rule_arguments) | dict(net.projections[0].properties)
    assert {name: leaves(e, "var") for name, e in arguments.items()} == {"k": {"n"}, "w": {"n"}}


def test_what_a_check_of_a_broken_network_says_is_about_the_network() -> None:
    with pytest.raises(BircError) as error:
        load(Source("n.birc", MODELS + "network N:\n    population E: Cel[3]\n\ncheck N:\n    run for 1 s\n    expect E.rate == 0 Hz\n"))
    assert [d.code for d in error.value.diagnostics] == ["N108"]
