"""The spike of a step program: its condition, and how far the state is beyond it."""

from __future__ import annotations

from collections.abc import Mapping

from birc.ir.expr import Expr, const, op
from birc.ir.name_kinds import name_kinds
from birc.ir.ops import Kind, kinds
from birc.ir.step import Define, Emit, Step

INF = float("inf")


def fired(step: Step) -> Expr | None:
    """The condition of the spike; None in a program that never spikes."""
    return next((s.fired for _, s in step.statements() if isinstance(s, Emit)), None)


def margin(step: Step, condition: Expr) -> Expr | None:
    """How far the state is beyond the threshold: positive exactly where a comparison of reals in the condition holds.

    `and` is the smaller, `or` the larger margin; a truth without one (refractory, or true already a step ago) only lets through.
    None where no real number is compared.
    """
    kind = leaf_kinds(step)
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
    """Whether an expression is a real number, given what `leaf_kinds` says."""
    return kinds((e,), lambda leaf: kind.get(_key(leaf), "real"))[e] == "real"


def leaf_kinds(step: Step) -> dict[str, Kind]:
    """The kind of every name, and of every slot under `load NAME`; other leaves are real."""
    return name_kinds(step) | {f"load {slot.name}": slot.kind for slot in step.slots}


def _key(e: Expr) -> str:
    return f"load {e.attr}" if e.op == "load" else str(e.attr) if e.op == "value" else ""
