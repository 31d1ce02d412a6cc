"""Parameters become numbers: defaults, presets and what the user gives, through the `bind` section of a step, once per run, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import FLOATS, Dtype
from birc.errors import BircError, Diagnostic
from birc.ir.checked import checked
from birc.ir.expr import Expr, leaves, order, topo
from birc.ir.model import Param
from birc.ir.ops import evaluate_op
from birc.ir.step import REFRACTORY, Limit, Slot, Step
from birc.ir.tables import Pieces
from birc.runtime.conditioning import ill_conditioned
from birc.runtime.durations import off_grid
from birc.runtime.tables import fitted
from birc.runtime.values import Setting, per_neuron
from birc.suggest import meant
from birc.units import Unit

Array = npt.NDArray[Any]
Values = Mapping[str, Any]

LONGEST_COUNT = 2**31 - 1


@dataclass(frozen=True)
class Bound:
    """The numbers of a run: bind values by name (float, int, bool or array [n]), initial states by slot, warnings, tables by slot.

    `params` are the parameters' own values (a float or [n]), in internal units.
    """

    values: dict[str, Any]
    state: dict[str, Array]
    warnings: tuple[Diagnostic, ...]
    tables: dict[str, Pieces] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)


def bind(step: Step, setting: Setting, dtype: Dtype, params: Values, preset: str | None = None, init: Values | None = None) -> Bound:
    """Evaluate the bind section.

    `params` replace the preset's values and these the defaults, which may depend on them. `init` replaces initial values, and what
    the model derives from these follows. Raises I102, I103, I105 for names, I130 … I139 for values.
    """
    given, values, warnings = _numbers(step, setting, params, preset, init)
    state = {slot.name: _slot_array(slot, values, setting, dtype) for slot in step.slots}
    return Bound(values, state, warnings, fitted(step, values, dtype), given)


def bind_values(
    step: Step, setting: Setting, params: Values, preset: str | None = None, init: Values | None = None
) -> tuple[dict[str, Any], tuple[Diagnostic, ...]]:
    """The numbers of the bind section alone, and warnings; as in `bind`."""
    _, values, warnings = _numbers(step, setting, params, preset, init)
    return values, warnings


def _numbers(
    step: Step, setting: Setting, params: Values, preset: str | None, init: Values | None
) -> tuple[dict[str, Any], dict[str, Any], tuple[Diagnostic, ...]]:
    """The parameters, the bind values, and warnings."""
    given = parameter_values(step, setting, params, preset)
    initial = _initial(step, setting, init or {})
    values, warnings = _evaluate(step, setting, given, initial)
    return given, values, tuple(warnings)


# --- what the user gives


def parameter_values(step: Step, setting: Setting, params: Values, preset: str | None) -> dict[str, Any]:
    """The value of every parameter (defaults, a preset, what the user gives), in internal units, its range checked."""
    known = {p.name: p for p in step.params}
    for name in params:
        if name not in known:
            raise unknown_name("I102", "parameter", name, known)
    source: dict[str, Expr] = {p.name: p.value for p in step.params}
    source.update(_preset(step, preset))
    chosen = {
        name: per_neuron(value, known[name].unit, f"parameter `{name}`", setting, name, "param", infinite=True)
        for name, value in params.items()
    }
    values = default_values(source, chosen)
    for param in step.params:
        check_range(param, values[param.name])
    return values


def _preset(step: Step, name: str | None) -> dict[str, Expr]:
    if name is None:
        return {}
    presets = {p.name: p for p in step.presets}
    if name not in presets:
        raise unknown_name("I105", "preset", name, presets)
    return dict(presets[name].values)


def default_values(source: Mapping[str, Expr], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters, those that are not chosen from their expressions, whichever order these need."""
    values = dict(chosen)
    waiting = [name for name in source if name not in values]
    for name in waiting:
        stack = [name]
        while stack:
            top = stack[-1]
            needs = [n for n in leaves(source[top], "var", "param", "value") if n not in values]
            if top in values or not needs:
                stack.pop()
                if top not in values:
                    values[top] = _plain(_value(source[top], values, values, 0.0))
            else:
                stack.extend(needs)
    return values


