"""Tables on each target: the numbers of the interpreter, the same bits on the C-like ones, and a refusal elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from birc.backends import FLOATS, Dtype, Job, load_backend
from birc.ir.expr import Expr, const, make, op, value
from birc.ir.step import Define, Lookup, Phase, Slot, Step, Store, Table
from birc.ir.tables import Pieces, fit, look_up
from birc.units import ONE

Array = npt.NDArray[Any]

X = make("load", (), "x")


def program(functions: int, argument: Expr = X) -> Step:
    """A table looked up at `argument`; the sum of its functions goes into y, the last into x."""
    names = tuple(f"f{i}" for i in range(functions))
    total: Expr = const(0.0)
    for name in names:
        total = op("add", total, value(name))
    columns = tuple(op("sin", op("mul", const(float(i + 1)), X)) for i in range(functions))
    flow = (Define("half", op("mul", const(0.5), X)), Lookup("x.t0", argument, names), Define("y.1", total))
    reset = (Store("x", value(names[-1])), Store("y", value("y.1")))
    slots = (Slot("x", "real", ONE, ".zero"), Slot("y", "real", ONE, ".zero"))
    table = Table("x.t0", "x", -2.0, 2.0, 1e-6, columns)
    zero = (Define(".zero", const(0.0)),)
    return Step("Looks", (), slots, (), (), (), (), zero, (Phase("flow", flow), Phase("reset", reset)), tables=(table,))


def pieces(functions: int, error: float, real: Any) -> Pieces:
    return fit(lambda x: np.stack([np.sin((i + 1) * x) for i in range(functions)]), -2.0, 2.0, error, real)


def run(target: str, step: Step, dtype: Dtype, table: Pieces, x: Array) -> dict[str, Array]:
    backend = load_backend(target)
    assert backend.refuse(step, dtype) == ()
    state = {"x": x.astype(FLOATS[dtype]), "y": np.zeros(len(x), FLOATS[dtype])}
    job = Job(len(x), 0, 1, {".zero": 0.0}, state, {}, {}, {}, tables={"x.t0": table})
    backend.load(backend.emit(step, dtype)).run(job)
    return state


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize(("functions", "error"), [(1, 1e-3), (3, 1e-5), (6, 1e-5), (19, 1e-5), (6, 1e-12), (2, 1e-10)])
def test_targets_agree(functions: int, error: float, dtype: Dtype) -> None:
    """Few pieces and many, one function and more than a register holds; beyond the ends too."""
    if dtype == "f32" and error < 1e-6:
        error = 1e-6
    table = pieces(functions, error, FLOATS[dtype])
    x = np.concatenate([np.linspace(-2.3, 2.3, 997), [-2.0, 2.0, 0.0]]).astype(FLOATS[dtype])
    step = program(functions)
    found = {target: run(target, step, dtype, table, x) for target in ("numpy", "native", "cuda")}
    right = look_up(table, x)
    allowed = 1e-13 if dtype == "f64" else 3e-5  # behind the ends polynomials grow, and so does what rounding makes of them
    assert (found["numpy"]["x"] == right[-1]).all()
    assert found["native"]["x"] == pytest.approx(right[-1], abs=allowed)
    for slot in ("x", "y"):
        assert (found["native"][slot] == found["cuda"][slot]).all()
    inside = np.abs(x) <= 2
    assert np.abs(found["native"]["x"] - np.sin(functions * x.astype(float)))[inside].max() <= 1.1 * error


def test_many_pieces_take_the_other_way_to_the_same_bits() -> None:
    """Pieces that fit two registers are chosen by permutation; the same pieces, cut from a longer table, by row."""
    few = pieces(3, 1e-6, np.float64)
    longer = np.concatenate([few.coefficients, few.coefficients], axis=2)
    many = replace(few, coefficients=longer)
    x = np.linspace(-2, few.low + few.pieces * few.width - 1e-9, 640)
    first, second = (run("native", program(3), "f64", table, x) for table in (few, many))
    assert (first["x"] == second["x"]).all() and (first["y"] == second["y"]).all()


@pytest.mark.parametrize("target", ["native", "cuda"])
def test_an_inner_value_is_looked_up(target: str) -> None:
    table = pieces(2, 1e-6, np.float64)
    x = np.linspace(-2, 2, 300)
    found = run(target, program(2, value("half")), "f64", table, x)
    assert found["x"] == pytest.approx(look_up(table, 0.5 * x)[1], abs=1e-14)


def test_what_nothing_reads_is_looked_up_to_nowhere() -> None:
    step = program(3)
    unread = replace(step, phases=(step.phases[0], Phase("reset", step.phases[1].body[:1])))
    table = pieces(3, 1e-6, np.float64)
    x = np.linspace(-2, 2, 100)
    assert (run("native", unread, "f64", table, x.copy())["x"] == run("native", step, "f64", table, x.copy())["x"]).all()


@pytest.mark.parametrize("target", ["keras", "onnx", "nir"])
def test_others_refuse_by_name(target: str) -> None:
    found = load_backend(target).refuse(program(2), "f64")
    assert any(d.code == "L203" and "tables in place of functions" in d.message for d in found)
