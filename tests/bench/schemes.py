"""`python -m tests.bench.schemes [--quick] [--write]`: every scheme on offer, its error over 1 s and its speed, as tables.

--quick times each scheme once; --write puts the tables into `docs/schemes.md`.
"""

from __future__ import annotations

import argparse
import math
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import birc
from birc.backends.c_family import build
from birc.driver import Compiled
from birc.errors import BircError
from birc.exact.solve import Solution, solve
from birc.exact.verify import Posed, pose, quickest_target
from birc.ir.solvers import SOLVERS
from birc.verification.trial import run_free
from tests.bench import timing
from tests.bench.page import millions

Array = npt.NDArray[np.floating[Any]]

NEURONS = 10_000
UPDATES = 4_000_000
PEERS = "exponential_euler"
"""What other simulators mean by exponential Euler."""


@dataclass(frozen=True)
class Case:
    """A library model, the step, and what drives it for a second; a threshold on `v` that nothing resets can be told between steps."""

    title: str
    model: str
    dt: str
    drive: str
    between: float | None = None


CASES = (
    Case("Hodgkin–Huxley, squid", "hodgkin_huxley", "0.01 ms", "10 uA/cm^2", 0.0),
    Case("AdEx", "adex", "0.1 ms", "800 pA"),
    Case("Izhikevich, RS", "izhikevich", "0.1 ms", "10 mV/ms"),
)


@dataclass(frozen=True)
class Scheme:
    """A solver for all equations of a case; its problem and its program."""

    name: str
    posed: Posed
    program: Compiled


def schemes(case: Case) -> tuple[list[Scheme], list[str]]:
    """Those that fit the case's equations, and the names of those that do not."""
    fit, unfit = [], []
    for name in SOLVERS:
        try:
            posed = pose(case.model, dt=case.dt, solver=name, duration="1 s", inputs={"I": case.drive})
        except BircError as refusal:
            if refusal.code != "L102":
                raise
            unfit.append(name)
            continue
        program = birc.compile(case.model, target=quickest_target(), dt=case.dt, solver=name)
        fit.append(Scheme(name, posed, program))
    return fit, unfit


def spike_times(scheme: Scheme, between: float | None) -> tuple[Array, Array]:
    """When the scheme spikes, by its stamps; and, for a threshold at `between`, where a cubic through its steps crosses it."""
    posed = scheme.posed
    runner, drive = scheme.program.runner, posed.drive
    trace = run_free(runner, scheme.program.step, "f64", posed.bound(runner, drive, "f64"), drive.stimulus())
    stamps = np.flatnonzero(trace.fired[:, 0]) + 1
    if between is None:
        return stamps * drive.h, np.zeros(0)
    v = trace.states["v"][:, 0] - between
    return stamps * drive.h, np.array([(k + crossing(v[k - 2 : k + 2])) * drive.h for k in stamps])


def crossing(values: Array) -> float:
    """Where the cubic through values at -2, -1, 0 and 1 crosses 0, between -1 and 0."""
    cubic = np.polynomial.Polynomial.fit([-2, -1, 0, 1], values, 3)
    low, high = -1.0, 0.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if cubic(middle) > 0 else (middle, high)
    return high


def worst(times: Array, exact: Solution) -> str:
    """The largest error of a spike time, where all spikes are there."""
    if len(times) != len(exact.spikes):
        return "-"
    error = float(np.abs(times - np.array(exact.spikes)).max(initial=0.0))
    return f"{error:.{max(0, 1 - math.floor(math.log10(error)))}f}" if error >= 1e-7 else f"{error:.0e}"


def paces(case: Case, fit: list[Scheme], rounds: int) -> dict[str, float]:
    """Updates per processor second of each scheme, in turns, the median of some rounds."""
    steps = UPDATES // NEURONS
    found: dict[str, list[float]] = {scheme.name: [] for scheme in fit}
    for _ in range(rounds + 1):
        for scheme in fit:
            began = time.process_time()
            scheme.program.run(steps=steps, n=NEURONS, inputs={"I": case.drive}, threads=1)
            found[scheme.name].append(NEURONS * steps / (time.process_time() - began))
    return {name: statistics.median(speeds[1:]) for name, speeds in found.items()}  # the first round builds the programs


def section(case: Case, rounds: int) -> str:
    """One case as Markdown."""
    fit, unfit = schemes(case)
    default = pose(case.model, dt=case.dt, duration="1 s", inputs={"I": case.drive})
    chosen = {b.method for b in default.lowered.blocks}
    exact = solve(default.system, default.drive)
    speeds = paces(case, fit, rounds)
    heads = ["scheme", "order", "spikes", "worst spike time, ms"] + (["without the step, ms"] if case.between is not None else [])
    lines = [f"| {' | '.join([*heads, 'M updates/s'])} |", "|---" + "|---:" * len(heads) + "|"]
    for scheme in fit:
        stamps, located = spike_times(scheme, case.between)
        name = f"**{scheme.name}**, the default" if {scheme.name} == chosen else scheme.name
        name += ": first order, for comparison with peers" if scheme.name == PEERS else ""
        cells = [name, str(SOLVERS[scheme.name].order), str(len(stamps)), worst(stamps, exact)]
        cells += [worst(located, exact)] if case.between is not None else []
        lines.append(f"| {' | '.join([*cells, millions(speeds[scheme.name])])} |")
    none = f"\n{', '.join(f'`{n}`' for n in unfit)}: not for these equations.\n" if unfit else ""
    head = f"I = {case.drive} for 1 s, dt = {case.dt}; the exact solution has {len(exact.spikes)} spikes."
    return f"## {case.title}\n\n{head}\n\n" + "\n".join(lines) + "\n" + none


def page(command: str, rounds: int) -> str:
    """The whole page."""
    compiler = build.compiler().version.splitlines()[0] if build.find_compiler() else "no compiler"
    sections = "\n".join(section(case, rounds) for case in CASES)
    return f"""# Which scheme

Made by `{command}` on {timing.processor_name()}, Python {platform.python_version()}, {compiler}.

Errors are those of one neuron over 1 s against the exact solution (Dormand and Prince of order 8 with tolerances of 1e-12, each
threshold located); `birc verify MODEL --exact` shows the same for any model and drive. A spike ends on a step, up to one step late
whatever the scheme; *without the step* is the error of where a cubic through the steps crosses the threshold, which can be told where
nothing is reset. Where a reset follows, the delay adds up from spike to spike, so that every scheme is of first order in the end.
No error is given where the number of spikes differs.

Speed is on one thread, float64, {NEURONS} neurons, from Python's call to its result, schemes in turns.

{sections}"""


def main(arguments: list[str]) -> int:
    """Measure and print; with `--write`, also into `docs/schemes.md`."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.schemes", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="time each scheme once")
    parser.add_argument("--write", action="store_true", help="write docs/schemes.md")
    options = parser.parse_args(arguments)
    text = page(" ".join(["python -m tests.bench.schemes", *arguments]), 1 if options.quick else 5)
    print(text, end="")
    if options.write:
        (timing.ROOT / "docs" / "schemes.md").write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
