"""A model as text.

model @LIF {                                  # lif.birc:1
  param %tau_m : ms = 20.0 in (0.0, inf)
  state %v : 1 = 0.0
  input %I : 1
  ode %v {                                    # lif.birc:5
    %0 = neg %v
    …
    yield %3
  }
  spike when { %0 = ge %v, %v_th  yield %0 } reset { set %v, %v_reset }
  refractory %t_ref hold %v
}
"""

from __future__ import annotations

from collections.abc import Iterable

from birc.ir import model as m
from birc.ir.expr import Expr
from birc.ir.infer import Type
from birc.ir.text import words
from birc.ir.text.layout import HERE, Line, Place, block, packed, place
from birc.ir.text.scope import Scope
from birc.units import TIME, Unit

Types = dict[tuple[str, str], Type]


def of_unit(unit: Unit) -> Type:
    """The type of a name with a unit."""
    return Type("real", unit.dimension)


def names_of(model: m.Model) -> dict[tuple[str, str], Type]:
    """The types of a model's names."""
    found: Types = {("call", f.name): of_unit(f.unit) for f in model.functions}
    for declared in (model.params, model.inputs, model.lets, model.states, model.outputs):
        found |= {("var", d.name): of_unit(d.unit) for d in declared}
    return found | {("var", "elapsed"): Type("real", TIME)}


def line_of_model(model: m.Model, lead: str = "model") -> Line:
    """A model as a block."""
    scope = Scope("var", names_of(model))
    kind = "" if model.kind == "neuron" else f" {model.kind}"
    head = f"{lead} @{words.name(model.name)}{kind} {{"
    return Line(head, place(model.span), tuple(_body(model, scope)))


def _body(model: m.Model, scope: Scope) -> list[Line]:
    lines = doc(model.doc)
    lines += packed([param(p, scope) for p in model.params])
    lines += packed([line for s in model.states for line in _state(s, scope)])
    lines += packed([_input(i) for i in model.inputs])
    lines += [_let(d, scope) for d in model.lets]
    lines += [_function(f, scope) for f in model.functions]
    for use in model.uses:
        lines += _use(use, scope)
    lines += [scope.value(f"ode {words.ref(o.state)}", o.rhs, place(o.span), region=True) for o in model.odes]
    lines += [scope.value(f"step {words.ref(r.state)} =", r.value, place(r.span)) for r in model.step_rules]
    lines += [_trace(t, scope) for t in model.traces]
    lines += packed([Line(f"noise {words.ref(n.name)}", place(n.span)) for n in model.noises])
    lines += [_handler(h, scope) for h in model.handlers]
    lines += _spike(model.spike, scope)
    lines += _refractory(model.refractory, scope)
    lines += [scope.value(f"output {words.ref(o.name)} : {words.unit(o.unit)} =", o.value, place(o.span)) for o in model.outputs]
    lines += [arguments(f"preset {words.name(p.name)}", p.values, scope, place(p.span)) for p in model.presets]
    lines += [_option(o, scope) for o in model.options]
    lines += [ode_block(b) for b in model.blocks]
    lines += [guard(g, scope) for g in model.guards]
    return lines


def doc(text: str | None) -> list[Line]:
    """A docstring's line, if there is one."""
    return [] if text is None else [Line(f"doc {words.quote(text)}")]


def param(p: m.Param, scope: Scope) -> Line:
    """`param %tau_m : ms = 20.0 in (0.0, inf) learn`."""
    tail = interval(p.range) + (" learn" if p.learn else "")
    return scope.value(f"param {words.ref(p.name)} : {words.unit(p.unit)} =", p.value, place(p.span), tail)


def interval(r: m.Range | None) -> str:
    """` in (lo, hi]`, or nothing."""
    if r is None:
        return ""
    return f" in {'[' if r.low_closed else '('}{words.number(r.low)}, {words.number(r.high)}{']' if r.high_closed else ')'}"


def limits(low: str | None, high: str | None) -> str:
    """` in [lo, hi]` of a clipped state; `_` for an end that is open."""
    if low is None and high is None:
        return ""
    return f" in [{low or words.NOTHING}, {high or words.NOTHING}]"


def _state(s: m.State, scope: Scope) -> list[Line]:
    head, gate = f"state {words.ref(s.name)} : {words.unit(s.unit)} =", "gate" if s.gate else ""
    ends = [None if end is None else scope.operand(end) for end in (s.low, s.high)]
    if all(text is not None for text, end in zip(ends, (s.low, s.high), strict=True) if end is not None):
        return [scope.value(head, s.init, place(s.span), f"{limits(*ends)} {gate}".rstrip())]
    return clauses(head, [("", s.init), ("in [", s.low), (",", s.high), "]", gate], scope, place(s.span))


Clause = str | tuple[str, Expr | None]
"""A word alone, or a word and what follows it (`_` for nothing)."""


