"""ONNX graphs, run by onnxruntime and by onnx's reference evaluator, against the interpreter and the op table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from birc.backends import FLOATS, Dtype, Events, Job
from birc.ir.expr import Expr, const, make, op, value
from birc.ir.ops import TABLE, Op, evaluate_op
from birc.ir.step import Define, Emit, Phase, Port, Put, Slot, Step, Store
from birc.units import ONE
from tests.backends.programs import at, copy, interpreted, lif, lif_job, load, same

onnx = pytest.importorskip("onnx", reason='needs onnx: pip install "birc[onnx]"')
pytest.importorskip("onnxruntime", reason='needs onnxruntime: pip install "birc[onnx]"')

from birc.backends.onnx import BACKEND  # noqa: E402
from birc.backends.onnx.emit import SCAN, STEP  # noqa: E402

DTYPES: tuple[Dtype, ...] = ("f64", "f32")


def model(step: Step, name: str, dtype: Dtype = "f64") -> Any:
    data = BACKEND.emit(step, dtype).files[name]
    assert isinstance(data, bytes)
    return onnx.load_from_string(data)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [SCAN, STEP])
def test_the_checker_accepts_both_graphs(name: str, dtype: Dtype) -> None:
    onnx.checker.check_model(model(lif(), name, dtype), full_check=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("every", [1, 7])
def test_the_scan_gives_the_bits_of_the_interpreter(dtype: Dtype, every: int) -> None:
    n, steps = 40, 120
    job = lif_job(n, steps, dtype, every=every, start=13)
    rows = (13 + steps) // every - 13 // every
    job = replace(job, record={name: a[:rows].copy() for name, a in job.record.items()})
    expected, found = copy(job), copy(job)
    spikes, right = BACKEND.load(BACKEND.emit(lif(), dtype)).run(found), interpreted(lif(), expected, dtype)
    assert len(right.index) > 20
    np.testing.assert_array_equal(spikes.index, right.index)
    np.testing.assert_array_equal(spikes.stamp, right.stamp)
    same(found, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_step_graph_gives_the_bits_of_the_interpreter(dtype: Dtype) -> None:
    runner = BACKEND.load(BACKEND.emit(lif(), dtype))
    job = lif_job(20, 60, dtype)
    found, expected = copy(job), copy(job)
    stamps = []
    for k in range(60):
        part = {p: one(e, k) for p, e in job.events.items()}
        row = {name: a[k : k + 1] for name, a in found.record.items()}
        stamps.append(runner.run(replace(found, start=k, steps=1, events=part, record=row)).stamp)
    right = interpreted(lif(), expected, dtype)
    np.testing.assert_array_equal(np.concatenate(stamps), right.stamp)
    same(found, expected)


def one(events: Events, k: int) -> Events:
    low, high = events.offsets[k], events.offsets[k + 1]
    return Events(np.array([0, high - low]), events.index[low:high], events.payload[low:high])


def test_a_long_run_in_stretches_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parts = lif_job(10, 50, "f64"), lif_job(10, 50, "f64")
    first = BACKEND.load(BACKEND.emit(lif(), "f64")).run(whole)
    monkeypatch.setattr("birc.backends.onnx.run.STRETCH_BYTES", 1500)
    second = BACKEND.load(BACKEND.emit(lif(), "f64")).run(parts)
    np.testing.assert_array_equal(first.stamp, second.stamp)
    same(whole, parts)


@pytest.mark.parametrize("every", [1, 7])
def test_neurons_shared_out_among_threads_give_the_same(monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    monkeypatch.setattr("birc.backends.onnx.parts.LEAST_NEURONS", 4)
    monkeypatch.setattr("birc.backends.onnx.parts.LEAST_OPERATIONS", 1)
    jobs = [replace(lif_job(23, 60, "f64", every=every), threads=threads) for threads in (1, 3, 100)]
    for job in jobs:
        job.bind["v_th"] = np.linspace(0.2, 1.4, 23)  # type: ignore[index]
    one, *others = [BACKEND.load(BACKEND.emit(lif(), "f64")).run(job) for job in jobs]
    assert len(one.index) > 20
    for spikes, job in zip(others, jobs[1:], strict=True):
        np.testing.assert_array_equal(spikes.index, one.index)
        np.testing.assert_array_equal(spikes.stamp, one.stamp)
        same(job, jobs[0])


def test_parameters_may_differ_between_neurons() -> None:
    job = lif_job(6, 80, "f64")
    job = replace(job, bind={**job.bind, "v_th": np.linspace(0.2, 1.4, 6), ".n_ref": np.arange(6)})
    found, expected = copy(job), copy(job)
    spikes, right = BACKEND.load(BACKEND.emit(lif(), "f64")).run(found), interpreted(lif(), expected, "f64")
    np.testing.assert_array_equal(spikes.index, right.index)
    same(found, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_reference_evaluator_agrees(dtype: Dtype) -> None:
    from onnx.reference import ReferenceEvaluator

    n, steps = 5, 40
    real = FLOATS[dtype]
    job = lif_job(n, steps, dtype, inputs={"I": np.repeat(np.linspace(0.5, 2.0, n)[None], steps, axis=0)})
    artifact = BACKEND.emit(lif(), dtype)
    feeds: list[dict[str, Any]] = []

    class Spy:
        def __init__(self, session: Any) -> None:
            self.session = session

        def get_inputs(self) -> Any:
            return self.session.get_inputs()

        def get_outputs(self) -> Any:
            return self.session.get_outputs()

        def run(self, names: list[str], feed: dict[str, Any]) -> Any:
            feeds.append({name: np.array(a) for name, a in feed.items()})
            return self.session.run(names, feed)

    from birc.backends.onnx.run import OnnxRunner

    runner = OnnxRunner(artifact)
    runner.scans[tuple(job.record), ()] = Spy(runner.scan(job.record))
    job = replace(job, state={name: a.copy() for name, a in job.state.items()})
    spikes = runner.run(job)
    assert len(spikes.index) > 5
    found = dict(
        zip(
            [o.name for o in model(lif(), SCAN, dtype).graph.output],
            ReferenceEvaluator(model(lif(), SCAN, dtype)).run(None, feeds[0]),
            strict=True,
        )
    )
    when, who = np.nonzero(found["spikes"])
    np.testing.assert_array_equal(when + 1, spikes.stamp)
    np.testing.assert_array_equal(who, spikes.index)
    assert found["v_trace"].dtype == real
    np.testing.assert_array_equal(found["v_trace"], job.record["v"])
    np.testing.assert_array_equal(found["y_trace"], job.record["y"])


# --- ops

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 1e-8, -1e-8, 1e-3, 30.0, -30.0, 88.0, 700.0, -700.0, np.inf, -np.inf, np.nan]
ROWS = [row for row in TABLE if row.name in BACKEND.takes.ops]


def one_op(result: Expr, kind: Any = "real") -> Step:
    slots = tuple(Slot(name, "real", ONE, ".init") for name in "xyz")
    phases = (Phase("flow", (Define("r", result),)), Phase("reset", (Store("r", value("r")),)))
    return Step("Op", (), (*slots, Slot("r", kind, ONE, ".init")), (), (), (), (), (Define(".init", const(0.0)),), phases)


def apply(result: Expr, kind: Any, dtype: Dtype, x: Any, y: Any, z: Any) -> Any:
    state = {"x": x, "y": y, "z": z, "r": np.zeros(len(x), np.bool_ if kind == "bool" else FLOATS[dtype])}
    BACKEND.load(BACKEND.emit(one_op(result, kind), dtype)).run(Job(len(x), 0, 1, {}, state, {}, {}, {}))
    return state["r"]


def operands(dtype: Dtype) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(3)
    edges = np.array(np.meshgrid(EDGES, EDGES)).reshape(2, -1)
    with np.errstate(over="ignore", under="ignore"):
        x, y = np.concatenate([edges, *(rng.normal(0, s, (2, 4000)) for s in (1e-3, 1.0, 30.0))], axis=1).astype(FLOATS[dtype])
    return x, y, rng.normal(0, 1, len(x)).astype(FLOATS[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_op_means_what_the_table_says(row: Op, dtype: Dtype) -> None:
    x, y, z = operands(dtype)
    real = FLOATS[dtype]
    above, below = op("gt", load("x"), load("y")), op("le", load("y"), load("z"))
    with np.errstate(all="ignore"):
        if row.name == "select":
            result, wanted = op("select", above, load("y"), load("z")), np.where(x > y, y, z)
        elif row.unit == "logic":
            result = op(row.name, *(above, below)[: row.arity])
            wanted = evaluate_op(op(row.name, *[const(True)] * row.arity), (x > y, y <= z)[: row.arity])
        else:
            result = op(row.name, *(load("x"), load("y"))[: row.arity])
            wanted = evaluate_op(op(row.name, *[const(0.0)] * row.arity), (x, y)[: row.arity])
    found = apply(result, "bool" if row.kind == "bool" else "real", dtype, x, y, z)
    if not row.transcendental:
        np.testing.assert_array_equal(found, wanted)
        return
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    usual = np.isfinite(wanted) & (np.abs(wanted) < np.finfo(real).max / 4) & (np.abs(wanted) > np.finfo(real).tiny)
    np.testing.assert_array_equal(found[np.isinf(wanted)], wanted[np.isinf(wanted)])
    ulps = np.abs(found[usual].astype(np.float64) - wanted[usual]) / np.spacing(np.abs(wanted[usual]))
    assert ulps.max() <= (4 if dtype == "f64" else 6)


@pytest.mark.parametrize("name", ["min", "max"])
def test_a_nan_comes_through_beside_a_literal_and_a_parameter(name: str) -> None:
    x = np.array([np.nan, 1.0, 40.0, np.nan, -np.inf])
    z = np.zeros(5)
    numpy = np.minimum if name == "min" else np.maximum
    for result in (op(name, load("x"), const(30.0)), op(name, const(30.0), load("x"))):
        np.testing.assert_array_equal(apply(result, "real", "f64", x.copy(), z, z), numpy(x, 30.0))
    step = replace(one_op(op(name, load("x"), value("p"))), bind=(Define(".init", const(0.0)), Define("p", const(0.0))))
    state = {"x": x.copy(), "y": z, "z": z, "r": np.zeros(5)}
    BACKEND.load(BACKEND.emit(step, "f64")).run(Job(5, 0, 1, {"p": np.nan}, state, {}, {}, {}))
    assert np.isnan(state["r"]).all()


def test_flags_are_selected_and_compared() -> None:
    rng = np.random.default_rng(0)
    x, y, z = rng.normal(0, 1, (3, 50))
    a, b, c = op("gt", load("x"), load("y")), op("gt", load("y"), load("z")), op("gt", load("z"), load("x"))
    np.testing.assert_array_equal(apply(op("select", a, b, c), "bool", "f64", x, y, z), np.where(x > y, y > z, z > x))
    np.testing.assert_array_equal(apply(op("ne", a, b), "bool", "f64", x, y, z), (x > y) != (y > z))


def test_a_count_beside_a_number_is_a_number() -> None:
    half = op("mul", const(0.5), value("k.1"))
    step = Step(
        "Count", (), (Slot("k", "int", ONE, ".zero"), Slot("x", "real", ONE, ".zero")), (), (), (), (), (Define(".zero", const(0)),),
        (Phase("flow", (Define("k.1", op("add", load("k"), const(1))), Define("x.1", op("div", half, const(4))))),
         Phase("reset", (Store("k", value("k.1")), Store("x", value("x.1"))))),
    )  # fmt: skip
    state: dict[str, Any] = {"k": np.array([2, 3], np.int32), "x": np.zeros(2)}
    BACKEND.load(BACKEND.emit(step, "f64")).run(Job(2, 0, 2, {}, state, {}, {}, {}))
    np.testing.assert_array_equal(state["k"], [4, 5])
    np.testing.assert_array_equal(state["x"], [0.5, 0.625])


# --- shapes and names


def test_a_program_without_ports_runs_by_the_clock() -> None:
    phases = (Phase("flow", (Define("v.1", op("mul", load("v"), value(".P"))),)), Phase("reset", (Store("v", value("v.1")),)))
    step = Step(
        "Decay", (), (Slot("v", "real", ONE, ".init"),), (), (), (), (), (Define(".init", const(1.0)), Define(".P", const(0.5))), phases
    )
    state, record = {"v": np.array([1.0, 3.0])}, {"v": np.zeros((3, 2))}
    BACKEND.load(BACKEND.emit(step, "f64")).run(Job(2, 0, 3, {".P": 0.5}, state, {}, {}, record))
    np.testing.assert_array_equal(record["v"], [[0.5, 1.5], [0.25, 0.75], [0.125, 0.375]])


def test_what_depends_on_no_neuron_is_still_one_value_per_neuron() -> None:
    phases = (
        Phase("input", (Define("I", make("read", (), "I")),)),
        Phase("reset", (Store("v", value("p")), Store("w", value("I")))),
        Phase("emit", (Emit(op("gt", value("p"), const(0.0))),)),
        Phase("record", (Put("y", const(2.0)),)),
    )
    slots = (Slot("v", "real", ONE, ".init"), Slot("w", "real", ONE, ".init"))
    step = Step(
        "Flat", (), slots, (Port("I", ONE),), (), (Port("y", ONE),), (), (Define(".init", const(0.0)), Define("p", const(1.0))), phases
    )
    job = Job(3, 0, 2, {"p": 1.5}, {"v": np.zeros(3), "w": np.zeros(3)}, {"I": np.array([[0.25]])}, {}, {"y": np.zeros((2, 3))})
    spikes = BACKEND.load(BACKEND.emit(step, "f64")).run(job)
    np.testing.assert_array_equal(job.state["v"], [1.5] * 3)
    np.testing.assert_array_equal(job.state["w"], [0.25] * 3)
    np.testing.assert_array_equal(job.record["y"], 2.0)
    np.testing.assert_array_equal(spikes.stamp, [1, 1, 1, 2, 2, 2])


HOSTILE = [
    "int",
    "v.row",
    "v_next",
    "fired",
    "spikes",
    "v_trace",
    "v_final",
    "widths",
    "clock",
    "birc",
    "x'",
    "x_prime",
    "t",
    "c_0_0",
    "lambda",
    "λ",
]


def test_no_name_of_a_model_breaks_a_graph() -> None:
    total = const(0.0)
    defines = [Define("seed", load("v"))]
    for i, name in enumerate(HOSTILE):
        defines.append(Define(name, op("add", value("seed"), const(float(i)))))
        total = op("add", total, value(name))
    phases = (
        Phase("input", (Define("in", make("read", (), "fired_")),)),
        Phase("flow", (*defines, Define("sum", op("add", total, value("in")), at(3)))),
        Phase("reset", (Store("v", value("sum")), Store("v_final", load("v")))),
        Phase("emit", (Emit(op("gt", value("sum"), const(0.0))),)),
    )
    slots = (Slot("v", "real", ONE, ".init"), Slot("v_final", "real", ONE, ".init"))
    step = Step("../exprel\n", (), slots, (Port("fired_", ONE),), (), (), (), (Define(".init", const(0.0)),), phases, doc='"""\x00*/')
    artifact = BACKEND.emit(step, "f64")
    assert set(artifact.files) == {SCAN, STEP}
    for name in artifact.files:
        onnx.checker.check_model(model(step, name), full_check=True)
    for steps in (1, 2):
        job = Job(3, 0, steps, {}, {"v": np.ones(3), "v_final": np.zeros(3)}, {"fired_": np.array([[0.5]])}, {}, {})
        BACKEND.load(artifact).run(job)
        sums = 1.0
        for _ in range(steps):
            before, sums = sums, sum(sums + i for i in range(len(HOSTILE))) + 0.5
        np.testing.assert_array_equal(job.state["v"], sums)
        np.testing.assert_array_equal(job.state["v_final"], before)


