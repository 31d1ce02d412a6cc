"""The names of a model: what is given (inputs, traces, channels), then parameters, states, `let`s and functions in the order of need."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from birc.errors import Label
from birc.frontend import ast
from birc.frontend.body import declared_name
from birc.frontend.check_values import check_inside, check_range, check_value_is_finite, limits_of, range_of
from birc.frontend.draft import FUNCTION, INITIAL, LET, PARAMETERS, Draft
from birc.frontend.names import Kind, Scope, Symbol, in_order, read_names
from birc.frontend.typed import ANY, BOOL, WRONG, Typed
from birc.frontend.unit_names import read_unit
from birc.ir.model import Function, Let, Model, Param, State
from birc.units import ONE, TIME, VOLTAGE, Unit, internal_unit, power

Definition = ast.Param | ast.State | ast.Let | ast.Outward | ast.Function
Channel = Callable[[ast.Mechanism], Model | None]

NOISE = internal_unit(power(TIME, Fraction(-1, 2)))
"""White noise has the unit time^-1/2."""


def declare(draft: Draft, channels: dict[str, Model | None]) -> None:
    """Make all names of a model known, and build what defines them; `channels` are those it uses, by alias."""
    _declare_given(draft, channels)
    definitions = {named[0]: p.entry for p in draft.parts if isinstance(p.entry, Definition) and (named := declared_name(p.entry))}
    needs = {name: list(dict.fromkeys(_needs(entry))) for name, entry in definitions.items()}
    order, cycles = in_order(list(definitions), needs)
    for cycle in cycles:
        _report_cycle(cycle, definitions, draft)
    broken = {name for cycle in cycles for name in cycle}
    for name, entry in definitions.items():
        if name in broken:
            draft.scope.declare(Symbol(name, _kind(entry), None, entry.name_span))
    for name in order:
        if name not in broken:
            _define(definitions[name], draft)


def _kind(entry: Definition) -> Kind:
    match entry:
        case ast.Param():
            return "param"
        case ast.State():
            return "state"
        case ast.Let():
            return "let"
        case ast.Outward():
            return "outward"
        case ast.Function():
            return "function"


def _needs(entry: Definition) -> list[str]:
    own = {p.name for p in entry.parameters} if isinstance(entry, ast.Function) else set()
    ends = (entry.range.low, entry.range.high) if isinstance(entry, ast.Param | ast.State) and entry.range is not None else ()
    return [name for node in (entry.value, *ends) for name, _ in read_names(node) if name not in own]


def _report_cycle(cycle: list[str], definitions: dict[str, Definition], draft: Draft) -> None:
    first = definitions[cycle[0]]
    shown = [*cycle[:6], "…"] if len(cycle) > 6 else [*cycle, cycle[0]]
    message = f"`{cycle[0]}` is defined by itself"
    labels: tuple[Label, ...] = ()
    help = None
    if len(cycle) > 1:
        message = f"these definitions need one another: {' -> '.join(shown)}"
        labels = tuple(Label(definitions[name].name_span, "") for name in cycle[1:6])
    if isinstance(first, ast.State):
        help = "this is the initial value; how it changes is said by an equation"
    draft.report.error("N116", message, first.name_span, help, labels=labels)


# --- what needs no other name


def _declare_given(draft: Draft, channels: dict[str, Model | None]) -> None:
    scope = draft.scope
    scope.declare(Symbol("elapsed", "elapsed", internal_unit(TIME)))
    if draft.item.kind == "channel":
        scope.declare(Symbol("v", "host", internal_unit(VOLTAGE)))
    for part in draft.parts:
        match part.entry:
            case ast.Input(name=name, unit=unit, name_span=span):
                scope.declare(Symbol(name, "input", read_unit(unit.text, unit.span, draft.report), span))
            case ast.Output(name=name, unit=unit, name_span=span):
                scope.declare(Symbol(name, "output", read_unit(unit.text, unit.span, draft.report), span))
            case ast.Trace(name=name, name_span=span):
                scope.declare(Symbol(name, "trace", ONE, span))
            case ast.Name(name=name, span=span):
                scope.declare(Symbol(name, "noise", NOISE, span))
            case ast.Gate(name=name, name_span=span):
                scope.declare(Symbol(name, "state", ONE, span))
            case ast.Mechanism(name=name, alias=alias, span=span):
                _declare_channel(alias or name, channels.get(alias or name), part.entry, scope)
            case ast.Section(name=name, name_span=span):
                scope.declare(Symbol(f"{name}.v", "state", internal_unit(VOLTAGE), span))
            case _:
                pass


def _declare_channel(alias: str, channel: Model | None, entry: ast.Mechanism, scope: Scope) -> None:
    scope.declare(Symbol(alias, "channel", None if channel is None else ONE, entry.span))
    if channel is None:
        return
    for param in channel.params:
        scope.declare(Symbol(f"{alias}.{param.name}", "param", param.unit, param.span))
    for state in channel.states:
        scope.declare(Symbol(f"{alias}.{state.name}", "state", state.unit, state.span))
    for let in channel.lets:
        name = f"{alias}.{let.name}"
        scope.declare(Symbol(name, "outward" if let.outward else "let", let.unit, let.span, {"state": name}))


# --- definitions


def _define(entry: Definition, draft: Draft) -> None:
    match entry:
        case ast.Param():
            _define_param(entry, draft)
        case ast.State():
            _define_state(entry, draft)
        case ast.Let() | ast.Outward():
            _define_let(entry, draft)
        case ast.Function():
            _define_function(entry, draft)


def _number(typed: Typed, entry: ast.Param | ast.State, what: str, draft: Draft) -> Unit | None:
    """The unit of a definition that must be a finite number; None where it is none, which is reported."""
    if typed.type is BOOL:
        draft.error("U106", f"{what} is a number, not a condition", entry.value.span)
    if typed.type is ANY:
        draft.error("M110", f"{what} cannot be infinite", entry.value.span)
    return typed.type if isinstance(typed.type, Unit) else None


def _define_param(entry: ast.Param, draft: Draft) -> None:
    typed = draft.read(entry.value, "the default of a parameter", PARAMETERS)
    unit = _number(typed, entry, "a parameter", draft)
    draft.scope.declare(Symbol(entry.name, "param", unit, entry.name_span, value=entry.value))
    if unit is None:
        return
    value = draft.value(typed.expr)
    allowed = range_of(entry.range, unit, draft) if entry.range is not None else None
    finite = check_value_is_finite(value, entry.value, draft)
    if value is not None and finite and check_range(float(value), allowed, unit, entry.value.span, f"`{entry.name}`", draft):
        draft.defaults[entry.name] = float(value)
    draft.params[entry.name] = Param(entry.name, unit, typed.expr, allowed, entry.learn, entry.span)


def _define_state(entry: ast.State, draft: Draft) -> None:
    name = entry.name + "'" * entry.order
    typed = draft.read(entry.value, "an initial value", INITIAL)
    unit = _number(typed, entry, "an initial value", draft)
    draft.scope.declare(Symbol(name, "state", unit, entry.name_span, value=entry.value))
    if unit is None:
        return
    init = draft.inliner.without_lets(typed.expr)
    limits = limits_of(entry.range, unit, draft) if entry.range is not None else None
    value = draft.value(init)
    if check_value_is_finite(value, entry.value, draft) and value is not None and limits is not None:
        check_inside(float(value), *limits, unit, entry.value.span, draft)
    low, high = limits or (None, None)
    draft.states[name] = State(name, unit, init, low, high, gate=False, span=entry.span)


def _define_let(entry: ast.Let | ast.Outward, draft: Draft) -> None:
    what = "a `let`" if isinstance(entry, ast.Let) else "an outward current"
    typed = draft.read(entry.value, what, LET)
    reads: dict[Kind, str] = {}
    for path, _ in read_names(entry.value):
        symbol = draft.scope.symbols.get(path)
        if symbol is not None and symbol.kind != "function":
            reads.update({k: n for k, n in symbol.roots.items() if k not in reads})
    unit = ONE if typed.type is BOOL else typed.type if isinstance(typed.type, Unit) else None
    if typed.type is ANY:
        draft.error("M110", f"`{entry.name}` is infinite", entry.value.span)
    outward = isinstance(entry, ast.Outward)
    draft.scope.declare(
        Symbol(entry.name, "outward" if outward else "let", unit, entry.name_span, reads, entry.value, truth=typed.type is BOOL)
    )
    if unit is None:
        return
    draft.inliner.add_let(entry.name, typed.expr)
    draft.lets[entry.name] = Let(entry.name, unit, typed.expr, outward, entry.span)


def _define_function(entry: ast.Function, draft: Draft) -> None:
    parameters: list[tuple[str, Unit]] = []
    symbols: list[Symbol] = []
    for p in entry.parameters:
        unit = read_unit(p.unit.text, p.unit.span, draft.report)
        if any(s.name == p.name for s in symbols):
            draft.error("N102", f"`{entry.name}` has two arguments `{p.name}`", p.span)
        symbols.append(Symbol(p.name, "argument", unit, p.span))
        if unit is not None:
            parameters.append((p.name, unit))
    typed = draft.read(entry.value, "a function", FUNCTION, draft.scope.inside(symbols))
    good = typed.type is not WRONG and len(parameters) == len(entry.parameters)
    unit = None if not good else typed.type if isinstance(typed.type, Unit) else ONE
    if unit is not None:
        function = Function(entry.name, tuple(parameters), unit, typed.expr, entry.span)
        if draft.inliner.add_function(function):
            draft.functions[entry.name] = function
        else:
            unit = None
            help = "each call doubles what is called twice; give the intermediate results names with `let`"
            draft.error("M130", f"`{entry.name}` becomes too large once the functions it calls are put in", entry.name_span, help)
    draft.scope.declare(Symbol(entry.name, "function", unit, entry.name_span, truth=typed.type is BOOL, parameters=tuple(parameters)))
