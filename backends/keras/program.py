"""What the Keras target asks of a step program: expressions, kinds, what depends on which parameter, and the spike's margin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from birc.backends.legality import expressions
from birc.ir.expr import Expr, const, leaves, op, topo
from birc.ir.ops import Kind, kinds
from birc.ir.step import Define, Deliver, Emit, Phase, Put, Step

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


# --- the spike


def fired(step: Step) -> Expr | None:
    """The condition of the spike; None in a program that never spikes."""
    return next((s.fired for _, s in step.statements() if isinstance(s, Emit)), None)


def margin(step: Step, condition: Expr) -> Expr | None:
    """How far the state is beyond the threshold: positive exactly where a comparison of reals in the condition holds.

    `and` is the smaller, `or` the larger margin; a truth without one (refractory, or true already a step ago) only lets through.
    None where no real number is compared.
    """
    kind = name_kinds(step)
    tested = {s.name: s.value for p, s in step.statements() if p == "test" and isinstance(s, Define)}

    def of(e: Expr) -> Expr | None:
        match e:
            case Expr("value", attr=str(name)) if name in tested:
                return of(tested[name])
            case Expr("ge" | "gt", (a, b)) if _real(e, kind):
                return op("sub", a, b)
            case Expr("le" | "lt", (a, b)) if _real(e, kind):
                return op("sub", b, a)
            case Expr("not", (a,)):
                inner = of(a)
                return None if inner is None else op("neg", inner)
            case Expr("and" | "or", (a, b)):
                return _joined(e.op, (a, of(a)), (b, of(b)))
            case _:
                return None

    return of(condition)


def _joined(connective: str, left: tuple[Expr, Expr | None], right: tuple[Expr, Expr | None]) -> Expr | None:
    (p, m), (q, n) = left, right
    both = connective == "and"
    if m is not None and n is not None:
        return op("min" if both else "max", m, n)
    if m is None and n is None:
        return None
    gate, inner = (p, n) if m is None else (q, m)
    assert inner is not None
    yes, no = (inner, const(-INF)) if both else (const(INF), inner)
    return op("select", gate.args[0], no, yes) if gate.op == "not" else op("select", gate, yes, no)


def _real(comparison: Expr, kind: Mapping[str, Kind]) -> bool:
    return all(is_real(a, kind) for a in comparison.args)


def is_real(e: Expr, kind: Mapping[str, Kind]) -> bool:
    """Whether an expression is a real number, given what `name_kinds` says."""
    return kinds((e,), lambda leaf: kind[_key(leaf)])[e] == "real"


def _key(e: Expr) -> str:
    return f"load {e.attr}" if e.op == "load" else str(e.attr)


def name_kinds(step: Step) -> dict[str, Kind]:
    """The kind of every name, and of every slot under `load NAME`."""
    found: dict[str, Kind] = {f"load {s.name}": s.kind for s in step.slots} | {p.name: "real" for p in step.params}

    def of(e: Expr) -> Kind:
        return kinds((e,), lambda leaf: found[_key(leaf)])[e]

    for d in step.bind:
        found[d.name] = of(d.value)
    for _, s in step.statements():
        match s:
            case Define(name, e):
                found[name] = of(e)
            case Deliver():
                found[s.payload] = "real"
                for c in s.carries:
                    found[c.name] = found[c.result] = of(c.initial)
                for d in s.body:
                    found[d.name] = of(d.value)
            case _:
                pass
    return found
