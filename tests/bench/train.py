"""How fast layers learn: training steps of spiking networks beside those of plain ones, on every engine of Keras that is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

from birc.backends.keras.engines import ENGINES
from tests.bench.page import table
from tests.bench.timing import ROOT

SHARES = {"0.3": "30 %", "0.05": "5 %"}
SINGLE = {"adex": "AdEx", "hodgkin_huxley": "HH"}


def measured(engine: str, case: str, rounds: int) -> dict[str, Any]:
    """What `tests.bench.train_one` prints."""
    command = [sys.executable, "-m", "tests.bench.train_one", case, str(rounds)]
    environment = {**os.environ, "KERAS_BACKEND": engine}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def section(rounds: int) -> str:
    """The tables."""
    engines = [engine for engine in ENGINES if find_spec(engine)]
    networks, layers, kept = [], [], []
    versions: dict[str, str] = {}
    for engine in engines:
        for case, share in SHARES.items():
            found = measured(engine, case, rounds)
            versions |= found["versions"]
            plain = found["seconds"]["dense"]
            for name, (ahead, step) in found["seconds"].items():
                ratios = (f"{plain[0] / ahead:.2f}", f"{plain[1] / step:.2f}")
                networks.append((engine, share, name, f"{1e3 * ahead:.1f}", f"{1e3 * step:.1f}", *ratios))
            kept += [(engine, share, name, f"{size / 1e6:.1f}") for name, size in found.get("kept", {}).items()]
        for case, title in SINGLE.items():
            seconds = measured(engine, case, rounds)["seconds"]
            ways = [name for name in ("loop", "sweep", "fused") if name in seconds]
            for name in ways:
                ahead, step = seconds[name]
                ratios = (f"{seconds['loop'][0] / ahead:.1f}", f"{seconds['loop'][1] / step:.1f}")
                layers.append((engine, title, name, f"{1e3 * ahead:.1f}", f"{1e3 * step:.1f}", *ratios))
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    memory = (
        f"\n\nMegabytes kept for the way back, inputs and weights apart:\n\n{table(('engine', 'ones', 'network', 'MB'), kept, 3)}"
        if kept
        else ""
    )
    head = ("engine", "ones", "network", "forward, ms", "step, ms", "forward, of dense", "step, of dense")
    single = ("engine", "neuron", "layer", "forward, ms", "step, ms", "forward, of the loop", "step, of the loop")
    return f"""Keras on {said}. Milliseconds of processor time on one thread; medians of {rounds} rounds after a
warm-up, in which the models of one engine take turns in one process.

A network 784-256-128-10 over 50 steps, 64 samples at a time, trained with Adam; inputs are 0 or 1. "dense" are layers of Keras with ReLU
over the same steps, "fused" leaky integrate-and-fire neurons whose steps run at once in a kernel made from the model and its derivative,
"sweep" the same layers without that kernel, "loop" the same again under `keras.layers.RNN` (`BIRC_SWEEP=0`), the others the same network
in other packages for torch, stepped as they are meant to be. The
ratios say how many times as fast as the dense network each is.

{table(head, networks, 3)}{memory}

One layer of 256 neurons over 100 steps, 64 samples; one parameter is learned.

{table(single, layers, 3)}
"""
