"""Arbor (Abi Akar et al. 2019); all cells in one group, so that it vectorises over them."""

from __future__ import annotations

import math
from typing import Any

import arbor
from arbor import units

from .line import Clock, Task, serve, task

LENGTH = math.sqrt(1000 / math.pi)
"""Of a cylinder of 1000 um^2, in um: 1 uA/cm^2 is 0.01 nA."""


class Cells(arbor.recipe):  # type: ignore[misc]
    """Compartments of the squid's axon."""

    def __init__(self, task: Task) -> None:
        arbor.recipe.__init__(self)
        self.task = task
        self.properties = arbor.neuron_cable_properties()

    def num_cells(self) -> int:
        return self.task.neurons

    def cell_kind(self, gid: int) -> Any:
        return arbor.cell_kind.cable

    def global_properties(self, kind: Any) -> Any:
        return self.properties

    def cell_description(self, gid: int) -> Any:
        tree = arbor.segment_tree()
        tree.append(arbor.mnpos, arbor.mpoint(0, 0, 0, LENGTH / 2), arbor.mpoint(LENGTH, 0, 0, LENGTH / 2), tag=1)
        decor = arbor.decor()
        decor.set_property(Vm=-65 * units.mV, cm=0.01 * units.F / units.m2, rL=100 * units.Ohm * units.cm, tempK=279.45 * units.Kelvin)
        decor.set_ion(ion="na", rev_pot=50 * units.mV)
        decor.set_ion(ion="k", rev_pot=-77 * units.mV)
        decor.paint("(all)", arbor.density("hh", {"el": -54.387}))
        decor.place("(location 0 0.5)", arbor.i_clamp(0 * units.ms, 1e9 * units.ms, 0.01 * self.task.drive(gid) * units.nA))
        decor.place("(location 0 0.5)", arbor.threshold_detector(0 * units.mV), "out")
        return arbor.cable_cell(tree, decor, arbor.label_dict(), arbor.cv_policy_fixed_per_branch(1))


def main(task: Task) -> None:
    """Reset before each run."""
    cells = Cells(task)
    context = arbor.context(threads=1, gpu_id=None)
    hint = {arbor.cell_kind.cable: arbor.partition_hint(cpu_group_size=task.neurons)}
    simulation = arbor.simulation(cells, context, arbor.partition_load_balance(cells, context, hint))
    simulation.record(arbor.spike_recording.local)

    def run() -> tuple[float, int]:
        simulation.reset()
        with Clock() as clock:
            simulation.run(task.duration * units.ms, task.dt * units.ms)
        return clock.seconds, len(simulation.spikes())

    config = arbor.config()
    serve("Arbor", f"{config['version']}, built for {config['arch']}", "backward Euler, gates exponential", task, run)


main(task())
