"""Events that wait for the end of their target's step: to the bit what they do before it, signs of zeros included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from birc.backends import Dtype
from birc.backends.c_family import build
from birc.backends.native.network import call, fixed
from birc.backends.native.network.settled import Settled, settled
from birc.networks import CompiledNetwork
from tests.backends.test_native_network import DTYPES, copied, job, same_spikes
from tests.networks.written import compiled

MODELS = """
neuron Calm:
    state v = 0, g = 0, u = 0, n = 0, m = 0
    10 ms * v' = g + u - v
    5 ms * g' = -g
    8 ms * u' = -u
    on exc(w: 1): g += w
    on inh(w: 1): u -= w
    on up(w: 1): n += w
    on down(w: 1): m -= w
    spike when v >= 1:
        v = 0
    refractory 2 ms: hold v

neuron Mixed:
    state v = 0, g = 0, u = 0, c = 0 in [0, 1], d = 0
    output o: 1 = v + u
    10 ms * v' = g - v
    5 ms * g' = -g
    8 ms * u' = -u
    on first(w: 1): g += w
    on last(w: 1): g -= w
    on put(w: 1): u += w
    on bounded(w: 1): c += w
    on twice(w: 1): d += w * (1 + w)
    on jump(w: 1): v += w
    spike when v >= 1:
        v = 0
"""

NETWORK = """
network N:
    population A: Calm(v = uniform(0, 1))[700]
    population B: Calm(v = uniform(0, 1))[330]
    population C: Mixed[200]
    source s: poisson(rate = 40 Hz)[40]
    source t: poisson(rate = 2 kHz)[3]
    project s -> A.exc: w = 1.1, random(p = 0.05)
    project A -> A.exc: w = uniform(0, 0.05), random(p = 0.02), axon = 1 ms
    project t -> A[100:650].inh: w = 0.01, random(p = 0.04)
    project B -> A.down: w = 0.1, random(p = 0.01), axon = uniform(1 ms, 4 ms)
    project s -> B.exc: w = normal(0.6, 0.05), random(p = 0.1)
    project A -> B[30:50].inh: w = normal(0.3, 0.1), fixed_outdegree(k = 3), multapses, axon = 1 ms
    project t -> B.up: w = uniform(0, 1), random(p = 0.04)
    project A -> C.first: w = 1.3, random(p = 0.05), axon = 2 ms
    project B -> C.last: w = 0.01, random(p = 0.04), axon = 1 ms
    project s -> C.last: w = 0.01, random(p = 0.04), axon = 1 ms
"""


def network(target: str, dtype: Dtype = "f64") -> CompiledNetwork:
    """The network for a target."""
    return compiled(MODELS + NETWORK, target, dtype=dtype)


def bits(array: Any) -> Any:
    """An array in which 0 and -0 differ."""
    return array.view(f"u{array.itemsize}") if array.dtype.kind == "f" else array


def test_ports_that_settle() -> None:
    """Of two that change a state the last; none that an output, a limit or the threshold reads, and none that is more than added."""
    steps = {p.population.model: settled(p.step) for p in network("numpy").artifact.program.populations}
    assert steps["Calm"] == {"exc": Settled("g", "add"), "inh": Settled("u", "sub"), "up": Settled("n", "add"), "down": Settled("m", "sub")}
    assert steps["Mixed"] == {"last": Settled("g", "sub")}


@pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")
@pytest.mark.parametrize("known", [True, False], ids=["apart", "unknown"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_to_the_reference_to_the_sign_of_zero(dtype: Dtype, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one, two and three threads, whether or not it is known that no stretch reaches a target twice."""
    monkeypatch.setattr(call, "NEURONS", 1)
    monkeypatch.setattr(fixed, "LOOKED_AT", fixed.LOOKED_AT if known else 0)
    steps = 120
    reference, native = network("numpy", dtype), network("native", dtype)
    ready = reference.bind(seed=5, steps=steps)
    for name in ("A.n", "A.m", "B.n", "B.m"):
        ready.state[name][...] = -0.0
    wanted = job(ready, copied(ready), 0, steps)
    spikes = reference.runner.run(wanted)
    assert all(len(found.index) for found in spikes.values())
    for threads in (1, 2, 3):
        found = job(ready, copied(ready), 0, steps, threads=threads)
        same_spikes(spikes, native.runner.run(found))
        for name, x in wanted.state.items():
            if "spikes" not in name:
                np.testing.assert_array_equal(bits(found.state[name]), bits(x), err_msg=name)
        for kept, again in zip(wanted.record, found.record, strict=True):
            np.testing.assert_array_equal(bits(again.rows), bits(kept.rows), err_msg=kept.variable)
    zeros = wanted.state["A.n"] == 0, wanted.state["A.m"] == 0
    assert not np.signbit(wanted.state["A.n"][zeros[0]]).any() and np.signbit(wanted.state["A.m"][zeros[1]]).all() and zeros[1].any()


def test_what_is_known_of_stretches() -> None:
    """A target that is met twice in one; the same target in two stretches does not count."""
    edges = {p.name: p.edges for p in network("numpy").bind(seed=5, steps=1).network.projections}
    assert not fixed.is_apart(edges["A -> B[30:50].inh"])
    assert fixed.is_apart(edges["B -> A.down"]) and fixed.is_apart(edges["A -> A.exc"])
