"""`adjoint` and `dense-events`: text, a network's gradient by hand, differences of whole runs for every neuron of the library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from birc import driver
from birc.errors import BircError
from birc.ir import adjoint as names
from birc.ir.check import check_step
from birc.ir.expr import value
from birc.ir.step import Define, Step
from birc.ir.surrogates import TABLE, Surrogate
from birc.ir.text import parse_step, print_step
from birc.passes import adjoint, dense_events
from birc.runtime.bind import bind
from birc.runtime.gradients import Seen, backward, forward, of_parameters, value_of
from birc.runtime.values import Setting
from birc.verification.case import Case
from tests.backends.programs import lif
from tests.conftest import Golden
from tests.passes.programs import LIBRARY, model_of

Array = npt.NDArray[Any]
STEPS, N = 60, 6

TINY = """
neuron Tiny:
    param tau = 20 ms in (0 ms, inf), theta = 1
    state v = 0
    input I: 1
    v' = (I - v) / tau
    on syn(w: 1): v += w
    spike when v >= theta:
        v = 0
"""


def step_of(text: str) -> Step:
    return driver.lower(model_of(text))[1]


def bound(step: Step, adjoined: Step, dt: float = 1.0, n: int = 1, **params: object) -> tuple[dict[str, Any], dict[str, Array]]:
    """The bind values of a program and of its adjoint, and the initial states."""
    setting = Setting(step.name, n, 0, 1, dt, 0)
    found = bind(step, setting, "f64", params)
    more = {d.name: d.value.attr for d in adjoined.bind if d.value.op == "const"}
    return more | found.values, found.state


def test_text(golden: Golden) -> None:
    step = step_of(TINY)
    golden.check("golden/passes/adjoint.txt", f"{print_step(step)}\n{print_step(adjoint.run(step))}")


def test_it_reads_back_and_holds_every_invariant() -> None:
    for model in LIBRARY.values():
        program = adjoint.run(driver.lower(model)[1], detach_reset=False)
        check_step(program, final=True)
        assert print_step(parse_step(print_step(program))) == print_step(program)


def test_by_hand_a_network_of_two_layers() -> None:
    """One neuron drives another through a weight of 2; both detach their reset; straight-through surrogate; three steps of P = Q = 1/2.

    First neuron, I = 2, 1, 2:  v = 1 (spike), 0.5, 1.25 (spike); so z = 1, 0, 1 and what is below the reset is 0, 0.5, 0.
    Second, events 2 z on top of v/2: v = 2 (spike), 0, 2 (spike). L = sum of its spikes, so dL/du = 1 at each stamp plus what comes back.
    With a straight-through surrogate du[k] = 1 + (0 where it spiked, else du[k+1] / 2): 1, 1 + 1/2, 1 from first to last.
    dL/dz of the first neuron is 2 du: 2, 3, 2; so dv[k] = 2 du + (0 where it spiked, else dv[k+1] / 2): 2, 3 + 1, 2.
    dL/dI = dv / 2 = 1, 2, 1.  dL/dw = sum of z du = 1 + 1 = 2.
    """
    step = dense_events.run(step_of(TINY))
    adjoined = adjoint.run(step, TABLE["straight_through"])
    values, state = bound(step, adjoined)
    values |= {".E.v": -0.5, ".Q.v.I": 0.5}
    zero = np.zeros((3, 1))
    current = np.array([[2.0], [1.0], [2.0]])
    first = forward(step, values, state, {"I": current, "syn": zero})
    np.testing.assert_array_equal(first.spikes[:, 0], [1, 0, 1])
    np.testing.assert_array_equal(first.states["v"][:, 0], [0, 0.5, 0])
    second = forward(step, values, state, {"I": zero, "syn": 2 * first.spikes})
    np.testing.assert_array_equal(second.spikes[:, 0], [1, 0, 1])
    upper = backward(adjoined, values, second, {"I": zero, "syn": 2 * first.spikes}, {"spikes": np.ones((3, 1))})
    np.testing.assert_array_equal(upper.inputs["syn"][:, 0], [1, 1.5, 1])
    assert (upper.inputs["syn"] * first.spikes).sum() == 2
    lower = backward(adjoined, values, first, {"I": current, "syn": zero}, {"spikes": 2 * upper.inputs["syn"]})
    np.testing.assert_array_equal(lower.inputs["I"][:, 0], [1, 2, 1])


def test_the_reset_gives_the_jump_to_the_spike_unless_detached() -> None:
    """One step from 0 with I = 4: v = 2 spikes and falls by 2, so that dv'/dI = (0 + surrogate * (0 - 2)) / 2."""
    step = dense_events.run(step_of(TINY))
    for detached, expected in ((True, 0.0), (False, -1.0)):
        adjoined = adjoint.run(step, TABLE["straight_through"], detach_reset=detached)
        values, state = bound(step, adjoined)
        values |= {".E.v": -0.5, ".Q.v.I": 0.5}
        inputs = {"I": np.array([[4.0]]), "syn": np.zeros((1, 1))}
        seen = forward(step, values, state, inputs)
        assert backward(adjoined, values, seen, inputs, {"v": np.ones((1, 1))}).inputs["I"][0, 0] == expected


