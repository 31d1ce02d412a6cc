"""Library neurons against those of other simulators, with every difference of convention taken into account.

The conventions are in docs/conventions.md; what remains is measured here, and bounded by rounding or by the error that a scheme states.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from birc.exact.solve import solve
from birc.exact.verify import pose
from birc.runtime.bind import parameter_values
from birc.runtime.values import Setting
from tests.peers import synapses
from tests.peers.both import Event, Run, ask, birc, exact_spikes
from tests.peers.figures import Figure

DT = 0.1
STEPS = 5000


@dataclass(frozen=True)
class Comparison:
    """What is compared, in which environment, and how."""

    name: str
    environment: str
    ours: str
    theirs: str
    run: Callable[[], Sequence[Figure]]


def bombardment(scale: float, seed: int, rate: float = 0.08) -> list[Event]:
    """Events at random stamps, of random weights up to `scale`; the first at stamp 2."""
    draws = np.random.default_rng(seed)
    stamps = 2 + np.flatnonzero(draws.random(STEPS - 2) < rate)
    return [(int(k), float(scale * w)) for k, w in zip(stamps, draws.random(len(stamps)), strict=True)]


def same_stamps(ours: Run, theirs: Run, later: int = 0) -> Figure:
    """How many spikes are not at the same stamps, of at least one."""
    assert ours.spikes, "nothing fires: nothing is compared"
    shifted = [k + later for k in theirs.spikes]
    return Figure(f"stamps of {len(ours.spikes)} spikes", float(len(set(ours.spikes) ^ set(shifted))), 0, "spikes", "the same")


def same_states(ours: Run, theirs: Run, names: dict[str, tuple[str, float]], bounds: dict[str, tuple[float, str]]) -> list[Figure]:
    """The largest difference of each state; `names` has theirs, and what to multiply it with, by ours."""
    found = []
    for name, (other, factor) in names.items():
        bound, unit = bounds[name]
        worst = float(np.max(np.abs(ours.states[name] - factor * theirs.states[other])))
        found.append(Figure(f"{name} at {len(ours.states[name])} stamps", worst, bound, unit, "rounding"))
    return found


def same_times(ours: Sequence[float], theirs: Sequence[float], bound: float, why: str) -> Figure:
    """The largest distance between spikes, infinite where their numbers differ."""
    assert ours, "nothing fires: nothing is compared"
    n = len(ours)
    worst = max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) if n == len(theirs) else math.inf
    return Figure(f"times of {n} spikes", worst, bound, "ms", why)


# --- NEST


def nest_lif() -> list[Figure]:
    exc, inh = bombardment(60.0, 1), bombardment(40.0, 2, 0.04)
    ours = birc("lif", dt=DT, steps=STEPS, inputs={"I": "210 pA"}, events={"exc": exc, "inh": inh}, record=("v", "i_s"))
    parameters = {"C_m": 200.0, "tau_m": 20.0, "E_L": -70.0, "V_m": -70.0, "V_th": -50.0, "V_reset": -65.0, "t_ref": 2.0}
    theirs = ask(
        "nest", model="iaf_psc_exp", dt=DT, steps=STEPS, record=("V_m", "I_syn_ex", "I_syn_in"),
        parameters={**parameters, "tau_syn_ex": 5.0, "tau_syn_in": 5.0, "I_e": 210.0},
        events=sorted([*exc, *((k, -w) for k, w in inh)]),
    )  # fmt: skip
    current = theirs.states["I_syn_ex"] + theirs.states["I_syn_in"]
    theirs = Run(theirs.spikes, {**theirs.states, "I_syn": current}, theirs.version)
    names = {"v": ("V_m", 1.0), "i_s": ("I_syn", 1.0)}
    return [same_stamps(ours, theirs), *same_states(ours, theirs, names, {"v": (1e-9, "mV"), "i_s": (1e-9, "pA")})]


def nest_two_currents(model: str, theirs_model: str) -> list[Figure]:
    exc, inh = bombardment(300.0, 3), bombardment(200.0, 4, 0.04)
    params = {"tau_exc": "3 ms", "tau_inh": "7 ms"}
    ours = birc(
        model, dt=DT, steps=STEPS, inputs={"I": "380 pA"}, events={"exc": exc, "inh": inh}, record=("v", "i_exc", "i_inh"), params=params
    )
    theirs = ask(
        "nest", model=theirs_model, dt=DT, steps=STEPS, record=("V_m", "I_syn_ex", "I_syn_in"),
        parameters={"tau_syn_ex": 3.0, "tau_syn_in": 7.0, "I_e": 380.0}, events=sorted([*exc, *((k, -w) for k, w in inh)]),
    )  # fmt: skip
    names = {"v": ("V_m", 1.0), "i_exc": ("I_syn_ex", 1.0), "i_inh": ("I_syn_in", -1.0)}
    bounds = {"v": (1e-9, "mV"), "i_exc": (1e-9, "pA"), "i_inh": (1e-9, "pA")}
    return [same_stamps(ours, theirs), *same_states(ours, theirs, names, bounds)]


def nest_current() -> list[Figure]:
    """A current that changes every 5 ms, from nothing."""
    values = np.random.default_rng(5).normal(450.0, 150.0, STEPS // 50).round(3)
    values[0] = 0.0
    ours = birc("lif_exp", dt=DT, steps=STEPS, inputs={"I": np.repeat(values, 50)})
    theirs = ask(
        "nest", model="iaf_psc_exp", dt=DT, steps=STEPS, record=("V_m",), parameters={},
        current=[(50 * i, float(value)) for i, value in enumerate(values)][1:],
    )  # fmt: skip
    return [same_stamps(ours, theirs), *same_states(ours, theirs, {"v": ("V_m", 1.0)}, {"v": (1e-9, "mV")})]


def nest_delta() -> list[Figure]:
    syn = bombardment(0.4, 6)
    ours = birc("lif_unit", dt=DT, steps=STEPS, inputs={"I": 0.7}, events={"syn": syn})
    parameters = {"C_m": 20.0, "tau_m": 20.0, "E_L": 0.0, "V_m": 0.0, "V_th": 1.0, "V_reset": 0.0, "t_ref": 2.0, "I_e": 0.7}
    theirs = ask("nest", model="iaf_psc_delta", dt=DT, steps=STEPS, record=("V_m",), parameters=parameters, events=syn)
    return [same_stamps(ours, theirs), *same_states(ours, theirs, {"v": ("V_m", 1.0)}, {"v": (1e-12, "1")})]


def nest_precise() -> list[Figure]:
    """NEST's spikes inside steps are those of the exact solution."""
    inputs = {"I": "500 pA"}
    ours = exact_spikes("lif_exp", dt=DT, steps=STEPS, inputs=inputs)
    theirs = ask("nest", model="iaf_psc_exp_ps", dt=DT, steps=STEPS, parameters={"I_e": 500.0}, precise=True)
    return [same_times(ours, theirs.spikes, 1e-9, "rounding; the exact solution's tolerance is 1e-12")]


