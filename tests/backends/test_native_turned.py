"""Synapses by target on the native target: full matrices, which need no index, and others, with the reference's bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from birc.backends import Dtype
from birc.backends.c_family import build
from birc.backends.native.network import turned
from birc.backends.networks import BoundNetwork
from birc.networks import CompiledNetwork
from birc.runtime.network.bind import Ready
from tests.backends.native_calls import watched
from tests.backends.test_native_network import MODELS, copied, job, same, same_spikes
from tests.networks.written import compiled

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")

RULES = (
    MODELS
    + """
synapse Triplet:
    param A2 = 0.01, A3 = 0.03
    state w = 0.2 in [0, 1]
    trace r1 of pre: tau = 17 ms
    trace r2 of pre: tau = 100 ms
    trace o1 of post: tau = 34 ms
    trace o2 of post: tau = 125 ms
    on pre:
        send w
        w -= o1 * (A2 + A3 * r2)
    on post:
        w += r1 * (A2 + A3 * o2)

synapse Voltage:
    state w = 0.1 in [0, 1], mean = 0
    input u: 1
    trace x of pre: tau = 15 ms
    10 ms * mean' = -mean
    on pre:
        send w
        mean += 0.1 * u
        w -= 0.02 * mean
    on post:
        w += 0.03 * x * max(u, 0.2)

synapse Reward:
    state w = 0.15, c = 0
    input DA: 1
    trace x of pre: tau = 20 ms
    trace y of post: tau = 20 ms
    50 ms * c' = -c
    on pre:
        c -= 0.2 * y
        w += 0.01 * c * DA
        send w
    on post:
        c += 0.3 * x
        w += 0.01 * c * DA

network N:
"""
)

NETWORKS = {
    "rules": """
    population A: Leaky(v = uniform(0, 1))[37]
    population B: Leaky(v = uniform(0, 1))[70]
    source s: poisson(rate = 200 Hz)[83]
    source reward: poisson(rate = 50 Hz)[3]
    signal DA: tau = 30 ms
    project reward -> DA: w = 0.3, all_to_all, axon = 1 ms
    project s -> A.exc: Pair(w = uniform(0, 0.3)), all_to_all, axon = 1 ms
    project s -> B.exc: Nearest(w = 0.05), all_to_all, axon = 2 ms, back = 2 ms
    project s[3:20] -> B[5:70].exc: Triplet(A2 = uniform(0, 0.02)), all_to_all, axon = 1 ms
    project A -> B.exc: Voltage(u = post.v), all_to_all, dend = uniform(1 ms, 5 ms), back = 1 ms
    project A -> A.inh: Triplet(w = uniform(0, 0.05)), all_to_all, self, axon = 1 ms
    project B -> A.exc: Reward(DA = DA, w = 0.05), all_to_all, axon = 3 ms, dend = 2 ms
""",
    "sizes": """
    population A: Leaky(v = uniform(0, 1))[1]
    population B: Leaky(v = uniform(0, 1))[129]
    population C: Steps(v = uniform(0, 1))[65]
    source s: poisson(rate = 700 Hz)[16]
    source t: poisson(rate = 900 Hz)[1]
    project s -> A.exc: Pair, all_to_all
    project s -> B.exc: Pair(w = uniform(0, 1)), all_to_all
    project t -> B.exc: Nearest(w = 0.4), all_to_all
    project t -> A.exc: Triplet, all_to_all
    project A -> B.exc: Nearest, all_to_all
    project B -> A.inh: Pair(w = 0.01), all_to_all, axon = 1 ms
    project B -> C.pull: Pair(A_p = uniform(0, 0.1)), all_to_all
    project s -> C.exc: Pair(w = uniform(0, 0.3)), all_to_all
