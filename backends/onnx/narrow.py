"""Spare selects inside selects with the same condition: on each side of a select its condition is known.

    %v.1 = select %busy, v, x              %v.2 = select %busy, v, x + %syn
    %v.2 = select %busy, %v.1, %v.1 + %syn        ->

`Where` takes several times as long as arithmetic. Each neuron gets the bits it had. A condition is used where the program
becomes cheaper by it; where a value is needed both ways it would become longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from birc.backends.legality import expressions
from birc.ir.expr import Expr, leaves, rebuild, topo, value
from birc.ir.ops import OPS
from birc.ir.step import Define, Deliver, Emit, Put, Statement, Step, Store, with_phases

SELECT_COST, FUNCTION_COST = 6, 20
"""Of a select, and of a transcendental function, in additions; about what onnxruntime takes on a processor."""


def narrow(step: Step) -> Step:
    """The step without selects that are decided already."""
    cost = _cost(step)
    for condition in dict.fromkeys(e.args[0] for _, s in step.statements() for root, _ in expressions(s) for e in _selects(root)):
        if condition.op == "value" and cost:
            tried = _live(_Narrowing(condition, step).step)
            if (found := _cost(tried)) < cost:
                step, cost = tried, found
    return step


def _selects(root: Expr) -> Iterator[Expr]:
    return (e for e in topo(root) if e.op == "select")


class _Narrowing:
    """One condition: of each value that depends on it, what it is where the condition holds and where it does not."""

    def __init__(self, condition: Expr, step: Step) -> None:
        self.condition = condition
        self.known: dict[bool, dict[Expr, Expr]] = {True: {}, False: {}}
        self.taken = {s.name for _, s in step.statements() if isinstance(s, Define)}
        self.taken |= {define.name for _, s in step.statements() if isinstance(s, Deliver) for define in s.body}
        self.step = with_phases(step, {phase.name: tuple(self._all(phase.body)) for phase in step.phases})
        """The step with those values defined beside the old ones."""

    def _all(self, statements: Iterable[Statement]) -> Iterator[Statement]:
        for statement in statements:
            match statement:
                case Define():
                    yield from self._define(statement)
                case Deliver(summing=True):
                    yield replace(statement, body=tuple(d for define in statement.body for d in self._define(define)))
                case Store(value=e) | Put(value=e):
                    yield replace(statement, value=self._outside(e))
                case Emit(fired=e):
                    yield replace(statement, fired=self._outside(e))
                case _:
                    yield statement

    def _define(self, define: Define) -> Iterator[Define]:
        yield replace(define, value=self._outside(define.value))
        for holds, side in ((True, "then"), (False, "else")):
            inside = self._inside(define.value, holds)
            if inside is not define.value:
                name = f"{define.name}.{side}"
                while name in self.taken:
                    name += "."
                self.taken.add(name)
                self.known[holds][value(define.name)] = value(name)
                yield Define(name, inside, define.span)

    def _inside(self, root: Expr, holds: bool) -> Expr:
        """What an expression is where the condition holds, or where it does not."""
        done: dict[Expr, Expr] = {}
        for e in topo(root):
            if e.op == "select" and e.args[0] is self.condition:
                done[e] = done[e.args[1 if holds else 2]]
            else:
                done[e] = self.known[holds].get(e) or rebuild(e, tuple(done[a] for a in e.args))
        return done[root]

    def _outside(self, root: Expr) -> Expr:
        """An expression with both sides of each select narrowed."""
        done: dict[Expr, Expr] = {}
        for e in topo(root):
            if e.op == "select" and e.args[0] is self.condition:
                done[e] = rebuild(e, (e.args[0], self._inside(e.args[1], True), self._inside(e.args[2], False)))
            else:
                done[e] = rebuild(e, tuple(done[a] for a in e.args))
        return done[root]


def _live(step: Step) -> Step:
    """The step without definitions that nothing needs."""
    read: set[str] = set()
    bodies = {}
    for phase in reversed(step.phases):
        kept: list[Statement] = []
        for statement in reversed(phase.body):
            if isinstance(statement, Define) and statement.name not in read:
                continue
            if isinstance(statement, Deliver) and statement.summing:
                inner: list[Define] = []
                for define in reversed(statement.body):
                    if define.name in read:
                        read |= leaves(define.value, "value")
                        inner.insert(0, define)
                statement = replace(statement, body=tuple(inner))
            for e, _ in expressions(statement):
                read |= leaves(e, "value")
            kept.append(statement)
        bodies[phase.name] = tuple(reversed(kept))
    return with_phases(step, bodies)


def _cost(step: Step) -> int:
    """About what a step takes; 0 without selects. The same expression is computed once."""
    distinct = {e for _, s in step.statements() for root, _ in expressions(s) for e in topo(root)}
    if not any(e.op == "select" for e in distinct):
        return 0
    return sum(SELECT_COST if e.op == "select" else FUNCTION_COST if e.op in OPS and OPS[e.op].transcendental else 1 for e in distinct)
