"""NEURON (Carnevale and Hines 2006), and CoreNEURON (Kumbhar et al. 2019)."""

from __future__ import annotations

import math
from typing import Any

from neuron import coreneuron, h

from .line import Clock, Task, serve, task

LENGTH = math.sqrt(1000 / math.pi)
"""Of a cylinder of 1000 um^2, in um: 1 uA/cm^2 is 0.01 nA."""


def cell(task: Task, i: int, context: Any) -> tuple[Any, Any, Any, Any]:
    """A squid's compartment with its drive, what detects its spikes, and their times."""
    section = h.Section(name=f"cell{i}")
    section.L = section.diam = LENGTH
    section.cm = 1
    section.insert("hh")
    section.el_hh = -54.387
    clamp = h.IClamp(section(0.5))
    clamp.delay, clamp.dur, clamp.amp = 0, 1e9, 0.01 * task.drive(i)
    detector = h.NetCon(section(0.5)._ref_v, None, sec=section)
    detector.threshold = 0
    times = h.Vector()
    detector.record(times)
    context.set_gid2node(i, 0)
    context.cell(i, detector)
    return section, clamp, detector, times


def main(task: Task) -> None:
    """Start from rest for each run."""
    context = h.ParallelContext()
    cells = [cell(task, i, context) for i in range(task.neurons)]
    h.celsius = 6.3
    h.dt = task.dt
    h.CVode().active(0)
    core = "--coreneuron" in task.flags
    if core:
        coreneuron.enable = True
        coreneuron.verbose = 0
    else:
        h.CVode().cache_efficient(True)
    context.set_maxstep(10)

    def run() -> tuple[float, int]:
        h.finitialize(-65)
        with Clock() as clock:
            context.psolve(task.duration)
        return clock.seconds, sum(len(times) for *_, times in cells)

    serve("CoreNEURON" if core else "NEURON", h.nrnversion(0), "backward Euler, gates exponential, rates from tables", task, run)


main(task("--coreneuron"))