def check_range(param: Param, value: Any) -> None:
    array = np.asarray(value)
    allowed = param.range
    if allowed is None:
        wrong = np.isnan(array)
    else:
        above = array >= allowed.low if allowed.low_closed else array > allowed.low
        below = array <= allowed.high if allowed.high_closed else array < allowed.high
        wrong = ~(above & below)
    if not wrong.any():
        return
    i = int(np.argmax(wrong))
    shown = show(float(array.reshape(-1)[i]), param.unit)
    where = f" in neuron {i}" if array.ndim else ""
    if allowed is None:
        raise BircError("I111", f"parameter `{param.name}` is {shown}{where}", param.span)
    low, high = "[" if allowed.low_closed else "(", "]" if allowed.high_closed else ")"
    bounds = f"{low}{show(allowed.low, param.unit)}, {show(allowed.high, param.unit)}{high}"
    raise BircError("I130", f"parameter `{param.name}` is {shown}{where}, outside its range {bounds}", param.span)


def show(value: float, unit: Unit) -> str:
    """An internal value as a quantity in a unit."""
    number = f"{value / float(unit.scale):g}"
    return number if unit.text == "1" or np.isinf(value) else f"{number} {unit.text}"


def _initial(step: Step, setting: Setting, init: Values) -> dict[str, Any]:
    """Initial values that the user gives, by the bind name that they replace."""
    slots = {s.name: s for s in step.slots if s.name != REFRACTORY and s.kind == "real"}
    for name in init:
        if name not in slots:
            raise unknown_name("I103", "state", name, slots)
    return {
        slots[name].init: per_neuron(value, slots[name].unit, f"initial value of `{name}`", setting, name, "init")
        for name, value in init.items()
    }


def unknown_name(code: str, what: str, name: str, known: Mapping[str, object]) -> BircError:
    return BircError(code, f"the model has no {what} `{name}`", help=meant(str(name), known, f"{what}s"))


# --- evaluation


def _evaluate(step: Step, setting: Setting, params: Values, initial: Values) -> tuple[dict[str, Any], list[Diagnostic]]:
    values: dict[str, Any] = {}
    warnings: list[Diagnostic] = []
    wrong: dict[Expr, Fault] = {}
    for define in step.bind:
        if define.name in initial:
            values[define.name] = initial[define.name]
            continue
        _check_durations(step, define.value, values, params, setting, warnings)
        values[define.name] = _plain(_value(define.value, values, params, setting.h, wrong))
        if not any(w.code == "I129" for w in warnings):
            number, names = partial(_value, values=values, params=params, h=setting.h), partial(_origins, step)
            warnings += ill_conditioned(define.value, number, names)
    if wrong:
        _check_finite(step, wrong, params)
    return values, warnings


@dataclass(frozen=True)
class Fault:
    """An expression whose value is not finite: in which neuron first, and whether it is NaN anywhere."""

    neuron: int | None
    nan: bool


def _value(root: Expr, values: Values, params: Values, h: float, wrong: dict[Expr, Fault] | None = None) -> Any:
    """Evaluate an expression of the bind section; notes in `wrong` which operations have a result that is not finite."""
    done: dict[Expr, Any] = {}
    with np.errstate(all="ignore"):
        for e in order(root):
            match e.op:
                case "const":
                    done[e] = e.attr
                case "param" | "var":
                    done[e] = params[str(e.attr)]
                case "value":
                    done[e] = values[str(e.attr)]
                case "step_size":
                    done[e] = h
                case _:
                    done[e] = evaluate_op(e, tuple(done[a] for a in e.args))
                    if wrong is not None:
                        _note(e, np.asarray(done[e]), wrong)
    return done[root]


def _note(e: Expr, array: Array, wrong: dict[Expr, Fault]) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        neuron = int(np.argmax(~np.isfinite(array))) if array.ndim else None
        wrong[e] = Fault(neuron, bool(np.isnan(array).any()))


def _plain(value: Any) -> Any:
    """Numbers for all neurons as Python's own, so that float32 arrays stay float32 beside them; arrays as float64, int64 or bool."""
    array = np.asarray(value)
    if array.dtype.kind == "f":
        array = array.astype(np.float64, copy=False)
    return array if array.ndim else array.item()


def _check_durations(step: Step, root: Expr, values: Values, params: Values, setting: Setting, warnings: list[Diagnostic]) -> None:
    """Every duration that is counted in steps must be countable (I132); one that is no whole number of steps is a warning (I131)."""
    for e in order(root):
        if e.op != "steps":
            continue
        duration = np.asarray(_value(e.args[0], values, params, setting.h), dtype=np.float64)
        names = _origins(step, e.args[0])
        label = f"the duration `{'`, `'.join(names)}`" if names else "a duration"
        wrong = ~((duration >= 0) & (duration / setting.h < LONGEST_COUNT))
        if wrong.any():
            shown = float(duration.reshape(-1)[int(np.argmax(wrong))])
            raise BircError("I132", f"{label} is {shown:g} ms, which is no number of steps from 0 to {LONGEST_COUNT}")
        off = off_grid(duration, setting.h)
        if off.any():
            shown = float(duration.reshape(-1)[int(np.argmax(off))])
            count = int(np.floor(shown / setting.h + 0.5))
            warnings.append(
                Diagnostic(
                    "I131",
                    f"{label} is {shown:g} ms, no multiple of the step of {setting.h:g} ms",
                    help=f"it lasts {count} steps, {count * setting.h:g} ms",
                    severity="warning",
                )
            )


