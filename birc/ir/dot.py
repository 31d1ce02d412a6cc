"""The IR as graphs in the language of graphviz: which state moves which, and which value is made from which."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from birc.ir.expr import Expr, leaves
from birc.ir.model import Model, Update
from birc.ir.step import Define, Deliver, Emit, Integrate, Lookup, Put, Statement, Step, Store


def to_dot(item: Model | Step) -> str:
    """The ODE and event graph of a model, or the values of a step by phase."""
    body = _model(item) if isinstance(item, Model) else _step(item)
    return "\n".join([f"digraph {_quoted(item.name)} {{", "  rankdir = LR", *(f"  {line}" for line in body), "}", ""])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _edges(sources: Iterable[str], target: str, style: str = "") -> Iterator[str]:
    yield from (f"{_quoted(source)} -> {_quoted(target)}{style}" for source in sorted(sources))


def _model(model: Model) -> Iterator[str]:
    yield from (f"{_quoted(s.name)} [shape = ellipse]" for s in model.states)
    yield from (f"{_quoted(i.name)} [shape = box]" for i in model.inputs)
    shown = {s.name for s in model.states} | {i.name for i in model.inputs} | {n.name for n in model.noises}
    lets = {d.name: d.value for d in model.lets}
    aliases = {u.alias for u in model.uses}
    for alias in sorted(aliases):
        yield f"{_quoted(alias)} [shape = hexagon]"
        yield from _edges(["v"] if "v" in shown else [], alias)

    def reads(e: Expr) -> set[str]:
        found, open_, seen = set[str](), [e], set[str]()
        while open_:
            names = leaves(open_.pop(), "var")
            found |= names & shown | {n.partition(".")[0] for n in names} & aliases
            open_ += [lets[n] for n in sorted((names & lets.keys()) - seen)]
            seen |= names
        return found

    for ode in model.odes:
        yield from _edges(reads(ode.rhs), ode.state)
    for rule in model.step_rules:
        yield from _edges(reads(rule.value), rule.state)
    for handler in model.handlers:
        yield f"{_quoted(f'on {handler.port}')} [shape = cds]"
        targets = {u.target for u in handler.body if isinstance(u, Update)}
        yield from (line for target in sorted(targets) for line in _edges([f"on {handler.port}"], target, " [style = dashed]"))
    if model.spike is not None:
        yield '"spike" [shape = diamond]'
        yield from _edges(reads(model.spike.condition), "spike")
        for target in sorted({u.target for u in model.spike.body}):
            yield from _edges(["spike"], target, " [style = dashed]")
    for output in model.outputs:
        yield f"{_quoted(output.name)} [shape = box, style = rounded]"
        yield from _edges(reads(output.value), output.name)


def _step(step: Step) -> Iterator[str]:
    yield from _cluster("bind", (line for d in step.bind for line in _define(d)))
    for phase in step.phases:
        yield from _cluster(phase.name, (line for statement in phase.body for line in _statement(statement)))


def _cluster(name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"subgraph {_quoted('cluster ' + name)} {{"
    yield f"  label = {_quoted(name)}"
    yield from (f"  {line}" for line in lines)
    yield "}"


def _sources(*roots: Expr) -> set[str]:
    named = {op: frozenset[str]().union(*(leaves(root, op) for root in roots)) for op in ("load", "read", "param", "normal")}
    values = frozenset[str]().union(*(leaves(root, "value") for root in roots))
    return set(values) | {f"{op} {name}" for op, names in named.items() for name in names}


def _define(define: Define) -> Iterator[str]:
    yield f"{_quoted(define.name)} [label = {_quoted(f'{define.name} = {define.value.op}')}]"
    yield from _edges(_sources(define.value), define.name)


def _statement(statement: Statement) -> Iterator[str]:
    match statement:
        case Define():
            yield from _define(statement)
        case Store(slot, value):
            yield from _edges(_sources(value), f"store {slot}")
        case Put(output, value):
            yield from _edges(_sources(value), f"put {output}")
        case Emit(fired):
            yield from _edges(_sources(fired), "spike")
        case Deliver():
            yield f"{_quoted(statement.payload)} [shape = cds]"
            for carry in statement.carries:
                yield from _edges(_sources(carry.initial), carry.name)
                yield from _edges(_sources(carry.next), carry.result)
            yield from (line for d in statement.body for line in _define(d))
        case Lookup():
            yield from (edge for result in statement.results for edge in _edges(_sources(statement.argument), result))
        case Integrate():
            for rate, initial, result in zip(statement.rates, statement.initial, statement.results, strict=True):
                yield f"{_quoted(result)} [label = {_quoted(f'{result} = {statement.method}')}]"
                yield from _edges(_sources(rate, initial), result)
