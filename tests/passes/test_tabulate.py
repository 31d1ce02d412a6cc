"""`tabulate`: where tables are put, where not, and what keeps a state inside their range."""

from __future__ import annotations

import numpy as np
import pytest

from birc import driver
from birc.errors import BircError
from birc.ir.evaluate import interpret
from birc.ir.expr import const, leaves, make, op, topo, value
from birc.ir.step import Define, Lookup, Phase, Step, Store
from birc.ir.text import parse_step, print_step
from birc.passes.tabulate import cost, tabulate
from birc.runtime.bind import bind
from birc.runtime.values import Setting
from birc.tabulation import WITHOUT
from tests.conftest import Golden
from tests.passes.programs import LIBRARY, lowered, model_of, moment

GATE = """
neuron Cell:
    param k = 10 mV
    state v = -60 mV, m = 0.1
    input I: mV/ms
    m' = 1 ms^-1 / (1 + exp(-(v + 40 mV) / k)) * (1 - m) - 0.5 ms^-1 * exp(-(v + 65 mV) / 18 mV) * m
    v' = I - m * v / (5 ms)
    with solver exponential on v, m
"""
RANGE = {"v": (-120.0, 80.0)}


def test_text(golden: Golden) -> None:
    step = lowered(model_of(GATE))
    text = f"# before tabulate\n{print_step(step)}\n# after tabulate\n{print_step(tabulate(step, 1e-6, RANGE))}"
    golden.check("golden/passes/tabulate.txt", text)


def test_the_text_reads_back() -> None:
    step = tabulate(lowered(LIBRARY["HH"], skip=WITHOUT), 1e-6, RANGE)
    assert parse_step(print_step(step)) == step


@pytest.mark.parametrize("error", [1e-3, 1e-7])
@pytest.mark.parametrize("method", [None, "exponential", "euler", "rk4"])
def test_one_step_is_as_near_as_the_error(error: float, method: str | None) -> None:
    """From random states of HH: gates within what their tables may be off by, which the short step makes less than the error."""
    before = driver.lower(LIBRARY["HH"], method)[1]
    after = tabulate(before, error, RANGE)
    given = moment(before, h=0.01, v=np.linspace(-115, 45, 12), I=0.1)
    exact = interpret(before, given).state
    given.tables = bind(after, Setting("HH", 12, 0, 1, 0.01, 0), "f64", {}).tables
    rough = interpret(after, given).state
    off = max(float(np.abs(rough[gate] - exact[gate]).max()) for gate in ("na.m", "na.h", "k.n"))
    assert 0 < off <= 2 * error


def test_gates_share_a_table_and_each_stage_looks_up_once() -> None:
    after = tabulate(lowered(LIBRARY["HH"], skip=WITHOUT), 1e-6, RANGE)
    lookups = [s for s in after.phase("flow") if isinstance(s, Lookup)]
    assert len({lookup.argument for lookup in lookups}) == len(lookups)
    assert {len(table.functions) for table in after.tables} == {6}
    left = {e for _, s in after.statements() if isinstance(s, Define) for e in topo(s.value) if e.op == "exp"}
    assert not left


def test_nothing_pays_nothing_changes() -> None:
    for name in ("LIF", "Izhikevich", "AdEx"):
        step = lowered(LIBRARY[name], skip=WITHOUT)
        assert tabulate(step, 1e-6, {}) is step


def flow(*defines: tuple[str, object], stores: str = "y") -> Step:
    """HH's states with this flow."""
    base = lowered(model_of("neuron Cell:\n    state y = 0, z = 0\n    step y = y + 1\n    step z = z + 1\n"))
    body = tuple(Define(name, e) for name, e in defines)  # type: ignore[arg-type]
    last = Store(stores, value(defines[-1][0]))
    return Step(base.name, (), base.slots, (), (), (), (), base.bind, (Phase("flow", body), Phase("reset", (last,))))


Y = make("load", (), "y")
COSTLY = op("tanh", op("exp", op("sin", Y)))


