"""`python -m tests.ulp [--write]`, also `make ulp`: how near the functions of the C family are to the truth, and how fast they are.

Takes about half an hour on two cores. --write puts the tables into `docs/ulp.md`; --quick takes fewer samples and leaves out what is
measured for every float.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.ulp import build, pace

FUNCTIONS = ("exp", "expm1", "exprel", "sigmoid", "tanh", "sinh", "cosh", "log", "log1p", "sin", "cos", "tan", "pow")
SAMPLES = 10_000_000
PAGE = Path(__file__).parent.parent.parent / "docs" / "ulp.md"

WORDS = """\
# How near and how fast the functions are

Made by `make ulp` (`python -m tests.ulp --write`) with {compiler} on {processor}.
The functions of `backends/c_family/headers/birc_math.h`, which every target of the C family shares, so that all have the same bits.
They hold for every argument, except that `sin`, `cos` and `tan` are NaN where |x| is above 2^20 (float) or 2^48 (double).

## Error

In units of the last place of the true value; half a unit is the least that rounding allows. Functions of one argument were evaluated
for *every* float (2^32 of them, the truth being the C library's double function), and for {samples:,} doubles of every size and from
the hard ranges: near overflow and underflow, near 1, next to multiples of π/2. `pow` was sampled alike, with powers of every size in the
range of the type; the truth of samples has 113 bits (libquadmath). Where the truth is infinite or not a number, results were compared
exactly; {wrong} differ.

| function | float: largest error | at | double: largest error | at |
|---|---:|---|---:|---|
{errors}

## Pace

Nanoseconds for one value, in loops over 1024 values on one core, beside the C library's vector functions, which need `-ffast-math` and
may be off by 4 units. The smallest of several runs, the two sides in turns.

| function | float: birc | C library | ratio | double: birc | C library | ratio |
|---|---:|---:|---:|---:|---:|---:|
{paces}
"""


def judged(program: Path, *arguments: str) -> tuple[float, str, int]:
    """The largest error, where it is, and the number of wrong special values."""
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=True)
    ulp, x, y, wrong, _ = done.stdout.split()
    at = f"{float.fromhex(x):.9g}" + (f", {float.fromhex(y):.9g}" if arguments[0] == "pow" else "")
    return float(ulp), at, int(wrong)


def errors(program: Path, quick: bool) -> tuple[str, int]:
    """The rows of the first table, and the number of wrong special values."""
    rows, wrong = [], 0
    samples = str(SAMPLES // 100 if quick else SAMPLES)
    for name in FUNCTIONS:
        single = judged(program, name, "float", samples) if quick or name == "pow" else judged(program, name)
        both = judged(program, name, "double", samples)
        rows.append(f"| `{name}` | {single[0]:.2f} | {single[1]} | {both[0]:.2f} | {both[1]} |")
        print(rows[-1], flush=True)
        wrong += single[2] + both[2]
    return "\n".join(rows), wrong


def paces(folder: Path) -> str:
    """The rows of the second table."""
    rows = []
    for name, measured in pace.paces(FUNCTIONS, folder).items():
        cells = [f"{birc:.2f} | {library:.2f} | {library / birc:.2f}" for birc, library in measured]
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.ulp", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/ulp.md")
    parser.add_argument("--quick", action="store_true", help="take fewer samples, none exhaustive")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("what --quick measures is not for the page")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        speed = paces(folder)
        print(speed, flush=True)
        table, wrong = errors(build.judge(folder), options.quick)
    page = WORDS.format(
        compiler=build.compiler_name(), processor=build.processor_name(), samples=SAMPLES, wrong=wrong or "none", errors=table, paces=speed
    )
    if options.write:
        PAGE.write_text(page, "utf-8")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