def nest_izhikevich() -> list[Figure]:
    ours = birc("izhikevich", dt=DT, steps=STEPS, inputs={"I": "10 mV/ms"}, record=("v", "u"), solver="euler")
    theirs = ask("nest", model="izhikevich", dt=DT, steps=STEPS, record=("V_m", "U_m"), parameters={"I_e": 10.0})
    names = {"v": ("V_m", 1.0), "u": ("U_m", 1.0)}
    return [same_stamps(ours, theirs), *same_states(ours, theirs, names, {"v": (1e-9, "mV"), "u": (1e-9, "mV/ms")})]


ADEX = {
    "C": "C_m", "g_L": "g_L", "E_L": "E_L", "v_T": "V_th", "D_T": "Delta_T", "tau_w": "tau_w", "a": "a", "b": "b", "v_r": "V_reset",
    "v_peak": "V_peak",
}  # fmt: skip
NAUD = {
    "tonic": 500, "adapting": 500, "initial_burst": 400, "regular_bursting": 210, "delayed_accelerating": 300,
    "delayed_regular_bursting": 110, "transient": 180, "irregular": 160,
}  # fmt: skip
"""The steps of current of Naud et al. (2008), in pA."""


def nest_adex() -> list[Figure]:
    """NEST resets inside its steps and reports the end of the step: the exact spike time, rounded up."""
    found, spikes = 0, 0
    for preset, current in ((None, 800), *NAUD.items()):
        posed = pose("adex", preset=preset, dt=f"{DT} ms", duration=f"{STEPS * DT} ms", inputs={"I": f"{current} pA"})
        values = parameter_values(posed.step, Setting("adex", 1, 0, STEPS, DT, 0), {}, preset)
        parameters = {theirs: values[ours] for ours, theirs in ADEX.items()}
        theirs = ask(
            "nest", model="aeif_psc_exp", dt=DT, steps=STEPS,
            parameters={**parameters, "V_m": values["E_L"], "I_e": current, "t_ref": 0.0, "gsl_error_tol": 1e-12},
        )  # fmt: skip
        ours = [math.ceil(t / DT) for t in solve(posed.system, posed.drive).spikes]
        assert ours, "nothing fires: nothing is compared"
        found += len(set(ours) ^ set(theirs.spikes))
        spikes += len(ours)
    return [Figure(f"stamps of {spikes} spikes, {1 + len(NAUD)} patterns", float(found), 0, "spikes", "the same")]