def test_a_state_and_its_increment_are_not_one_function() -> None:
    """The error would be relative to the state, and add up in every step."""
    step = flow(("y.1", op("add", Y, op("mul", const(0.01), COSTLY))))
    after = tabulate(step, 1e-6, {"y": (-1.0, 1.0)})
    (table,) = after.tables
    assert table.functions == (op("mul", const(0.01), COSTLY),)
    once = flow(("y.1", op("add", Y, op("mul", const(0.01), COSTLY))), ("y.2", op("add", value("y.1"), op("mul", const(0.01), COSTLY))))
    (table,) = tabulate(once, 1e-6, {"y": (-1.0, 1.0)}).tables
    assert table.functions == (op("mul", const(0.01), COSTLY),)


def test_jumps_and_corners_stay_as_they_are() -> None:
    jump = op("select", op("gt", Y, const(0.0)), COSTLY, const(0.0))
    after = tabulate(flow(("y.1", op("mul", const(2.0), jump))), 1e-6, {"y": (-1.0, 1.0)})
    (table,) = after.tables
    assert table.functions == (COSTLY,)


def test_a_function_of_two_states_stays() -> None:
    step = flow(("y.1", op("tanh", op("exp", op("sin", op("mul", Y, make("load", (), "z")))))))
    assert tabulate(step, 1e-6, {"y": (-1.0, 1.0), "z": (-1.0, 1.0)}) is step


def test_without_a_range_it_is_refused() -> None:
    with pytest.raises(BircError) as refused:
        tabulate(lowered(LIBRARY["HH"], skip=WITHOUT), 1e-6, {})
    assert refused.value.code == "L130" and "v in [-120 mV, 80 mV]" in str(refused.value)


LIMITED = """
neuron Cell:
    param top = 50 mV
    state v = -60 mV in [-90 mV, top]
    input I: mV
    step v = v + I * tanh(exp(v / (30 mV))) * sin(v / (20 mV))
"""


def test_limits_are_a_range_that_needs_no_guard() -> None:
    after = tabulate(lowered(model_of(LIMITED)), 1e-6, {})
    (table,) = after.tables
    assert not table.guarded and (table.low, table.high) == (-90.0, "top")
    assert not any(e.op == "const" and e.attr != e.attr for _, s in after.statements() if isinstance(s, Store) for e in topo(s.value))


def test_intervals_are_a_range_that_is_guarded_against_initial_values() -> None:
    step = flow(("y.1", op("mul", const(3.0), op("sigmoid", op("mul", COSTLY, COSTLY)))))
    (table,) = tabulate(step, 1e-6, {}).tables
    assert table.guarded and 0.0 <= float(table.low) < float(table.high) <= 3.0


def test_a_state_that_leaves_its_table_becomes_nan_and_no_other_does() -> None:
    step = tabulate(lowered(model_of(GATE)), 1e-6, {"v": (-80.0, 0.0)})
    given = moment(step, v=np.array([-81.0, -80.0, -40.0, 0.0, 0.1, -60.0] * 2))
    given.tables = bind(step, Setting("Cell", 12, 0, 1, 0.1, 0), "f64", {}).tables
    lost = np.isnan(interpret(step, given).state["v"])
    assert lost.tolist() == [True, False, False, False, True, False] * 2
    assert all(leaves(s.value, "load") >= {"v"} for _, s in step.statements() if isinstance(s, Store) and s.slot == "v")


def test_a_slot_that_nothing_stores_is_guarded_too() -> None:
    step = flow(("z.1", COSTLY), stores="z")
    after = tabulate(step, 1e-6, {"y": (-0.5, 0.5)})
    assert [s.slot for _, s in after.statements() if isinstance(s, Store)] == ["z", "y"]


def test_cost_counts_each_operation_once() -> None:
    e = op("exp", Y)
    assert cost(op("mul", e, e)) == 21 and cost(Y) == 0 == cost(const(1.0))