def test_the_surrogate_sees_margin_times_slope() -> None:
    step = dense_events.run(step_of(TINY))
    for name, surrogate in TABLE.items():
        adjoined = adjoint.run(step, surrogate)
        values, state = bound(step, adjoined)
        values |= {names.SLOPE: 1.5, names.UNIT: 0.5}
        inputs = {"I": np.zeros((1, 1)), "syn": np.array([[0.4]])}
        seen = forward(step, values, state, inputs)
        found = backward(adjoined, values, seen, inputs, {"spikes": np.ones((1, 1))}).inputs["syn"][0, 0]
        x, a = 1.5 * 0.5 * (0.4 - 1.0), surrogate.arguments
        by_hand = {
            "fast_sigmoid": 1 / (1 + 10 * abs(x)) ** 2,
            "fast_sigmoid_seed": 1 / (1 + abs(x)),
            "triangular": 1 - abs(x),
            "arctan": 1 / (1 + (np.pi * x) ** 2),
            "sigmoid": 4 / (2 * np.cosh(2 * x)) ** 2,
            "gaussian": np.exp(-2 * x * x) * np.sqrt(2 / np.pi),
            "multi_gaussian": 1.15 * np.exp(-2 * x * x) * np.sqrt(2 / np.pi)
            - 0.15 * sum(np.exp(-(((x + s) / 3) ** 2) / 2) for s in (-0.5, 0.5)) / 3 / np.sqrt(2 * np.pi),
            "straight_through": 1.0,
        }[name]
        assert found == pytest.approx(0.5 * by_hand, rel=1e-12), (name, a)


def test_by_the_slope_a_spike_is_the_surrogate_s_antiderivative() -> None:
    """One step that does not spike, at x = -0.45: dL/d slope is that of the integral from 0 to x, by differences of the slope."""
    step = dense_events.run(step_of(TINY))
    for surrogate in TABLE.values():
        if surrogate.slope is None:
            with pytest.raises(KeyError):
                _by_slope(step, surrogate)
            continue
        u = np.linspace(0, -0.45, 20001)

        def integral(slope: float, surrogate: Surrogate = surrogate, u: Array = u) -> float:
            values = {**surrogate.arguments, str(surrogate.slope): slope, "x": u}
            return float(np.trapezoid(np.broadcast_to(value_of(surrogate.derivative, values, {}), u.shape), u))

        at = surrogate.arguments[surrogate.slope]
        expected = (integral(at + 1e-3) - integral(at - 1e-3)) / 2e-3 / 1.5
        assert _by_slope(step, surrogate) == pytest.approx(expected, rel=1e-4, abs=1e-9), surrogate.name


def _by_slope(step: Step, surrogate: Surrogate) -> float:
    adjoined = adjoint.run(step, surrogate, wanted={names.argument(str(surrogate.slope))})
    values, state = bound(step, adjoined)
    values |= {names.SLOPE: 1.5, names.UNIT: 0.5}
    inputs = {"I": np.zeros((1, 1)), "syn": np.array([[0.4]])}
    seen = forward(step, values, state, inputs)
    found = backward(adjoined, values, seen, inputs, {"spikes": np.ones((1, 1))}).bind
    return float(found[names.argument(str(surrogate.slope))][0])


