"""Inputs that hold over time stand before the Scan, with what depends on them alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from birc.backends import Dtype, Job
from birc.ir.expr import const, make, op, value
from birc.ir.step import Define, Phase, Port, Slot, Step, Store
from birc.units import ONE
from tests.backends.programs import copy, lif, lif_job, load, same

onnx = pytest.importorskip("onnx", reason='needs onnx: pip install "birc[onnx]"')
pytest.importorskip("onnxruntime", reason='needs onnxruntime: pip install "birc[onnx]"')

from birc.backends.onnx import BACKEND  # noqa: E402
from birc.backends.onnx.emit import SCAN  # noqa: E402
from birc.backends.onnx.held import CLOCK, with_held  # noqa: E402


def leaky() -> Step:
    """v <- P v + Q I + offset, with nothing over time but I."""
    sums = op("add", op("mul", value(".P"), load("v")), op("add", op("mul", value(".Q"), value("I")), value("offset")))
    phases = (
        Phase("input", (Define("I", make("read", (), "I")),)),
        Phase("flow", (Define("v.1", sums),)),
        Phase("reset", (Store("v", value("v.1")),)),
    )
    bind = tuple(Define(name, const(0.5)) for name in (".init", ".P", ".Q", "offset"))
    return Step("Leaky", (), (Slot("v", "real", ONE, ".init"),), (Port("I", ONE),), (), (), (), bind, phases)


def scan(step: Step, held: tuple[str, ...]) -> tuple[Any, Any]:
    """The graph with held inputs, and its Scan's body."""
    data = BACKEND.emit(step, "f64").files[SCAN]
    assert isinstance(data, bytes)
    made = onnx.load_from_string(with_held(data, held))
    onnx.checker.check_model(made, full_check=True)
    node = next(node for node in made.graph.node if node.op_type == "Scan")
    return made.graph, next(a.g for a in node.attribute if a.name == "body")


def test_what_depends_on_a_held_input_alone_is_computed_once() -> None:
    graph, body = scan(leaky(), ("I",))
    assert [node.op_type for node in body.node if node.op_type != "Identity"] == ["Mul", "Add"]
    assert [node.op_type for node in graph.node][-4:] == ["Squeeze", "Mul", "Add", "Scan"]
    assert [i.name for i in graph.input][-1] == CLOCK


def test_a_step_keeps_what_depends_on_its_states() -> None:
    _, without = scan(lif(), ())
    graph, body = scan(lif(), ("I",))
    assert 0 < len(without.node) - len(body.node) < 4
    assert len(without.input) - len(body.input) == 1
    assert CLOCK not in {i.name for i in graph.input}


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_lif_has_the_bits_of_an_input_with_a_row_for_each_step(dtype: Dtype) -> None:
    held = lif_job(12, 90, dtype)
    rows = replace(copy(held), inputs={"I": np.repeat(held.inputs["I"], 90, axis=0)})
    runner = BACKEND.load(BACKEND.emit(lif(), dtype))
    once, often = runner.run(held), runner.run(rows)
    assert len(once.index) > 5
    np.testing.assert_array_equal(once.index, often.index)
    np.testing.assert_array_equal(once.stamp, often.stamp)
    same(held, rows)


def test_the_clock_runs_where_no_other_input_is_left() -> None:
    state, record = {"v": np.array([1.0, 2.0])}, {"v": np.zeros((3, 2))}
    bind = {".P": 0.5, ".Q": 0.25, "offset": np.array([1.0, -1.0])}
    BACKEND.load(BACKEND.emit(leaky(), "f64")).run(Job(2, 0, 3, bind, state, {"I": np.array([[4.0, 8.0]])}, {}, record))
    np.testing.assert_array_equal(record["v"], [[2.5, 2.0], [3.25, 2.0], [3.625, 2.0]])
    np.testing.assert_array_equal(state["v"], [3.625, 2.0])
