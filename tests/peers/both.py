"""One neuron in another simulator and in birc, as arrays of the same shape: row k belongs to stamp k+1."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from birc import driver
from birc.exact.solve import solve
from birc.exact.verify import pose, quickest_target
from tests.bench.peers import FOLDER, WHERE
from tests.peers.line import MARK, Task

Array = npt.NDArray[np.float64]
Event = tuple[int, float]
"""The stamp before which it acts, and its weight."""


@dataclass(frozen=True)
class Run:
    """Spikes, as stamps or in ms, and states by name."""

    spikes: list[float]
    states: Mapping[str, Array]
    version: str = ""


def installed(environment: str) -> bool:
    """Whether a simulator's environment is there, and complete."""
    return (FOLDER / environment / "complete").exists()


def ask(environment: str, **task: Any) -> Run:
    """Run a simulator in its environment, by its program for neurons or by the one named. Raises CalledProcessError where it fails."""
    program = task.pop("program", f"run_{environment}")
    task = {"events": (), "current": (), "record": (), **task}
    python = FOLDER / environment / "bin" / "python"
    done = subprocess.run(
        [str(python), "-m", f"peers.{program}"],
        cwd=WHERE,
        input=json.dumps(task) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith(MARK))
    answer: Task = json.loads(line.removeprefix(MARK))
    return Run(answer["spikes"], {name: np.array(answer[name]) for name in task["record"]}, answer["version"])


def birc(
    model: str,
    *,
    dt: float,
    steps: int,
    inputs: Mapping[str, object],
    record: Sequence[str] = ("v",),
    events: Mapping[str, Sequence[Event]] | None = None,
    **options: Any,
) -> Run:
    """A library neuron on the quickest target; its spikes are stamps."""
    given = {**inputs, **{port: rows(listed, steps) for port, listed in (events or {}).items()}}
    result = driver.run(model, steps * dt, target=quickest_target(), dt=f"{dt} ms", inputs=given, record=list(record), **options)
    return Run([int(k) for k in result.stamps], {name: np.asarray(result[name])[:, 0] for name in record})


def rows(events: Sequence[Event], steps: int) -> Array:
    """What arrives at each stamp, [steps, 1]."""
    table = np.zeros((steps, 1))
    for stamp, weight in events:
        table[stamp - 1] += weight
    return table


def exact_spikes(model: str, *, dt: float, steps: int, inputs: Mapping[str, object], **options: Any) -> list[float]:
    """The spike times in ms of the exact solution."""
    posed = pose(model, dt=f"{dt} ms", duration=f"{steps * dt} ms", inputs=inputs, **options)
    return list(solve(posed.system, posed.drive).spikes)
