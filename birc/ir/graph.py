"""Which ODE reads which state, and the strongly connected components of that graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from birc.ir.expr import leaves
from birc.ir.model import Model


def reads(model: Model) -> dict[str, frozenset[str]]:
    """For each state with an ODE, the states with an ODE that its right-hand side reads."""
    dynamic = {o.state for o in model.odes}
    return {o.state: leaves(o.rhs, "var") & dynamic for o in model.odes}


def components(nodes: Sequence[str], edges: Mapping[str, frozenset[str]]) -> list[tuple[str, ...]]:
    """Strongly connected components, what is read before who reads it; inside, the order of `nodes` (Tarjan 1972, iterative)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    found: list[tuple[str, ...]] = []
    order = {n: i for i, n in enumerate(nodes)}
    for root in nodes:
        if root in index:
            continue
        work = [(root, iter(sorted(edges[root], key=order.__getitem__)))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(edges[target], key=order.__getitem__))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    cut = stack.index(node)
                    members, stack[cut:] = stack[cut:], []
                    on_stack.difference_update(members)
                    found.append(tuple(sorted(members, key=order.__getitem__)))
    return found


def transitive(edges: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """For each node everything it reads, directly or not."""
    reached = {n: set(t) for n, t in edges.items()}
    changed = True
    while changed:
        changed = False
        for targets in reached.values():
            more = set().union(*(reached[t] for t in targets)) - targets
            if more:
                targets |= more
                changed = True
    return {n: frozenset(t) for n, t in reached.items()}
