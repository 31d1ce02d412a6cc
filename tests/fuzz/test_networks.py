"""Random networks run alike, to the bit, in the interpreter, on NumPy and on the native target; its synapses are the reference's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from birc.backends import Dtype
from birc.backends.c_family import build
from birc.backends.native.network import call, emit
from birc.errors import Source
from birc.frontend.load import load
from birc.ir.text import parse, print_module
from tests.fuzz.network_runs import differences, network_of
from tests.fuzz.networks import random_network

BATCH = 4
TILE = 16
"""Neurons of a tile that small networks fill several of, in both number types."""


def dtype_of(seed: int) -> Dtype:
    return "f64" if seed % 2 else "f32"


@pytest.mark.parametrize("first", range(0, 12, BATCH))
def test_interpreter_and_numpy_agree(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + BATCH):
        fuzzed = random_network(seed)
        network = network_of(fuzzed, tmp_path)
        assert [f"seed {seed}: {d}" for d in differences(network, fuzzed.dt, dtype_of(seed), native=False)] == []


@pytest.mark.slow
@pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")
@pytest.mark.parametrize("first", range(100, 128, BATCH))
def test_native_agrees(first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of them large enough that two threads share their neurons."""
    monkeypatch.setattr(call, "NEURONS", 1)
    monkeypatch.setattr(emit, "LANES", {"f32": TILE, "f64": TILE})
    for seed in range(first, first + BATCH):
        fuzzed = random_network(seed, 40 if seed % 4 == 0 else 12)
        network = network_of(fuzzed, tmp_path)
        assert [f"seed {seed}: {d}" for d in differences(network, fuzzed.dt, dtype_of(seed), native=True)] == []


def test_networks_are_well_formed() -> None:
    for seed in range(20):
        module = load(Source("fuzzed.birc", random_network(seed).text))
        assert parse(print_module(module.items)) == module.items
    assert random_network(5) == random_network(5) != random_network(6)


@pytest.mark.parametrize(
    "construct",
    [
        "signal ", r"poisson\(", r"regular\(", r"spikes\(", "one_to_one", "all_to_all", r"random\(p", "fixed_indegree", "fixed_outdegree",
        "fixed_total", "from file", "shared", "dense", "conv2d", ", self", "multapses", "gap", "third ", r"\]\.exc", r"axon = \d",
        r"axon = (uniform|normal)", r"dend = \d", r"dend = (uniform|normal)", r"back = \d", r"back = (uniform|normal)", "DA = DA",
        r"DA = pre\.", r"DA = post\.", r"Pair\(", r"Triplet\(.*tau_x = uniform", r"Nearest\(", r"Depressing\(", r"Noisy\(", "Homeostatic",
        r"\.pull:", r"\.drag:", r"csv:weight", "I = DA",
    ],
)  # fmt: skip
def test_constructs_occur(construct: str) -> None:
    texts = (random_network(seed).text.partition("network Fuzzed")[2] for seed in range(300))
    assert any(re.search(construct, text) for text in texts)
