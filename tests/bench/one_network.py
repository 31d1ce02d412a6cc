"""`python -m tests.bench.one_network FILE --target native …`: run one network in a process of its own; prints a line of JSON.

Steps are timed by the clock, or on one thread in processor time, all else by the clock; memory is the largest resident set (Linux).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import birc
from birc.backends import Dtype
from tests.bench.session import reason
from tests.bench.timing import ROOT
from tests.bench.watch import Watch


@dataclass(frozen=True)
class Facts:
    """What a run of a network took."""

    compiling: float
    """Seconds, the compiler's included."""
    wiring: float
    """Seconds, up to the first report of progress."""
    seconds: float
    """For a simulated second."""
    idle_megabytes: float
    """Before anything was wired."""
    megabytes: float
    synapses: int
    neurons: dict[str, int]
    rates: dict[str, float]
    """Spikes per second and neuron behind the transient, by group."""


def peak_megabytes() -> float:
    """The largest resident set that this process has had. (`getrusage` would tell the parent's, where that was larger.)"""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def measure(
    file: str, target: str, dt: float, dtype: Dtype, transient: float, duration: float, threads: int, seed: int, params: dict[str, object]
) -> Facts:
    """Run a network for `transient` and `duration` (ms)."""
    began = time.perf_counter()
    program: Any = birc.compile(file, target=target, dt=f"{dt} ms", dtype=dtype, params=params)
    program.runner  # noqa: B018 - it builds
    compiled, idle = time.perf_counter() - began, peak_megabytes()
    clock, watch = Watch(time.perf_counter), Watch(time.process_time if threads == 1 else time.perf_counter)

    def report(done: int, of: int, spikes: int) -> None:
        clock.report(done, of, spikes)
        watch.report(done, of, spikes)

    out = program.run(f"{transient + duration:g} ms", seed=seed, threads=threads, progress=report)
    return Facts(
        compiled,
        clock.wiring,
        watch.pace / dt * 1000,
        idle,
        peak_megabytes(),
        sum(len(p.edges.target) for p in out.network.projections),
        {name: group.n for name, group in out.groups.items()},
        {name: int((group.stamps * dt > transient).sum()) / group.n / duration * 1000 for name, group in out.groups.items()},
    )


def apart(file: Path | str, *, params: dict[str, object] | None = None, **options: object) -> Facts:
    """Measure in a fresh process. Raises RuntimeError with its last words where it fails."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "tests.bench.one_network", str(file), *words, "--params", json.dumps(params or {})]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{file}: {reason(done.stderr)}")
    return Facts(**json.loads(done.stdout.splitlines()[-1]))


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.one_network", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--target", default="native")
    parser.add_argument("--dt", type=float, default=0.1)
    parser.add_argument("--dtype", choices=("f32", "f64"), default="f32")
    parser.add_argument("--transient", type=float, default=0.0)
    parser.add_argument("--duration", type=float, default=1000.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--params", type=json.loads, default={})
    print(json.dumps(vars(measure(**vars(parser.parse_args(arguments))))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
