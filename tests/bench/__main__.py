"""`python -m tests.bench [--quick] [--write]`, also `birc bench`: how fast birc is, as tables.

--quick measures each thing once; --write puts the tables into `docs/bench.md`.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from birc.backends import Dtype
from birc.backends.c_family import build
from tests.bench import timing
from tests.bench.cases import CASES, NEURONS, Case

LINES = 300
BUILT = ("lif", "izhikevich", "adex", "hodgkin_huxley")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; columns but the first are aligned to the right."""
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|---" + "|---:" * (len(names) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def millions(updates: float) -> str:
    return f"{updates / 1e6:,.0f}" if updates >= 1e7 else f"{updates / 1e6:.1f}"


def waiting(repeats: int) -> str:
    """How long a person waits before anything runs."""
    rows = [("`import birc`", milliseconds(timing.median(timing.import_seconds, repeats)), "100 ms")]
    rows.append((f"`birc check` of {LINES} lines", milliseconds(timing.median(lambda: timing.check_seconds(LINES), repeats)), "500 ms"))
    if build.find_compiler():
        for model in BUILT:
            pairs = [timing.build_seconds(model) for _ in range(repeats)]
            rows.append((f"native build of {model}, cold", milliseconds(statistics.median(cold for cold, _ in pairs)), "1000 ms"))
            rows.append((f"native build of {model}, cached", milliseconds(statistics.median(cached for _, cached in pairs)), "50 ms"))
    return table(("what", "takes", "goal"), rows)


def paces(repeats: int) -> str:
    """Updates per second of each case: NumPy, native and the floor."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for dtype in ("f32", "f64"):
            floor = timing.floor_program(dtype, Path(folder)) if build.find_compiler() else None
            rows += [pace_row(case, dtype, floor, repeats) for case in CASES]
    head = ("case", "type", "numpy, M/s", "native, M/s", "floor, M/s", "native/floor", "spikes, native", "spikes, floor")
    return table(head, rows)


def pace_row(case: Case, dtype: Dtype, floor: Path | None, repeats: int) -> tuple[str, ...]:
    """One case and number type; native and floor run in turns."""
    numpy = timing.numpy_pace(case, dtype)
    if floor is None:
        return f"{case.title}, {case.dt}", dtype, millions(numpy), "-", "-", "-", "-", "-"
    program = timing.compiled(case, "native", dtype)
    native_runs, floor_runs = [], []
    for _ in range(max(2, repeats)):
        native_runs.append(timing.pace(program, case, case.steps))
        floor_runs.append(timing.floor_pace(floor, case))
    native = statistics.median(speed for speed, _ in native_runs)
    best = statistics.median(speed for speed, _ in floor_runs)
    spikes = str(native_runs[0][1]), str(floor_runs[0][1])
    return f"{case.title}, {case.dt}", dtype, millions(numpy), millions(native), millions(best), f"{native / best:.2f}", *spikes


def report(arguments: list[str], repeats: int) -> str:
    """The whole page."""
    compiler = build.compiler().version.splitlines()[0] if build.find_compiler() else "no compiler"
    command = " ".join(["python -m tests.bench", *arguments])
    return f"""# How fast

Made by `{command}` on {timing.processor_name()}, {platform.system()}, Python {platform.python_version()}, {compiler}.
Medians; other work on the machine moves the numbers, less so the ratios, whose two sides run in turns.

## Before anything runs

{waiting(repeats)}

## Simulation

Updates (one neuron by one step) per second of processor time, on one thread, {NEURONS} neurons, from Python's call to its result,
no recording but spikes. The floor is `tests/bench/floor.cpp`: each case written by hand in the same scheme, built with
`{" ".join(timing.FLOOR_FLAGS)}`. Spikes of float32, and of the floor with its fast-math, need not agree exactly.

{paces(repeats)}
"""


def main(arguments: list[str]) -> int:
    """Measure and print; with `--write`, also into `docs/bench.md`."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure each thing once")
    parser.add_argument("--write", action="store_true", help="write docs/bench.md")
    options = parser.parse_args(arguments)
    page = report(arguments, 1 if options.quick else 5)
    print(page, end="")
    if options.write:
        (timing.ROOT / "docs" / "bench.md").write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
