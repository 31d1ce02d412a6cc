"""What a spike adds is selected apart from what every neuron does, and every neuron gets the bits it had."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from birc import driver, sources
from birc.backends import Job
from birc.backends.legality import expressions
from birc.backends.onnx.sparse import sparse
from birc.ir.expr import Expr, const, op, topo, value
from birc.ir.step import Define, Phase, Slot, Step, Store
from birc.units import ONE
from tests.backends.programs import copy, interpreted, lif, lif_job, load, same

CONDITION, V, K, R = value("c"), value("v"), value("k"), value("r")
LEFT = op("max", op("sub", R, const(1)), const(0))
NEAR_ZERO = op("select", CONDITION, K, V)
BUSY, LATE = value("busy"), op("ge", V, const(1.0))


def program(reset: dict[str, Expr], busy: Expr | None = None, fired: Expr | None = None, length: Expr | None = None) -> Step:
    """Phases over a real slot v and a countdown r, with a condition c that holds where v >= 0.5."""
    bind = (
        Define(".init", const(0.0)),
        Define("k", const(0.25)),
        Define("h", const(0.5)),
        Define("n", length or op("steps", value("k"), value("h"))),
        Define(".zero", const(0)),
    )
    flow = (
        Define("v", load("v")),
        Define("r", load("r")),
        Define("c", op("ge", V, const(0.5))),
        Define("busy", busy or op("gt", R, const(0))),
        Define("fired", fired or op("and", LATE, op("not", BUSY))),
    )
    slots = (Slot("v", "real", ONE, ".init"), Slot("r", "int", ONE, ".zero"))
    stores = tuple(Store(name, e) for name, e in reset.items())
    return Step("P", (), slots, (), (), (), (), bind, (Phase("flow", flow), Phase("reset", stores)))


def run(step: Step) -> dict[str, Any]:
    v = np.concatenate([[0.0, -0.0, np.inf, np.nan], np.random.default_rng(6).normal(0.5, 1, 400)])
    bind = {"k": np.linspace(-2, 2, len(v)), "h": 0.5, "n": np.arange(len(v)) % 4}
    job = Job(len(v), 0, 3, bind, {"v": v, "r": (np.arange(len(v)) % 5).astype(np.int32)}, {}, {}, {})
    interpreted(step, job, "f64")
    return dict(job.state)


def spike(a: Expr, b: Expr) -> Expr:
    return op("select", value("fired"), a, b)


COUNTDOWN = spike(value("n"), LEFT)


@pytest.mark.parametrize(
    ("step", "stored"),
    [
        (program({"v": op("select", CONDITION, op("add", V, K), V)}), op("add", V, op("select", CONDITION, K, const(-0.0)))),
        (program({"v": op("select", CONDITION, op("sub", V, K), V)}), op("sub", V, op("select", CONDITION, K, const(0.0)))),
        (program({"r": COUNTDOWN}), op("max", op("sub", R, const(1)), spike(value("n"), const(0)))),
        (
            program({"v": op("div", NEAR_ZERO, op("select", CONDITION, const(1.0), op("add", V, const(3.0))))}),
            op("select", CONDITION, K, op("div", V, op("add", V, const(3.0)))),
        ),
        (program({"v": op("select", BUSY, V, K), "r": R}), op("select", value("busy.not"), K, V)),
    ],
)
def test_each_form(step: Step, stored: Expr) -> None:
    lean = sparse(step)
    assert lean.phases[-1].body[0].value is stored  # type: ignore[union-attr]
    for name, expected in run(step).items():
        found = run(lean)[name]
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize(
    "step",
    [
        program({"v": op("select", CONDITION, op("add", V, V), V)}),
        program({"v": op("select", CONDITION, op("mul", V, K), V)}),
        program({"v": op("select", CONDITION, op("add", V, K), K)}),
        program({"v": op("div", NEAR_ZERO, op("select", CONDITION, const(2.0), op("add", V, const(3.0))))}),
        program({"v": op("div", NEAR_ZERO, op("select", BUSY, const(1.0), op("add", V, const(3.0))))}, busy=op("gt", V, const(0.0))),
        program({"r": COUNTDOWN}, fired=LATE),
        program({"r": COUNTDOWN}, length=const(-7)),
        program({"r": COUNTDOWN}, busy=op("gt", R, const(2)), fired=op("and", LATE, op("not", BUSY))),
        program({"v": op("select", BUSY, V, K)}, busy=op("gt", V, const(0.0))),
        program({"v": op("select", BUSY, V, K)}, fired=op("and", BUSY, op("not", BUSY))),
    ],
)  # fmt: skip
def test_where_a_neuron_could_get_other_bits_or_nothing_is_gained_all_stays(step: Step) -> None:
    assert sparse(step).phases[-1] == step.phases[-1]


@pytest.mark.parametrize("name", sources.neuron_files())
def test_library_models_need_no_more_ops(name: str) -> None:
    def ops(step: Step) -> int:
        return len({e for _, s in step.statements() for root, _ in expressions(s) for e in topo(root)})

    step = driver.compile(name, "numpy").step
    assert ops(sparse(step)) <= ops(step) + 1


def test_a_program_with_events_gives_the_same_bits() -> None:
    job = lif_job(30, 100, "f64")
    found, expected = copy(job), copy(job)
    spikes, right = interpreted(sparse(lif()), found, "f64"), interpreted(lif(), expected, "f64")
    assert len(right.index) > 20
    np.testing.assert_array_equal(spikes.index, right.index)
    same(found, expected)
