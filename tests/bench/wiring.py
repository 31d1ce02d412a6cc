"""`python -m tests.bench.wiring [--quick] [--write]`: time and memory of making synapses natively.

--write puts the table into `docs/wiring.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from birc.backends.c_family import build
from birc.backends.native import wire
from birc.ir.connectivity.edges import Drawn, Wiring
from tests.bench.page import table
from tests.bench.timing import ROOT, processor_name

QUICK = 100
"""A quick run makes so many times fewer synapses."""


@dataclass(frozen=True)
class Row:
    """A rule, between so many cells and as many others, with one argument of this size."""

    rule: str
    cells: int
    argument: str
    size: float
    flags: tuple[str, ...] = ()

    def wiring(self) -> Wiring:
        size = self.size if self.argument == "p" else int(self.size)
        return Wiring(self.rule, {self.argument: size}, frozenset(self.flags), self.cells, self.cells, 0, 1, 2)

    def smaller(self) -> Row:
        side = QUICK**0.5
        size = {"p": self.size, "k": self.size / side, "n": self.size / QUICK}[self.argument]
        return Row(self.rule, int(self.cells / side), self.argument, size, self.flags)


ROWS = (
    Row("random", 20_000, "p", 0.1),
    Row("random", 100_000, "p", 0.001),
    Row("fixed_indegree", 20_000, "k", 2000),
    Row("fixed_indegree", 20_000, "k", 2000, ("multapses",)),
    Row("fixed_indegree", 100_000, "k", 100),
    Row("fixed_outdegree", 20_000, "k", 2000),
    Row("fixed_total", 20_000, "n", 4e7),
    Row("fixed_total", 20_000, "n", 4e7, ("multapses",)),
    Row("fixed_total", 77_169, "n", 3e8, ("multapses",)),
)


@dataclass(frozen=True)
class Measured:
    """Seconds that passed and that processors worked; the largest resident memory, and that before anything was made (bytes)."""

    synapses: int
    seconds: float
    processor: float
    before: int
    peak: int


def measure(row: Row, threads: int) -> Measured:
    """Make the synapses in this process, with normal delays and normal weights in float32."""
    wire.library()
    before = largest()
    began, worked = time.perf_counter(), time.process_time()
    made = wire.wire(
        row.wiring(), (Drawn("normal", 1.5, 0.75, 3, low=0.1), 0.1), (Drawn("normal", 87.8, 8.78, 4, low=0.0),), "f32", threads=threads
    )
    return Measured(made.edges.count, time.perf_counter() - began, time.process_time() - worked, before, largest())


def largest() -> int:
    """The largest resident memory of this process so far (bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def apart(row: Row, threads: int) -> Measured:
    """`measure` in a process of its own, whose largest memory is that of this row."""
    command = [sys.executable, "-m", "tests.bench.wiring", "--row", json.dumps(asdict(row)), "--threads", str(threads)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Measured(**json.loads(done.stdout))


def measured(rows: tuple[Row, ...], threads: int) -> str:
    """The table of all rows."""
    lines = []
    for row in rows:
        found = apart(row, threads)
        taken = found.peak - found.before
        size = f"{row.size:g}" if row.argument == "p" else f"{int(row.size)}"
        line = (
            f"`{row.rule}({row.argument} = {size})`{''.join(f', `{flag}`' for flag in row.flags)}",
            f"{row.cells}",
            f"{found.synapses}",
            f"{found.seconds:.1f}",
            f"{found.processor:.1f}",
            f"{found.synapses / found.processor / 1e6:.1f}",
            f"{found.peak / 1e9:.2f}",
            f"{taken / found.synapses:.1f}",
        )
        lines.append(line)
    return table(
        ("rule", "cells", "synapses", "s", "processor s", "million per processor s", "peak, GB", "bytes per synapse"), lines, left=1
    )


def page(rows: tuple[Row, ...], threads: int) -> str:
    """The whole page."""
    compiler = build.compiler().version.splitlines()[0]
    return f"""# Making synapses

Made by `python -m tests.bench.wiring --write` on {processor_name()} with {threads} threads, {compiler}.
Other work on the machine moves the seconds that pass, less so those that processors work.

Every projection leads from a population to itself, with normal delays of 1.5 ± 0.75 ms in steps of 0.1 ms, and normal weights in float32.
A synapse then takes 8 bytes, 4 for its target and 4 for its weight, and each source a row of starts, 8 bytes for every delay that occurs.
Peak is the largest memory of the process that makes them; what Python and its packages take before is not counted in the last column.

{measured(rows, threads)}
"""


def main(arguments: list[str]) -> int:
    """Measure everything and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.wiring", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} times fewer synapses")
    parser.add_argument("--write", action="store_true", help="write docs/wiring.md")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    parser.add_argument("--row", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.row:
        given = json.loads(options.row)
        print(json.dumps(asdict(measure(Row(**{**given, "flags": tuple(given["flags"])}), options.threads))))
        return 0
    text = page(tuple(row.smaller() for row in ROWS) if options.quick else ROWS, options.threads)
    print(text, end="")
    if options.write:
        (ROOT / "docs" / "wiring.md").write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