def test_events_that_act_one_by_one_become_a_choice() -> None:
    step = lif()
    plain = dense_events.run(step)
    assert [p.name for p in plain.inputs] == ["I", "exc", "pull"]
    assert plain.events == ()
    assert dense_events.run(plain) is plain
    bind_values = {d.name: d.value.attr for d in step.bind}
    initial: dict[str, Array] = {"v": np.zeros(2), "refractory": np.zeros(2, np.int32), "u": np.zeros(2), "above": np.zeros(2, np.bool_)}
    inputs = {"I": np.zeros((1, 2)), "exc": np.array([[0.25, 0.25]]), "pull": np.array([[0.5, 0.0]])}
    seen = forward(plain, bind_values, initial, inputs, draw=lambda name, lane: np.zeros(2))
    np.testing.assert_array_equal(seen.before["v"], [[0, 0]])
    np.testing.assert_array_equal(seen.spikes, [[1, 0]])  # 0.25 + 0.5 * (2 - 0.25) = 1.125
    np.testing.assert_array_equal(seen.states["v"], [[0, 0.25]])


def test_tables_have_no_derivative() -> None:
    with pytest.raises(BircError) as e:
        driver.dump("hodgkin_huxley", "adjoint", tables="1e-6, v in [-120 mV, 80 mV]")
    assert e.value.diagnostics[0].code == "L140"
    assert "looks functions up in tables, which have no derivative" in str(e.value)


def test_a_noise_s_factor_has_none_and_says_so() -> None:
    equations = "    a' = (b - a) / 5 ms\n    b' = -b / 3 ms + s * sqrt(2 / (3 ms)) * xi\n"
    text = f"neuron N:\n    param s = 1\n    state a = 0, b = 0\n    noise xi\n{equations}"
    step = step_of(text)
    with pytest.raises(ValueError, match="the derivative of noise_factor is not known"):
        adjoint.bind_adjoint(step, [d.name for d in step.bind if d.value.op == "noise_factor"])


# --- against differences


def case(name: str) -> tuple[Step, dict[str, Any], dict[str, Array], dict[str, Array], Mapping[str, Any]]:
    """A program whose events are inputs, with bind values, initial states and a stimulus that makes it fire."""
    original = driver.lower(LIBRARY[name])[1]
    case = Case(original, dt="0.1 ms", n=N)
    stimulus = case.stimulus
    inputs = {p: np.broadcast_to(a, (case.steps, N))[200 : 200 + STEPS].copy() for p, a in stimulus.inputs.items()}
    rng = np.random.default_rng(3)
    for port, events in stimulus.events.items():
        size = np.abs(events.payload).max(initial=0.0)
        inputs[port] = np.where(rng.random((STEPS, N)) < 0.1, size * rng.uniform(0.2, 1, (STEPS, N)), 0.0)
    if not inputs:
        inputs["nothing"] = np.zeros((STEPS, N))
    found = bind(original, Setting(name, N, 0, STEPS, 0.1, 0), "f64", {})
    return dense_events.run(original), found.values, found.state, inputs, found.params


def _draw(name: str, lane: int) -> Array:
    return np.linspace(-1, 1, N) * (lane + 1)


def _loss(seen: Seen, weights: Mapping[str, Array]) -> Array:
    total = np.zeros(N)
    for name, w in weights.items():
        total = total + (w * (seen.states | seen.outputs)[name]).sum(axis=0)
    return total


def weights_of(seen: Seen) -> dict[str, Array]:
    rng = np.random.default_rng(5)
    real = {n: a for n, a in (seen.states | seen.outputs).items() if a.dtype.kind == "f"}
    return {name: rng.uniform(-1, 1, a.shape) / (1 + np.abs(a).max()) for name, a in real.items()}


def _agree(found: Array, up: Seen, down: Seen, base: Seen, weights: Mapping[str, Array], moved: float) -> None:
    """Where the moved runs take the same branches as the run itself, differences are the derivative."""
    same = np.ones(N, np.bool_)
    for other in (up, down):
        same &= (other.spikes == base.spikes).all(axis=0)
        for name, a in base.states.items():
            if a.dtype.kind != "f":
                same &= (other.states[name] == a).all(axis=0)
    loss_up, loss_down = _loss(up, weights), _loss(down, weights)
    difference = (loss_up - loss_down) / (2 * moved)
    middle = _loss(base, weights)
    bend = np.abs(loss_up - 2 * middle + loss_down) / moved
    noise = 1e-13 * (1 + np.abs(middle)) / moved
    scale = np.abs(difference).max(initial=0) + np.abs(found).max(initial=0)
    ok = same & (bend < 1e-3 * scale + 10 * noise)
    np.testing.assert_allclose(found[ok], difference[ok], rtol=2e-4, atol=2e-4 * scale + 100 * noise.max())
    _TRIED.append(int(ok.sum()))


