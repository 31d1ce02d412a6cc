"""NEST (Gewaltig and Diesmann 2007)."""

from __future__ import annotations

from typing import Any

import nest

from .line import Clock, Task, serve, task

# Each with its scheme, and what a unit of birc's input is in pA: for 100 pF in place of 1 uF/cm^2, 1 uA/cm^2 is 100 pA.
MODELS: dict[str, tuple[str, str, float, dict[str, Any]]] = {
    "lif": (
        "iaf_psc_exp",
        "exact",
        1.0,
        {"C_m": 200.0, "tau_m": 20.0, "E_L": -70.0, "V_m": -70.0, "V_th": -50.0, "V_reset": -65.0, "t_ref": 2.0, "tau_syn_ex": 5.0},
    ),
    "izhikevich": (
        "izhikevich",
        "euler",
        1.0,
        {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "V_th": 30.0, "V_m": -65.0, "U_m": -13.0, "consistent_integration": True},
    ),
    "adex": (
        "aeif_cond_exp",
        "adaptive RKF45",
        1.0,
        {
            "C_m": 281.0, "g_L": 30.0, "E_L": -70.6, "V_th": -50.4, "Delta_T": 2.0, "a": 4.0, "tau_w": 144.0, "b": 80.5,
            "V_reset": -70.6, "V_peak": 0.0, "t_ref": 0.0, "V_m": -70.6,
        },
    ),
    "hodgkin_huxley": ("hh_psc_alpha", "adaptive RKF45", 100.0, {"C_m": 100.0, "g_L": 30.0, "E_L": -54.387, "V_m": -65.0}),
}  # fmt: skip


def main(task: Task) -> None:
    """Build the network anew for each run."""
    name, scheme, scale, parameters = MODELS[task.model]
    nest.verbosity = nest.VerbosityLevel.ERROR

    def run() -> tuple[float, int]:
        nest.ResetKernel()
        nest.set(resolution=task.dt, local_num_threads=1)
        neurons = nest.Create(name, task.neurons, parameters)
        neurons.I_e = [scale * task.drive(i) for i in range(task.neurons)]
        recorder = nest.Create("spike_recorder")
        nest.Connect(neurons, recorder)
        nest.Prepare()
        with Clock() as clock:
            nest.Run(task.duration)
        spikes = int(recorder.n_events)
        nest.Cleanup()
        return clock.seconds, spikes

    serve("NEST", nest.__version__, scheme, task, run)


main(task())
