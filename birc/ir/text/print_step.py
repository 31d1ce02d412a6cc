"""A step program as text.

step @LIF {
  param %tau_m : ms = 20.0
  slot v : real mV from %.v0
  bind {                                      # once per parameter set, in float64
    %.h = step_size : ms
    …
  }
  flow {                                      # lif.birc:5
    %v = load v : mV
    %v.1 = mul %.P, %v : mV
    store v, %v.1
  }
}
"""

from __future__ import annotations

from typing import assert_never

from birc.ir import step as s
from birc.ir.infer import INT, Type
from birc.ir.text import words
from birc.ir.text.layout import HERE, Line, Place, block, packed, place
from birc.ir.text.print_model import arguments, doc, guard, limits, ode_block, of_unit, param
from birc.ir.text.scope import Scope
from birc.units import NONE

BIND_NOTE = "once per parameter set, in float64"


def line_of_step(step: s.Step) -> Line:
    """A step program as a block."""
    names = names_of(step)
    in_params = Scope("var", {("var", p.name): of_unit(p.unit) for p in step.params})
    lines = doc(step.doc)
    lines += packed([param(p, in_params) for p in step.params])
    lines += [_slot(slot) for slot in step.slots]
    for word, ports in (("input", step.inputs), ("event", step.events), ("output", step.outputs)):
        lines += packed([Line(f"{word} {words.name(p.name)} : {words.unit(p.unit)}", place(p.span)) for p in ports])
    lines += [Line(f"noise {words.name(n.name)} lanes {n.lanes}") for n in step.noises]
    lines += [arguments(f"preset {words.name(p.name)}", p.values, in_params, place(p.span)) for p in step.presets]
    lines += [ode_block(b) for b in step.blocks]
    lines += [guard(g, in_params) for g in step.guards]
    if step.bind:
        body = tuple(_defines(step.bind, Scope("value", names)))
        lines.append(Line("bind {", HERE, body, note=BIND_NOTE))
    lines += [_table(table, names) for table in step.tables]
    for phase in step.phases:
        inside = _statements(phase.body, Scope("value", names))
        lines.append(block(phase.name, inside, inside[0].place if inside else HERE))
    return Line(f"step @{words.name(step.name)} {{", place(step.span), tuple(lines))


def names_of(step: s.Step) -> dict[tuple[str, str], Type]:
    """The types of a step's leaves, as far as they are declared; `value`s are added where they are defined."""
    names = {("param", p.name): of_unit(p.unit) for p in step.params}
    names |= {("read", p.name): of_unit(p.unit) for p in step.inputs}
    for slot in step.slots:
        names["load", slot.name] = INT if slot.kind == "int" else Type(slot.kind, slot.unit.dimension)
    return names | {("normal", f"{n.name}:{lane}"): Type("real", NONE) for n in step.noises for lane in range(min(n.lanes, 64))}


def _slot(slot: s.Slot) -> Line:
    text = f"slot {words.name(slot.name)} : {slot.kind} {words.unit(slot.unit)} from {words.ref(slot.init)}"
    return Line(text + limits(_limit(slot.low), _limit(slot.high)), place(slot.span))


def _table(table: s.Table, names: dict[tuple[str, str], Type]) -> Line:
    """`table v.t0 of v in [-120.0, 80.0] error 1e-06 guarded { %0 = …  column %0 }`."""
    scope = Scope("value", names)
    ends = limits(_limit(table.low), _limit(table.high))
    tail = f"{ends} error {words.number(table.error)}{' guarded' if table.guarded else ''}"
    head = f"table {words.name(table.name)} of {words.name(table.slot)}{tail}"
    return block(head, [line for f in table.functions for line in scope.statement("column", f, HERE)])


def _limit(limit: s.Limit) -> str | None:
    match limit:
        case None:
            return None
        case str():
            return words.ref(limit)
        case _:
            return words.number(limit)


def _defines(defines: tuple[s.Define, ...], scope: Scope) -> list[Line]:
    return [line for define in defines for line in _define(define, scope)]


def _define(define: s.Define, scope: Scope) -> list[Line]:
    lines = scope.define(define.name, define.value, place(define.span))
    scope.learn(define.name, scope.type(define.value))
    return lines


def _statements(body: tuple[s.Statement, ...], scope: Scope) -> list[Line]:
    lines: list[Line] = []
    for statement in body:
        match statement:
            case s.Define():
                lines += _define(statement, scope)
            case s.Store(slot, value, span):
                lines += scope.statement(f"store {words.name(slot)},", value, place(span))
            case s.Emit(fired, span):
                lines += scope.statement("spike", fired, place(span))
            case s.Put(output, value, span):
                lines += scope.statement(f"put {words.name(output)},", value, place(span))
            case s.Deliver():
                lines += _deliver(statement, scope, place(statement.span))
            case s.Lookup(table, argument, results, span):
                names = f" for {', '.join(map(words.ref, results))}" if results else ""
                lines += scope.statement(f"look_up {words.name(table)}{names} at", argument, place(span))
            case s.Integrate():
                lines += _integrate(statement, scope)
            case _:
                assert_never(statement)
    return lines


def _deliver(d: s.Deliver, scope: Scope, at: Place) -> list[Line]:
    before = scope.lines([c.initial for c in d.carries], at)
    carries = [Line(f"carry {words.ref(c.name)} = {scope.operand(c.initial)}") for c in d.carries]
    for carry in d.carries:
        scope.learn(carry.name, scope.type(carry.initial))
    inside = scope.inner()
    body = _defines(d.body, inside)
    for carry in d.carries:
        body += inside.statement(f"next {words.ref(carry.name)} to {words.ref(carry.result)} =", carry.next, HERE)
        scope.learn(carry.result, inside.type(carry.initial))
    head = f"deliver {words.name(d.port)}({words.ref(d.payload)}){' summing' if d.summing else ''}"
    return [*before, block(head, [*carries, *body], at)]


def _integrate(i: s.Integrate, scope: Scope) -> list[Line]:
    places = [place(i.spans[n]) if n < len(i.spans) else HERE for n in range(len(i.states))]
    at = places[0] if places else HERE
    before = scope.lines([*i.initial, *([] if i.busy is None else [i.busy])], at)
    lines: list[Line] = []
    for state, initial, result in zip(i.states, i.initial, i.results, strict=True):
        scope.learn(state, scope.type(initial))
        scope.learn(result, scope.type(initial))
    for n, (state, initial, rate, result) in enumerate(zip(i.states, i.initial, i.rates, i.results, strict=True)):
        head = f"advance {words.ref(state)} from {scope.operand(initial)} to {words.ref(result)} by"
        lines.append(scope.value(head, rate, places[n]))
        if i.noises:
            lines.append(arguments("noise", i.noises[n], scope))
    if i.busy is not None:
        lines.append(Line(f"busy {scope.operand(i.busy)}"))
    if i.hold:
        lines.append(Line(f"hold {', '.join(words.ref(state) for state in i.hold)}"))
    lines += [scope.value(f"guard {words.ref(state)} at", limit) for state, limit in i.guards]
    lines += [Line(f"feed {words.ref(f.state)} middle {words.ref(f.middle)} end {words.ref(f.end)}") for f in i.feeds]
    part = "" if i.part == 1.0 else f" part {words.ref(i.part) if isinstance(i.part, str) else words.number(i.part)}"
    return [*before, Line(f"integrate {words.name(i.method)}{part} {{", at, tuple(lines))]
