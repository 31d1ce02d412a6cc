"""NEURON (Carnevale and Hines 2006): its squid axon under a constant current, by its solver of variable step and order."""

from __future__ import annotations

import math
from typing import Any

from neuron import h

from .line import Task, answer

LENGTH = math.sqrt(1000 / math.pi)
"""Of a cylinder of 1000 um^2, in um: 1 uA/cm^2 is 0.01 nA."""


def main(task: Task) -> dict[str, Any]:
    """The times at which the potential rises through 0 mV."""
    section = h.Section(name="axon")
    section.L = section.diam = LENGTH
    section.cm = 1
    section.insert("hh")
    section.el_hh = -54.387
    h.celsius = 6.3
    if not task["tables"]:
        h.usetable_hh = 0
    clamp = h.IClamp(section(0.5))
    clamp.delay, clamp.dur, clamp.amp = 0, 1e9, 0.01 * task["density"]
    detector = h.NetCon(section(0.5)._ref_v, None, sec=section)
    detector.threshold = 0
    times = h.Vector()
    detector.record(times)
    solver = h.CVode()
    solver.active(1)
    solver.atol(task["tolerance"])
    solver.rtol(task["tolerance"])
    solver.condition_order(2)  # a crossing is interpolated, and not moved to the end of its step
    h.finitialize(-65)
    solver.solve(task["duration"])
    return {"version": h.nrnversion(0), "spikes": list(times)}


answer(main)
