"""Networks on the native target: the reference's spikes and states to the bit, for any number of threads and any stretches."""

from __future__ import annotations

import inspect
import platform
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from birc.backends import Array, Dtype
from birc.backends.c_family import build
from birc.backends.native.network import call, driven, fixed
from birc.backends.native.network.fixed import least_word, pairs_ahead
from birc.backends.native.network.held import Held
from birc.backends.native.network.run import NativeNetwork
from birc.backends.networks import HISTORY_INDEX, HISTORY_MANY, LAST, QUEUE_PAYLOAD, QUEUE_STAMP, Kept, NetworkJob
from birc.errors import BircError
from birc.ir.random import poisson, rare_events, uniform_of, uniform_of_cells
from birc.networks import CompiledNetwork
from birc.runtime.network.bind import Ready
from tests.backends.test_native_code import ALLOWED, ARITHMETIC, assembly, calls, instructions
from tests.conftest import Golden
from tests.networks import test_semantics
from tests.networks.written import RELAY, compiled

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")

DTYPES: tuple[Dtype, ...] = ("f64", "f32")

MODELS = (
    RELAY
    + """
neuron Leaky:
    param tau = 10 ms, v_th = 1, t_ref = 2 ms
    state v = 0, g = 0, u = 0
    input I: 1
    output o: 1 = 2 * v - u
    tau * v' = g - u - v + I
    5 ms * g' = -g
    8 ms * u' = -u
    on exc(w: 1): g += w
    on inh(w: 1): u += w
    spike when v >= v_th:
        v = 0
    refractory t_ref: hold v

neuron Steps:
    \"\"\"Events at `pull` act one by one, between two that are summed.\"\"\"
    state v = 0, n = 0
    noise xi
    5 ms * v' = -v + (0.05 ms)^0.5 * xi
    on exc(w: 1): v += w
    on pull(a: 1): v += a * (2 - v)
    on more(w: 1): n += w
    spike when v >= 1.2:
        v = 0

synapse Pair:
    param A_p = 0.02, A_m = 0.025
    state w = 0.3 in [0, 1]
    trace x of pre: tau = 20 ms
    trace y of post: tau = 15 ms
    on pre:
        w -= A_m * y
        send w
    on post:
        w += A_p * x

synapse Nearest:
    state w = 0.4, c = 0
    trace x of pre: tau = 20 ms, nearest
    trace y of post: tau = 15 ms
    30 ms * c' = -c
    on pre:
        c += 0.1 * y
        send w + c
        send 0.5 * w
    on post:
        w += 0.01 * x + 0.1 * c

synapse Depressing:
    param w = 1, U = 0.3, tau_rec = 80 ms, tau_fac = 50 ms
    state x = 1, u = 0
    tau_rec * x' = 1 - x
    tau_fac * u' = -u
    on pre:
        u += U * (1 - u)
        send w * u * x
        x -= u * x

synapse Flowing:
    state w = 0.2, c = 0
    input DA: 1
    trace x of pre: tau = 20 ms
    trace y of post: tau = 15 ms
    noise xi
    100 ms * c' = -c + (0.05 ms)^0.5 * xi
    step w = w + 0.001 * c * (DA - 0.2)
    on pre:
        c -= 0.3 * y
        send w
    on post:
        c += 0.5 * x
"""
)

