"""The native target against the interpreter."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends import FLOATS, Dtype, Events, Job, Spikes, room
from birc.backends.c_family import build
from birc.backends.native import BACKEND
from birc.ir.expr import const, make, op, value
from birc.ir.ops import OPS, TABLE, Kind, Op, evaluate_op
from birc.ir.step import Define, Deliver, Emit, Phase, Port, Slot, Step, Store
from birc.units import ONE
from tests.backends.programs import arrivals, at, copy, interpreted, lif, lif_job, load, same

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")

DTYPES: tuple[Dtype, ...] = ("f64", "f32")
SILENT = Events(np.zeros(61, np.int64), np.zeros(0, np.int32), np.zeros(0))


def text(step: Step, dtype: Dtype = "f64") -> str:
    (content,) = BACKEND.emit(step, dtype).files.values()
    assert isinstance(content, str)
    return content


def model_part(step: Step, dtype: Dtype = "f64") -> str:
    """The emitted text behind the headers."""
    return text(step, dtype).split("#ifndef EACH")[1]


def check(step: Step, job: Job, dtype: Dtype) -> None:
    """Native and interpreter end alike, bit for bit."""
    expected = copy(job)
    wanted = interpreted(step, expected, dtype)
    found = BACKEND.load(BACKEND.emit(step, dtype)).run(job)
    np.testing.assert_array_equal(found.stamp, wanted.stamp)
    np.testing.assert_array_equal(found.index, wanted.index)
    assert len(wanted.index) > 0
    assert found.index.dtype == np.int32
    assert found.stamp.dtype == np.int64
    same(job, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 63, 256, 300])
def test_equal_to_the_interpreter_bit_for_bit(n: int, dtype: Dtype) -> None:
    check(lif(), lif_job(n, 200, dtype), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bind_values_of_each_neuron(dtype: Dtype) -> None:
    n = 300
    job = lif_job(n, 100, dtype)
    bind = {**job.bind, ".P": np.linspace(0.8, 0.99, n), ".n_ref": np.arange(n) % 5}
    check(lif(), replace(job, bind=bind), dtype)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (60, 1), (60, 300)])
def test_inputs_of_every_shape(shape: tuple[int, int]) -> None:
    inputs = {"I": np.random.default_rng(5).uniform(0.5, 3.0, shape)}
    check(lif(), replace(lif_job(300, 60, "f64"), inputs=inputs), "f64")


def test_no_events() -> None:
    check(lif(), replace(lif_job(70, 60, "f64"), events={"exc": SILENT, "pull": SILENT}), "f64")


def test_events_of_a_few_neurons() -> None:
    """Tiles without events run in a loop of their own; it ends in the same bits."""
    late = Events(np.repeat([0, 3], [30, 31]), np.array([2, 299, 299], np.int32), np.array([0.1, 0.2, 0.3]))
    job = replace(lif_job(600, 60, "f64", inputs={"I": np.full((1, 1), 2.0)}), events={"exc": late, "pull": SILENT}, record={})
    check(lif(), job, "f64")
    assert "advance<64, true>" in text(lif())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 64, 65, 255, 600])
@pytest.mark.parametrize("every", [None, 15, 16, 59])
def test_nothing_changes_but_the_state(n: int, every: int | None, dtype: Dtype) -> None:
    """The loop of inputs that stay and rare rows ends in the same bits."""
    rows = 0 if every is None else (4 + 60) // every - 4 // every
    record = {"v": np.zeros((rows, n), FLOATS[dtype]), "above": np.zeros((rows, n), np.bool_)} if every else {}
    job = lif_job(n, 60, dtype, inputs={"I": np.linspace(1.5, 3.0, n).reshape(1, n)}, events={"exc": SILENT, "pull": SILENT})
    check(lif(), replace(job, start=4, record=record, every=every or 1), dtype)


def test_a_payload_that_is_more_than_added() -> None:
    port = Deliver("in", "w", True, (Define("x.1", op("max", load("x"), value("w"))),), ())
    phases = (Phase("deliver", (port,)), Phase("reset", (Store("x", value("x.1")),)))
    bind = (Define(".init", const(0.0)),)
    step = Step("Largest", (), (Slot("x", "real", ONE, ".init"),), (), (Port("in", ONE),), (), (), bind, phases)
    assert "Lanes<real, LANES> in;" in text(step)
    x = np.full(3, -1.0)
    one = Events(np.array([0, 1]), np.array([1], np.int32), np.array([2.5]))
    BACKEND.load(BACKEND.emit(step, "f64")).run(Job(3, 0, 1, {}, {"x": x}, {}, {"in": one}, {}))
    np.testing.assert_array_equal(x, [0.0, 2.5, 0.0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_divided_by_exprel(dtype: Dtype) -> None:
    quotient = op("div", const(0.1), op("exprel", load("x")))
    phases = (Phase("flow", (Define("r", quotient),)), Phase("reset", (Store("r", value("r")),)))
    slots = (Slot("x", "real", ONE, ".init"), Slot("r", "real", ONE, ".init"))
    step = Step("Rate", (), slots, (), (), (), (), (Define(".init", const(0.0)),), phases)
    body = model_part(step, dtype)
    assert body.count("birc::expm1") == 1 and "birc::exprel" not in body
    x = np.concatenate([np.linspace(-50, 50, 10001), [0.0, -0.0, 1e-30, -1e-30, 1e-45, 700.0]]).astype(FLOATS[dtype])
    found = np.zeros_like(x)
    BACKEND.load(BACKEND.emit(step, dtype)).run(Job(len(x), 0, 1, {}, {"x": x, "r": found}, {}, {}, {}))
    wide = x.astype(np.float64)
    away = np.where(wide == 0, 1.0, wide)
    wanted = np.where(wide == 0, 0.1, 0.1 * away / np.expm1(away))
    np.testing.assert_allclose(found, wanted, rtol=8 * float(np.finfo(FLOATS[dtype]).eps), atol=float(np.finfo(FLOATS[dtype]).tiny))


def test_recording_every_third_stamp_from_a_later_start() -> None:
    record = {"v": np.zeros((20, 40)), "y": np.zeros((20, 40))}
    check(lif(), replace(lif_job(40, 60, "f64"), start=4, every=3, record=record), "f64")


def test_recorded_into_arrays_that_cannot_be_written_directly() -> None:
    record = {"v": np.zeros((60, 80))[:, ::2], "above": np.zeros((60, 40), np.bool_)}
    check(lif(), replace(lif_job(40, 60, "f64"), record=record), "f64")


def test_slabs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from birc.backends.native import run

    one = lif_job(300, 100, "f64", inputs={"I": np.random.default_rng(5).uniform(0.5, 3.0, (100, 300))})
    many = copy(one)
    runner = BACKEND.load(BACKEND.emit(lif(), "f64"))
    first = runner.run(one)
    monkeypatch.setattr(run, "SLAB_UPDATES", 300 * 7)
    monkeypatch.setattr(run, "SLAB_SECONDS", 0.0)
    monkeypatch.setattr(run, "FLAG_BYTES", 30 * 8 * 8)
    short = BACKEND.load(BACKEND.emit(lif(), "f64"))
    second = short.run(many)
    assert isinstance(short, run.Native) and short.updates == 300 * 7
    np.testing.assert_array_equal(first.index, second.index)
    np.testing.assert_array_equal(first.stamp, second.stamp)
    same(one, many)


def test_a_run_after_one_that_was_broken_off_has_its_own_spikes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from birc.backends.native import run

    job = lif_job(300, 100, "f64", inputs={"I": np.full((1, 1), 3.0)})
    wanted = BACKEND.load(BACKEND.emit(lif(), "f64")).run(copy(job))
    runner = BACKEND.load(BACKEND.emit(lif(), "f64"))
    broken = copy(job)

    whole = run.Call.slab

    def slab(*arguments: Any) -> None:
        whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as m:
        m.setattr(run.Call, "slab", slab)
        with pytest.raises(KeyboardInterrupt):
            runner.run(broken)
    assert len(wanted.index) > 300
    for _ in range(2):
        found = runner.run(copy(job))
        np.testing.assert_array_equal(found.index, wanted.index)
        np.testing.assert_array_equal(found.stamp, wanted.stamp)


def test_spikes_are_written_into_the_room_of_the_job() -> None:
    given: list[Spikes] = []

    def place(count: int) -> Spikes:
        given.append(room(count))
        return given[-1]

    job = lif_job(300, 100, "f64")
    found = BACKEND.load(BACKEND.emit(lif(), "f64")).run(replace(job, room=place))
    assert len(given) == 1 and found is given[0] and len(found.index) > 0


def test_two_runs_make_one() -> None:
    whole = lif_job(50, 80, "f64")
    parts = copy(whole)
    runner = BACKEND.load(BACKEND.emit(lif(), "f64"))
    wanted = runner.run(whole)
    found = []
    for start, stop in ((0, 30), (30, 80)):
        events = {}
        for port, e in parts.events.items():
            lo, hi = e.offsets[start], e.offsets[stop]
            events[port] = Events(e.offsets[start : stop + 1] - lo, e.index[lo:hi], e.payload[lo:hi])
        record = {name: rows[start:stop] for name, rows in parts.record.items()}
        found.append(runner.run(replace(parts, start=start, steps=stop - start, events=events, record=record)))
    np.testing.assert_array_equal(np.concatenate([s.index for s in found]), wanted.index)
    np.testing.assert_array_equal(np.concatenate([s.stamp for s in found]), wanted.stamp)
    same(parts, whole)


def test_threads_change_nothing() -> None:
    one = lif_job(2000, 100, "f64")
    two = replace(copy(one), threads=2)
    runner = BACKEND.load(BACKEND.emit(lif(), "f64"))
    first, second = runner.run(one), runner.run(two)
    np.testing.assert_array_equal(first.index, second.index)
    np.testing.assert_array_equal(first.stamp, second.stamp)
    same(one, two)


def test_spikes_are_sorted_by_stamp_then_neuron() -> None:
    job = lif_job(700, 100, "f64", events={"exc": arrivals(700, 100, 300, 1), "pull": arrivals(700, 100, 10, 2)})
    spikes = BACKEND.load(BACKEND.emit(lif(), "f64")).run(job)
    order = np.lexsort((spikes.index, spikes.stamp))
    np.testing.assert_array_equal(order, np.arange(len(order)))


EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-300, -1e-300, 1e300, 30.0, -30.0, 700.0, -700.0, np.inf, -np.inf, np.nan]
CALLABLE = [row for row in TABLE if not row.bind_only]
TURNS: dict[Dtype, float] = {"f64": 2.0**48, "f32": 2.0**20}
"""Beyond this argument `sin`, `cos` and `tan` are NaN on the targets of the C family."""


def one_op(row: Op) -> Step:
    """A program that stores `op(x, y, z)`, as far as it has arguments; conditions are `x > y`, logic works on comparisons."""
    x, y, z = load("x"), load("y"), load("z")
    truth = (op("gt", x, y), op("le", y, z))
    if row.name == "select":
        result = op("select", truth[0], y, z)
    elif row.unit == "logic":
        result = op(row.name, *truth[: row.arity])
    else:
        result = op(row.name, *(x, y, z)[: row.arity])
    kind: Kind = "bool" if row.kind == "bool" else "real"
    slots = tuple(Slot(name, "real", ONE, ".init") for name in "xyz")
    phases = (Phase("flow", (Define("r", result),)), Phase("reset", (Store("r", value("r")),)))
    return Step("Op", (), (*slots, Slot("r", kind, ONE, ".init")), (), (), (), (), (Define(".init", const(0.0)),), phases)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", CALLABLE, ids=lambda row: row.name)
def test_every_op_means_what_the_table_says(row: Op, dtype: Dtype) -> None:
    real = FLOATS[dtype]
    rng = np.random.default_rng(3)
    edges = np.array(np.meshgrid(EDGES, EDGES)).reshape(2, -1)
    scales = [1e-3, 1.0, 30.0]
    with np.errstate(over="ignore", under="ignore"):
        x, y = np.concatenate([edges, *(rng.normal(0, s, (2, 2000)) for s in scales)], axis=1).astype(real)
    z = rng.normal(0, 1, len(x)).astype(real)
    step = one_op(row)
    state = {"x": x, "y": y, "z": z, "r": np.zeros(len(x), np.bool_ if row.kind == "bool" else real)}
    BACKEND.load(BACKEND.emit(step, dtype)).run(Job(len(x), 0, 1, {}, state, {}, {}, {}))
    with np.errstate(all="ignore"):
        if row.name == "select":
            wanted = np.where(x > y, y, z)
        elif row.unit == "logic":
            wanted = evaluate_op(op(row.name, *[const(True)] * row.arity), (x > y, y <= z)[: row.arity])
        else:
            wanted = evaluate_op(op(row.name, *[const(0.0)] * row.arity), (x, y, z)[: row.arity])
    if row.name in ("sin", "cos", "tan"):
        wanted = np.where(np.abs(x) > TURNS[dtype], np.nan, wanted)
    found = state["r"]
    if not row.transcendental:
        np.testing.assert_array_equal(found, wanted)
        return
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    finite = np.isfinite(wanted) & (np.abs(wanted) < np.finfo(real).max / 4)
    np.testing.assert_array_equal(found[~finite & np.isinf(wanted)], wanted[~finite & np.isinf(wanted)])
    ulps = np.abs(found[finite].astype(np.float64) - wanted[finite]) / np.spacing(np.abs(wanted[finite]))
    assert ulps.max() <= 4


def test_typed_literals_keep_float32_programs_free_of_double() -> None:
    body = model_part(lif(), "f32")
    assert "0.9f * slots.u[lane]" in body
    loops = body.split("any |= fired")[0].split("for (int lane = 0; lane < LANES; lane++) {")[1:]
    assert loops
    assert "double" not in "".join(loops)
    assert not re.findall(r"\d\.\d+(?!\d*f)\b", "".join(loops).replace("lif.birc", ""))


def test_comments_point_to_the_source() -> None:
    body = model_part(lif())
    assert "const bool fired_ = " in body
    assert "// lif.birc:10" in body
    assert "A leaky neuron." in text(lif())


def test_emission_is_pure() -> None:
    assert text(lif()) == text(lif())


HOSTILE = "*/ \\\n#error \\\\ ??/\nint x; \u2028 #define real int\r#error\x0b#error\x85#error\u202e \\"


def test_docstrings_and_names_cannot_leave_their_comments() -> None:
    names = [
        "int",
        "real",
        "lane",
        "threadIdx",
        "t1",
        "t1_",
        "v.1",
        "v_1",
        "x'",
        "x_prime",
        ".v",
        "linux",
        "EACH",
        "birc",
        "at",
        "event_0",
        "_Bool",
    ]
    total = const(0.0)
    defines = [Define("seed", load("slots"))]
    for i, name in enumerate(names):
        defines.append(Define(name, op("add", value("seed"), const(float(i + 1)))))
    for name in names:
        total = op("add", total, op("exp", value(name)))
    span = replace(at(1), source=replace(at(1).source, name=HOSTILE))
    phases = (
        Phase("flow", (*defines, Define("double", op("log", total), span))),
        Phase("reset", (Store("slots", value("double"), span), Store("struct", value("int")))),
        Phase("emit", (Emit(op("gt", value("double"), const(0.0)), span),)),
    )
    slots = (Slot("slots", "real", ONE, ".init"), Slot("struct", "real", ONE, ".init"))
    step = Step("../we ird\n", (), slots, (), (), (), (), (Define(".init", const(0.0)),), phases, doc=HOSTILE)
    assert all("/" not in name and "." not in name.removesuffix(".cpp") for name in BACKEND.emit(step, "f64").files)
    state = {"slots": np.zeros(3), "struct": np.zeros(3)}
    job = Job(3, 0, 1, {}, state, {}, {}, {})
    spikes = BACKEND.load(BACKEND.emit(step, "f64")).run(job)
    np.testing.assert_allclose(state["slots"], np.log(sum(np.exp(i + 1.0) for i in range(len(names)))), rtol=1e-14)
    np.testing.assert_array_equal(state["struct"], 1.0)
    np.testing.assert_array_equal(spikes.index, [0, 1, 2])


def test_stores_read_the_state_before_any_store() -> None:
    phases = (Phase("reset", (Store("a", load("b")), Store("b", load("a")), Store("c", op("sub", load("a"), load("b"))))),)
    slots = tuple(Slot(name, "real", ONE, ".init") for name in "abc")
    step = Step("Swap", (), slots, (), (), (), (), (Define(".init", const(0.0)),), phases)
    state = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 5.0]), "c": np.zeros(2)}
    BACKEND.load(BACKEND.emit(step, "f64")).run(Job(2, 0, 1, {}, state, {}, {}, {}))
    np.testing.assert_array_equal(state["a"], [3.0, 5.0])
    np.testing.assert_array_equal(state["b"], [1.0, 2.0])
    np.testing.assert_array_equal(state["c"], [-2.0, -3.0])


def long_program(length: int, spread: bool = False) -> Step:
    """v through a chain of definitions and one long sum; with `spread`, every definition is used again at the end."""
    names = [f"a{i}" for i in range(length)]
    before = ["v", *names]
    chain = [
        Define(name, op("add", op("mul", value(b), const(0.5)), const(1e-3 * i)))
        for i, (name, b) in enumerate(zip(names, before, strict=False))
    ]
    total = value(names[-1])
    for i in range(length):
        total = op("sub", total, op("mul", value(names[i] if spread else "v"), const(1.0 / (i + 1))))
    flow = (Define("v", load("v")), *chain, Define("sum", total))
    phases = (Phase("flow", flow), Phase("reset", (Store("v", value("sum")),)), Phase("emit", (Emit(op("gt", value("sum"), const(-1e9))),)))
    return Step("Long", (), (Slot("v", "real", ONE, ".init"),), (), (), (), (), (Define(".init", const(0.0)),), phases)


@pytest.mark.parametrize("spread", [False, True])
def test_a_long_program_is_parted_into_short_loops(spread: bool) -> None:
    step = long_program(400, spread)
    assert model_part(step).count("for (int lane = 0; lane < LANES; lane++) {") >= 4
    check(step, Job(300, 0, 3, {}, {"v": np.linspace(-1, 1, 300)}, {}, {}, {}), "f64")


@pytest.mark.parametrize(("length", "spread", "what"), [(10_001, False, "statements"), (2_100, True, "values of each neuron")])
def test_a_program_beyond_all_bounds_is_refused(length: int, spread: bool, what: str) -> None:
    (problem,) = BACKEND.refuse(long_program(length, spread), "f64")
    assert problem.code == "L202"
    assert what in problem.message


def test_ops_without_a_spelling_are_refused() -> None:
    phases = (Phase("flow", (Define("x", op("steps", make("load", (), "a"), const(1.0))), Store("a", value("x")))),)
    step = Step("Odd", (), (Slot("a", "real", ONE, ".init"),), (), (), (), (), (Define(".init", const(0.0)),), phases)
    (problem,) = BACKEND.refuse(step, "f64")
    assert (problem.code, problem.message) == ("L201", "the native target has no `steps`")
    assert BACKEND.refuse(lif(), "f64") == ()
    assert set(OPS) >= {"steps"}


def test_spikes_that_are_listed_in_several_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags are listed when their memory is full: a run in which that happens often has the same spikes."""
    lif = driver.compile_model("lif", target="native")
    drive = {"I": "linspace(200 pA, 600 pA)"}
    whole = lif.run("400 ms", n=70, inputs=drive)
    monkeypatch.setattr("birc.backends.native.run.FLAG_BYTES", 1 << 14)
    monkeypatch.setattr("birc.backends.native.run.SLAB_UPDATES", 70 * 100)
    parts = driver.compile_model("lif", target="native").run("400 ms", n=70, inputs=drive)
    assert len(whole.stamps) > 1000
    assert np.array_equal(parts.stamps, whole.stamps)
    assert np.array_equal(parts.index, whole.index)
