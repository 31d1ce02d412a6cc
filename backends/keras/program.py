"""What the Keras target asks of a step program: expressions, kinds, what depends on which parameter, and the spike's margin."""

from __future__ import annotations

from collections.abc import Iterator

from birc.backends.legality import expressions
from birc.ir.expr import Expr, leaves, topo
from birc.ir.step import Define, Deliver, Phase, Put, Step

INF = float("inf")


def roots(phase: Phase) -> Iterator[Expr]:
    """Every expression of a phase."""
    return (e for statement in phase.body for e, _ in expressions(statement))


def defined(step: Step) -> Iterator[str]:
    """The names that the phases define, in order; an output's value is `.put.` and its name."""
    for _, s in step.statements():
        match s:
            case Define(name, _):
                yield name
            case Put(output, _):
                yield f".put.{output}"
            case Deliver():
                yield s.payload
                yield from (d.name for d in s.body)
                for c in s.carries:
                    yield from (c.name, c.result)
            case _:
                pass


def used_of_bind(step: Step) -> list[str]:
    """The bind values that the phases or the initial states read, in order."""
    read = frozenset[str]().union(*(leaves(root, "value") for p in step.phases for root in roots(p)), (s.init for s in step.slots))
    return [d.name for d in step.bind if d.name in read]


def origins(step: Step) -> dict[str, tuple[str, ...]]:
    """The parameters on which each bind value depends, in the order of their declaration."""
    found: dict[str, frozenset[str]] = {}
    for d in step.bind:
        below = (found[n] for n in leaves(d.value, "value"))
        found[d.name] = leaves(d.value, "param").union(*below)
    return {name: tuple(p.name for p in step.params if p.name in of) for name, of in found.items()}


def parameters_below(step: Step, *operations: str) -> frozenset[str]:
    """The parameters that go into one of these operations of the bind section."""
    of = origins(step)
    arguments = [a for d in step.bind for e in topo(d.value) if e.op in operations for a in e.args]
    direct = frozenset[str]().union(*(leaves(a, "param") for a in arguments))
    return direct.union(*(of[n] for a in arguments for n in leaves(a, "value")))
