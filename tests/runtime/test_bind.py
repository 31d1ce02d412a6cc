"""Parameters, presets and initial values, and the message for every wrong one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from birc.errors import BircError
from birc.ir.expr import const, op, value
from birc.ir.step import Define, Step
from birc.runtime.bind import Bound, bind
from birc.runtime.values import Setting
from tests.passes.programs import lowered, model_of
from tests.runtime.leaky import LEAKY, leaf, param

SETTING = Setting("Leaky", 3, 0, 10, 0.1, 1)


def bound(params: dict[str, Any] | None = None, init: dict[str, Any] | None = None, preset: str | None = None, step: Step = LEAKY) -> Bound:
    return bind(step, SETTING, "f64", params or {}, preset, init)


def message(*arguments: Any, **options: Any) -> str:
    with pytest.raises(BircError) as caught:
        bound(*arguments, **options)
    return str(caught.value)


def test_defaults_presets_and_given_values() -> None:
    assert bound().values["tau"] == 10.0
    assert bound(preset="slow").values["tau"] == 50.0
    assert bound({"tau": "0.02 s"}, preset="slow").values["tau"] == 20.0
    assert bound({"tau": 3}).values["tau"] == 3.0


def test_a_default_that_depends_on_another_follows_it() -> None:
    assert bound().values["gain"] == 20.0
    assert bound({"tau": 3}).values["gain"] == 6.0
    assert bound(preset="slow").values["gain"] == 100.0
    assert bound({"gain": 1}).values["gain"] == 1.0


def test_numbers_for_all_are_pythons_own_and_arrays_are_per_neuron() -> None:
    values = bound({"tau": [1, 2, 3]}).values
    assert np.array_equal(values["gain"], [2, 4, 6])
    assert np.array_equal(values[".P"], np.exp(-0.1 / np.array([1.0, 2.0, 3.0])))
    assert type(values["v_th"]) is float
    assert type(values[".n_ref"]) is int
    assert bound({"t_ref": [0.1, 0.2, 0.3]}).values[".n_ref"].dtype == np.int64
    assert np.array_equal(bound({"tau": "linspace(1 ms, 3 ms)"}).values["tau"], [1, 2, 3])
    assert type(bound({"tau": [2]}).values["tau"]) is float


def test_draws_depend_on_the_seed_and_differ_between_names() -> None:
    text = {"tau": "uniform(1 ms, 2 ms)", "gain": "uniform(1 ms, 2 ms)"}
    values = bound(text).values
    assert not np.array_equal(values["tau"], values["gain"])
    assert np.array_equal(values["tau"], bound(text).values["tau"])
    other = bind(LEAKY, replace(SETTING, seed=2), "f64", text)
    assert not np.array_equal(values["tau"], other.values["tau"])


def test_an_initial_value_carries_over_to_what_is_derived_from_it() -> None:
    state = bound(init={"v": [1, 2, 3]}).state
    assert np.array_equal(state["v"], [1, 2, 3])
    assert np.array_equal(state["u"], [2, 4, 6])
    assert np.array_equal(bound(init={"v": 1, "u": "7 mV"}).state["u"], [7, 7, 7])
    assert state["refractory"].dtype == np.int32
    drawn = bound(init={"v": "normal(-60 mV, 1 mV)"}).state["v"]
    assert len(set(drawn)) == 3


def test_an_infinity_that_was_given_may_stay() -> None:
    assert bound().values["top"] == np.inf
    assert bound({"tau": 1e300}).values[".Q"] == 0.0
    assert bound({"v_th": "inf"}).values["v_th"] == np.inf


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"tua": 1}, "error[I102]: the model has no parameter `tua`\n  help: did you mean `tau`?"),
        ({"tau": 0}, "error[I130]: parameter `tau` is 0 ms, outside its range (0 ms, inf)"),
        ({"tau": "-5 ms"}, "error[I130]: parameter `tau` is -5 ms, outside its range (0 ms, inf)"),
        ({"tau": [1, 2, 0]}, "error[I130]: parameter `tau` is 0 ms in neuron 2, outside"),
        ({"tau": float("inf")}, "error[I130]: parameter `tau` is inf, outside"),
        ({"tau": float("nan")}, "error[I111]: parameter `tau`: the value is nan"),
        ({"v_th": [1, float("nan"), 2]}, "error[I111]: parameter `v_th`: the value at 1 is nan"),
        ({"tau": [1, 2]}, "error[I110]: parameter `tau` has shape (2,)\n  help: give one number, or one per neuron: (3,)"),
        ({"tau": "noise(1 ms, 1 ms)"}, "error[I114]: parameter `tau`: there is no `noise(…)` here"),
        ({"tau": "normal(1 ms, -1 ms)"}, "a standard deviation cannot be negative"),
        ({"t_ref": -1}, "error[I132]: the duration `t_ref` is -1 ms, which is no number of steps"),
        ({"t_ref": 1e12}, "error[I132]: the duration `t_ref` is 1e+12 ms"),
        ({"t_ref": "inf"}, "error[I132]: the duration `t_ref` is inf ms"),
    ],
)
def test_wrong_parameters_are_explained(params: dict[str, Any], text: str) -> None:
    assert text in message(params)


def test_wrong_names_and_initial_values_are_explained() -> None:
    assert "error[I105]: the model has no preset `slwo`\n  help: did you mean `slow`? presets: slow" in message(preset="slwo")
    assert "error[I103]: the model has no state `refractory`\n  help: states: v, u" in message(init={"refractory": 1})
    assert "error[I135]: the initial value of `v` in neuron 1 is 200 mV, outside [-100 mV, 100 mV]" in message(init={"v": [0, 200, 0]})
    assert "error[I111]: initial value of `v`: the value is inf" in message(init={"v": float("inf")})


def singular(guarded: bool) -> Step:
    """A model with the constant 1 / tau, which may stand in an arm of a choice that leaves it out at tau = 0."""
    inverse = op("div", const(1.0), value("tau"))
    constant = op("select", op("eq", value("tau"), const(0.0)), const(0.0), value(".inverse")) if guarded else value(".inverse")
    bind = (Define("tau", leaf("param", "tau")), Define(".inverse", inverse), Define(".k", op("mul", const(2.0), constant)))
    tau = param("tau", LEAKY.params[0].unit, 10.0)
    return replace(LEAKY, params=(tau,), slots=(), presets=(), bind=bind)


def test_a_constant_that_is_not_finite_names_the_parameters_behind_it() -> None:
    expected = "error[I133]: a constant of the model is infinite, with `tau` = 0 ms"
    assert expected in message({"tau": 0}, step=singular(guarded=False))
    assert "is infinite in neuron 1, with `tau` = 0 ms" in message({"tau": [1, 0, 2]}, step=singular(guarded=False))
    assert bound({"tau": 0}, step=singular(guarded=True)).values[".k"] == 0.0


def test_a_long_chain_of_defaults_is_followed() -> None:
    unit = LEAKY.params[0].unit
    chain = [param("p0", unit, 1.0)] + [param(f"p{k}", unit, op("add", leaf("var", f"p{k - 1}"), const(1.0))) for k in range(1, 5000)]
    step = replace(LEAKY, params=tuple(reversed(chain)), slots=(), presets=(), bind=(Define("last", leaf("param", "p4999")),))
    assert bound(step=step).values["last"] == 5000.0


CYCLE = "neuron A:\n    param tau = 1 ms\n    state x = 1, y = 0\n    tau * x' = y - x\n    (1 ms) * y' = 0.5 * x - y\n"


def test_ill_conditioned_blocks_are_warned_about() -> None:
    step = lowered(model_of(CYCLE))
    setting = Setting("A", 1, 0, 1, 0.1, 0)
    assert bind(step, setting, "f64", {}).warnings == ()
    found = bind(step, setting, "f64", {"tau": 1e-9})
    assert [w.code for w in found.warnings] == ["I129"]
    assert found.warnings[0].message.startswith(
        "the linear block that depends on `tau` is ill-conditioned: its fastest rate is 2e+08 per step"
    )
    # y' = -y/2 on the slow line x = y
    parts = (found.values[name] for name in (".E.y", ".P.y.x", ".R.y", ".R.y.x"))
    assert 1 + sum(parts) == pytest.approx(math.exp(-0.05), rel=1e-8)
    many = bind(step, Setting("A", 2, 0, 1, 0.1, 0), "f64", {"tau": [1.0, 1e-9]})
    assert [w.code for w in many.warnings] == ["I129"]
