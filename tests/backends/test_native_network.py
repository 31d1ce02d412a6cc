"""Networks on the native target: the reference's spikes and states to the bit, for any number of threads and any stretches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from birc.backends import Dtype
from birc.backends.c_family import build
from birc.backends.native.network import call
from birc.backends.networks import HISTORY_INDEX, HISTORY_MANY, LAST, Kept, NetworkJob
from birc.networks import CompiledNetwork
from birc.runtime.network.bind import Ready
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
    project A -> A.exc: w = 0.1, random(p = 0.1), axon = 2 ms
    project A -> B.pull: Pair(w = uniform(0, 0.5)), random(p = 0.3), axon = uniform(1 ms, 4 ms), back = 1 ms
    project A -> B.pull: Depressing, random(p = 0.1)
    project B -> B.pull: w = 0.2, random(p = 0.2), axon = 1 ms
""",
    "learning": """
    population A: Leaky(v = uniform(0, 1))[60]
    population B: Leaky[90]
    source s: poisson(rate = 700 Hz)[50]
    project s -> A.exc: Pair(w = uniform(0, 0.5)), all_to_all, axon = 1 ms
    project s -> B.exc: Nearest, random(p = 0.2), axon = 2 ms, dend = uniform(1 ms, 5 ms), back = 2 ms
    project A -> B.exc: Pair(A_p = uniform(0, 0.1)), random(p = 0.4), axon = uniform(1 ms, 5 ms)
    project A -> B.inh: Nearest, all_to_all
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
    kept = [(name, a) for name, a in state.items() if "spikes" not in name and not name.endswith(LAST) and a.ndim == 1 and len(a)]
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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NETWORKS)
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
    found = [native.runner.run(part) for part in parts]
    for group, x in spikes.items():
        np.testing.assert_array_equal(np.concatenate([part[group].index for part in found]), x.index)
        np.testing.assert_array_equal(np.concatenate([part[group].stamp for part in found]), x.stamp)
    same(replace(wanted, record=()), replace(parts[-1], record=()))
