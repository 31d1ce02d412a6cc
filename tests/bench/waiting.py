"""`python -m tests.bench.waiting [--quick] [--write]`: pair STDP on sparse synapses, as the native target can keep these.

--write puts the table into `docs/waiting.md`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from birc.backends import Dtype
from birc.backends.c_family import build
from birc.backends.native.network import driven, turned
from birc.backends.networks import NetworkJob
from tests.bench.page import table
from tests.bench.timing import ROOT, processor_name
from tests.networks.written import compiled

TEXT = """
neuron Neuron:
    state v = 0, g = 0
    10 ms * v' = -v
    5 ms * g' = -g
    on exc(w: 1): g += w
    on kick(w: 1): v += w
    spike when v > 1:
        v = 0

synapse Pair:
    param A_p = 0.0001, A_m = 0.000105, w_max = 0.01
    state w = w_max / 2 in [0, w_max]
    trace x of pre: tau = 20 ms
    trace y of post: tau = 20 ms
    on pre:
        send w
        w -= A_m * y
    on post:
        w += A_p * x

network Sparse:
    source S: poisson(rate = {row.before} Hz)[{row.cells}]
    source K: poisson(rate = {row.behind} Hz)[{row.cells}]
    population E: Neuron[{row.cells}]
    project K -> E.kick: w = 2, one_to_one
    project S -> E.exc: Pair(w = uniform(0, 0.01)), random(p = 0.1), axon = 1 ms
"""


@dataclass(frozen=True)
class Row:
    """So many sources and targets, and how often both fire (Hz)."""

    cells: int
    before: int
    behind: int
    dtype: Dtype = "f32"


ROWS = (
    Row(3_000, 5, 5),
    Row(5_000, 5, 5),
    Row(7_000, 5, 5),
    Row(10_000, 5, 5),
    Row(20_000, 5, 5),
    Row(10_000, 5, 5, "f64"),
    Row(10_000, 20, 1),
    Row(10_000, 20, 5),
    Row(10_000, 1, 20),
)
NEVER = 1 << 62
WAYS: Mapping[str, tuple[int, float]] = {"at once": (NEVER, np.inf), "by target": (NEVER, -np.inf), "waiting": (0, np.inf)}
"""`driven.LEAST` and `turned.WORTH` that lead to each."""
STEPS, TURNS = 4_000, 5
"""Of 0.1 ms, in a job; jobs behind the first."""


@dataclass(frozen=True)
class Measured:
    """Milliseconds of the first job, and the median of later ones."""

    first: float
    later: float


def measure(row: Row, steps: int, turns: int) -> tuple[int, dict[str, Measured]]:
    """How many synapses there are, and what each way takes of processor time; ways go in turns, and reach the same weights."""
    programs = {way: compiled(TEXT.format(row=row), "native", dtype=row.dtype, dt="0.1 ms") for way in WAYS}
    ready = programs["at once"].bind(seed=3, steps=steps)
    states = {way: {name: values.copy() for name, values in ready.state.items()} for way in WAYS}
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(turns + 1):
        for way, program in programs.items():
            driven.LEAST, turned.WORTH = WAYS[way]
            began = time.process_time()
            program.runner.run(NetworkJob(ready.network, turn * steps, steps, states[way], silent=frozenset("SK")))
            took[way].append(1000 * (time.process_time() - began))
    weights = [state["S -> E.exc.w"] for state in states.values()]
    assert all((w == weights[0]).all() for w in weights)
    return len(weights[0]), {way: Measured(first, statistics.median(later)) for way, (first, *later) in took.items()}


def measured(rows: tuple[Row, ...], steps: int, turns: int) -> str:
    """The table of all rows."""
    lines = []
    for row in rows:
        synapses, found = measure(row, steps, turns)
        best = min(way.later for way in found.values())
        times = [f"{way.later:,.0f}" if way.later > best else f"**{way.later:,.0f}**" for way in found.values()]
        lines.append(
            (f"{synapses:,}", row.dtype, f"{row.before}", f"{row.behind}", *times, *(f"{way.first:,.0f}" for way in found.values()))
        )
    return table(("synapses", "type", "sources, Hz", "targets, Hz", *WAYS, *(f"first, {way}" for way in WAYS)), lines, left=1)


def page(rows: tuple[Row, ...], steps: int, turns: int) -> str:
    """The whole page."""
    return f"""# Spikes of targets that wait

Made by `python -m tests.bench.waiting --write` on {processor_name()} with {build.compiler().version.splitlines()[0]}.

Milliseconds of processor time for {steps:,} steps of 0.1 ms, one thread: pair STDP on a tenth of all pairs of Poisson sources
and cells that fire at random too. "At once" finds the synapses of a target that fires by an index, "by target" brings their states
there and back in each job, "waiting" runs `on post` with the next event of the source ([which is taken when](backends.md#native)).
Medians of {turns} jobs, the three in turns, and the first job, in which the index is made. All three reach the same weights, bit for
bit. Other work on the machine moves the numbers.

{measured(rows, steps, turns)}
"""


def main(arguments: list[str]) -> int:
    """Measure everything and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.waiting", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few hundred cells and steps")
    parser.add_argument("--write", action="store_true", help="write docs/waiting.md")
    options = parser.parse_args(arguments)
    text = page((Row(300, 5, 5),), 200, 2) if options.quick else page(ROWS, STEPS, TURNS)
    print(text, end="")
    if options.write:
        (ROOT / "docs" / "waiting.md").write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
