"""The ONNX Scan against the NumPy loop, every neuron of the library."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import cache

import numpy as np

import birc
from birc.backends import FLOATS, Dtype
from birc.backends.onnx.parts import LEAST_NEURONS
from birc.driver import Compiled
from tests.bench.page import table

DRIVES = {
    "adex": 1000.0, "alif": 300.0, "eif": 1.5, "hodgkin_huxley": 20.0, "integrate_and_fire": 2.0, "izhikevich": 15.0,
    "leaky_integrator": 2.0, "lif": 400.0, "lif_alpha": 600.0, "lif_exp": 600.0, "lif_unit": 2.0, "qif": 150.0,
}  # fmt: skip
"""The current of the last neuron, in the unit of the port; the first has none."""

FEW, MANY = 256, 10_000
UPDATES = 1_000_000
"""Of one measurement, neurons by steps."""


@dataclass(frozen=True)
class Setting:
    """A column. On one thread the time is that of the processor, on all cores that of the clock."""

    dtype: Dtype
    n: int
    all_cores: bool = False

    @property
    def title(self) -> str:
        """The column's head."""
        return f"{self.dtype}, {self.n}" + (", all cores" if self.all_cores else "")


SETTINGS = tuple(Setting(dtype, *rest) for dtype in FLOATS for rest in ((FEW,), (MANY,), (MANY, True)))


@cache
def program(model: str, target: str, dtype: Dtype) -> Compiled:
    """A library neuron on a target."""
    return birc.compile_model(model, target=target, dtype=dtype)


def seconds(model: str, target: str, setting: Setting) -> float:
    """A whole run, from Python's call to its result, with spikes and no other recording."""
    made, drive = program(model, target, setting.dtype), np.linspace(0, DRIVES[model], setting.n)
    clock = time.perf_counter if setting.all_cores else time.process_time
    began = clock()
    made.run(steps=UPDATES // setting.n, n=setting.n, inputs={"I": drive}, threads=None if setting.all_cores else 1)
    return clock() - began


def ratio(model: str, setting: Setting, repeats: int) -> float:
    """How many times as fast as NumPy's loop ONNX is: the median over runs in turns, after one of each for practice."""
    pairs = [[seconds(model, target, setting) for target in ("numpy", "onnx")] for _ in range(repeats + 1)]
    return statistics.median(loop / scan for loop, scan in pairs[1:])


def section(repeats: int) -> str:
    """The table, and what keeps it where it is."""
    rows = [(model, *(f"{ratio(model, setting, repeats):.2f}" for setting in SETTINGS)) for model in DRIVES]
    return f"""How many times as fast as the NumPy loop the Scan runs in onnxruntime: number type and neurons; on one thread by the time of
the processor, on all cores by the clock (NumPy uses one, onnxruntime a thread for each share of {LEAST_NEURONS} neurons or more).

{table(("neuron", *(setting.title for setting in SETTINGS)), rows)}

In float64 the `Exp` and `Log` of onnxruntime take several times as long as NumPy's, where the processor has AVX-512. That decides models
made of exponentials: `hodgkin_huxley` has ten exponentials and six logarithms a step, `eif` and `adex` four exponentials.
"""
