"""What the programs that run a simulator share: their arguments, a clock, and the lines of JSON that they print.

A program builds its network, runs it once to warm up, and prints a line; then it runs again and prints a line for each line that it reads.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """What to simulate: a model of birc's library, or a network; `neurons` for `steps` of `dt` ms, with a drive from `low` to `high`."""

    model: str
    neurons: int
    steps: int
    dt: float
    dtype: str
    low: float
    high: float
    flags: tuple[str, ...]

    @property
    def duration(self) -> float:
        """In ms."""
        return self.steps * self.dt

    def drive(self, i: int) -> float:
        """The drive of a neuron, in the unit of the model's port."""
        return self.low + (self.high - self.low) * i / max(1, self.neurons - 1)


def task(*flags: str) -> Task:
    """The task on the command line, with the flags that this simulator knows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--neurons", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--dt", type=float, required=True)
    parser.add_argument("--dtype", choices=("f32", "f64"), default="f64")
    parser.add_argument("--low", type=float, default=0.0)
    parser.add_argument("--high", type=float, default=0.0)
    for flag in flags:
        parser.add_argument(flag, dest="flags", action="append_const", const=flag)
    found = parser.parse_args()
    return Task(**{**vars(found), "flags": tuple(getattr(found, "flags", None) or ())})


class Clock:
    """Processor seconds of this process over a `with` block."""

    seconds = 0.0

    def __enter__(self) -> Clock:
        self.began = time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.process_time() - self.began


def serve(peer: str, version: str, scheme: str, task: Task, run: Callable[[], tuple[float, int]]) -> None:
    """Warm up, say so, and answer; `run` returns processor seconds of the stepping alone, and the number of spikes."""
    facts = {
        "peer": peer, "version": version, "scheme": scheme, "case": task.model, "dtype": task.dtype, "n": task.neurons, "steps": task.steps
    }  # fmt: skip
    while True:
        seconds, spikes = run()
        print(json.dumps({**facts, "seconds": seconds, "spikes": spikes}), flush=True)
        if not sys.stdin.readline():
            return
