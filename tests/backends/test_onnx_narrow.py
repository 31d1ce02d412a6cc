"""Selects that are decided already are spared, and every neuron gets the bits it had."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from birc import driver, sources
from birc.backends import Job
from birc.backends.onnx.narrow import narrow
from birc.ir.expr import Expr, const, op, topo, value
from birc.ir.step import Define, Phase, Slot, Step, Store
from birc.units import ONE
from tests.backends.programs import copy, interpreted, lif, lif_job, load, same

A, B = op("gt", load("x"), const(0.0)), op("gt", load("y"), const(0.0))


def select(condition: str, a: Expr, b: Expr) -> Expr:
    return op("select", value(condition), a, b)


def program(*defines: Define, **stores: Expr) -> Step:
    slots = tuple(Slot(name, "real", ONE, ".init") for name in ("x", "y", "z"))
    conditions = (Define("a", A), Define("b", B))
    phases = (Phase("flow", (*conditions, *defines)), Phase("reset", tuple(Store(slot, e) for slot, e in stores.items())))
    return Step("P", (), slots, (), (), (), (), (Define(".init", const(0.0)),), phases)


def selects(step: Step) -> int:
    found = {e for _, s in step.statements() if isinstance(s, (Define, Store)) for e in topo(s.value) if e.op == "select"}
    return len(found)


def run(step: Step) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    job = Job(500, 0, 4, {}, {name: rng.normal(0, 1, 500) for name in "xyz"}, {}, {}, {})
    interpreted(step, job, "f64")
    return dict(job.state)


X, Y, Z = load("x"), load("y"), load("z")
AGAIN = Define("w", select("b", value("u"), Y))
INNER = Define("u", select("a", X, op("add", Y, Z)))


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (program(INNER, x=select("a", value("u"), op("mul", value("u"), Z))), 2, 1),
        (program(INNER, x=select("a", op("mul", value("u"), Z), X)), 2, 1),
        (program(INNER, x=select("b", value("u"), Z)), 2, 2),
        (program(INNER, x=select("a", value("u"), Z), y=value("u")), 2, 2),
        (program(INNER, AGAIN, x=select("a", select("b", value("w"), Z), value("w")), y=value("w")), 4, 4),
        (program(INNER, Define("w", op("add", value("u"), X)), x=select("a", Z, value("w")), z=select("b", value("u"), X)), 3, 3),
    ],
)
def test_selects_under_one_condition(step: Step, before: int, after: int) -> None:
    lean = narrow(step)
    assert (selects(step), selects(lean)) == (before, after)
    for name, expected in run(step).items():
        np.testing.assert_array_equal(run(lean)[name], expected)


def test_a_program_without_such_selects_is_left_alone() -> None:
    step = program(x=select("a", X, Y), y=select("b", X, Y))
    assert narrow(step) is step


def test_a_program_with_events_gives_the_same_bits() -> None:
    job = lif_job(30, 100, "f64")
    found, expected = copy(job), copy(job)
    spikes, right = interpreted(narrow(lif()), found, "f64"), interpreted(lif(), expected, "f64")
    assert len(right.index) > 20
    np.testing.assert_array_equal(spikes.index, right.index)
    same(found, expected)


@pytest.mark.parametrize("name", sources.neuron_files())
def test_library_models_get_no_dearer(name: str) -> None:
    step = driver.compile(name, "numpy").step
    assert selects(narrow(step)) <= selects(step)


def test_the_refractory_time_is_asked_for_once() -> None:
    step = driver.compile("eif", "numpy").step
    assert (selects(step), selects(narrow(step))) == (7, 3)
