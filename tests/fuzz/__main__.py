"""Compare random models, or networks, until stopped: `python -m tests.fuzz [models | networks] [first seed]`. A failing model is shrunk."""

from __future__ import annotations

import argparse
import tempfile
from itertools import count
from pathlib import Path

from birc.backends import BACKENDS, Dtype, load_backend
from tests.fuzz import network_runs
from tests.fuzz.compare import differences
from tests.fuzz.generate import random_model
from tests.fuzz.networks import Fuzzed, random_network
from tests.fuzz.shrink import shrink
from tests.fuzz.shrink_networks import shrink_network


def main(first: int) -> None:
    """Go on from a seed; stop at Ctrl-C."""
    targets = [name for name in BACKENDS if name in ("numpy", "native") and load_backend(name).missing() is None]
    failures = 0
    for seed in count(first):
        text = random_model(seed)
        found = next(differences(text, targets), None)
        if found is not None:
            failures += 1
            kind = found.between

            def fails(candidate: str, kind: str = kind) -> bool:
                return any(d.between == kind for d in differences(candidate, targets if kind.startswith("on ") else ()))

            print(f"\nseed {seed}: {found}\n{shrink(text, fails, limit=300)}", flush=True)
        print(f"\r{seed - first + 1} models, {failures} failures", end="", flush=True)


def compare_networks(first: int) -> None:
    """Go on from a seed; stop at Ctrl-C."""
    native = load_backend("native").missing() is None
    failures = 0
    for seed in count(first):
        fuzzed = random_network(seed, most=40 if seed % 4 else 200)
        dtype: Dtype = "f64" if seed % 2 else "f32"
        found = _first_difference(fuzzed, dtype, native)
        if found:
            failures += 1
            where = found.partition(":")[0]  # which of the ways

            def fails(candidate: Fuzzed, where: str = where, dtype: Dtype = dtype) -> bool:
                return _first_difference(candidate, dtype, native).partition(":")[0] == where

            small = shrink_network(fuzzed, fails, limit=300)
            files = "".join(f"\n{name}:\n{rows}" for name, rows in small.files.items())
            print(f"\nseed {seed}, {dtype}, step {small.dt}: {found}\n{small.text}{files}", flush=True)
        print(f"\r{seed - first + 1} networks, {failures} failures", end="", flush=True)


def _first_difference(fuzzed: Fuzzed, dtype: Dtype, native: bool) -> str:
    """In words; nothing where every way agrees."""
    with tempfile.TemporaryDirectory() as folder:
        network = network_runs.network_of(fuzzed, Path(folder))
        return next(network_runs.differences(network, fuzzed.dt, dtype, native), "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("models", "networks"), default="models")
    parser.add_argument("first", nargs="?", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    try:
        (compare_networks if options.what == "networks" else main)(options.first)
    except KeyboardInterrupt:
        print()
