"""Networks in NEST (Gewaltig and Diesmann 2007)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nest

from .line import Clock, Task, serve, task

SETTLE = 50.0
"""Before the clock starts, in ms: conductances cannot be set, so some noise starts the network of Hodgkin-Huxley neurons."""


def connect(neurons: Any, excite: float, inhibit: float, task: Task) -> None:
    """80 onto each neuron from the others, 64 of them from the first four fifths."""
    first = len(neurons) // 5 * 4
    for sources, weight, degree in ((neurons[:first], excite, 64), (neurons[first:], inhibit, 16)):
        fixed = {"rule": "fixed_indegree", "indegree": degree}
        rule = fixed if task.model == "cuba-fixed" else {"rule": "pairwise_bernoulli", "p": 80 / len(neurons)}
        nest.Connect(sources, neurons, rule, {"synapse_model": "static_synapse", "weight": weight, "delay": task.dt})


def cuba(task: Task) -> Any:
    """A membrane of 20 pF and 1 nS, so that 1 pA is 1 mV."""
    membrane = {"C_m": 20.0, "tau_m": 20.0, "E_L": -49.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0}
    neurons = nest.Create("iaf_psc_exp", task.neurons, {**membrane, "tau_syn_ex": 5.0, "tau_syn_in": 10.0})
    neurons.V_m = nest.random.uniform(-60.0, -50.0)
    connect(neurons, 1.62, -9.0, task)
    return neurons


def coba_hh(task: Task) -> Any:
    """Traub and Miles's neurons."""
    membrane = {"C_m": 200.0, "g_L": 10.0, "E_L": -60.0, "t_ref": 3.0}
    channels = {"g_Na": 20000.0, "E_Na": 50.0, "g_K": 6000.0, "E_K": -90.0, "V_T": -63.0}
    receptors = {"tau_syn_ex": 5.0, "E_ex": 0.0, "tau_syn_in": 10.0, "E_in": -80.0}
    neurons = nest.Create("hh_cond_exp_traub", task.neurons, {**membrane, **channels, **receptors})
    neurons.V_m = nest.random.normal(-65.0, 5.0)
    noise = nest.Create("poisson_generator", 1, {"rate": 2000.0, "stop": SETTLE})
    nest.Connect(noise, neurons, syn_spec={"weight": 6.0, "delay": task.dt})
    connect(neurons, 6.0, -67.0, task)
    return neurons


def stdp(task: Task) -> Any:
    """Conductances in units of a leak of 10 nS; a thousand sources onto each neuron."""
    membrane = {"C_m": 100.0, "g_L": 10.0, "E_L": -74.0, "V_m": -60.0, "V_th": -54.0, "V_reset": -60.0, "t_ref": task.dt}
    neurons = nest.Create("iaf_cond_exp", task.neurons, {**membrane, "E_ex": 0.0, "tau_syn_ex": 5.0, "tau_minus": 20.0})
    noise = nest.Create("poisson_generator", 1, {"rate": 15.0})
    sources = nest.Create("parrot_neuron", 1000)
    nest.Connect(noise, sources)
    rule = {"tau_plus": 20.0, "lambda": 0.01, "alpha": 1.05, "mu_plus": 0.0, "mu_minus": 0.0, "Wmax": 0.1}
    start = {"weight": nest.random.uniform(0.0, 0.1), "delay": task.dt}
    nest.Connect(sources, neurons, "all_to_all", {"synapse_model": "stdp_synapse", **rule, **start})
    return neurons


CASES: dict[str, tuple[str, float, Callable[[Task], Any]]] = {
    "cuba": ("exact", 0.0, cuba),
    "cuba-fixed": ("exact", 0.0, cuba),
    "coba-hh": ("adaptive RKF45", SETTLE, coba_hh),
    "stdp": ("adaptive RKF45", 0.0, stdp),
}
"""By case its scheme, the time before the clock starts, and what makes the neurons whose spikes are counted."""


def main(task: Task) -> None:
    """Build the network anew for each run; the wiring is no part of the clock."""
    scheme, settle, make = CASES[task.model]
    nest.verbosity = nest.VerbosityLevel.ERROR

    def run() -> tuple[float, int]:
        nest.ResetKernel()
        nest.set(resolution=task.dt, local_num_threads=1)
        recorder = nest.Create("spike_recorder", 1, {"start": settle})
        nest.Connect(make(task), recorder)
        nest.Prepare()
        nest.Run(settle + task.dt)  # the first step sorts the connections
        with Clock() as clock:
            nest.Run(task.duration)
        spikes = int(recorder.n_events)
        nest.Cleanup()
        return clock.seconds, spikes

    serve("NEST", nest.__version__, scheme, task, run)


main(task())
