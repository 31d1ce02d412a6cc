"""Spikes of targets that wait for the source's next event, on the native target: the reference's bits, and who waits, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from birc.backends import Dtype
from birc.backends.c_family import build
from birc.backends.native.network import driven, load_network, turned
from birc.explained import explain_network
from birc.ir.driven import why_not
from birc.lowering import lower_network
from birc.networks import CompiledNetwork
from tests.backends.native_calls import watched
from tests.backends.test_native_network import copied, job, same, same_spikes
from tests.backends.test_native_turned import NETWORKS as TURNED
from tests.backends.test_native_turned import RULES
from tests.networks.written import compiled, network_of

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")

MORE = (
    RULES.removesuffix("\nnetwork N:\n")
    + """
synapse Modulated:
    \"\"\"What its handlers read lies on all sides; a lazily kept state does not decay towards 0.\"\"\"
    param up = 0.01, tau = 20 ms
    state w = 0.15 in [0, 1], c = 0.5
    input DA: 1
    input u: 1
    trace x of pre: tau = tau
    trace near of pre: tau = 15 ms, nearest
    trace y of post: tau = 20 ms
    50 ms * c' = 0.3 - c
    on pre:
        c -= 0.2 * y
        w += 0.01 * c * DA
        send w
    on post:
        c += 0.3 * x - 0.1 * y
        w += up * c * DA * near + 0.01 * u

network N:
"""
)

NETWORKS = {
    "sparse": TURNED["sparse"],
    "delays": """
    population A: Leaky(v = uniform(0, 1))[70]
    population B: Leaky(v = uniform(0, 1))[40]
    source s: poisson(rate = 400 Hz)[83]
    source reward: poisson(rate = 50 Hz)[3]
    signal DA: tau = 30 ms
    project reward -> DA: w = 0.3, all_to_all, axon = 1 ms
    project s -> A.exc: Pair(w = uniform(0, 0.3)), random(p = 0.5), axon = 3 ms
    project s -> B.exc: Nearest(w = 0.1), random(p = 0.5), axon = 3 ms, back = 2 ms
    project s[3:60] -> B[5:30].exc: Triplet(A2 = uniform(0, 0.02)), random(p = 0.4), axon = 1 ms, dend = 2 ms
    project A -> A.inh: Triplet(w = uniform(0, 0.05)), random(p = 0.3), dend = 2 ms
    project A -> B.exc: Modulated(u = post.v, DA = DA, up = uniform(0.01, 0.02)), random(p = 0.3), dend = uniform(1 ms, 5 ms), back = 1 ms
    project A[5:50] -> B.exc: Modulated(u = post.o, DA = DA), random(p = 0.3), axon = uniform(1 ms, 3 ms)
    project B -> A.exc: Modulated(DA = DA), fixed_indegree(k = 9), multapses, axon = uniform(0 ms, 3 ms), dend = 2 ms
