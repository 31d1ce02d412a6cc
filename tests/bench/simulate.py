"""Updates per second of each case: NumPy, native on one and two threads, and the floor, in turns."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from birc.backends import Dtype
from birc.backends.c_family import build
from birc.driver import Compiled
from tests.bench import timing
from tests.bench.cases import Case
from tests.bench.page import millions, table

DTYPES: tuple[Dtype, ...] = ("f32", "f64")
NUMPY_UPDATES = 1_000_000
"""NumPy is timed over fewer steps: its pace does not depend on how many there are."""

HEAD = ("case", "scheme", "step", "neurons", "type", "NumPy", "native", "floor", "native/floor", "2 threads", "spikes, native", "floor")


BUSY = 1.1
"""Seconds by the clock for one of the processor, on one thread, from which on the clock tells more of other work than of this."""


@dataclass
class Runs:
    """What the runs of one program took, in seconds, and its spikes."""

    processor: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    spikes: int = 0

    def add(self, processor: float, wall: float, spikes: int) -> None:
        self.processor.append(processor)
        self.wall.append(wall)
        self.spikes = spikes

    def pace(self, updates: int) -> float:
        """Updates per processor second, the median."""
        return updates / statistics.median(self.processor)


def speedup(one: Runs, two: Runs) -> str:
    """How many times sooner two threads are done than one, or a dash where other work kept even one from its processor."""
    if statistics.median(wall / processor for wall, processor in zip(one.wall, one.processor, strict=True)) > BUSY:
        return "-"
    return f"{statistics.median(a / b for a, b in zip(one.wall, two.wall, strict=True)):.2f}x"


def native_runs(program: Compiled, case: Case, repeats: int, floor: Path | None) -> tuple[Runs, Runs, Runs]:
    """Native on one thread, on two, and the floor, in turns after a warm-up of each."""
    one, two, best = Runs(), Runs(), Runs()
    for turn in range(repeats + 1):
        first = timing.run(program, case, case.steps, case.neurons)
        second = timing.run(program, case, case.steps, case.neurons, threads=2)
        pace, spikes = timing.floor_pace(floor, case) if floor and case.floor else (float("nan"), 0)
        if turn:
            one.add(*first)
            two.add(*second)
            best.add(case.neurons * case.steps / pace, 0.0, spikes)
    return one, two, best


def row(case: Case, dtype: Dtype, floor: Path | None, repeats: int) -> tuple[str, ...]:
    """One case and number type."""
    steps = max(10, NUMPY_UPDATES // case.neurons)
    numpy = case.neurons * steps / timing.run(timing.compiled(case, "numpy", dtype), case, steps, case.neurons)[0]
    head = (case.title, case.scheme, case.dt, f"{case.neurons:,}", dtype, millions(numpy))
    if floor is None:
        return *head, *("-" * 6)
    one, two, best = native_runs(timing.compiled(case, "native", dtype), case, repeats, floor)
    updates = case.neurons * case.steps
    sooner = speedup(one, two)
    if case.floor is None:
        return *head, millions(one.pace(updates)), "-", "-", sooner, str(one.spikes), "-"
    ratio = f"{one.pace(updates) / best.pace(updates):.2f}"
    return *head, millions(one.pace(updates)), millions(best.pace(updates)), ratio, sooner, str(one.spikes), str(best.spikes)


def rows(cases: Sequence[Case], repeats: int) -> Iterable[tuple[str, ...]]:
    """Every case in every number type."""
    with tempfile.TemporaryDirectory() as folder:
        for dtype in DTYPES:
            floor = timing.floor_program(dtype, Path(folder)) if build.find_compiler() else None
            yield from [row(case, dtype, floor, repeats) for case in cases]


def section(cases: Sequence[Case], repeats: int) -> str:
    """The table, with what its columns mean."""
    flags = " ".join(build.compiler().flags) if build.find_compiler() else "-"
    return f"""Millions of updates (one neuron by one step) per second of processor time, on one thread, from Python's call to its result,
no recording but spikes; medians of {repeats} after a warm-up, the sides of a ratio in turns. The floor is `tests/bench/floor.cpp`:
each case written by hand in the same scheme, built with `{" ".join(timing.FLOOR_FLAGS)}`;
native with `{flags}`.
"2 threads" is how many times sooner two threads are done than one, by the clock; a dash where other work on the machine kept even one
from its processor. Spikes of float32, and of the floor with its fast-math, need not agree exactly.

Native is meant to take at most 1.4 times as long as the floor (0.71) in the schemes of first order. While nothing comes to its neurons but
constant inputs, it keeps their state in registers as the floor does, and what a spike changes it computes only in steps in which one of
some ten neurons fires, which the floor does in every step. Against it, above all in float64, is fused multiply-add: there results equal
NumPy's bit for bit, so that a product and a sum are two instructions, and the floor's compiler makes them one. Izhikevich by rk4, which is
little but products and sums, therefore stays furthest behind. In HH native is ahead of the floor in places: its loops are cut where results
wait long for one another, which the floor's one loop is not.

To be no easy mark, the floor was held against another that was written independently, with the same flags in the same run (g++ 12, AVX-512,
10,000 neurons): it was faster, in float32 and float64 by 4 % and 5 % for Izhikevich, 8 % and 13 % for AdEx, 5 % and 6 % for HH with
exponential steps.

{table(HEAD, rows(cases, repeats), left=3)}"""
