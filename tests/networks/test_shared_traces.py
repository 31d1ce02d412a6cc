"""Traces that several projections keep together: which are the same, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from birc.backends import load_backend
from birc.backends.networks import TRACE
from birc.explained import explain_network
from birc.lowering import lower_network
from birc.passes import share_traces
from birc.runtime.network.result import NetworkResult
from tests.networks.written import compiled, network_of

HEAD = """
neuron Cell:
    state x = 0
    5 ms * x' = -x
    on exc(w: 1): x += w
    spike when x > 6:
        x = 0

synapse Pair:
    param A = 0.01, tau = 20 ms
    state w = 0.4 in [0, 1]
    trace x of pre: tau = tau
    trace y of post: tau = 30 ms
    on pre:
        send w
        w -= A * y
    on post:
        w += A * x
    preset slow: tau = 40 ms

synapse Other:
    param half = 10 ms
    state w = 0.3 in [0, 1]
    trace z of pre: tau = 2 * half
    trace last of pre: tau = 20 ms, nearest
    on pre:
        send w * (1 - last)
    on post:
        w += 0.01 * z

network N:
    param T = 40 ms
    source S: poisson(rate = 50 Hz)[50]
    population E: Cell[20]
    population I: Cell[10]
"""
FIRST = "project S -> E.exc: Pair, all_to_all, axon = 1 ms"
NETWORK = (
    FIRST,
    "project S -> I.exc: Pair(w = uniform(0, 1)), random(p = 0.5), axon = 1 ms",
    "project S -> I.exc: Pair(tau = T), all_to_all, axon = 1 ms",
    "project S -> E.exc: Pair(tau = T), all_to_all, axon = 1 ms",
    "project S -> E.exc: Other, all_to_all, axon = 1 ms",
    "project E -> I.exc: Pair(A = 0.02), all_to_all, axon = 1 ms, back = 2 ms",
    "project I -> E.exc: Pair, random(p = 0.3), axon = 2 ms",
)


def text(*lines: str) -> str:
    return HEAD + "".join(f"    {line}\n" for line in lines)


def shared(*lines: str) -> list[dict[str, tuple[str, str]]]:
    """What each projection shares."""
    return [{name: (other, its) for name, other, its in p.traces} for p in lower_network(network_of(text(*lines))).projections]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("project S -> I.exc: Pair, all_to_all, axon = 1 ms", {"x": ("S -> E.exc", "x")}),
        ("project S -> E.exc: Pair(A = 0.5), random(p = 0.1), axon = 1 ms", {"x": ("S -> E.exc", "x"), "y": ("S -> E.exc", "y")}),
        ("project S -> E.exc: Pair(tau = 20 ms), all_to_all, axon = 1 ms", {"x": ("S -> E.exc", "x"), "y": ("S -> E.exc", "y")}),
        ("project S -> I.exc: Other, all_to_all, axon = 1 ms", {"z": ("S -> E.exc", "x")}),
        ("project E -> E.exc: Pair, all_to_all, axon = 1 ms", {"y": ("S -> E.exc", "y")}),
        ("project S -> I.exc: Pair, all_to_all, axon = 2 ms", {}),
        ("project S -> I.exc: Pair.slow, all_to_all, axon = 1 ms", {}),
        ("project S -> I.exc: Pair(tau = T), all_to_all, axon = 1 ms", {}),
        ("project S -> I.exc: Pair(tau = uniform(10 ms, 20 ms)), all_to_all, axon = 1 ms", {}),
        ("project S[0:20] -> I.exc: Pair, all_to_all, axon = 1 ms", {}),
        ("project S -> E[0:20].exc: Pair, all_to_all, axon = 2 ms", {}),
        ("project S -> E.exc: Pair, all_to_all, axon = 2 ms, back = 1 ms", {}),
        ("project S -> I.exc: Pair, all_to_all, axon = uniform(1 ms, 2 ms)", {}),
    ],
)
def test_what_is_the_same(line: str, expected: dict[str, tuple[str, str]]) -> None:
    assert shared(FIRST, line) == [{}, expected]


def test_explained() -> None:
    rows = {row.variable: row.method for row in explain_network(network_of(text(*NETWORK[:2])))}
    assert rows["S -> E.exc: x"] == "one for each source neuron"
    assert rows["S -> I.exc: x"] == "`x` of S -> E.exc"
    assert rows["S -> I.exc: y"] == "one for each target neuron"
    assert rows["S -> I.exc: index by target"] == "8 bytes a synapse"
    assert rows["S -> E.exc: index by target"] == "none"


@pytest.mark.parametrize(
    ("line", "how"),
    [
        ("project S -> E.exc: Pair, all_to_all, axon = 1 ms, back = 2 ms", "none"),
        ("project S -> E.exc: Pair, all_to_all, axon = uniform(1 ms, 2 ms)", "8 bytes a synapse"),
        ("project S -> E.exc: Pair, all_to_all, back = uniform(1 ms, 2 ms)", "8 bytes a synapse"),
        ("project S -> E.exc: Pair, random(p = 0.5)", "8 bytes a synapse"),
        ("project E -> E.exc: Pair, all_to_all, axon = 1 ms", "8 bytes a synapse"),
        ("project E -> E.exc: Pair, all_to_all, axon = 1 ms, self", "none"),
    ],
)
def test_where_no_index_is_needed(line: str, how: str) -> None:
    (row,) = (row for row in explain_network(network_of(text(line))) if row.variable.endswith(": index by target"))
    assert row.method == how and row.reason.endswith("; native keeps states by target while targets fire more often than sources")


def outcome(target: str, lines: tuple[str, ...]) -> tuple[NetworkResult, dict[str, np.ndarray]]:
    out = compiled(text(*lines), target).run("300 ms", seed=4)
    return out, dict(out.state.values)


@pytest.mark.parametrize("target", ["numpy", "native"])
@pytest.mark.parametrize("empty", [False, True])
def test_nothing_else_changes(target: str, empty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit; also where the first of alike projections has no synapses, and so no trace that rises."""
    if load_backend(target).missing():
        pytest.skip("no C++ compiler")
    lines = ("project S -> E.exc: Pair, random(p = 0), axon = 1 ms", *NETWORK) if empty else NETWORK
    together, state = outcome(target, lines)
    monkeypatch.setattr(share_traces, "run", tuple)
    apart, whole = outcome(target, lines)
    traces = [name for name in whole if TRACE in name]
    assert len(traces) - sum(name in state for name in traces) == 6
    assert len(together["E"].index) > 100 and len(together["I"].index) > 100
    for group in ("E", "I"):
        np.testing.assert_array_equal(together[group].index, apart[group].index)
        np.testing.assert_array_equal(together[group].stamps, apart[group].stamps)
    for name, values in state.items():
        np.testing.assert_array_equal(values, whole[name], err_msg=name)