""",
}


def network(text: str, target: str, dtype: Dtype = "f64") -> CompiledNetwork:
    """A network of the rules above."""
    return compiled(MORE + text, target, dtype=dtype)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """All that may wait waits; the projections that did, by job. Threads are used whatever the size."""
    found = watched(monkeypatch, "driven")
    monkeypatch.setattr(driven, "LEAST", 0)
    monkeypatch.setattr(driven, "SELDOM", 0)
    return found


def waiting(native: CompiledNetwork) -> frozenset[str]:
    """The projections whose rules and delays let spikes of targets wait."""
    return frozenset(p.name for p in native.artifact.program.projections if why_not(p) is None)


@pytest.mark.parametrize(("window", "share"), [(driven.WINDOW, driven.SHARE), (7, 1), (driven.WINDOW, 1 << 30)])
@pytest.mark.parametrize(("name", "dtype"), [("sparse", "f64"), ("delays", "f64"), ("delays", "f32")])
def test_equal_to_the_reference_bit_for_bit(
    name: str, dtype: Dtype, window: int, share: int, seen: list[frozenset[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one job and in several, on one, two and three threads, with a history that is full after some steps or spikes."""
    monkeypatch.setattr(driven, "WINDOW", window)
    monkeypatch.setattr(driven, "SHARE", share)
    steps = 150
    reference, native = network(NETWORKS[name], "numpy", dtype), network(NETWORKS[name], "native", dtype)
    ready = reference.bind(seed=5, steps=steps)
    wanted = replace(job(ready, copied(ready), 0, steps), record=())
    spikes = reference.runner.run(wanted)
    for threads in (1, 2, 3):
        found = replace(job(ready, copied(ready), 0, steps, threads=threads), record=())
        same_spikes(spikes, native.runner.run(found))
        same(wanted, found)
    state = copied(ready)
    for start, stop in ((0, 1), (1, 37), (37, steps)):
        part = replace(job(ready, state, start, stop - start, threads=2), record=())
        native.runner.run(part)
    same(wanted, part)
    assert set(seen) == {waiting(native)}
    for p in waiting(native):
        assert any(
            (found.state[key] != ready.state[key]).any() for key in ready.state if key.startswith(f"{p}.") and key.endswith((".w", ".c"))
        ), p