""",
    "sparse": """
    population A: Leaky(v = uniform(0, 1))[70]
    population B: Leaky(v = uniform(0, 1))[37]
    population C: Steps(v = uniform(0, 1))[65]
    source s: poisson(rate = 400 Hz)[83]
    source reward: poisson(rate = 50 Hz)[3]
    signal DA: tau = 30 ms
    project reward -> DA: w = 0.3, all_to_all, axon = 1 ms
    project s -> A.exc: Pair(w = uniform(0, 0.3)), all_to_all, axon = uniform(1 ms, 5 ms)
    project s -> B.exc: Nearest(w = 0.05), all_to_all, axon = 2 ms, back = uniform(1 ms, 5 ms)
    project s[3:60] -> B[5:30].exc: Triplet(A2 = uniform(0, 0.02)), random(p = 0.4), axon = 1 ms
    project A -> B.exc: Voltage(u = post.v, w = 0.2), random(p = 0.3), dend = uniform(1 ms, 5 ms), back = 1 ms
    project A -> A.inh: Triplet(w = uniform(0, 0.05)), all_to_all, axon = 1 ms
    project B -> A.exc: Reward(DA = DA, w = 0.05), fixed_indegree(k = 9), multapses, axon = uniform(1 ms, 3 ms), dend = 2 ms
    project B -> C.pull: Pair(A_p = uniform(0, 0.1)), random(p = 0.5)
    project s[0:65] -> C.exc: Pair(w = uniform(0, 0.3)), one_to_one
""",
}


def network(text: str, target: str, dtype: Dtype = "f64") -> CompiledNetwork:
    """A network of the rules above."""
    return compiled(RULES + text, target, dtype=dtype)


def plastic(network: BoundNetwork) -> set[str]:
    """The projections whose synapses change when a target fires."""
    return {p.name for p in network.projections if p.synapse is not None and p.synapse.post is not None}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """The projections that lay by target, by job; threads are used whatever the size."""
    return watched(monkeypatch, "turned")


@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("name", NETWORKS)
def test_equal_to_the_reference_bit_for_bit(
    name: str, dtype: Dtype, always: bool, seen: list[frozenset[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By target and by source, in one stretch and in several, on one, two and three threads."""
    monkeypatch.setattr(turned, "WORTH", -np.inf if always else np.inf)
    steps = 150
    reference, native = network(NETWORKS[name], "numpy", dtype), network(NETWORKS[name], "native", dtype)
    ready = reference.bind(seed=5, steps=steps)
    wanted = replace(job(ready, copied(ready), 0, steps), record=())
    spikes = reference.runner.run(wanted)
    assert all(len(found.index) for found in spikes.values()), {k: len(v.index) for k, v in spikes.items()}
    for p in ready.network.projections:
        if p.name in plastic(ready.network):
            assert (wanted.state[f"{p.name}.w"] != ready.state[f"{p.name}.w"]).any(), f"{p.name} learns nothing"
    for threads in (1, 2, 3):
        found = replace(job(ready, copied(ready), 0, steps, threads=threads), record=())
        same_spikes(spikes, native.runner.run(found))
        same(wanted, found)
    state = copied(ready)
    for start, stop in ((0, 1), (1, 37), (37, steps)):
        part = replace(job(ready, state, start, stop - start), record=())
        native.runner.run(part)
    same(wanted, part)
    assert set(seen) == {frozenset(plastic(ready.network)) if always else frozenset()}


def test_nothing_is_indexed_by_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither order of the synapses is made from the other."""
    native = network(NETWORKS["rules"], "native")
    ready = native.bind(seed=5, steps=10)
    native.runner.run(replace(job(ready, copied(ready), 0, 10), record=()))
    for p in ready.network.projections:
        assert p.back is None or not {"synapse", "edges"} & vars(p.back).keys(), p.name


def test_recorded_synapses_lie_by_source(seen: list[frozenset[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recorded of synapses is in the order of the edges; projections of which nothing is recorded are turned."""
    monkeypatch.setattr(turned, "WORTH", -np.inf)
    reference, native = network(NETWORKS["rules"], "numpy"), network(NETWORKS["rules"], "native")
    ready = reference.bind(seed=5, steps=60)

    def recorded() -> Any:
        made = job(ready, copied(ready), 0, 60)
        return replace(made, record=tuple(r for r in made.record if not r.variable.startswith("A -> B.exc.")))

    wanted, found = recorded(), recorded()
    same_spikes(reference.runner.run(wanted), native.runner.run(found))
    same(wanted, found)
    assert seen == [frozenset({"A -> B.exc"})]


