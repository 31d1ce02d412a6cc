"""How time and memory grow with the synapses of a network: `cuba-fixed` with more and more neurons, each with 80 synapses onto it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.network import floor_programs, runs_networks
from tests.bench.network_cases import NETWORK_CASES
from tests.bench.one_network import apart
from tests.bench.page import table

CASE = next(case for case in NETWORK_CASES if case.name == "cuba-fixed")
SIZES = (1_250, 12_500, 125_000)
STEPS = 1_000
HEAD = ("synapses", "who", "type", "us a step", "ns a neuron and step", "wiring, s", "bytes a synapse")


def floor_row(program: Path, dtype: str, neurons: int) -> tuple[str, ...]:
    """The floor, whose bytes are those of its rows."""
    command = [str(program), CASE.name, str(neurons), str(STEPS)]
    seconds, _, wiring, synapses, size = map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    return cells(int(synapses), "floor", dtype, seconds, neurons, wiring, size)


def birc_row(file: Path, target: str, dtype: str, neurons: int) -> tuple[str, ...]:
    """birc in a process of its own, whose bytes are all that it has more at its largest than before the wiring."""
    file.write_text(CASE.text(neurons), "utf-8")
    facts = apart(file, target=target, dt=CASE.dt, dtype=dtype, duration=STEPS * CASE.dt)
    grown = (facts.megabytes - facts.idle_megabytes) * 2**20
    return cells(facts.synapses, f"birc {target}", dtype, facts.seconds * STEPS * CASE.dt / 1000, neurons, facts.wiring, grown)


def cells(synapses: int, who: str, dtype: str, seconds: float, neurons: int, wiring: float, size: float) -> tuple[str, ...]:
    """A row; `seconds` are those of all steps."""
    step = seconds / STEPS
    return f"{synapses:,}", who, dtype, f"{1e6 * step:,.1f}", f"{1e9 * step / neurons:.2f}", f"{wiring:.3g}", f"{size / synapses:.1f}"


def rows(sizes: tuple[int, ...]) -> Iterator[tuple[str, ...]]:
    """Floor and birc, by size."""
    target = "native" if runs_networks("native") else "numpy"
    with tempfile.TemporaryDirectory() as folder:
        programs = floor_programs(Path(folder))
        for neurons in sizes:
            for dtype, files in programs.items():
                yield floor_row(files["floor_network"], dtype, neurons)
            for dtype in ("f32", "f64"):
                yield birc_row(Path(folder, "network.birc"), target, dtype, neurons)


def section(sizes: tuple[int, ...] = SIZES) -> str:
    """The table, with what its columns mean."""
    span = f"{STEPS} steps of {CASE.dt} ms"
    return f"""CUBA with 80 synapses onto each neuron, {span} on one thread, in processor time, each size of birc in a process of
its own. Its wiring is everything up to the first steps, by the clock, the compiler included where it is new. The floor's bytes are its rows
of targets; birc's are the largest resident set less that before the wiring, so neurons, spikes, and whatever is needed for a moment too.

{table(HEAD, rows(sizes), left=3)}"""
