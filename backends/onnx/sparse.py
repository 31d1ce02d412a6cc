"""Selects that are dear in ONNX, written as what a spike adds to what every neuron does; each neuron gets the bits it had.

    select %fired, %b + %k, %b                     ->   %b + (select %fired, %k, -0.0)
    select %fired, %n_ref, max(%r - 1, 0)          ->   max(%r - 1, select %fired, %n_ref, 0)      fired only where r <= 0
    (select %near, a, b) / (select %near, 1, d)    ->   select %near, a, b / d
    %busy = gt %r, 0: select %busy, a, b; not %busy   ->   %idle = le %r, 0: select %idle, b, a; %idle

`Where` takes about three times as long with an entry per neuron on both sides as with a number on both, which takes no longer than two
additions. A parameter is a number in all runs but those that give it an entry per neuron.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from birc.backends.legality import expressions
from birc.backends.onnx.signature import bind_kinds
from birc.ir.expr import Expr, const, is_const, op, rebuild, topo, value
from birc.ir.step import Define, Deliver, Emit, Put, Statement, Step, Store, with_phases


def sparse(step: Step) -> Step:
    """The step with those selects."""
    rules = _Rules(step)
    step = _map(step, rules.increment)
    step = _map(step, rules.countdown)
    step = _map(step, quotient)
    for define in rules.defines.values():
        if _is_above_zero(define.value, step) and any(_is_not(e, define.name) for e in _all(step)):
            step = _idle(step, define)
    return step


class _Rules:
    """What is known of a step's names."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.defines = {s.name: s for _, s in step.statements() if isinstance(s, Define)}
        self.bind = {d.name: d.value for d in step.bind}
        self.kinds = bind_kinds(step)

    def increment(self, e: Expr) -> Expr:
        """A parameter added where the condition holds: -0.0 changes no number that it is added to, 0.0 none that it is taken from."""
        match e:
            case Expr(op="select", args=(condition, Expr(op="add" | "sub" as sign, args=(start, amount)), other)) if (
                start is other and amount.op == "value" and self.kinds.get(str(amount.attr)) == "real"
            ):
                return op(sign, start, op("select", condition, amount, const(-0.0 if sign == "add" else 0.0)))
        return e

    def countdown(self, e: Expr) -> Expr:
        """Steps left to wait: where the wait begins none are left, so that one less is under any number of them."""
        match e:
            case Expr(op="select", args=(condition, length, Expr(op="max", args=(Expr(op="sub", args=(left, one)) as less, zero)))) if (
                is_const(one, 1) and is_const(zero, 0) and self._begins(condition, left) and self._counts(length)
            ):
                return op("max", less, op("select", condition, length, zero))
        return e

    def _begins(self, condition: Expr, left: Expr) -> bool:
        """Whether the condition says `not left > 0` among others."""
        defined = self.defines.get(str(condition.attr)) if condition.op == "value" else None
        if defined is None or defined.value.op != "and":
            return False
        busy = [e.args[0] for e in defined.value.args if e.op == "not" and e.args[0].op == "value"]
        known = [self.defines[str(e.attr)].value for e in busy if str(e.attr) in self.defines]
        return any(e.op == "gt" and e.args[0] is left and is_const(e.args[1], 0) for e in known)

    def _counts(self, length: Expr) -> bool:
        """Whether this is a parameter's number of steps, 0 or more."""
        return length.op == "value" and str(length.attr) in self.bind and self.bind[str(length.attr)].op == "steps"


def quotient(e: Expr) -> Expr:
    """One select in the place of two: what is divided by 1 is itself."""
    match e:
        case Expr(op="div", args=(Expr(op="select", args=(near, a, b)), Expr(op="select", args=(also, one, d)))) if (
            near is also and is_const(one, 1.0)
        ):
            return op("select", near, a, op("div", b, d))
    return e


def _is_above_zero(e: Expr, step: Step) -> bool:
    """Whether this is a slot of whole numbers, loaded under some name, compared with 0; of others a NaN is neither above nor below."""
    if e.op != "gt" or not is_const(e.args[1], 0) or e.args[0].op != "value":
        return False
    loaded = next((s.value for _, s in step.statements() if isinstance(s, Define) and s.name == str(e.args[0].attr)), None)
    return loaded is not None and loaded.op == "load" and any(s.name == loaded.attr and s.kind == "int" for s in step.slots)


def _is_not(e: Expr, name: str) -> bool:
    return e.op == "not" and e.args[0] is value(name)


def _idle(step: Step, busy: Define) -> Step:
    """The step that asks who is idle in place of who is busy, if nobody needs to know both."""
    name, taken = f"{busy.name}.not", {s.name for _, s in step.statements() if isinstance(s, Define)}
    while name in taken:
        name += "."

    def flip(e: Expr) -> Expr:
        if _is_not(e, busy.name):
            return value(name)
        if e.op == "select" and e.args[0] is value(busy.name):
            return op("select", value(name), e.args[2], e.args[1])
        return e

    flipped = _map(step, flip)
    if value(busy.name) in _all(flipped):
        return step
    idle = replace(busy, name=name, value=op("le", *busy.value.args))
    return with_phases(flipped, {p.name: tuple(idle if s == busy else s for s in p.body) for p in flipped.phases})


def _all(step: Step) -> set[Expr]:
    return {e for _, s in step.statements() for root, _ in expressions(s) for e in topo(root)}


def _map(step: Step, rule: Callable[[Expr], Expr]) -> Step:
    """The step with every part of its expressions replaced."""

    def of(root: Expr) -> Expr:
        done: dict[Expr, Expr] = {}
        for e in topo(root):
            done[e] = rule(rebuild(e, tuple(done[a] for a in e.args)))
        return done[root]

    def statement(s: Statement) -> Statement:
        match s:
            case Define(value=e) | Store(value=e) | Put(value=e):
                return replace(s, value=of(e))
            case Emit(fired=e):
                return replace(s, fired=of(e))
            case Deliver():
                body = tuple(replace(d, value=of(d.value)) for d in s.body)
                return replace(s, body=body, carries=tuple(replace(c, initial=of(c.initial), next=of(c.next)) for c in s.carries))
        return s

    return with_phases(step, {p.name: tuple(statement(s) for s in p.body) for p in step.phases})