def nest_hodgkin_huxley() -> list[Figure]:
    """NEST reports the stamp behind the one at which the potential is highest."""
    dt, steps = 0.01, 20_000
    ours = birc("hodgkin_huxley", dt=dt, steps=steps, inputs={"I": "10 uA/cm^2"}, record=("v", "na.m", "na.h", "k.n"))
    theirs = ask(
        "nest", model="hh_psc_alpha", dt=dt, steps=steps, parameters={"I_e": 1000.0, "E_L": -54.387},
        record=("V_m", "Act_m", "Inact_h", "Act_n"),
    )  # fmt: skip
    v = ours.states["v"]
    peaks = 2 + np.flatnonzero((v[1:-1] >= 0) & (v[1:-1] > v[:-2]) & (v[1:-1] > v[2:]))
    at_peaks = Run([int(k) for k in peaks], ours.states)
    names = {"v": ("V_m", 1.0), "na.m": ("Act_m", 1.0), "na.h": ("Inact_h", 1.0), "k.n": ("Act_n", 1.0)}
    bounds = {"v": (2e-3, "mV"), **dict.fromkeys(("na.m", "na.h", "k.n"), (2e-5, "1"))}
    states = same_states(ours, theirs, names, bounds)
    return [same_stamps(at_peaks, theirs, later=-1), *(replace(f, why="its solver's tolerance of 1e-6 per step") for f in states)]


# --- Brian2


def brian_lif() -> list[Figure]:
    exc = bombardment(60.0, 7)
    ours = birc("lif", dt=DT, steps=STEPS, inputs={"I": "210 pA"}, events={"exc": exc}, record=("v", "i_s"))
    theirs = ask(
        "brian2",
        model="lif",
        method="exact",
        I=210.0,
        dt=DT,
        steps=STEPS,
        record=("v", "s"),
        refractory=2.0 + DT,
        events=exc,
        when="synapses",
    )
    names = {"v": ("v", 1.0), "i_s": ("s", 1.0)}
    return [same_stamps(ours, theirs, 1), *same_states(ours, theirs, names, {"v": (1e-9, "mV"), "i_s": (1e-9, "pA")})]


