"""Networks in Brian2 (Stimberg, Brette and Goodman 2019) as a C++ program of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brian2 as b2
from brian2 import ms, mV

from .brian2_program import program
from .line import Task, serve, task

Parts = tuple[Any, list[Any]]
"""The neurons whose spikes are counted, and everything else."""

CUBA = """dv/dt = (ge + gi - (v + 49*mV))/(20*ms) : volt (unless refractory)
          dge/dt = -ge/(5*ms) : volt
          dgi/dt = -gi/(10*ms) : volt"""
COBA_HH = """
    dv/dt = (10*nS*(-60*mV - v) + ge*(0*mV - v) + gi*(-80*mV - v) + gna*(50*mV - v) + gk*(-90*mV - v))/(200*pF) : volt
    dm/dt = am*(1 - m) - bm*m : 1
    dh/dt = ah*(1 - h) - bh*h : 1
    dn/dt = an*(1 - n) - bn*n : 1
    dge/dt = -ge/(5*ms) : siemens
    dgi/dt = -gi/(10*ms) : siemens
    gna = 20*usiemens*m**3*h : siemens
    gk = 6*usiemens*n**4 : siemens
    x = v/mV + 63 : 1
    am = 1.28/exprel((13 - x)/4)/ms : Hz
    bm = 1.4/exprel((x - 40)/5)/ms : Hz
    ah = 0.128*exp((17 - x)/18)/ms : Hz
    bh = 4/(1 + exp((40 - x)/5))/ms : Hz
    an = 0.16/exprel((15 - x)/5)/ms : Hz
    bn = 0.5*exp((10 - x)/40)/ms : Hz"""
STDP = """dv/dt = (-g*v - 74*mV - v)/(10*ms) : volt
          dg/dt = -g/(5*ms) : 1"""
PAIR = """w : 1
          dx/dt = -x/(20*ms) : 1 (event-driven)
          dy/dt = -y/(20*ms) : 1 (event-driven)"""


def synapses(neurons: Any, excite: str, inhibit: str, fixed: bool) -> list[Any]:
    """80 onto each neuron from the others, 64 of them from the first four fifths."""
    first = len(neurons) // 5 * 4
    made = []
    for sources, action, degree in ((neurons[:first], excite, 64), (neurons[first:], inhibit, 16)):
        made.append(b2.Synapses(sources, neurons, on_pre=action))
        if fixed:
            made[-1].connect(i=f"k for k in sample(0, N_pre, size={degree})")
        else:
            made[-1].connect(p=80 / len(neurons))
    return made


def cuba(task: Task) -> Parts:
    """With random wiring, or a fixed in-degree."""
    neurons = b2.NeuronGroup(task.neurons, CUBA, threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms, method="exact")
    neurons.v = "-60*mV + 10*mV*rand()"
    return neurons, synapses(neurons, "ge += 1.62*mV", "gi -= 9*mV", task.model == "cuba-fixed")


def coba_hh(task: Task) -> Parts:
    """Spikes rise above -20 mV."""
    neurons = b2.NeuronGroup(task.neurons, COBA_HH, threshold="v > -20*mV", refractory=3 * ms, method="exponential_euler")
    neurons.v = "-65*mV + 5*mV*randn()"
    neurons.ge = "40*nS + 15*nS*randn()"
    neurons.gi = "200*nS + 120*nS*randn()"
    return neurons, synapses(neurons, "ge += 6*nS", "gi += 67*nS", fixed=False)


def stdp(task: Task) -> Parts:
    """A thousand sources onto each neuron."""
    sources = b2.PoissonGroup(1000, rates=15 * b2.Hz)
    neurons = b2.NeuronGroup(task.neurons, STDP, threshold="v > -54*mV", reset="v = -60*mV", method="euler")
    neurons.v = -60 * mV
    plastic = b2.Synapses(
        sources,
        neurons,
        PAIR,
        on_pre="g_post += w; x += 0.0001; w = clip(w + y, 0, 0.01)",
        on_post="y -= 0.000105; w = clip(w + x, 0, 0.01)",
    )
    plastic.connect()
    plastic.w = "0.01*rand()"
    return neurons, [sources, plastic]


CASES: dict[str, tuple[str, Callable[[Task], Parts]]] = {
    "cuba": ("exact", cuba),
    "cuba-fixed": ("exact", cuba),
    "coba-hh": ("exponential_euler", coba_hh),
    "stdp": ("euler", stdp),
}


def main(task: Task) -> None:
    """Write and build the program, then run it as often as asked; the wiring is no part of the clock."""
    scheme, make = CASES[task.model]
    with program(task) as (version, run):
        neurons, others = make(task)
        monitor = b2.SpikeMonitor(neurons)
        serve("Brian2", version, scheme, task, run(b2.Network(neurons, monitor, *others), monitor))


main(task("--fast-math"))