@pytest.mark.parametrize("synapse", ["Depressing", "Flowing"])
def test_what_stays_by_source(synapse: str, seen: list[frozenset[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Synapses where nothing happens at a target's spike; those in which something flows, and draws by place."""
    monkeypatch.setattr(turned, "WORTH", -np.inf)
    text = f"""
    population A: Leaky(v = uniform(0, 1))[37]
    source s: poisson(rate = 400 Hz)[19]
    project s -> A.exc: w = 0.3, all_to_all
    project s -> A.exc: {synapse}, all_to_all
"""
    reference, native = network(text, "numpy"), network(text, "native")
    ready = reference.bind(seed=5, steps=80)
    wanted, found = (replace(job(ready, copied(ready), 0, 80), record=()) for _ in range(2))
    same_spikes(reference.runner.run(wanted), native.runner.run(found))
    same(wanted, found)
    assert seen == [frozenset()]


def test_an_index_of_more_than_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As networks of 2^31 synapses have it."""
    monkeypatch.setattr(turned, "WORTH", np.inf)
    reference, native = network(NETWORKS["sparse"], "numpy"), network(NETWORKS["sparse"], "native")
    ready = reference.bind(seed=5, steps=60)
    for p in ready.network.projections:
        if p.back is not None:
            assert p.back.synapse.dtype == np.int32
            vars(p.back)["synapse"] = p.back.synapse.astype(np.int64)
    wanted, found = (replace(job(ready, copied(ready), 0, 60), record=()) for _ in range(2))
    same_spikes(reference.runner.run(wanted), native.runner.run(found))
    same(wanted, found)


# --- when it pays


DRIVEN = """
    population E: Leaky(v = uniform(0, 1))[40]
    source fast: poisson(rate = 900 Hz)[20]
    source s: poisson(rate = {rate})[90]
    project fast -> E.exc: w = 0.5, all_to_all
    project s -> E.exc: Pair(w = uniform(0, 0.1)), all_to_all
"""


def pays(target: float, source: float, steps: int, ready: Ready) -> bool:
    """The rule, for spikes of a cell and step."""
    (p,) = (p for p in ready.network.projections if p.synapse is not None)
    rates: Mapping[str, float] = {"E": target, "s": source}
    return turned.pays(p, rates, steps)


def test_turning_pays_where_targets_fire_more_often_for_long_enough() -> None:
    ready = network(DRIVEN.format(rate="20 Hz"), "numpy").bind(seed=1, steps=1)
    assert pays(0.01, 0.002, 1000, ready)
    assert not pays(0.01, 0.002, 300, ready)
    assert not pays(0.002, 0.01, 100_000, ready)
    assert not turned.pays(ready.network.projections[1], {}, 100_000)


@pytest.mark.parametrize(("rate", "turns"), [("2 Hz", True), ("900 Hz", False)])
def test_a_run_turns_by_what_has_fired_so_far(rate: str, turns: bool, seen: list[frozenset[str]]) -> None:
    """Spikes of the job before decide; the bits are those of a run from checkpoint to checkpoint, and of NumPy."""
    text = DRIVEN.format(rate=rate)
    whole = network(text, "native").run("300 ms", seed=3, threads=1)
    assert seen[0] == frozenset() and any(seen) == turns
    part = network(text, "native").run("110 ms", seed=3, threads=1)
    rest = network(text, "native").run("190 ms", seed=3, threads=1, state=part.state)
    reference = network(text, "numpy").run("300 ms", seed=3)
    for other in (rest, reference):
        for name, values in whole.state.values.items():
            if "spikes" not in name:
                np.testing.assert_array_equal(other.state.values[name], values, err_msg=name)
    np.testing.assert_array_equal(reference["E"].stamps, whole["E"].stamps)
