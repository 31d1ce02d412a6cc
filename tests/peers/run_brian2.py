"""Brian2 (Stimberg, Brette and Goodman 2019): equations written for it, with all states at the end of every step."""

from __future__ import annotations

from typing import Any

import brian2 as b2

from .line import Task, answer

MODELS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "lif": (
        """dv/dt = (-70 - v + 0.1*(s + I))/(20*ms) : 1 (unless refractory)
           ds/dt = -s/(5*ms) : 1
           I : 1 (constant)""",
        {"threshold": "v >= -50", "reset": "v = -65"},
        {"v": -70},
        "s_post += w",
    ),
    "lif_unit": (
        """dv/dt = (I - v)/(20*ms) : 1 (unless refractory)
           I : 1 (constant)""",
        {"threshold": "v >= 1", "reset": "v = 0"},
        {"v": 0},
        "v_post += w*int(not_refractory_post)",
    ),
    "izhikevich": (
        """dv/dt = (0.04*v**2 + 5*v + 140 - u + I)/ms : 1
           du/dt = 0.02*(0.2*v - u)/ms : 1
           I : 1 (constant)""",
        {"threshold": "v >= 30", "reset": "v = -65; u += 8"},
        {"v": -65, "u": -13},
        "v_post += w",
    ),
    "adex": (
        """dv/dt = (30*(-70.6 - v) + 60*exp((v + 50.4)/2) - w_ad + I)/281/ms : 1
           dw_ad/dt = (4*(v + 70.6) - w_ad)/144/ms : 1
           I : 1 (constant)""",
        {"threshold": "v >= 0", "reset": "v = -70.6; w_ad += 80.5"},
        {"v": -70.6, "w_ad": 0},
        "",
    ),
    "hodgkin_huxley": (
        """dv/dt = (I - 120*m**3*h*(v - 50) - 36*n**4*(v + 77) - 0.3*(v + 54.387))/ms : 1
           dm/dt = (am*(1 - m) - bm*m)/ms : 1
           dh/dt = (ah*(1 - h) - bh*h)/ms : 1
           dn/dt = (an*(1 - n) - bn*n)/ms : 1
           am = 1/exprel(-(v + 40)/10) : 1
           bm = 4*exp(-(v + 65)/18) : 1
           ah = 0.07*exp(-(v + 65)/20) : 1
           bh = 1/(1 + exp(-(v + 35)/10)) : 1
           an = 0.1/exprel(-(v + 55)/10) : 1
           bn = 0.125*exp(-(v + 65)/80) : 1
           I : 1 (constant)""",
        {"threshold": "v > 0", "refractory": "v > 0"},
        {},
        "",
    ),
}
"""Equations, options, initial values, and what an event of weight `w` does."""


def main(task: Task) -> dict[str, Any]:
    """One neuron; `events` act in the steps that end at the stamps told, in the slot `when`; a spike's time is the start of its step."""
    b2.prefs.codegen.target = "numpy"
    dt = task["dt"] * b2.ms
    b2.defaultclock.dt = dt
    equations, options, start, act = MODELS[task["model"]]
    if "refractory" in task:
        options = {**options, "refractory": task["refractory"] * b2.ms}
    group = b2.NeuronGroup(1, equations, method=task["method"], **options)
    for name, value in {**start, **task.get("start", {})}.items():
        setattr(group, name, value)
    group.I = task["I"]
    spikes = b2.SpikeMonitor(group)
    states = b2.StateMonitor(group, task["record"], record=True, when="end")
    network = b2.Network(group, spikes, states)
    if task["events"]:
        early = task["when"] == "before_thresholds"  # the source's spikes wait for the next step then
        times = [(stamp - 1 - early) * task["dt"] for stamp, _ in task["events"]] * b2.ms
        source = b2.SpikeGeneratorGroup(len(times), list(range(len(times))), times)
        synapses = b2.Synapses(source, group, "w : 1", on_pre=act)
        synapses.connect()
        synapses.pre.when = task["when"]
        synapses.w = [w for _, w in task["events"]]
        network.add(source, synapses)
    network.run(task["steps"] * dt)
    rows = {name: getattr(states, name)[0].tolist() for name in task["record"]}
    return {"version": b2.__version__, "spikes": [int(k) for k in (spikes.t / dt).round()], **rows}


answer(main)