NETWORKS = {
    "static": """
    population A: Leaky(v = uniform(0, 1))[130]
    population B: Leaky(tau = uniform(5 ms, 20 ms))[70]
    source s: poisson(rate = 200 Hz)[40]
    source t: regular(rate = 100 Hz)[7]
    project s -> A.exc: w = 1.1, random(p = 0.3), axon = 1 ms
    project s -> A[5:45].inh: w = uniform(0, 0.1), one_to_one, axon = 2 ms
    project t -> B.exc: w = 3, all_to_all, axon = 2 ms
    project A -> B.exc: w = 0.3, random(p = 0.2), axon = uniform(1 ms, 6 ms)
    project A[10:90] -> A[20:120].inh: w = uniform(0, 0.1), random(p = 0.2), axon = 1 ms, dend = 2 ms
    project B -> A.inh: w = 0.2, fixed_indegree(k = 5), multapses, axon = 1 ms
    project B -> B.inh: w = normal(0.2, 0.05), fixed_outdegree(k = 5), axon = 3 ms
""",
    "one by one": """
    population A: Steps(v = uniform(0, 1))[150]
    population B: Steps[40]
    source s: poisson(rate = 900 Hz)[30]
    project s -> A.pull: w = uniform(0, 0.3), random(p = 0.3), axon = 1 ms
    project s -> A.more: w = 1, random(p = 0.3), axon = 1 ms
    project s -> A.more: w = uniform(0, 1), random(p = 0.3), axon = 1 ms
    project A -> A.exc: w = 0.1, random(p = 0.1), axon = 2 ms
    project s -> A.exc: w = uniform(0, 0.001), random(p = 0.3), axon = 1 ms
    project A -> B.pull: Pair(w = uniform(0, 0.5)), random(p = 0.3), axon = uniform(1 ms, 4 ms), back = 1 ms
    project A -> B.pull: Depressing, random(p = 0.1)
    project B -> B.pull: w = 0.2, random(p = 0.2), axon = 1 ms
""",
    "on their way": """
    population A: Steps(v = uniform(0, 1))[150]
    population B: Steps[170]
    source s: poisson(rate = 900 Hz)[30]
    project s -> A.pull: w = uniform(0, 0.3), random(p = 0.3), axon = 1 ms
    project A -> B.pull: Pair(w = uniform(0, 0.5)), random(p = 0.3), axon = uniform(1 ms, 3 ms), dend = 2 ms
    project s -> A.pull: Depressing(w = 0.1), random(p = 0.4), axon = 1 ms, dend = uniform(0 ms, 5 ms)
    project A -> B.pull: Nearest(w = uniform(0, 0.2)), random(p = 0.2), dend = uniform(1 ms, 5 ms), back = 1 ms
    project B -> B.exc: Nearest(w = 0.01), random(p = 0.2), axon = 1 ms, dend = 1 ms
    project B[5:80] -> A[70:120].pull: Pair(w = 0.1), random(p = 0.2), axon = 1 ms, dend = 3 ms
    project A -> A.more: Pair, random(p = 0.1), axon = 1 ms, dend = 1 ms
""",
    "learning": """
    population A: Leaky(v = uniform(0, 1))[60]
    population B: Leaky[90]
    source s: poisson(rate = 700 Hz)[50]
    project s -> A.exc: Pair(w = uniform(0, 0.5)), all_to_all, axon = 1 ms
    project s -> B.exc: Nearest, random(p = 0.2), axon = 2 ms, dend = uniform(1 ms, 5 ms), back = 2 ms
    project A -> B.exc: Pair(A_p = uniform(0, 0.1)), random(p = 0.4), axon = uniform(1 ms, 5 ms)
    project A -> B.inh: Nearest(w = 0.001), all_to_all
    project B[5:80] -> A[10:50].inh: Depressing, random(p = 0.2), dend = 3 ms
    project B -> B.exc: Pair, random(p = 0.1), dend = 2 ms
    project s -> B.exc: w = 1, random(p = 0.1), axon = 1 ms
    project A -> A.exc: Nearest(w = 0.01), all_to_all, axon = 1 ms, back = 3 ms
""",
    "continuous": """
    population A: Leaky(v = uniform(0, 1))[70]
    population B: Leaky[130]
    source s: poisson(rate = 100 Hz)[50]
    source c: current_step(amplitude = 1.3, start = 5 ms)[1]
    source r: current_ramp(initial = 0, final = 2)[130]
    signal DA: tau = 30 ms
    project c -> A.I: all_to_all
    project r -> B.I: w = uniform(0, 1), one_to_one
    project A.o -> B.I: w = 0.02, random(p = 0.2)
    project B.v -> B[10:90].I: w = 0.03, random(p = 0.1)
    project s -> DA: w = 0.02, all_to_all, axon = 2 ms
    project s -> A.exc: Flowing(DA = DA), random(p = 0.3), axon = 1 ms
    project A -> B.exc: Flowing, random(p = 0.3), axon = 1 ms
    project A -> B.exc: Flowing(w = 0.1), random(p = 0.1), axon = 1 ms
""",
    "many delays": """
    population A: Leaky(v = uniform(0, 1))[330]
    population B: Leaky[70]
    population C: Leaky(v = uniform(0, 1))[129]
    source s: poisson(rate = 1.7 kHz)[330]
    source t: poisson(rate = 12 kHz)[60]
    source r: regular(rate = 100 Hz)[70]
    project s -> A.exc: w = 0.25, one_to_one, axon = 15 ms
    project t -> C[20:80].exc: w = uniform(0, 0.03), one_to_one, axon = 5 ms
    project r -> B.exc: w = 2, one_to_one
    project A -> A.inh: w = normal(0.01, 0.001), fixed_total(n = 9000), self, multapses, axon = normal(15 ms, 7 ms)
    project A -> B.exc: w = 0.05, fixed_total(n = 900), self, multapses, axon = normal(15 ms, 7 ms)
    project A[5:300] -> C[10:110].exc: w = normal(0.03, 0.003), fixed_total(n = 2000), multapses, axon = normal(15 ms, 7 ms)
    project A -> C.exc: w = 0.01, random(p = 0.1)
    project C -> A.inh: w = normal(0.01, 0.001), fixed_total(n = 3000), self, multapses, axon = uniform(1 ms, 40 ms)
    project C -> C.exc: w = 0.01, random(p = 0.3), axon = uniform(1 ms, 5 ms)
    project s -> B.exc: w = 0.001, random(p = 0.1), axon = uniform(1 ms, 30 ms)
""",
    "chain": """
    population C: Relay[130]
    population B: Relay[70]
    population A: Relay[70]
    source s: regular(rate = 250 Hz)[70]
    project B -> C.exc: w = 1, fixed_indegree(k = 1)
    project A -> B.exc: Pair(w = 1), one_to_one
    project s -> A.exc: w = 1, one_to_one
    project C -> A.exc: w = 1, fixed_indegree(k = 2), axon = 3 ms
""",
}