@pytest.mark.parametrize("name", NETWORKS)
def test_recorded_states(name: str, seen: list[frozenset[str]]) -> None:
    """What is recorded of synapses, at any interval, is what it would be had all spikes acted at once."""
    reference, native = network(NETWORKS[name], "numpy"), network(NETWORKS[name], "native")
    ready = reference.bind(seed=5, steps=90)
    for every in (1, 7, 40):
        wanted, found = (job(ready, copied(ready), 0, 90, threads=2) for _ in range(2))
        kept = tuple(replace(r, every=every, rows=np.zeros((90 // every, r.rows.shape[1]), r.rows.dtype)) for r in wanted.record)
        wanted = replace(wanted, record=kept)
        found = replace(found, record=tuple(replace(r, rows=np.zeros_like(r.rows)) for r in kept))
        same_spikes(reference.runner.run(wanted), native.runner.run(found))
        same(wanted, found)
    assert set(seen) == {waiting(native)}


def test_a_run_goes_on_from_the_middle_of_a_window(seen: list[frozenset[str]]) -> None:
    """A state that is saved between two events of a source holds what its targets' spikes did."""
    whole = network(NETWORKS["delays"], "native").run("130 ms", seed=3, threads=1)
    part = network(NETWORKS["delays"], "native").run("53 ms", seed=3, threads=1)
    rest = network(NETWORKS["delays"], "native").run("77 ms", seed=3, threads=2, state=part.state)
    reference = network(NETWORKS["delays"], "numpy").run("130 ms", seed=3)
    for other in (rest, reference):
        for name, values in whole.state.values.items():
            if "spikes" not in name:
                np.testing.assert_array_equal(other.state.values[name], values, err_msg=name)
    assert all(seen)


def test_nothing_is_indexed_by_target(seen: list[frozenset[str]]) -> None:
    native = network(NETWORKS["delays"], "native")
    ready = native.bind(seed=5, steps=10)
    native.runner.run(replace(job(ready, copied(ready), 0, 10), record=()))
    for p in ready.network.projections:
        assert p.back is None or not {"synapse", "edges"} & vars(p.back).keys(), p.name


DRAWN = """
    population A: Leaky(v = uniform(0, 1))[{n}]
    population B: Leaky(v = uniform(0, 1))[{m}]
    source s: poisson(rate = {rate} Hz)[{k}]
    project s -> A.exc: Pair(w = uniform(0, 0.4)), random(p = {p}), axon = {axon} ms
    project s -> B.exc: Triplet(w = 0.3), random(p = {p}), axon = {axon} ms, back = {back} ms
    project A -> B.exc: Nearest, random(p = 0.5), axon = {axon} ms, dend = {dend} ms
    project A -> A.inh: Triplet(w = uniform(0, 0.05)), random(p = {p}), axon = 1 ms, back = {back} ms
    project B -> A.exc: Pair(w = 0.1), random(p = 0.3), axon = uniform({axon} ms, 6 ms), dend = {dend} ms, back = {back} ms
"""


@given(
    values=st.fixed_dictionaries(
        {
            "n": st.integers(2, 40),
            "m": st.integers(2, 70),
            "k": st.integers(2, 50),
            "rate": st.sampled_from((20, 300, 900)),
            "p": st.sampled_from((0.1, 0.5, 0.9)),
            "axon": st.integers(1, 4),
            "dend": st.integers(0, 3),
            "back": st.integers(0, 3),
        }
    ),
    window=st.integers(1, 30),
    seed=st.integers(0, 1 << 31),
    threads=st.integers(1, 3),
    cuts=st.lists(st.integers(1, 59), max_size=3),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_network(
    values: dict[str, Any],
    window: int,
    seed: int,
    threads: int,
    cuts: list[int],
    seen: list[frozenset[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of any size, rate and delays, cut into any jobs."""
    monkeypatch.setattr(driven, "WINDOW", window)
    reference, native = (network(DRAWN.format(**values), target) for target in ("numpy", "native"))
    ready = reference.bind(seed=seed, steps=60)
    wanted = replace(job(ready, copied(ready), 0, 60), record=())
    reference.runner.run(wanted)
    state = copied(ready)
    stops = sorted({*cuts, 60})
    for start, stop in zip([0, *stops], stops, strict=False):
        found = replace(job(ready, state, start, stop - start, threads=threads), record=())
        native.runner.run(found)
    same(wanted, found)


# --- that these tests would tell


WRONG = {
    "no flush": ("catch_up(p, now.thread, i, at, c, own_part(p, at, targets), post);", ""),
    "the source's present trace": (
        "path[step * TOGETHER + c] = x[c] *= decay",
        "path[step * TOGETHER + c] = c < count ? trace.values[source[c]] : 0",
    ),
    "the target's present values": (
        "d.noted[k].to[at] = d.noted[k].from[j * d.noted[k].by];",
        "for (int32 s = (int32)at; s >= 0; s = d.before[s]) d.noted[k].to[s] = d.noted[k].from[j * d.noted[k].by];",
    ),
    "a trace that has risen": ("path[c] = before;", "path[c] = before + real(many[source[c]]);"),
    "a trace that does not rise": ("x[c] = !many[source[c]] ? before", "x[c] = true ? before"),
    "newer spikes first": ("while (round-- > 0) {", "for (int64 last = round, i = 0; i < last; i++) { round = i;"),
    "one spike too few": ("count += spike >= since;\n    }\n    rounds", "count += spike > since;\n    }\n    rounds"),
    "one spike of each target": ("count += spike >= since;\n        }", "}"),
    "spikes of a stamp before its events": (
        "if (p.late) summed(p, now, [&](auto send) { arrive(p, now, LATE, send); });\n        if (p.driven) return",
        "if (p.driven) behind_with_late(p, now);\n"
        "        if (p.late) summed(p, now, [&](auto send) { arrive(p, now, LATE, send); });\n"
        "        if (p.driven) return;\n        if (false) return",
    ),
}
SMALL = """
    population A: Leaky(v = uniform(0, 1))[40]
    source s: poisson(rate = 400 Hz)[40]
    project s -> A.exc: w = 0.3, random(p = 0.3), axon = 1 ms
    project A -> A.inh: Triplet(w = 0.02), random(p = 0.5), dend = 2 ms, back = {back} ms
"""


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_seen(what: str, seen: list[frozenset[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of the program changes a state."""
    monkeypatch.setattr(driven, "WINDOW", 40)
    text = SMALL.format(back=0 if what.startswith("spikes of a stamp") else 2)
    reference, native = network(text, "numpy"), network(text, "native")
    ready = reference.bind(seed=5, steps=150)
    wanted, found, wrong = (replace(job(ready, copied(ready), 0, 150), record=()) for _ in range(3))
    reference.runner.run(wanted)
    native.runner.run(found)
    same(wanted, found)
    before, after = WRONG[what]
    ((name, program),) = native.artifact.files.items()
    assert isinstance(program, str) and program.count(before) == 1
    load_network(replace(native.artifact, files={name: program.replace(before, after)})).run(wrong)
    with pytest.raises(AssertionError):
        same(wanted, wrong)


# --- who waits


CELLS = """
    population A: Leaky[6]
    population B: Leaky[6]
    signal DA: tau = 30 ms
"""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("project A -> B.exc: Pair, random(p = 0.5)", None),
        ("project A -> B.exc: Triplet, random(p = 0.5), axon = uniform(1 ms, 3 ms), dend = 2 ms", None),
        ("project A -> B.exc: Voltage(u = post.v), random(p = 0.5)", None),
        ("project A -> B.exc: Reward(DA = DA), random(p = 0.5)", None),
        ("project A -> B.exc: Voltage(u = pre.v), random(p = 0.5)", "`on post` reads pre.v of the source, of which nothing is kept"),
        ("project A -> B.exc: Flowing(DA = DA), random(p = 0.5)", "its states change in each step"),
        ("project A -> B.exc: Modulated(tau = uniform(10 ms, 20 ms)), random(p = 0.5)", "its states change in each step"),
        ("project A -> B.exc: Depressing, random(p = 0.5)", "nothing happens at a spike of the target"),
        ("project A -> B.exc: w = 1, random(p = 0.5)", "nothing happens at a spike of the target"),
        (
            "project A -> B.exc: Pair, random(p = 0.5), dend = uniform(1 ms, 3 ms)",
            "spikes of a target reach its synapses at different times",
        ),
        ("project A -> B.exc: Pair, random(p = 0.5), dend = uniform(1 ms, 3 ms), back = 1 ms", None),
        ("project A -> DA: Pair, all_to_all, axon = 1 ms", "it reaches a signal, which does not fire"),
    ],
)
def test_rules_that_allow_it(line: str, reason: str | None) -> None:
    (made,) = lower_network(network_of(f"{MORE}{CELLS}    {line}\n")).projections
    assert why_not(made) == reason


def test_a_handler_that_sent_would_not_wait() -> None:
    """The language has none (M120)."""
    (made,) = lower_network(network_of(f"{MORE}{CELLS}    project A -> B.exc: Pair, random(p = 0.5)\n")).projections
    assert made.synapse is not None and made.synapse.post is not None
    sends = replace(made.synapse.post, outputs=made.synapse.pre.outputs)
    assert why_not(replace(made, synapse=replace(made.synapse, post=sends))) == "`on post` sends"


@pytest.mark.parametrize(
    ("line", "how", "reason"),
    [
        (
            "project A -> B.exc: Pair, random(p = 0.5)",
            "act at once, or with the next event of the source",
            "nothing tells the difference; they wait on native from 4,194,304 synapses on, which then have no index by target",
        ),
        ("project A -> B.exc: Pair, all_to_all", "act at once", "no index by target is needed"),
        ("project A -> B.exc: Flowing(DA = DA), all_to_all", "act at once", "its states change in each step"),
    ],
)
def test_explained(line: str, how: str, reason: str) -> None:
    (row,) = (r for r in explain_network(network_of(f"{MORE}{CELLS}    {line}\n")) if r.variable.endswith(": spikes of targets"))
    assert (row.method, row.reason) == (how, reason)


def test_synapses_at_whose_targets_nothing_happens_say_nothing() -> None:
    rows = explain_network(network_of(f"{MORE}{CELLS}    project A -> B.exc: Depressing, all_to_all\n"))
    assert not [r for r in rows if r.variable.endswith(": spikes of targets")]


REPORTED = """
    population A: Leaky(v = uniform(0, 1))[20]
    population B: Leaky[20]
    signal DA: tau = 30 ms
    project A -> B.exc: Pair, random(p = 0.5), axon = 1 ms
    project A -> B.inh: Flowing(DA = DA), random(p = 0.5), axon = 1 ms
    project A -> B.inh: Depressing, random(p = 0.5), axon = 1 ms
    project B -> A.exc: Pair, all_to_all, axon = 1 ms
    project B -> A.inh: Triplet, random(p = 0), axon = 1 ms
"""


def test_the_manifest_says_who_may_wait_and_that_of_a_run_who_did(monkeypatch: pytest.MonkeyPatch) -> None:
    native = network(REPORTED, "native")
    assert native.artifact.manifest["on_post"] == {
        "A -> B.exc": "may wait for the next event of the source",
        "A -> B.inh": "its states change in each step",
        "B -> A.exc": "may wait for the next event of the source",
        "B -> A.inh": "may wait for the next event of the source",
    }
    out = native.run("5 ms", seed=1)
    count = len(out.synapses("A -> B.exc").source)
    said = {
        "A -> B.exc": f"at once: {count} synapses, fewer than 4,194,304",
        "A -> B.inh": "at once: its states change in each step",
        "B -> A.exc": "at once: every source reaches every target, so that no index is needed",
        "B -> A.inh": "at once: there are no synapses",
    }
    assert out.manifest["on_post"] == said
    monkeypatch.setattr(driven, "LEAST", 100)
    out = network(REPORTED, "native").run("5 ms", seed=1)
    assert out.manifest["on_post"] == {
        **said,
        "A -> B.exc": f"with the next event of the source: {count} synapses without an index by target",
    }
    assert json.loads(json.dumps(dict(out.manifest))) == out.manifest
    assert "on_post" not in network(REPORTED, "numpy").run("5 ms", seed=1).manifest


@pytest.mark.parametrize(("every", "waits"), [(1, False), (999, False), (1000, True), (0, True)])
def test_states_that_are_recorded_often(every: int, waits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """To let all spikes act takes a look at every synapse."""
    monkeypatch.setattr(driven, "LEAST", 1)
    p = next(p for p in network(REPORTED, "numpy").bind(seed=1, steps=1).network.projections if p.name == "A -> B.exc")
    found = driven.on_post(p, None, False, every)
    assert found.waits == waits
    if not waits:
        assert found.reason == f"a state of the synapses is recorded in every {every} steps"


def test_a_handler_that_reads_very_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of what it reads is on the stack."""
    monkeypatch.setattr(driven, "LEAST", 1)
    p = next(p for p in network(REPORTED, "numpy").bind(seed=1, steps=1).network.projections if p.name == "A -> B.exc")
    assert driven.on_post(p, None, False, 0).waits
    monkeypatch.setattr(driven, "MOST_INPUTS", 0)
    assert driven.on_post(p, None, False, 0) == driven.OnPost(False, "`on post` reads more than 0 values")


def test_what_waits_is_not_turned(seen: list[frozenset[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Synapses lie by source, whatever the rates."""
    monkeypatch.setattr(turned, "WORTH", -np.inf)
    reference, native = network(NETWORKS["sparse"], "numpy"), network(NETWORKS["sparse"], "native")
    ready = reference.bind(seed=5, steps=60)
    wanted, found = (replace(job(ready, copied(ready), 0, 60), record=()) for _ in range(2))
    same_spikes(reference.runner.run(wanted), native.runner.run(found))
    same(wanted, found)
    assert set(seen) == {waiting(native)}


@pytest.mark.parametrize("name", ["Past", "Late", "Moment", "Driven"])
def test_models_may_be_called_what_the_frame_has(name: str, seen: list[frozenset[str]]) -> None:
    """Types of the frame have their names for themselves, and those of models are changed."""
    text = REPORTED.replace("Pair", name)
    out = compiled(MORE.replace("synapse Pair:", f"synapse {name}:").replace("network N:\n", "") + "\nnetwork N:" + text, "native").run(
        "5 ms"
    )
    assert out.steps == 5 and "A -> B.exc" in seen[0]