def brian_delta() -> list[Figure]:
    """Events that make it fire at once: delivered before the test, which Brian2 does where it is told to."""
    syn = bombardment(0.4, 8)
    ours = birc("lif_unit", dt=DT, steps=STEPS, inputs={"I": 0.7}, events={"syn": syn})
    theirs = ask(
        "brian2", model="lif_unit", method="exact", I=0.7, dt=DT, steps=STEPS, record=("v",), refractory=2.0 + DT, events=syn,
        when="before_thresholds",
    )  # fmt: skip
    return [same_stamps(ours, theirs, 1), *same_states(ours, theirs, {"v": ("v", 1.0)}, {"v": (1e-12, "1")})]


def brian_euler(model: str, drive: float, unit: str, record: dict[str, tuple[str, float]]) -> list[Figure]:
    ours = birc(model, dt=DT, steps=STEPS, inputs={"I": f"{drive} {unit}"}, record=tuple(record), solver="euler")
    theirs = ask("brian2", model=model, method="euler", I=drive, dt=DT, steps=STEPS, record=[name for name, _ in record.values()])
    return [same_stamps(ours, theirs, 1), *same_states(ours, theirs, record, {"v": (1e-8, "mV"), "u": (1e-9, "mV/ms"), "w": (1e-8, "pA")})]


def brian_rk4(model: str, drive: float, unit: str) -> list[Figure]:
    """Up to the step in which the first spike is: in it a stage may lie above the threshold, where birc stops it."""
    ours = birc(model, dt=DT, steps=STEPS, inputs={"I": f"{drive} {unit}"}, solver="rk4")
    steps = ours.spikes[0] - 1
    theirs = ask("brian2", model=model, method="rk4", I=drive, dt=DT, steps=steps, record=("v",))
    before = Run([], {"v": ours.states["v"][:steps]})
    return [*same_states(before, theirs, {"v": ("v", 1.0)}, {"v": (1e-9, "mV")})]


def brian_hodgkin_huxley() -> list[Figure]:
    dt, steps = 0.01, 10_000
    gates = ("na.m", "na.h", "k.n")
    ours = birc("hodgkin_huxley", dt=dt, steps=steps, inputs={"I": "10 uA/cm^2"}, record=("v", *gates), solver="exponential_euler")
    start = birc("hodgkin_huxley", dt=1e-9, steps=1, inputs={}, record=gates).states
    theirs = ask(
        "brian2", model="hodgkin_huxley", method="exponential_euler", I=10.0, dt=dt, steps=steps, record=("v", "m", "h", "n"),
        start={"v": -65.0, **{name[-1]: float(start[name][0]) for name in gates}},
    )  # fmt: skip
    names = {"v": ("v", 1.0), **{name: (name[-1], 1.0) for name in gates}}
    bounds = {"v": (1e-8, "mV"), **dict.fromkeys(gates, (1e-9, "1"))}
    return [same_stamps(ours, theirs, 1), *same_states(ours, theirs, names, bounds)]


# --- NEURON

AXON = {"density": 10.0, "duration": 200.0, "tolerance": 1e-9}


def neuron_exact() -> list[Figure]:
    theirs = ask("neuron", **AXON, tables=False)
    ours = exact_spikes("hodgkin_huxley", dt=0.01, steps=20_000, inputs={"I": "10 uA/cm^2"})
    return [same_times(ours, theirs.spikes, 1e-4, "CVODE's tolerance of 1e-9, and its linear interpolation of a crossing")]


def neuron_stepped() -> list[Figure]:
    dt = 0.005
    theirs = ask("neuron", **AXON, tables=False)
    ours = birc("hodgkin_huxley", dt=dt, steps=round(200 / dt), inputs={"I": "10 uA/cm^2"})
    return [same_times([k * dt for k in ours.spikes], theirs.spikes, 0.01, f"a spike ends on a step of {dt} ms")]


