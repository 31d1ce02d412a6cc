"""Name a subexpression that several statements compute, before the first of them.

    %a.1 = mul (exp %v), %x   %b.1 = mul (exp %v), %y      ->   %.s0 = exp %v   %a.1 = mul %.s0, %x   …
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count

from birc.ir.expr import Expr, rebuild, topo, value
from birc.ir.step import Define, Deliver, Integrate, Phase, Statement, Step
from birc.passes.expressions import map_any


def run(step: Step) -> Step:
    """Share across statements (inside one, sharing is in the expression graph already), as long as a new name makes others alike."""
    while (changed := _share(step)) is not step:
        step = changed
    return step


def _share(step: Step) -> Step:
    inner = _names_inside_loops(step)
    uses: Counter[Expr] = Counter()
    for _, statement in step.statements():
        uses.update({n for root in _roots(statement) for n in topo(root) if n.args})
    again = [e for e, n in uses.items() if n > 1]
    shared = _maximal(step, set(again) - _above(again, lambda leaf: leaf.op == "param" or (leaf.op == "value" and leaf.attr in inner)))
    if not shared:
        return step
    names: dict[Expr, Expr] = {}
    taken = _names(step)
    fresh = (name for i in count() if (name := f".s{i}") not in taken)
    phases = []
    for phase in step.phases:
        body: list[Statement] = []
        for statement in phase.body:
            for root in _roots(statement):
                for node in topo(root):
                    if node in shared and node not in names and not _defines(statement, node):
                        name = next(fresh)
                        body.append(Define(name, _replace(node, names), getattr(statement, "span", None)))
                        names[node] = value(name)
            if isinstance(statement, Define) and statement.value in shared and statement.value not in names:
                body.append(replace(statement, value=_replace(statement.value, names)))
                names[statement.value] = value(statement.name)
            elif isinstance(statement, Integrate):
                body.append(statement)
            else:
                body.append(map_any(statement, lambda e: _replace(e, names)))
        phases.append(Phase(phase.name, tuple(body)))
    return replace(step, phases=tuple(phases))


def _above(roots: Iterable[Expr], leaf: Callable[[Expr], bool]) -> set[Expr]:
    """The expressions below the roots that read such a leaf."""
    found: set[Expr] = set()
    for node in topo(*roots):
        if any(a in found for a in node.args) if node.args else leaf(node):
            found.add(node)
    return found


def _defines(statement: Statement, node: Expr) -> bool:
    """Whether the statement gives the node a name by itself."""
    return isinstance(statement, Define) and statement.value is node


def _roots(statement: Statement) -> list[Expr]:
    """The expressions of a statement, but not those of an `Integrate`, in which a state's name stands for its value at any time."""
    found: list[Expr] = []
    if isinstance(statement, Integrate):
        return found

    def look(e: Expr) -> Expr:
        found.append(e)
        return e

    map_any(statement, look)
    return found


def _names(step: Step) -> set[str]:
    """Every name that is taken."""
    results = {r for _, s in step.statements() if isinstance(s, Integrate) for r in s.results}
    return {d.name for d in step.bind} | {s.name for _, s in step.statements() if isinstance(s, Define)} | results


def _names_inside_loops(step: Step) -> frozenset[str]:
    """Names that live only in the body of a delivery."""
    return frozenset(
        name
        for _, s in step.statements()
        if isinstance(s, Deliver)
        for name in (s.payload, *(d.name for d in s.body), *(c.name for c in s.carries))
    )


def _maximal(step: Step, shared: set[Expr]) -> set[Expr]:
    """Leave out what occurs at one place only once the others have names: in one statement, or inside one of the others."""
    places = [_roots(statement) for _, statement in step.statements()]
    while True:
        users: Counter[Expr] = Counter()
        for roots in (*places, *(e.args for e in shared)):
            users.update(_first(roots, shared))
        kept = {e for e in shared if users[e] > 1}
        if kept == shared:
            return shared
        shared = kept


def _first(roots: Iterable[Expr], shared: set[Expr]) -> set[Expr]:
    """The shared expressions below the roots that are inside no other."""
    seen: set[Expr] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            if node not in shared:
                stack.extend(node.args)
    return seen & shared


def _replace(e: Expr, names: dict[Expr, Expr]) -> Expr:
    done: dict[Expr, Expr] = {}
    for node in topo(e):
        done[node] = names[node] if node in names else rebuild(node, tuple(done[a] for a in node.args))
    return done[e]
