"""What a spike changes, as a loop that only steps with a spike go through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from birc.backends import Dtype, Job
from birc.backends.c_family import build
from birc.backends.c_family.layout import layout
from birc.backends.c_family.loops import CHAIN, Loop, loops_of
from birc.backends.c_family.resets import part_resets
from birc.backends.c_family.shorten import shorten
from birc.backends.native import BACKEND
from birc.driver import compile_model
from birc.ir.evaluate import Moment, evaluate
from birc.ir.expr import Expr, const, leaves, make, op, value
from birc.ir.step import Define, Emit, Phase, Port, Put, Slot, Step, Store
from birc.sources import neuron_files
from birc.units import ONE
from tests.backends.programs import copy, interpreted, load, same

FIRED = value("fired")
READ = make("read", (), "I")
SPECIAL = (0.0, -0.0, 1.0, -2.5, 3.0, 1e300, float("inf"), float("-inf"), float("nan"))


def neuron(
    v: Expr,
    u: Expr,
    *more: Define,
    test: Expr | None = None,
    on: Expr | None = None,
    output: Expr | None = None,
) -> Step:
    """A program that goes from v to %v.1 = v + I and from u to %u.1 = 0.5 u, fires where `test`, and stores `v` and `u`."""
    flow = (Define("v.1", op("add", load("v"), value("I"))), Define("u.1", op("mul", const(0.5), load("u"))))
    fired = Define("fired", test if test is not None else op("ge", value("v.1"), const(1.0)))
    stores = (Store("v", v), Store("u", u), *((Store("on", on),) if on is not None else ()))
    emit = (Emit(FIRED), *((Put("y", output),) if output is not None else ()))
    return Step(
        "Neuron",
        (),
        (Slot("v", "real", ONE, ".init"), Slot("u", "real", ONE, ".init"), Slot("on", "bool", ONE, ".off")),
        (Port("I", ONE),),
        (),
        (Port("y", ONE),) if output is not None else (),
        (),
        (Define("c", const(-1.0)), Define(".init", const(0.0)), Define(".off", const(False))),
        (
            Phase("input", (Define("I", READ),)),
            Phase("flow", flow),
            Phase("test", (fired,)),
            Phase("reset", (*more, *stores)),
            Phase("emit", emit),
        ),
    )


def where_fired(a: Expr, b: Expr) -> Expr:
    return op("select", FIRED, a, b)


JUMP = Define("u.2", where_fired(op("add", value("u.1"), const(2.0)), value("u.1")))
RESET = neuron(where_fired(value("c"), value("v.1")), value("u.2"), JUMP)
BEFORE = op("and", op("ge", value("v.1"), const(1.0)), op("lt", load("v"), const(1.0)))
CROSSING = neuron(where_fired(value("c"), value("v.1")), value("u.1"), test=BEFORE)


PUT = neuron(where_fired(value("c"), value("v.1")), value("u.1"), output=where_fired(value("v.1"), const(3.0)))


def parted(step: Step) -> tuple[Loop, Loop, Loop | None]:
    """The loop of a program that has one, and what becomes of it."""
    (whole,) = loops_of(step)
    (first,), resets = part_resets([whole], layout(step).binds)
    assert isinstance(whole, Loop)
    assert isinstance(first, Loop)
    return whole, first, resets


def body(step: Step) -> list[str]:
    """The lines of the emitted step, from its first loop on."""
    (text,) = BACKEND.emit(step, "f64").files.values()
    assert isinstance(text, str)
    inner = text.split("            if constexpr (!still) birc::sample(inputs.I, job.inputs[0], step, base, lanes);\n")[1]
    return [line.strip() for line in inner.split("        if (step < rows.due) break;")[0].splitlines()][:-1]


def test_a_step_without_a_spike_compares_and_does_no_more() -> None:
    assert body(RESET) == [
        "count raised = 0;  // by any lane",
        "for (int lane = 0; lane < LANES; lane++) {",
        "// input",
        "const real I = inputs.I[lane];",
        "// flow",
        "const real v_1 = slots.v[lane] + I;",
        "const real u_1 = 0.5 * slots.u[lane];",
        "// test",
        "const bool fired_ = v_1 >= 1.0;",
        "raised |= fired_;",
        "slots.v[lane] = v_1;",
        "slots.u[lane] = u_1;",
        "}",
        "if (raised) {",
        "for (int lane = 0; lane < LANES; lane++) {",
        "// test",
        "const bool fired_ = slots.v[lane] >= 1.0;",
        "// reset",
        "const real u_2 = (fired_ ? slots.u[lane] + 2.0 : slots.u[lane]);",
        "const real t1 = (fired_ ? bound.c[lane] : slots.v[lane]);",
        "fired[lane] = fired_;",
        "slots.v[lane] = t1;",
        "slots.u[lane] = u_2;",
        "}",
        "birc::pack(job.fired + step * job.words + base / 64, fired, lanes);",
        "}",
    ]


def test_flags_are_read_where_what_decides_is_gone() -> None:
    """Who fires depends on the potential before the step, which has a new one by then."""
    assert body(CROSSING) == [
        "for (int lane = 0; lane < LANES; lane++) {",
        "// input",
        "const real I = inputs.I[lane];",
        "// flow",
        "const real v_1 = slots.v[lane] + I;",
        "const real u_1 = 0.5 * slots.u[lane];",
        "// test",
        "const bool fired_ = v_1 >= 1.0 & slots.v[lane] < 1.0;",
        "fired[lane] = fired_;",
        "slots.v[lane] = v_1;",
        "slots.u[lane] = u_1;",
        "}",
        "if (birc::any(fired)) {",
        "for (int lane = 0; lane < LANES; lane++) {",
        "const real t1 = (fired[lane] ? bound.c[lane] : slots.v[lane]);",
        "slots.v[lane] = t1;",
        "}",
        "birc::pack(job.fired + step * job.words + base / 64, fired, lanes);",
        "}",
    ]


def chain(e: Expr, times: int) -> Expr:
    """… + (2.5 + (1.5 + e)), a sum of so many numbers and `e`."""
    return op("add", const(times + 0.5), chain(e, times - 1)) if times else e


V1, U1 = value("v.1"), value("u.1")
WHOLE = {
    "nothing is reset": neuron(V1, U1),
    "the flag is stored": neuron(where_fired(value("c"), V1), U1, on=FIRED),
    "the flag decides with something else": neuron(op("select", op("eq", FIRED, op("lt", U1, V1)), value("c"), V1), U1),
    "the value before the step is gone": neuron(where_fired(load("v"), V1), U1),
    "too much would be made again": neuron(where_fired(value("far"), V1), U1, Define("far", chain(READ, 12))),
    "a function would be made again": neuron(where_fired(value("far"), V1), U1, Define("far", op("exp", READ))),
}


@pytest.mark.parametrize("why", WHOLE)
def test_a_loop_stays_whole(why: str) -> None:
    whole, first, resets = parted(WHOLE[why])
    assert resets is None
    assert first is whole


def test_a_slot_that_only_spikes_change_is_left_alone_without_one() -> None:
    _, first, resets = parted(neuron(where_fired(value("c"), V1), where_fired(READ, load("u"))))
    assert [slot for slot, _, _ in first.stores] == ["v"]
    assert resets is not None
    assert [slot for slot, _, _ in resets.stores] == ["v", "u"]


def test_what_only_resets_need_is_made_in_their_loop() -> None:
    """A cheap value of what is still there: made again, and no more where no lane fires."""
    _, first, resets = parted(neuron(where_fired(value("far"), V1), U1, Define("far", op("mul", READ, const(3.0)))))
    assert "far" not in first.makes()
    assert resets is not None
    assert resets.stores[0][1] is where_fired(op("mul", READ, const(3.0)), load("v"))


def test_all_resets_of_the_library_are_parted() -> None:
    for model in neuron_files():
        step = shorten(compile_model(model, target="native").step)
        parts = loops_of(step, CHAIN)
        last = parts[-1]
        assert isinstance(last, Loop)
        flags = {str(e.attr) for e, _ in last.fired}
        late = set(flags)
        for name, e, _ in last.defines:
            late |= {name} if late & leaves(e, "value") else set()
        changed = [slot for slot, e, _ in last.stores if late & leaves(e, "value")]
        _, resets = part_resets(parts, layout(step).binds)
        assert [slot for slot, _, _ in resets.stores] == changed if resets else not changed, model


# --- by evaluation


def evaluated(loop: Loop, moment: Moment, values: dict[str, Any]) -> dict[str, Any]:
    """What a loop makes; slots stay."""
    values = dict(values)
    for name, e, _ in loop.defines:
        values[name] = evaluate(e, values, moment)
    return values


def ends(part: Sequence[tuple[str, Expr, Any]], moment: Moment, values: dict[str, Any]) -> dict[str, Any]:
    return {name: np.broadcast_to(evaluate(e, values, moment), moment.n) for name, e, _ in part}


def bits(arrays: dict[str, Any]) -> dict[str, bytes]:
    return {name: np.ascontiguousarray(array).tobytes() for name, array in arrays.items()}


LEAVES = (V1, U1, load("v"), load("u"), READ, value("I"), value("c"), const(2.0), value("r.1"))
REALS = st.recursive(
    st.sampled_from(LEAVES[:-1]),
    lambda inner: st.one_of(
        st.builds(lambda name, a, b: op(name, a, b), st.sampled_from(["add", "mul", "min", "div"]), inner, inner),
        st.builds(where_fired, inner, inner),
        st.builds(lambda a, b: op("select", op("not", FIRED), a, b), inner, inner),
        st.builds(lambda a, b, x, y: op("select", op("and", op("lt", x, y), FIRED), a, b), inner, inner, inner, inner),
        st.builds(lambda a, b, x, y: op("select", op("or", FIRED, op("lt", x, y)), a, b), inner, inner, inner, inner),
    ),
    max_leaves=6,
)
TESTS = st.sampled_from([None, BEFORE, op("ge", READ, const(0.0))])


@settings(max_examples=300, deadline=None)
@given(REALS, REALS, REALS, TESTS, st.permutations(SPECIAL), st.permutations(SPECIAL), st.permutations(SPECIAL))
def test_both_loops_leave_what_the_whole_one_leaves(
    v: Expr, r: Expr, y: Expr, test: Expr | None, old: list[float], other: list[float], read: list[float]
) -> None:
    """With values of all sorts, and resets that read one another; lanes that do not fire have it from the first one already."""
    step = neuron(v, where_fired(value("r.1"), U1), Define("r.1", r), test=test, output=y)
    whole, first, resets = parted(step)
    if resets is None:
        return
    binds = {"c": np.float64(-1.0)}
    state = {"v": np.array(old), "u": np.array(other), "on": np.zeros(len(old), np.bool_)}
    with np.errstate(all="ignore"):
        moment = Moment(len(old), binds, state, {"I": np.array(read)})
        values = evaluated(whole, moment, binds)
        wanted = ends(whole.outputs, moment, values) | state | ends(whole.stores, moment, values)

        quiet = evaluated(first, moment, binds)
        found = ends(first.outputs, moment, quiet) | state | ends(first.stores, moment, quiet)
        flags = np.broadcast_to(quiet["fired"], len(old))
        assert bits({"fired": flags}) == bits({"fired": np.broadcast_to(values["fired"], len(old))})
        assert bits({name: array[~flags] for name, array in found.items()}) == bits({name: array[~flags] for name, array in wanted.items()})

        after = Moment(len(old), binds, {slot: found[slot] for slot in state}, {"I": np.array(read)})
        late = evaluated(resets, after, binds if resets.fired else binds | {"fired": flags})
        assert bits({"fired": np.broadcast_to(late["fired"], len(old))}) == bits({"fired": flags})
        found |= ends(resets.outputs, after, late) | ends(resets.stores, after, late)
    assert bits(found) == bits(wanted)


@pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler")
@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("step", [RESET, CROSSING, PUT], ids=["made", "read", "put"])
def test_native_equals_the_interpreter_with_and_without_spikes(step: Step, dtype: Dtype) -> None:
    """Neurons of which some fire in each step, and stretches of time in which none does."""
    n, steps = 300, 90
    real = np.float64 if dtype == "f64" else np.float32
    drive = np.where(np.arange(steps) % 30 < 20, 0.3, 0.0)[:, None] * np.linspace(0, 2, n)
    state = {"v": np.zeros(n, real), "u": np.ones(n, real), "on": np.zeros(n, np.bool_)}
    record = {name: np.zeros((steps, n), real) for name in ("v", "u", *(port.name for port in step.outputs))}
    job = Job(n, 0, steps, {"c": -1.0}, state, {"I": drive}, {}, record)
    expected = copy(job)
    wanted = interpreted(step, expected, dtype)
    found = BACKEND.load(BACKEND.emit(step, dtype)).run(job)
    assert len(wanted.index) > 100
    np.testing.assert_array_equal(found.index, wanted.index)
    np.testing.assert_array_equal(found.stamp, wanted.stamp)
    same(job, expected)
