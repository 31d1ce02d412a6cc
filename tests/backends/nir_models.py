"""Models of which each has a NIR graph, and how they are compiled and filled with numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from birc import driver
from birc.backends import HoldsNumbers, Numbers, load_backend
from birc.driver import Compiled
from birc.runtime.bind import bind
from birc.runtime.durations import step_length
from birc.runtime.values import Setting

PLAIN = """
neuron Plain:
    param tau_m = 10 ms in (0 ms, inf), v_th = 1, gain = 1.7
    state v = 0
    input I: 1
    tau_m * v' = -v + gain * I
    on exc(w: 1): v += 0.5 * w
    spike when v > v_th:
        v = 0
"""
CUBA = """
neuron Cuba:
    param tau_m = 10 ms in (0 ms, inf), tau_s = 3 ms in (0 ms, inf), E = -70 mV, v_th = -50 mV, R = 100 Mohm, v_reset = -70 mV
    state v = E, i = 0 pA
    tau_m * v' = (E - v) + R * i
    tau_s * i' = -i
    on exc(w: pA): i += w
    on inh(w: pA): i -= w
    spike when v > v_th:
        v = v_reset
"""
INTEGRATE = """
neuron Integrate:
    param C = 100 pF in (0 pF, inf), leak = 20 pA, v_th = 20 mV
    state v = 0 mV
    input I: pA
    C * v' = I - leak
    spike when v > v_th:
        v = 0 mV
"""
FILTER = """
neuron Filter:
    param tau = 5 ms in (0 ms, inf)
    state x = 0, y = 0
    input I: 1
    tau * x' = I - x
    tau * y' = 2 * x - y + 1
    on kick(w: 1): x += w
"""


def compiled(text: str, folder: Path, **options: Any) -> Compiled:
    """A model's text compiled to NIR."""
    path = folder / "model.birc"
    path.write_text(text)
    return driver.compile_model(path, "nir", **options)


def graph_of(made: Compiled) -> tuple[bytes, Any, dict[str, Any]]:
    """The file, its graph read back, and what the manifest says of it."""
    from birc.backends.nir.graph import read

    h = step_length(made.dt)
    bound = bind(made.step, Setting(made.model, 1, 0, 1, h, 0), "f64", made.params, made.preset)
    backend = load_backend("nir")
    assert isinstance(backend, HoldsNumbers)
    filled = backend.fill(made.artifact, Numbers(h, bound.values, {n: a[0] for n, a in bound.state.items()}))
    data = filled.files["model.nir"]
    assert isinstance(data, bytes)
    return data, read(data), filled.manifest["nir"]