_TRIED: list[int] = []


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_the_library_against_differences(name: str) -> None:
    """dL/d of inputs, initial states and parameters, where L weighs all states and outputs at all stamps; resets detached.

    A difference says nothing where the two runs beside the middle one spike elsewhere, or bend (a kink lies between them).
    """
    step, values, initial, inputs, params = case(name)
    adjoined = adjoint.run(step)
    more = {d.name: d.value.attr for d in adjoined.bind if d.value.op == "const"} | values
    base = forward(step, values, initial, inputs, _draw)
    weights = weights_of(base)
    found = backward(adjoined, more, base, inputs, weights, _draw)
    _TRIED.clear()
    for port in step.inputs:
        size = 1e-5 * (np.abs(inputs[port.name]).max() + 1e-3)
        for k in (0, STEPS // 2, STEPS - 1):
            moved = [{**inputs, port.name: inputs[port.name] + s * size * (np.arange(STEPS) == k)[:, None]} for s in (1, -1)]
            runs = [forward(step, values, initial, m, _draw) for m in moved]
            _agree(found.inputs[port.name][k], runs[0], runs[1], base, weights, size)
    for slot, bar in found.initial.items():
        size = 1e-5 * (np.abs(initial[slot]).max() + 1e-2)
        runs = [forward(step, values, {**initial, slot: initial[slot] + s * size}, inputs, _draw) for s in (1, -1)]
        _agree(bar, runs[0], runs[1], base, weights, size)
    factors = {d.name for d in step.bind if d.value.op == "noise_factor"}
    wanted = {n: a for n, a in found.bind.items() if n not in factors}
    bars = of_parameters(step, values, params, wanted)
    of_noise = {str(e.attr) for d in step.bind if d.name in factors for e in _below(step, d)}
    for p in step.params:
        if p.name in of_noise or np.ndim(params[p.name]) or not np.isfinite(params[p.name]):
            continue
        size = 1e-5 * (abs(params[p.name]) + 1e-3)
        runs = []
        for s in (1, -1):
            given = {**{q.name: params[q.name] / float(q.unit.scale) for q in step.params}}
            given[p.name] = (params[p.name] + s * size) / float(p.unit.scale)
            try:
                moved_values = bind(step, Setting(name, N, 0, STEPS, 0.1, 0), "f64", given).values
            except BircError:  # at the end of its range
                break
            runs.append(forward(step, moved_values, initial, inputs, _draw))
        if len(runs) == 2:
            _agree(bars[p.name], runs[0], runs[1], base, weights, size)
    assert sum(_TRIED) >= len(_TRIED) * N / 3, _TRIED


def _below(step: Step, define: Define) -> list[Any]:
    """The parameters that a bind value is made of."""
    by_name = {d.name: d for d in step.bind}
    found, stack = [], [define.value]
    while stack:
        e = stack.pop()
        stack.extend(e.args)
        if e.op == "value":
            stack.append(by_name[str(e.attr)].value)
        elif e.op == "param":
            found.append(e)
    return found


def test_entries_of_matrix_functions_have_derivatives() -> None:
    """Of exp(A h), also minus 1, and of its integral, by h and by every entry, against central differences."""
    from birc.ir.derivative import partials
    from birc.ir.ops import make_entry

    names = [value(n) for n in ("h", "a", "b", "c", "d")]
    at = {"h": 0.7, "a": -0.3, "b": 0.8, "c": -1.1, "d": 0.2}
    for op in ("propagator", "increment", "input_gain"):
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            e = make_entry(op, 2, i, j, names[0], tuple(names[1:]))
            whole = make_entry("propagator", 2, i, j, names[0], tuple(names[1:])) if op == "increment" else e
            for leaf, partial in zip(names, partials(e), strict=True):
                sides = [value_of(whole, {**at, str(leaf.attr): at[str(leaf.attr)] + s * 1e-5}, {}) for s in (1, -1)]
                assert float(value_of(partial, at, {})) == pytest.approx(float((sides[0] - sides[1]) / 2e-5), rel=1e-7, abs=1e-9)