def _origins(step: Step, *roots: Expr) -> list[str]:
    """The parameters on which expressions of the bind section depend, in the order of their declaration."""
    defined = {d.name: d.value for d in step.bind}
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        root = waiting.pop()
        found |= leaves(root, "param")
        new = leaves(root, "value") - seen
        seen |= new
        waiting += [defined[name] for name in new if name in defined]
    return [p.name for p in step.params if p.name in found]


def _check_finite(step: Step, wrong: Mapping[Expr, Fault], params: Values) -> None:
    """No constant may be NaN, and none infinite unless it comes from an infinity that was given (I133)."""
    order = {d.name: i for i, d in enumerate(step.bind)}
    faults = [
        (order[define.name], define, e)
        for define, e in checked(step)
        if e in wrong and (wrong[e].nan or not _has_infinity(step, e, params))
    ]
    if not faults:
        return
    _, define, e = min(faults, key=lambda fault: fault[0])
    neuron = wrong[e].neuron
    units = {p.name: p.unit for p in step.params}
    blamed = [f"`{name}` = {show(_of_neuron(params[name], neuron), units[name])}" for name in _origins(step, e)]
    where = f" in neuron {neuron}" if neuron is not None else ""
    result = "not a number" if wrong[e].nan else "infinite"
    raise BircError("I133", f"a constant of the model is {result}{where}, with {', '.join(blamed) or 'no parameter in it'}", define.span)


def _has_infinity(step: Step, e: Expr, params: Values) -> bool:
    """Whether an infinite parameter or literal goes into an expression."""
    literal = any(n.op == "const" and isinstance(n.attr, float) and np.isinf(n.attr) for n in topo(e))
    return literal or any(np.isinf(params[name]).any() for name in _origins(step, e))


def _of_neuron(value: Any, neuron: int | None) -> float:
    array = np.asarray(value)
    return float(array[neuron or 0] if array.ndim else array)


# --- initial states


def _slot_array(slot: Slot, values: Values, setting: Setting, dtype: Dtype) -> Array:
    """The state [n] a slot starts from, in the number type of the run."""
    value = values[slot.init]
    kind = {"real": FLOATS[dtype], "int": np.int32, "bool": np.bool_}[slot.kind]
    with np.errstate(over="ignore"):  # reported below
        array: Array = np.broadcast_to(np.asarray(value), (setting.n,)).astype(kind)
    if slot.kind != "real":
        return array
    if not np.isfinite(array).all():
        i = int(np.argmax(~np.isfinite(array)))
        raise BircError("I134", f"the initial value of `{slot.name}` in neuron {i} is {array[i]} in {dtype}", slot.span)
    _check_limits(slot, value, values)
    return array


def _check_limits(slot: Slot, start: Any, values: Values) -> None:
    """The limits of a slot leave a value (I136), and it starts between them (I135)."""
    low, high = (_limit(slot.low, values, -np.inf), _limit(slot.high, values, np.inf))
    empty = np.asarray(low > high)
    if empty.any():
        i = int(np.argmax(empty))
        message = f"the limits of `{slot.name}` are {_shown_limits(slot, low, high, i)}{_where(empty, i)}: no value lies between them"
        raise BircError("I136", message, slot.span)
    outside = np.asarray((start < low) | (start > high))
    if outside.any():
        i = int(np.argmax(outside))
        shown = f"{show(_of_neuron(start, i), slot.unit)}, outside {_shown_limits(slot, low, high, i)}"
        raise BircError("I135", f"the initial value of `{slot.name}`{_where(outside, i)} is {shown}", slot.span)


def _limit(limit: Limit, values: Values, none: float) -> Array:
    return np.asarray(none if limit is None else values[limit] if isinstance(limit, str) else limit)


def _shown_limits(slot: Slot, low: Array, high: Array, neuron: int) -> str:
    return f"[{show(_of_neuron(low, neuron), slot.unit)}, {show(_of_neuron(high, neuron), slot.unit)}]"


def _where(wrong: Array, neuron: int) -> str:
    return f" in neuron {neuron}" if wrong.ndim else ""