def neuron_tables() -> list[Figure]:
    theirs = ask("neuron", **AXON, tables=True)
    ours = exact_spikes("hodgkin_huxley", dt=0.01, steps=20_000, inputs={"I": "10 uA/cm^2"})
    return [same_times(ours, theirs.spikes, 0.3, "its tables of rates, one entry per mV, linear in between")]


IZHIKEVICH = {"v": ("v", 1.0), "u": ("u", 1.0)}
SYMMETRIC = "stdp_nn_symm_synapse"
BRIAN_ADEX = {"v": ("v", 1.0), "w": ("w_ad", 1.0)}

COMPARISONS = (
    Comparison("nest-lif", "nest", "lif", "`iaf_psc_exp`", nest_lif),
    Comparison("nest-lif-exp", "nest", "lif_exp", "`iaf_psc_exp`", lambda: nest_two_currents("lif_exp", "iaf_psc_exp")),
    Comparison("nest-lif-alpha", "nest", "lif_alpha", "`iaf_psc_alpha`", lambda: nest_two_currents("lif_alpha", "iaf_psc_alpha")),
    Comparison("nest-delta", "nest", "lif_unit", "`iaf_psc_delta`", nest_delta),
    Comparison("nest-current", "nest", "lif_exp", "`iaf_psc_exp`, a changing current", nest_current),
    Comparison("nest-precise", "nest", "lif_exp, exact solution", "`iaf_psc_exp_ps`, spikes inside steps", nest_precise),
    Comparison("nest-izhikevich", "nest", "izhikevich, `euler`", "`izhikevich`", nest_izhikevich),
    Comparison("nest-adex", "nest", "adex, exact solution", "`aeif_psc_exp`", nest_adex),
    Comparison("nest-hh", "nest", "hodgkin_huxley", "`hh_psc_alpha`", nest_hodgkin_huxley),
    Comparison("nest-pair-stdp", "nest", "PairSTDP", "`stdp_synapse`", lambda: synapses.pair("PairSTDP", "stdp_synapse")),
    Comparison("nest-nearest-stdp", "nest", "NearestSTDP", "`stdp_nn_symm_synapse`", lambda: synapses.pair("NearestSTDP", SYMMETRIC)),
    Comparison("nest-triplet-stdp", "nest", "TripletSTDP", "`stdp_triplet_synapse`", synapses.triplet),
    Comparison("nest-tsodyks-markram", "nest", "TsodyksMarkram", "`tsodyks2_synapse`", synapses.short_term),
    Comparison("brian2-lif", "brian2", "lif", "`exact`", brian_lif),
    Comparison("brian2-delta", "brian2", "lif_unit", "`exact`, synapses before thresholds", brian_delta),
    Comparison(
        "brian2-izhikevich", "brian2", "izhikevich, `euler`", "`euler`", lambda: brian_euler("izhikevich", 10.0, "mV/ms", IZHIKEVICH)
    ),
    Comparison("brian2-izhikevich-rk4", "brian2", "izhikevich, `rk4`", "`rk4`", lambda: brian_rk4("izhikevich", 10.0, "mV/ms")),
    Comparison("brian2-adex", "brian2", "adex, `euler`", "`euler`", lambda: brian_euler("adex", 800.0, "pA", BRIAN_ADEX)),
    Comparison("brian2-adex-rk4", "brian2", "adex, `rk4`", "`rk4`", lambda: brian_rk4("adex", 800.0, "pA")),
    Comparison("brian2-hh", "brian2", "hodgkin_huxley, `exponential_euler`", "`exponential_euler`", brian_hodgkin_huxley),
    Comparison("neuron-hh-exact", "neuron", "hodgkin_huxley, exact solution", "`hh`, variable step", neuron_exact),
    Comparison("neuron-hh", "neuron", "hodgkin_huxley", "`hh`, variable step", neuron_stepped),
    Comparison("neuron-hh-tables", "neuron", "hodgkin_huxley, exact solution", "`hh`, variable step, with its tables", neuron_tables),
)
