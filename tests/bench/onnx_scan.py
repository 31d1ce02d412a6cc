"""The ONNX Scan against the NumPy loop, every neuron of the library."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

import birc
from birc.backends import FLOATS, Dtype
from birc.backends.onnx.emit import SCAN
from birc.backends.onnx.parts import LEAST_NEURONS, LEAST_OPERATIONS
from birc.backends.onnx.run import session
from birc.backends.onnx.table import IR_VERSION, OPSET
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


BOUNDED = ("adex", "eif", "hodgkin_huxley")
"""Neurons with transcendental functions in a step."""
FUNCTIONS = {"Exp": np.exp, "Log": np.log}
"""Nodes, and what NumPy has for them."""


def function_nodes(model: str) -> dict[str, int]:
    """How many nodes of each function a step of the Scan has, in float64."""
    import onnx
    from onnx.inliner import inline_local_functions

    data = program(model, "onnx", "f64").artifact.files[SCAN]
    assert isinstance(data, bytes)
    scan = next(node for node in inline_local_functions(onnx.load_from_string(data)).graph.node if node.op_type == "Scan")
    counts = Counter(node.op_type for node in next(a.g for a in scan.attribute if a.name == "body").node)
    return {name: counts[name] for name in FUNCTIONS if counts[name]}


@cache
def seconds_of(op: str) -> tuple[float, float]:
    """What onnxruntime and NumPy take for a function of MANY doubles from 0.1 to 3: the least of 30 calls of ten."""
    from onnx import TensorProto, helper

    names = [f"y{i}" for i in range(10)]
    infos = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ("n",)) for name in ("x", *names)]
    graph = helper.make_graph([helper.make_node(op, ["x"], [name]) for name in names], op, infos[:1], infos[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    alone = session(made.SerializeToString())
    numbers = np.random.default_rng(1).uniform(0.1, 3, MANY)
    out = np.empty_like(numbers)
    return least(lambda: alone.run(None, {"x": numbers})), least(lambda: [FUNCTIONS[op](numbers, out) for _ in names])


def least(ten: Callable[[], object]) -> float:
    """A tenth of the least processor time of 30 calls."""
    times = []
    for _ in range(30):
        began = time.process_time()
        ten()
        times.append(time.process_time() - began)
    return min(times) / 10


def bound(model: str, repeats: int) -> tuple[str, ...]:
    """A row: the functions of a step, what they alone take in onnxruntime and NumPy for MANY neurons, then the whole Scan and loop."""
    steps = UPDATES // MANY
    runs = [[seconds(model, target, Setting("f64", MANY)) for target in ("onnx", "numpy")] for _ in range(repeats + 1)][1:]
    scan, loop = (statistics.median(column) / steps for column in zip(*runs, strict=True))
    nodes = function_nodes(model)
    theirs, numpys = (sum(count * seconds_of(op)[side] for op, count in nodes.items()) for side in (0, 1))
    times = (f"{1e6 * t:,.0f}" for t in (theirs, numpys, scan, loop))
    return model, ", ".join(f"{count} {op}" for op, count in nodes.items()), *times


def section(repeats: int) -> str:
    """The table, and what keeps it where it is."""
    rows = [(model, *(f"{ratio(model, setting, repeats):.2f}" for setting in SETTINGS)) for model in DRIVES]
    bounds = [bound(model, repeats) for model in BOUNDED]
    head = ("neuron", "functions", "alone, us", "NumPy's, us", "Scan, us", "NumPy's loop, us")
    return f"""How many times as fast as the NumPy loop the Scan runs in onnxruntime: number type and neurons; on one thread by the time of
the processor, on all cores by the clock (NumPy uses one, onnxruntime a thread for each share of {LEAST_NEURONS} neurons or more that takes
{LEAST_OPERATIONS:,} operations or more). The current is constant, so that what depends on it alone stands before the Scan.

{table(("neuron", *(setting.title for setting in SETTINGS)), rows)}

On one thread models made of exponentials do not reach 1 in float64, where `Exp` and `Log` of onnxruntime take several times as long
as NumPy's if the processor has AVX-512. For a step of {MANY:,} neurons on one thread these functions alone, then all of it:

{table(head, bounds, 2)}

For `hodgkin_huxley` the functions alone take longer than all of NumPy's loop, whatever else the graph holds. For `adex` and `eif` they
take longer than NumPy's by more than the Scan takes longer than the loop. Sharing neurons out in tiles does not help: an op takes about
half a microsecond before it starts, and from 2048 neurons on a time proportional to their number.
"""
