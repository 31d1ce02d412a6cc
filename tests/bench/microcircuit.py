"""The cortical microcircuit of Potjans and Diesmann 2014 at full scale: 77,169 neurons, some 0.3 billion synapses."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tests.bench.network import runs_networks
from tests.bench.one_network import Facts, apart
from tests.bench.page import table

MODEL = "potjans_diesmann"
"""In the library, with a parameter `scale`."""
RATES = {"L23E": 0.903, "L23I": 2.965, "L4E": 4.414, "L4I": 5.876, "L5E": 7.569, "L5I": 8.633, "L6E": 1.105, "L6I": 7.829}
"""Spikes per second and neuron at full scale, as the authors' NEST implementation has them."""
TRANSIENT, DURATION = 1_000.0, 10_000.0
"""In ms."""
SEEDS = (1, 2, 3)
GOALS = {"wiring, s": 60.0, "seconds for 1 s": 10.0, "largest resident set, GB": 6.0}


def fits(rate: float, reference: float) -> bool:
    """Within 10 % or 0.1 spikes per second."""
    return abs(rate - reference) <= max(0.1 * reference, 0.1)


def costs(found: list[Facts]) -> Iterator[tuple[str, ...]]:
    """What each run took, beside the goals; seeds across."""
    yield ("synapses", *(f"{f.synapses:,}" for f in found), "-")
    yield ("compiling, s", *(f"{f.compiling:.2f}" for f in found), "-")
    measured = {
        "wiring, s": [f.wiring for f in found],
        "seconds for 1 s": [f.seconds for f in found],
        "largest resident set, GB": [f.megabytes / 1024 for f in found],
    }
    for name, values in measured.items():
        yield (name, *(f"{value:.2f}" for value in values), f"{GOALS[name]:g}")


def rates(found: list[Facts]) -> Iterator[tuple[str, ...]]:
    """Each population's rate, beside the reference."""
    for name, reference in RATES.items():
        reached = [f.rates[name] for f in found]
        yield name, *(f"{r:.3f}" for r in reached), f"{reference}", "yes" if all(fits(r, reference) for r in reached) else "no"


def section(quick: bool, scale: float = 1.0) -> str:
    """Both tables."""
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    duration = DURATION / 10 if quick else DURATION
    target = "native" if runs_networks("native") else "numpy"
    seeds = SEEDS[:1] if quick else SEEDS
    found = [
        apart(
            MODEL, target=target, dt=0.1, dtype="f32", transient=TRANSIENT, duration=duration, threads=threads, seed=seed,
            params={"scale": scale},
        )
        for seed in seeds
    ]  # fmt: skip
    columns = [f"seed {seed}" for seed in seeds]
    neurons = sum(found[0].neurons[name] for name in RATES)
    head = f"birc {target}, float32, steps of 0.1 ms, {threads} threads, scale {scale:g}: {neurons:,} neurons."
    counted = f"{duration / 1000:g} s behind {TRANSIENT / 1000:g} s"
    return f"""{head} Each seed in a process of its own,
by the clock. The wiring is everything up to the first steps.

{table(("", *columns, "goal"), costs(found))}

Spikes per second and neuron over {counted} that do not count. The reference is one run of the authors' NEST
implementation at full scale; a rate fits within 10 % or 0.1 spikes per second.

{table(("population", *columns, "reference", "fits"), rates(found))}"""
