"""`expand-sequential-euler`: each equation sees the new values of those before it, in the order in which they stand."""

from __future__ import annotations

import numpy as np

from birc import driver
from tests.conftest import Golden
from tests.passes.programs import model_of, text_around

TEXT = """
neuron Cell:
    param tau = 10 ms, t_ref = 1 ms, sigma = 0.1 / sqrt(1 ms)
    state v = 0, s = 1
    noise xi
    v' = (s - v) / tau + sigma * xi
    tau * s' = -s - v
    spike when v > 1: v = 0
    refractory t_ref: hold v
    with solver sequential_euler
"""

CHAIN = """
neuron Chain:
    param tau = 1 ms
    state x = 1, y = 0, z = 0
    input I: 1
    z' = (I - z) / tau
    x' = (z - x) / tau
    y' = x / tau
"""


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/expand_sequential_euler.txt", text_around(TEXT, "expand-sequential-euler"))


def test_the_order_is_that_of_the_equations_also_where_nothing_leads_back() -> None:
    step = driver.lower(model_of(CHAIN), "sequential_euler")[1]
    assert [block.states for block in step.blocks] == [("z", "x", "y")]
    out = driver.build(step, "numpy", dt="0.5 ms").run(steps=20, inputs={"I": 2.0}, record=["x", "y", "z"])
    x, y, z, h = 1.0, 0.0, 0.0, 0.5
    for row in range(20):
        z += h * (2.0 - z)
        x += h * (z - x)
        y += h * x
        assert np.allclose([out.x[row, 0], out.y[row, 0], out.z[row, 0]], [x, y, z], rtol=1e-14)


def test_other_states_keep_their_methods() -> None:
    step = driver.lower(model_of(CHAIN), "y=sequential_euler,z=sequential_euler")[1]
    assert {block.states: block.method for block in step.blocks} == {("z", "y"): "sequential_euler", ("x",): "exact"}
