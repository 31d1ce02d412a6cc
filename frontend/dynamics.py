"""The ODE graph of a model: gates, equations of any order, and `step` rules."""

from __future__ import annotations

import itertools

from birc.errors import Label
from birc.frontend import ast
from birc.frontend.check_dynamics import (
    check_factor_is_positive,
    check_noise_is_linear,
    check_one_rule_per_state,
    check_orders,
    check_starts_are_not_circular,
    check_target_is_a_state,
)
from birc.frontend.check_values import check_positive, quantity
from birc.frontend.draft import CONTINUOUS, EQUATION, INITIAL, Draft
from birc.frontend.mismatch import a_kind, mark, missing_rate
from birc.frontend.names import text_of
from birc.frontend.typed import Typed, fits
from birc.ir.expr import Expr, const, op, var
from birc.ir.model import Ode, State, StepRule
from birc.units import ONE, TIME, Dimension, Unit, internal_unit, over, power, times

RATE = internal_unit(power(TIME, -1))
DURATION = internal_unit(TIME)


def build_dynamics(draft: Draft) -> tuple[tuple[Ode, ...], tuple[StepRule, ...]]:
    """All equations and step rules of a model; its gates become states."""
    check_one_rule_per_state(draft)
    check_orders(draft)
    odes: dict[str, Ode] = {}
    rules: dict[str, StepRule] = {}
    for part in draft.parts:
        match part.entry:
            case ast.Gate():
                for ode in _gate(part.entry, draft):
                    odes.setdefault(ode.state, ode)
            case ast.Equation():
                for ode in _equation(part.entry, draft):
                    odes.setdefault(ode.state, ode)
            case ast.StepRule():
                rule = _step_rule(part.entry, draft)
                if rule is not None:
                    rules.setdefault(rule.state, rule)
            case _:
                pass
    check_starts_are_not_circular(draft)
    return tuple(odes.values()), tuple(rules.values())


# --- gates


def _gate(gate: ast.Gate, draft: Draft) -> tuple[Ode, ...]:
    """A gate as a state that starts at its steady state, and the equation of its kinetics."""
    rates = {r.name: r for r in gate.rates}
    kinds = {frozenset({"alpha", "beta"}): (RATE, RATE), frozenset({"inf", "tau"}): (ONE, DURATION)}
    units = kinds.get(frozenset(rates))
    if units is None or len(gate.rates) != 2:
        return ()  # the parser has said so
    names = ("alpha", "beta") if "alpha" in rates else ("inf", "tau")
    built: list[Expr] = []
    for name, unit in zip(names, units, strict=True):
        node = rates[name].value
        typed = draft.read(node, "a gate", INITIAL)
        if fits(typed, unit, node, draft.scope, draft.report, "U103", f"`{name}` of a gate is {a_kind(unit.dimension)}"):
            built.append(typed.expr)
    if len(built) != 2:
        return ()
    first, second = built
    state = var(gate.name)
    if names == ("alpha", "beta"):
        start = op("div", first, op("add", first, second))
        rhs = op("sub", op("mul", first, op("sub", const(1.0), state)), op("mul", second, state))
    else:
        value = draft.value(second)
        check_positive(value, rates["tau"].value.span, "this time constant is " + _shown(value, DURATION), draft)
        start = first
        rhs = op("div", op("sub", first, state), second)
    draft.states[gate.name] = State(gate.name, ONE, draft.inliner.without_lets(start), gate=True, span=gate.span)
    return (Ode(gate.name, rhs, gate.span),)


def _shown(value: float | bool | None, unit: Unit) -> str:
    return "" if value is None else quantity(float(value), unit)


# --- equations


def _equation(equation: ast.Equation, draft: Draft) -> tuple[Ode, ...]:
    """`factor * x'' = value` as one equation of first order for each order."""
    target = equation.target
    value = draft.read(equation.value, "an equation", EQUATION)
    factor = None if equation.factor is None else draft.read(equation.factor, "the factor of a derivative", CONTINUOUS)
    if not check_target_is_a_state(target, "an equation", draft):
        return ()
    state = draft.scope.symbols[target.name]
    if state.unit is None or not _sides_agree(equation, over(state.unit.dimension, power(TIME, target.order)), factor, value, draft):
        return ()
    rhs = value.expr
    if factor is not None and equation.factor is not None:
        check_factor_is_positive(equation.factor, factor, draft)
        rhs = op("div", rhs, factor.expr)
    check_noise_is_linear(value.expr, equation, draft)
    names = [target.name + "'" * k for k in range(target.order)]
    higher = [Ode(low, var(high), equation.span) for low, high in itertools.pairwise(names)]
    return (*higher, Ode(names[-1], rhs, equation.span))


def _sides_agree(equation: ast.Equation, rate: Dimension, factor: Typed | None, value: Typed, draft: Draft) -> bool:
    """Whether both sides of an equation have one unit; if not, it is reported."""
    if (factor is not None and not isinstance(factor.type, Unit)) or not isinstance(value.type, Unit):
        for typed, node in ((factor, equation.factor), (value, equation.value)):
            if typed is not None and node is not None and not isinstance(typed.type, Unit):
                fits(typed, ONE, node, draft.scope, draft.report, "U103", "a side of an equation is a number")
        return False
    left = rate if factor is None or not isinstance(factor.type, Unit) else times(rate, factor.type.dimension)
    if left == value.type.dimension:
        return True
    unit = internal_unit(left)
    primed = text_of(equation.target.span)
    start = equation.factor.span if equation.factor is not None else equation.target.span
    help = missing_rate(draft.scope, primed, unit, value.type) if equation.factor is None else None
    message = f"the left side of this equation is {a_kind(left)}, the right side {a_kind(value.type.dimension)}"
    labels = (Label(start.to(equation.target.span), mark(unit)),)
    draft.report.error("U103", message, equation.value.span, help, mark(value.type), labels)
    return False


def _step_rule(rule: ast.StepRule, draft: Draft) -> StepRule | None:
    value = draft.read(rule.value, "a `step`", CONTINUOUS)
    if not check_target_is_a_state(rule.target, "a `step`", draft):
        return None
    name = rule.target.name + "'" * rule.target.order
    state = draft.scope.symbols.get(name)
    if state is None or state.unit is None:
        return None
    message = f"`{name}` is {a_kind(state.unit.dimension)}"
    if not fits(value, state.unit, rule.value, draft.scope, draft.report, "U103", message):
        return None
    return StepRule(name, value.expr, rule.span)
