"""NEST: one of its plastic synapses between two neurons that repeat given spikes, and the weight with which each spike is delivered."""

from __future__ import annotations

from typing import Any

import nest

from .line import Task, answer


def main(task: Task) -> dict[str, Any]:
    """Weights at the spikes `pre` (stamps from 2 on), in their order, with spikes `post` of the target; `delay` is in steps."""
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    dt = task["dt"]
    nest.set(resolution=dt, local_num_threads=1)
    pre, post = nest.Create("parrot_neuron", 1), nest.Create("parrot_neuron", 1, task["neuron"])
    for parrot, stamps in ((pre, task["pre"]), (post, task["post"])):
        times = [round((stamp - 1) * dt, 9) for stamp in stamps]  # the way to the parrot takes a step
        nest.Connect(nest.Create("spike_generator", 1, {"spike_times": times}), parrot, syn_spec={"delay": dt})
    recorder = nest.Create("weight_recorder")
    nest.CopyModel(task["model"], "recorded", {"weight_recorder": recorder})
    # at receptor 1 a parrot hears and repeats nothing
    nest.Connect(pre, post, syn_spec={"synapse_model": "recorded", "delay": task["delay"] * dt, "receptor_type": 1, **task["parameters"]})
    nest.Simulate((task["steps"] + 2) * dt)
    return {"version": nest.__version__, "spikes": [], "weights": recorder.events["weights"].tolist()}


answer(main)
