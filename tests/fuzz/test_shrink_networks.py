"""A network that fails is shrunk to what makes it fail."""

from __future__ import annotations

from pathlib import Path

from birc.networks import compile_network
from tests.fuzz.network_runs import bound, network_of
from tests.fuzz.networks import Fuzzed, random_network
from tests.fuzz.shrink_networks import shrink_network, with_fewer_cells, without_parts

LINE = "project A[0:3] -> B.exc: Pair(w = uniform(0, 1), A_p = 0.1), random(p = 0.5), axon = 1 ms\n"


def test_parts() -> None:
    assert list(without_parts(LINE)) == [
        "project A[0:3] -> B.exc: Pair(A_p = 0.1), random(p = 0.5), axon = 1 ms\n",
        "project A[0:3] -> B.exc: Pair(w = uniform(1), A_p = 0.1), random(p = 0.5), axon = 1 ms\n",
        "project A[0:3] -> B.exc: Pair(w = uniform(0), A_p = 0.1), random(p = 0.5), axon = 1 ms\n",
        "project A[0:3] -> B.exc: Pair(w = uniform(0, 1)), random(p = 0.5), axon = 1 ms\n",
        "project A[0:3] -> B.exc: Pair(w = uniform(0, 1), A_p = 0.1), axon = 1 ms\n",
        "project A[0:3] -> B.exc: Pair(w = uniform(0, 1), A_p = 0.1), random, axon = 1 ms\n",
        "project A[0:3] -> B.exc: Pair(w = uniform(0, 1), A_p = 0.1), random(p = 0.5)\n",
    ]


def test_cells() -> None:
    assert list(with_fewer_cells("population A: Fires[5]\nsource s: regular(rate = 1 Hz)[1]\n")) == [
        "population A: Fires[1]\nsource s: regular(rate = 1 Hz)[1]\n",
        "population A: Fires[2]\nsource s: regular(rate = 1 Hz)[1]\n",
    ]


def test_what_makes_it_fail_remains(tmp_path: Path) -> None:
    """As if every projection whose synapses see spikes of their targets were wrong."""

    def fails(fuzzed: Fuzzed) -> bool:
        network = network_of(fuzzed, tmp_path)
        ready = bound(compile_network(network, "numpy", dt=fuzzed.dt))
        return any(p.back is not None and p.edges.count for p in ready.network.projections)

    fuzzed = random_network(3)
    assert fails(fuzzed)
    small = shrink_network(fuzzed, fails, limit=300)
    assert fails(small) and small.dt == fuzzed.dt
    lines = small.text.partition("network Fuzzed")[2].splitlines()
    assert [line.split()[0] for line in lines[1:] if line.strip()].count("project") == 1
    assert len(small.text) < len(fuzzed.text) / 5 and not small.files