def network(name: str, target: str, dtype: Dtype) -> CompiledNetwork:
    """One of the networks above for a target."""
    return compiled(f"{MODELS}\nnetwork N:{NETWORKS[name]}", target, dtype=dtype)


def bound(made: CompiledNetwork, steps: int) -> Ready:
    """A network's numbers; its second continuous value between cells flows through gaps, its second and third plastic projection are fed by
    their neurons."""
    ready = made.bind(seed=11, steps=steps)
    couplings = tuple(replace(c, gap=c.variable == "v") for c in ready.network.couplings)
    feeds = iter([{"DA": ("signal", "DA")}, {"DA": ("pre", "v")}, {"DA": ("post", "o")}])
    projections = tuple(
        replace(p, inputs=next(feeds)) if p.synapse is not None and p.synapse.inputs else p for p in ready.network.projections
    )
    return replace(ready, network=replace(ready.network, couplings=couplings, projections=projections))


def job(ready: Ready, state: dict[str, Any], start: int, steps: int, **changes: Any) -> NetworkJob:
    """Some steps, with everything recorded that stays a row."""
    values = {name: np.ascontiguousarray(source.rows(start, steps)) for name, source in ready.values.items()}
    kept = [
        (name, a)
        for name, a in state.items()
        if "spikes" not in name and not name.endswith((LAST, QUEUE_PAYLOAD)) and a.ndim == 1 and len(a)
    ]
    record = tuple(
        Kept(name, np.zeros(((start + steps) // every - start // every, len(a) - first), a.dtype), first, every)
        for i, (name, a) in enumerate(kept)
        for every, first in [(1 + i % 3, i % min(2, len(a)))]
    )
    return NetworkJob(ready.network, start, steps, state, values, record=record, seed=11, **changes)


def in_use(state: dict[str, Any]) -> dict[str, Any]:
    """A state without what is left over in rows of spikes."""
    return {name: a for name, a in state.items() if not name.endswith((HISTORY_INDEX, HISTORY_MANY))}


def same(a: NetworkJob, b: NetworkJob) -> None:
    """States and recordings are equal, bit for bit."""
    for name, x in in_use(dict(a.state)).items():
        np.testing.assert_array_equal(b.state[name], x, err_msg=name)
    for x, y in zip(a.record, b.record, strict=True):
        np.testing.assert_array_equal(y.rows, x.rows, err_msg=x.variable)


def same_spikes(a: Any, b: Any) -> None:
    """The same spikes of every group, in order and in the same types."""
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(b[name].index, a[name].index, err_msg=name)
        np.testing.assert_array_equal(b[name].stamp, a[name].stamp, err_msg=name)
        assert (b[name].index.dtype, b[name].stamp.dtype) == (np.int32, np.int64)


def copied(ready: Ready) -> dict[str, Any]:
    """A state of one's own."""
    return {name: a.copy() for name, a in ready.state.items()}


QUICK = ("static", "learning")


@pytest.mark.parametrize("dtype", ["f64", pytest.param("f32", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS])
def test_equal_to_the_reference_bit_for_bit(name: str, dtype: Dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one stretch and in several, on one, two and three threads."""
    monkeypatch.setattr(call, "NEURONS", 1)
    steps = 120
    reference, native = network(name, "numpy", dtype), network(name, "native", dtype)
    ready = bound(reference, steps)
    wanted = job(ready, copied(ready), 0, steps)
    spikes = reference.runner.run(wanted)
    assert all(len(found.index) for found in spikes.values()), {k: len(v.index) for k, v in spikes.items()}
    for threads in (1, 2, 3):
        found = job(ready, copied(ready), 0, steps, threads=threads)
        same_spikes(spikes, native.runner.run(found))
        same(wanted, found)
    state = copied(ready)
    parts = [job(ready, state, start, stop - start) for start, stop in ((0, 1), (1, 37), (37, steps))]
    pieces = [native.runner.run(part) for part in parts]
    for group, x in spikes.items():
        np.testing.assert_array_equal(np.concatenate([part[group].index for part in pieces]), x.index)
        np.testing.assert_array_equal(np.concatenate([part[group].stamp for part in pieces]), x.stamp)
    same(replace(wanted, record=()), replace(parts[-1], record=()))


# --- what a step means


CASES = [
    name
    for name, case in inspect.getmembers(test_semantics, inspect.isfunction)
    if name.startswith("test_") and "compiled(" in inspect.getsource(case)
]


@pytest.mark.parametrize("name", CASES)
def test_cases_worked_out_by_hand(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the reference: coincidence, delays, chains without delay, equal stamps, left limits, payloads on their way."""
    monkeypatch.setattr(test_semantics, "compiled", partial(compiled, target="native"))
    case = getattr(test_semantics, name)
    case(**{key: value for key, value in {"tmp_path": tmp_path}.items() if key in inspect.signature(case).parameters})


def spikes_of_a_source(rate: str, table: Array | None = None, n: int = 701, threads: int = 1) -> tuple[Any, Array]:
    """What a source of n cells sends in 80 steps, with a table of its own if one is given, and the counts of the reference [80, n]."""
    made = compiled(f"{RELAY}\nnetwork N:\n    population A: Relay[1]\n    source s: poisson(rate = {rate})[{n}]\n", "native")
    ready = made.bind(seed=7, steps=80)
    (source,) = ready.network.sources
    source = source if table is None else replace(source, poisson=table, apart=None)
    found = made.runner.run(NetworkJob(replace(ready.network, sources=(source,)), 0, 80, copied(ready), seed=7, threads=threads))["s"]
    if source.poisson is not None:
        return found, np.stack([poisson(source.poisson, uniform_of_cells(7, source.stream, k, n)) for k in range(80)])
    assert source.apart is not None
    counts = np.zeros((80, n), np.int32)
    for k in range(80):
        index, many = rare_events(7, source.stream, k, n, source.apart)
        counts[k, index] = many
    return found, counts


def assert_spikes(found: Any, counts: Array) -> None:
    stamp, index = np.nonzero(counts)
    many = counts[stamp, index]
    np.testing.assert_array_equal(found.index, np.repeat(index, many))
    np.testing.assert_array_equal(found.stamp, np.repeat(stamp + 1, many))


@pytest.mark.parametrize("rate", ["0 Hz", "0.01 Hz", "30 Hz", "312 Hz", "313 Hz", "900 Hz", "40 kHz"])
def test_poisson_counts_are_those_of_the_stream(rate: str) -> None:
    assert_spikes(*spikes_of_a_source(rate))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("rate", ["30 Hz", "900 Hz"])
def test_sources_of_several_fields(rate: str, threads: int) -> None:
    """Threads share fields of 1024 cells, or blocks of 256; the last one is not full."""
    assert_spikes(*spikes_of_a_source(rate, n=3 * 1024 + 5, threads=threads))


@pytest.mark.parametrize("start", [0, 3, 77])
def test_gaps_that_are_drawn_ahead(start: int) -> None:
    """Eight steps at once from wherever a job starts; steps with more events than most draw further gaps by themselves."""
    made = compiled(f"{RELAY}\nnetwork N:\n    population A: Relay[1]\n    source s: poisson(rate = 20 Hz)[1500]\n", "native")
    ready = made.bind(seed=7, steps=start + 80)
    (source,) = ready.network.sources
    assert source.apart is not None
    found = made.runner.run(NetworkJob(ready.network, start, 80, copied(ready), seed=7))["s"]
    counts = np.zeros((start + 80, 1500), np.int32)
    for k in range(start, start + 80):
        index, many = rare_events(7, source.stream, k, 1500, source.apart)
        counts[k, index] = many
    assert_spikes(found, counts)
    in_fields = np.add.reduceat(counts, [0, 1024], axis=1)
    assert in_fields[:, 0].max() >= 2 * pairs_ahead(1024 / source.apart) > in_fields[start:, 0].mean()


@pytest.mark.parametrize("off", [0, 1, -1])
def test_a_draw_is_finished_where_its_upper_word_is_that_of_a_probability(off: int) -> None:
    """Probabilities that are draws of this very run, and those next to them."""
    stream = compiled_stream()
    draws = np.sort(np.concatenate([uniform_of_cells(7, stream, k, 701) for k in range(80)]))
    table = draws[np.linspace(0, len(draws) - 1, 7).astype(int)]
    table = np.nextafter(table, off * np.inf) if off else table
    found, counts = spikes_of_a_source("30 Hz", np.append(table, 1.0))
    assert counts.max() == (6 if off >= 0 else 7)
    assert_spikes(found, counts)


def compiled_stream() -> int:
    """The stream of the source of `spikes_of_a_source`."""
    made = compiled(f"{RELAY}\nnetwork N:\n    population A: Relay[1]\n    source s: poisson(rate = 1 Hz)[1]\n", "native")
    return int(made.bind(seed=7, steps=1).network.sources[0].stream)


@pytest.mark.parametrize("probability", [0.0, 1e-12, 0.3, 0.95, 1 - 2.0**-53, 1.0])
def test_the_upper_word_of_a_draw_tells_most_that_are_no_event(probability: float) -> None:
    """No draw above the probability begins below the least word, and one that begins with it may be above, but for the largest word."""
    word = least_word(probability)
    last = np.array([2**32 - 1], np.uint64)
    assert word == 0 or uniform_of(np.array([word - 1], np.uint64), last)[0] <= probability
    assert word == 2**32 - 1 or uniform_of(np.array([word], np.uint64), last)[0] > probability


def test_spikes_beyond_the_room_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call ends where the next step's spikes may find no room, and the next one goes on."""
    monkeypatch.setattr(call, "ROOM", 1)
    made = network("chain", "native", "f64")
    ready = bound(made, 60)
    whole = network("chain", "numpy", "f64").runner.run(job(ready, copied(ready), 0, 60))
    same_spikes(whole, made.runner.run(job(ready, copied(ready), 0, 60)))


def test_delivery_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches of targets may be cut at any block; too many of them at once are delivered directly."""
    monkeypatch.setattr(fixed, "BLOCKS", (64,))
    monkeypatch.setattr(fixed, "WORTH", 0)
    monkeypatch.setattr(call, "NEURONS", 1)
    text = """
    population A: Leaky(v = uniform(0, 1))[700]
    source s: poisson(rate = 100 Hz)[2000]
    source few: poisson(rate = 10 Hz)[100]
    project s -> A.exc: w = uniform(0, 0.01), random(p = 0.3), axon = 1 ms
    project few -> A[50:650].exc: w = 1, random(p = 0.5), axon = 2 ms
    project A -> A.inh: w = 0.1, random(p = 0.02), axon = 1 ms
"""
    monkeypatch.setitem(NETWORKS, "blocks", text)
    reference, native = network("blocks", "numpy", "f32"), network("blocks", "native", "f32")
    ready = bound(reference, 40)
    wanted = job(ready, copied(ready), 0, 40)
    spikes = reference.runner.run(wanted)
    assert len(spikes["A"].index) > 100
    for threads in (1, 2):
        found = job(ready, copied(ready), 0, 40, threads=threads)
        same_spikes(spikes, native.runner.run(found))
        same(wanted, found)


def test_rows_that_are_too_long_for_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where their synapses begin is then read where the edges say it."""
    monkeypatch.setattr(fixed, "LONGEST", 25)
    monkeypatch.setattr(call, "NEURONS", 1)
    made = network("many delays", "native", "f32")
    ready = bound(made, 60)
    wanted = job(ready, copied(ready), 0, 60)
    spikes = network("many delays", "numpy", "f32").runner.run(wanted)
    found = job(ready, copied(ready), 0, 60, threads=2)
    same_spikes(spikes, made.runner.run(found))
    same(wanted, found)
    tables = {name: step > 0 for name, (_, step) in made.runner.fixed.rows.items()}  # type: ignore[attr-defined]
    assert tables["A -> B.exc"] and not tables["A -> A.inh"]


def test_what_decays_beyond_the_last_neuron_is_0() -> None:
    """A copy of a neuron that nothing reaches would become subnormal, which takes a processor a hundred times as long."""
    state = {"A.g": np.full(37, 0.5)}
    held = Held(state, np.float64, 32)
    lanes = held.neurons("A.g")
    assert len(lanes) == 64 and (lanes[:37] == 0.5).all() and not lanes[37:].any()
    lanes *= 2
    held.finish()
    assert (state["A.g"] == 1).all()


def test_threads_share_the_work_of_a_stage() -> None:
    """Each group stands behind those ahead of it, by the synapses onto it and by its neurons."""
    ready = bound(network("chain", "native", "f64"), 5)
    stages = fixed.stages(ready.network)
    assert ready.network.order == ("A", "B", "C") and stages == [0, 1, 2, 3]
    alone = {"A": 70 * fixed.NEURON + 140 + 70, "B": 70 * fixed.NEURON + 70, "C": 130 * fixed.NEURON + 130}
    assert fixed.shares(ready.network, stages) == {"s": (0, 70, 70)} | {name: (0, work, work) for name, work in alone.items()}
    first, second = alone["A"], alone["B"]
    assert fixed.shares(ready.network, [0, 2, 3])["B"] == (first, second, first + second)


# --- events on their way


@pytest.mark.parametrize("least", [0, driven.LEAST])
def test_events_on_their_way_are_those_of_the_reference(least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed from one job to the next, by more and by fewer threads; also where spikes of the targets wait."""
    monkeypatch.setattr(call, "NEURONS", 1)
    monkeypatch.setattr(driven, "LEAST", least)
    reference, native = network("on their way", "numpy", "f64"), network("on their way", "native", "f64")
    ready = bound(reference, 90)
    wanted, found = copied(ready), copied(ready)
    most = 0
    for turn, threads in enumerate((3, 1, 2, 1, 3, 2)):
        reference.runner.run(replace(job(ready, wanted, 15 * turn, 15), record=()))
        native.runner.run(replace(job(ready, found, 15 * turn, 15, threads=threads), record=()))
        for name, x in in_use(wanted).items():
            np.testing.assert_array_equal(found[name], x, err_msg=name)
        most = max(most, *(len(found[name]) for name in found if name.endswith(QUEUE_STAMP)))
    assert most > 100


def test_events_for_which_there_is_no_memory_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    made = network("on their way", "native", "f64")
    ready, runner = bound(made, 40), cast(NativeNetwork, made.runner)
    monkeypatch.setattr(runner, "source", runner.source.replace("(Event*)realloc(", "room > 16 ? nullptr : (Event*)realloc("))
    with pytest.raises(BircError) as caught:
        runner.run(replace(job(ready, copied(ready), 0, 40), record=()))
    assert str(caught.value) == (
        "error[I145]: there is no memory for what is on its way from A -> B.pull\n"
        "  help: shorter delays behind its synapses, or fewer synapses, keep less on its way"
    )


# --- the text


SMALL = """
neuron Cell:
    state v = 0
    input I: 1
    10 ms * v' = I - v
    on exc(w: 1): v += w
    on jump(a: 1): v += a * (1 - v)
    spike when v >= 1: v = 0

synapse Learn:
    state w = 0.5 in [0, 1]
    trace y of post: tau = 20 ms
    on pre:
        w -= 0.01 * y
        send w

network Small:
    \"\"\"Two populations.\"\"\"
    population A: Cell[10]
    population B: Cell[20]
    project A -> B.exc: w = 0.1, all_to_all, axon = 1 ms
    project A -> B.jump: w = 0.2, all_to_all, axon = 1 ms
    project B -> A.exc: Learn, all_to_all, axon = 1 ms
"""


def text_of(source: str, dtype: Dtype = "f32") -> str:
    """The emitted file."""
    (content,) = compiled(source, "native", dtype=dtype).artifact.files.values()
    assert isinstance(content, str)
    return content


def test_text_of_a_small_network(golden: Golden) -> None:
    text = text_of(SMALL)
    assert text == text_of(SMALL)
    golden.check("golden/backends/native_network.txt", text.partition("// A digit for each bind value")[2])


x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the instructions are those of x86-64")


def part(text: str, name: str) -> str:
    """A function of an assembly."""
    _, _, rest = text.partition(f"\n{name}")
    assert rest, f"{name} is not there"
    return rest.partition(".cfi_endproc")[0].rstrip()


@x86
@pytest.mark.parametrize("dtype", DTYPES)
def test_delivery_is_a_loop_without_calls_and_neurons_are_vector_code(dtype: Dtype, tmp_path: Path) -> None:
    text = assembly(text_of(f"{MODELS}\nnetwork N:{NETWORKS['static']}", dtype), tmp_path)
    letter = {"f32": "s", "f64": "d"}[dtype]
    delivery = part(text, "_ZN4birc7deliver")
    assert calls(delivery) == [] and not any(name.startswith("call") for name in instructions(delivery))
    assert f"adds{letter}" in {name.removeprefix("v") for name in instructions(delivery)}
    tile = part(text, "_ZN12_GLOBAL__N_15Leaky7tiles_0")
    found = [match for name in instructions(tile) if (match := ARITHMETIC.match(name))]
    assert any(match["width"] == "p" for match in found) and {match["type"] for match in found} == {letter}
    assert {match[1] for match in found if match["width"] == "s"} <= {"mul"}, "of what is the same for all neurons"
    assert [name for name in calls(tile) if not name.startswith(ALLOWED)] == []