def test_emission_is_pure() -> None:
    assert BACKEND.emit(lif(), "f32").files == BACKEND.emit(lif(), "f32").files


def test_nodes_point_to_the_source_and_the_manifest_names_what_crosses_the_border() -> None:
    artifact = BACKEND.emit(lif(), "f64")
    (body,) = (f for f in model(lif(), STEP).functions if f.domain == "birc.model")
    assert {"lif.birc:6", "lif.birc:10"} <= {node.doc_string for node in body.node}
    names = artifact.manifest["onnx"]
    assert names["clock"] == {}
    assert names["slot"] == {"v": "v", "refractory": "refractory", "u": "u", "above": "above"}
    assert names["bind"][".P"] == "P"
    assert (names["sum"], names["round"], names["present"]) == ({"exc": "exc"}, {"pull": "pull"}, {"pull": "pull_present"})
    assert set(names["normal"]) == {"xi:0", "xi:1"}


def test_ops_that_it_lacks_are_all_refused_with_their_place() -> None:
    flow = (
        Define("a", op("steps", load("v"), const(1.0)), at(4)),
        Define("b", make("propagator", (const(1.0), const(1.0)), "1,0,0"), at(5)),
    )
    step = Step("Odd", (), (Slot("v", "real", ONE, ".init"),), (), (), (), (), (Define(".init", const(0.0)),), (Phase("flow", flow),))
    found = BACKEND.refuse(step, "f64")
    assert [(d.code, d.message, d.span.line if d.span else 0) for d in found] == [
        ("L201", "the ONNX target has no `steps`", 4),
        ("L201", "the ONNX target has no `propagator`", 5),
    ]
    assert BACKEND.refuse(lif(), "f64") == ()
    assert BACKEND.takes.lacks() == ("tables in place of functions", "`fma`")
