"""`python -m tests.bench [WHAT] [--quick] [--case NAME] [--peers] [--write]`, also `birc bench`: tables of how fast birc is.

`start` measures what one waits for before anything runs, `simulate` the simulation of neurons, `network` that of networks, `onnx` the ONNX
target against NumPy; without a name, all of these. `train` measures layers that learn, on each engine
of Keras (minutes), and `microcircuit` runs a large network (gigabytes, minutes). --peers compares with other
simulators, as far as `python -m tests.bench.peers make` has installed them. --write puts the tables into `docs/bench.md`.
"""

from __future__ import annotations

import argparse
import platform
import sys

from birc.backends import load_backend
from birc.backends.c_family import build
from tests.bench import compare, growth, microcircuit, network, onnx_scan, page, simulate, start, timing, train
from tests.bench.cases import CASES
from tests.bench.network_cases import NETWORK_CASES
from tests.bench.peers import NETWORK_PEERS

START, SIMULATE, SCAN, PEERS = "Before anything runs", "Simulation", "ONNX Scan against the NumPy loop", "Other simulators"
NETWORK, GROWTH, MICROCIRCUIT = "Networks", "Networks that grow", "The cortical microcircuit"
TRAIN = "Training"
ORDER = (START, SIMULATE, SCAN, TRAIN, PEERS, NETWORK, GROWTH, MICROCIRCUIT)
WHAT = ("start", "simulate", "onnx", "network", "train", "microcircuit")
NAMES = {"simulate": [case.name for case in CASES], "network": [case.name for case in NETWORK_CASES]}
PAGE = timing.ROOT / "docs" / "bench.md"


def made_by(command: str) -> str:
    """Where a section comes from."""
    compiler = build.compiler().version.splitlines()[0] if build.find_compiler() else "no compiler"
    return (
        f"Made by `{command}` on {timing.processor_name()}, {platform.system()}, Python {platform.python_version()}, {compiler}.\n"
        "Medians; other work on the machine moves the numbers, less so the ratios.\n\n"
    )


def measured(options: argparse.Namespace, command: str) -> dict[str, str]:
    """The sections asked for, by heading."""
    repeats = 1 if options.quick else 5
    cases = [case for case in CASES if case.name in (options.case or [case.name])]
    networks = [case for case in NETWORK_CASES if case.name in (options.case or [case.name])]
    found = {}
    if options.what in (None, "start"):
        found[START] = start.section(repeats)
    if options.what in (None, "simulate") and cases:
        found[SIMULATE] = simulate.section(cases, repeats)
    if options.what == "onnx" or (options.what is None and not options.case and load_backend("onnx").missing() is None):
        found[SCAN] = onnx_scan.section(repeats)
    if options.peers and options.what != "network" and cases:
        found[PEERS] = compare.section(cases, 1 if options.quick else 3)
    if options.what in (None, "network") and networks:
        found[NETWORK] = network.section(networks, repeats, NETWORK_PEERS if options.peers else ())
    if options.what in (None, "network") and not options.case:
        found[GROWTH] = growth.section(growth.SIZES[:-1] if options.quick else growth.SIZES)
    if options.what == "train":
        found[TRAIN] = train.section(1 if options.quick else 9)
    if options.what == "microcircuit":
        found[MICROCIRCUIT] = microcircuit.section(options.quick)
    return {heading: made_by(command) + text for heading, text in found.items()}


def main(arguments: list[str]) -> int:
    """Measure and print; with `--write`, also into `docs/bench.md`."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=WHAT, help="one part of the tables")
    parser.add_argument("--quick", action="store_true", help="measure each thing once")
    parser.add_argument("--case", action="append", choices=[*NAMES["simulate"], *NAMES["network"]], help="only this case; may be repeated")
    parser.add_argument("--peers", action="store_true", help="compare with the other simulators that are installed")
    parser.add_argument("--write", action="store_true", help="write docs/bench.md")
    options = parser.parse_args(arguments)
    for name in options.case or ():
        if options.what and name not in NAMES.get(options.what, ()):
            parser.error(f"{options.what} has no case {name}")
    if options.write and options.case:
        parser.error("--write takes all cases")
    if options.peers and options.what not in (None, "simulate", "network"):
        parser.error("--peers goes with simulate and network")
    found = measured(options, " ".join(["python -m tests.bench", *arguments]))
    print(page.merged("", found, ORDER), end="")
    if options.write:
        page.write(PAGE, found, ORDER)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
