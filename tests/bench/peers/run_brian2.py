"""Brian2 (Stimberg, Brette and Goodman 2019) as a C++ program of its own."""

from __future__ import annotations

from typing import Any

import brian2 as b2

from .brian2_program import program
from .line import Task, serve, task

MODELS: dict[str, tuple[str, dict[str, Any], dict[str, float]]] = {
    "lif": (
        """dv/dt = (-70 - v + 0.1*(s + I))/(20*ms) : 1 (unless refractory)
           ds/dt = -s/(5*ms) : 1
           I : 1 (constant)""",
        {"threshold": "v >= -50", "reset": "v = -65", "refractory": 2.1 * b2.ms, "method": "exact"},
        {"v": -70},
    ),
    "izhikevich": (
        """dv/dt = (0.04*v**2 + 5*v + 140 - u + I)/ms : 1
           du/dt = 0.02*(0.2*v - u)/ms : 1
           I : 1 (constant)""",
        {"threshold": "v >= 30", "reset": "v = -65; u += 8", "method": "euler"},
        {"v": -65, "u": -13},
    ),
    "adex": (
        """dv/dt = (30*(-70.6 - v) + 60*exp((v + 50.4)/2) - w + I)/281/ms : 1
           dw/dt = (4*(v + 70.6) - w)/144/ms : 1
           I : 1 (constant)""",
        {"threshold": "v >= 0", "reset": "v = -70.6; w += 80.5", "method": "euler"},
        {"v": -70.6, "w": 0},
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
        {"threshold": "v > 0", "refractory": "v > 0", "method": "exponential_euler"},
        {"v": -65, "m": 0.0529325, "h": 0.5961208, "n": 0.3176769},
    ),
}


def main(task: Task) -> None:
    """Write and build the program, then run it as often as asked."""
    with program(task) as (version, run):
        equations, options, start = MODELS[task.model]
        group = b2.NeuronGroup(task.neurons, equations, **options)
        for name, value in start.items():
            setattr(group, name, value)
        group.I = f"{task.low} + {task.high - task.low}*i/(N - 1)"
        monitor = b2.SpikeMonitor(group)
        serve("Brian2", version, options["method"], task, run(b2.Network(group, monitor), monitor))


main(task("--fast-math"))
