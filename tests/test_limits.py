"""Limits of states that are expressions of parameters, from the text of a model to its run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from birc import driver, sources
from birc.backends import load_backend
from birc.errors import BircError, Source
from birc.frontend.load import load
from birc.ir.expr import const, op, var
from birc.ir.model import Model
from birc.ir.text import parse, print_module

MODEL = """\
neuron Clipped:
    param w_max = 100 pA in (0 pA, inf), tau = 1 ms in (0 ms, inf), k = 2
    state w = 50 pA in [0 pA, w_max]
    state u = 50 pA in [0.1 * w_max, k * w_max]
    state z = 0 in [-k, inf]
    input I: pA
    tau * w' = I - w
    step z = z - 0.3
    on exc(x: pA): u += x
    spike when w >= 90 pA:
        w = w - 200 pA
"""
TARGETS = [
    "numpy",
    *(
        pytest.param(name, marks=pytest.mark.skipif(load_backend(name).missing() is not None, reason=f"{name} does not run here"))
        for name in ("native", "onnx", "keras")
    ),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("limits") / "clipped.birc"
    path.write_text(MODEL)
    return str(path)


def refused(file: str, **options: Any) -> str:
    with pytest.raises(BircError) as caught:
        driver.run(file, "1 ms", **options)
    return str(caught.value)


def test_limits_stand_in_the_model_and_in_the_step(file: str) -> None:
    (model,) = sources.load(file).module.items
    assert isinstance(model, Model)
    low, high = op("mul", const(0.1), var("w_max")), op("mul", var("k"), var("w_max"))
    assert [(s.low, s.high) for s in model.states] == [(const(0.0), var("w_max")), (low, high), (op("neg", var("k")), None)]
    step = driver.lower(model)[1]
    assert [(s.low, s.high) for s in step.slots] == [(0.0, "w_max"), (".low.u", ".high.u"), (".low.z", None)]


def test_limits_read_back(file: str) -> None:
    (model,) = sources.load(file).module.items
    assert isinstance(model, Model)
    for item in (model, driver.lower(model)[1]):
        assert parse(print_module((item,))) == (item,)
    text = print_module((model,))
    assert "state %w : pA = 50.0 in [0.0, %w_max]" in text
    assert "state %u : pA = 50.0 in [ { %0 = mul 0.1, %w_max  yield %0 } , { %0 = mul %k, %w_max : pA  yield %0 } ]" in text


@pytest.mark.parametrize("target", TARGETS)
def test_every_write_is_clipped(target: str, file: str) -> None:
    """An equation beyond both ends, a handler, a `step` rule and a reset; parameters of each neuron."""
    w_max = np.array([60.0, 80.0, 100.0])
    inputs = {"I": [[500.0]] * 30 + [[-500.0]] * 30, "exc": ([0, 1, 2], [0.1] * 3, [1000.0] * 3)}
    out = driver.run(file, "6 ms", target=target, n=3, inputs=inputs, params={"w_max": w_max}, record=["w", "u", "z"])
    assert np.array_equal(out.w[29][:2], w_max[:2])
    assert out.w[:, 2].max() < 90.0, "the third fires before it meets its limit, and its reset is clipped"
    assert len(out.spikes[0]) > 0 and set(out.spikes[0]) == {2}
    assert out.w.min() == 0.0
    assert np.array_equal(out.u[0], 2 * w_max)
    assert np.allclose(out.z[:7, 0], [-0.3, -0.6, -0.9, -1.2, -1.5, -1.8, -2.0])


def test_backends_agree_to_the_bit(file: str) -> None:
    for report in driver.verify(file, ["numpy"] if load_backend("native").missing() else ["numpy", "native"], duration="50 ms"):
        assert (report.status, report.level) == ("pass", "L0")


def test_a_start_outside_the_limits_is_refused(file: str) -> None:
    assert "error[I135]: the initial value of `w` is 50 pA, outside [0 pA, 20 pA]" in refused(file, params={"w_max": "20 pA"})
    params = {"w_max": np.array([60.0, 40.0])}
    assert "error[I135]: the initial value of `w` in neuron 1 is 50 pA, outside [0 pA, 40 pA]" in refused(file, n=2, params=params)
    init = {"w": np.array([50.0, 200.0])}
    assert "error[I135]: the initial value of `w` in neuron 1 is 200 pA, outside [0 pA, 100 pA]" in refused(file, n=2, init=init)
    params = {"w_max": np.array([60.0, 40.0])}
    assert driver.run(file, "1 ms", n=2, params=params, init={"w": "1 pA", "u": "9 pA"}).state is not None


def test_limits_that_leave_no_value_are_refused(file: str) -> None:
    assert "error[I136]: the limits of `u` are [10 pA, 1 pA]: no value lies between them" in refused(file, params={"k": 0.01})


def test_limits_depend_on_parameters_only() -> None:
    with pytest.raises(BircError) as caught:
        load(Source("a.birc", "neuron A:\n    state u = 1\n    state w = 1 in [0, u]\n"))
    assert caught.value.code == "M118"
