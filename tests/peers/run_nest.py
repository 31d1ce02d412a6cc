"""NEST (Gewaltig and Diesmann 2007): one of its neurons, with its membrane potential at every stamp."""

from __future__ import annotations

from typing import Any

import nest

from .line import Task, answer


def main(task: Task) -> dict[str, Any]:
    """Spikes and states of one neuron. `events` act at the stamps told, from 2 on; `current` has new values from the stamps told on."""
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.set(resolution=task["dt"], local_num_threads=1)
    neuron = nest.Create(task["model"], 1, task["parameters"])
    precise = task.get("precise", False)
    recorder = nest.Create("spike_recorder", 1, {"time_in_steps": not precise})
    meter = nest.Create("multimeter", 1, {"interval": task["dt"], "record_from": task["record"]})
    nest.Connect(neuron, recorder)
    nest.Connect(meter, neuron, syn_spec={"delay": task["dt"]})
    delay = task["dt"]  # the shortest there is
    if task["events"]:
        times = [round((stamp - 1) * task["dt"], 9) for stamp, _ in task["events"]]
        source = nest.Create("spike_generator", 1, {"spike_times": times, "spike_weights": [w for _, w in task["events"]]})
        nest.Connect(source, neuron, syn_spec={"delay": delay})
    if task["current"]:
        times = [round((stamp - 1) * task["dt"], 9) for stamp, _ in task["current"]]
        values = [value for _, value in task["current"]]
        source = nest.Create("step_current_generator", 1, {"amplitude_times": times, "amplitude_values": values})
        nest.Connect(source, neuron, syn_spec={"delay": delay})
    nest.Simulate((task["steps"] + 2) * task["dt"])  # what the last steps record arrives later
    rows = {name: meter.events[name][: task["steps"]].tolist() for name in task["record"]}
    end = task["steps"] * (task["dt"] if precise else 1)
    spikes = [t for t in recorder.events["times"].tolist() if t <= end]
    return {"version": nest.__version__, "spikes": spikes, **rows}


answer(main)