def clauses(head: str, parts: Iterable[Clause], scope: Scope, at: Place) -> list[Line]:
    """A statement of words and values: one line, broken behind each value that is a block."""
    lines = [Line(head, at)]
    for part in parts:
        match part:
            case "":
                continue
            case str(word):
                following = Line(word)
            case (word, None):
                following = Line(f"{word} {words.NOTHING}".strip())
            case (word, value):
                following = scope.value(word, value)
        lines[-1:] = joined(lines[-1], Line(following.text.strip(), HERE, following.block))
    return lines


def _input(i: m.Input) -> Line:
    return Line(f"input {words.ref(i.name)} : {words.unit(i.unit)}{_at(i.section, i.position)}", place(i.span))


def _at(section: str | None, position: float | None) -> str:
    if section is None and position is None:
        return ""
    return f" at {words.NOTHING if section is None else words.name(section)}{'' if position is None else f'({words.number(position)})'}"


def _let(d: m.Let, scope: Scope) -> Line:
    return scope.value(f"{'outward' if d.outward else 'let'} {words.ref(d.name)} : {words.unit(d.unit)} =", d.value, place(d.span))


def _function(f: m.Function, scope: Scope) -> Line:
    inside = Scope("var", {**scope.names, **{("var", name): of_unit(unit) for name, unit in f.parameters}})
    parameters = ", ".join(f"{words.ref(name)} : {words.unit(unit)}" for name, unit in f.parameters)
    return inside.value(f"fn @{words.name(f.name)}({parameters}) : {words.unit(f.unit)} =", f.value, place(f.span))


def _use(use: m.Use, scope: Scope) -> list[Line]:
    head = arguments(f"use {words.name(use.alias)}", use.arguments, scope, place(use.span), tail=" of")
    return joined(head, Line("{", HERE, (line_of_model(use.channel),)))


def joined(head: Line, following: Line) -> list[Line]:
    """A line and the block that belongs to it, together on one line where the first opens no block."""
    if head.opens:
        return [head, following]
    return [Line(f"{head.text} {following.text}", head.place, following.block, following.tail)]


def arguments(head: str, values: m.Properties, scope: Scope, at: Place = HERE, tail: str = "") -> Line:
    """`head (a = 1.0, b = %x) tail`; as a block, one argument per line, where one is an expression."""
    if all(scope.operand(value) is not None for _, value in values):
        inside = ", ".join(f"{words.name(name)} = {scope.operand(value)}" for name, value in values)
        return Line(f"{head} ({inside}){tail}" if values else f"{head}{tail}", at)
    return Line(f"{head} {{", at, tuple(scope.value(f"{words.name(name)} =", value) for name, value in values), tail)


def _trace(t: m.Trace, scope: Scope) -> Line:
    tail = " nearest" if t.nearest else ""
    return scope.value(f"trace {words.ref(t.name)} of {t.of} tau =", t.tau, place(t.span), tail)


def _handler(h: m.Handler, scope: Scope) -> Line:
    payload = ""
    if h.payload is not None or h.unit is not None:
        payload = words.NOTHING if h.payload is None else words.ref(h.payload)
        payload = f"({payload}{'' if h.unit is None else f' : {words.unit(h.unit)}'})"
    names = scope.names
    if h.payload is not None and h.unit is not None:
        names = {**names, ("var", h.payload): of_unit(h.unit)}
    return block(f"on {words.name(h.port)}{payload}{_at(h.section, h.position)}", _statements(h.body, names), place(h.span))


def _statements(body: Iterable[m.Update | m.Send], names: Types) -> list[Line]:
    scope = Scope("var", names)
    lines: list[Line] = []
    for statement in body:
        at = place(statement.span)
        head = f"set {words.ref(statement.target)}," if isinstance(statement, m.Update) else "send"
        lines += scope.statement(head, statement.value, at)
    return lines


def _spike(spike: m.Spike | None, scope: Scope) -> list[Line]:
    if spike is None:
        return []
    head = scope.value(f"spike {'when' if spike.mode == 'level' else 'rise'}", spike.condition, place(spike.span))
    reset = block("reset", _statements(spike.body, scope.names), head.place)
    return joined(head, reset) if spike.body else [head]


def _refractory(refractory: m.Refractory | None, scope: Scope) -> list[Line]:
    if refractory is None:
        return []
    hold = f" hold {', '.join(words.ref(name) for name in refractory.hold)}" if refractory.hold else ""
    return [scope.value("refractory", refractory.duration, place(refractory.span), hold)]


def _option(option: m.Option, scope: Scope) -> Line:
    targets = f" for {', '.join(words.ref(name) for name in option.targets)}" if option.targets else ""
    return arguments(f"with {option.kind} {words.name(option.name)}", option.arguments, scope, place(option.span), targets)


def ode_block(b: m.Block) -> Line:
    """`block (%v, %u) nonlinear by rk4 because "…"`."""
    states = ", ".join(words.ref(state) for state in b.states)
    method = f" by {words.name(b.method)}" if b.method else ""
    reason = f" because {words.quote(b.reason)}" if b.reason else ""
    return Line(f"block ({states}) {b.linearity}{method}{reason}")


def guard(g: m.Guard, scope: Scope) -> Line:
    """`guard %v at %v_th`."""
    return scope.value(f"guard {words.ref(g.state)} at", g.limit, place(g.span))
