"""Expressions: one immutable, hash-consed node type; equal means identical.

Leaves by op: `const` (attr: float, int or bool), `var` (a name of the model), and in step programs `param`, `load` (a state slot),
`read` (a continuous input), `value` (a name defined earlier in the step), `step_size`. All other ops are rows of `ir.ops`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakValueDictionary

Attr = float | int | bool | str | None
Rule = Callable[["Expr"], "Expr | None"]


@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class Expr:
    """An operation on expressions. Build with `make`; equal means identical."""

    op: str
    args: tuple[Expr, ...] = ()
    attr: Attr = None

    def __repr__(self) -> str:
        return short(self)

    def __reduce__(self) -> tuple[object, ...]:
        """Copy and unpickle through the cache, so identity survives a round trip."""
        return make, (self.op, self.args, self.attr)


_nodes: WeakValueDictionary[tuple[object, ...], Expr] = WeakValueDictionary()


def make(op: str, args: tuple[Expr, ...] = (), attr: Attr = None) -> Expr:
    """Make, or find, the one node with these parts."""
    key = (op, args, type(attr), repr(attr))  # repr keeps -0.0 apart from 0.0, and finds nan again
    found = _nodes.get(key)
    if found is None:
        found = _nodes[key] = Expr(op, args, attr)
    return found


def const(value: float | bool) -> Expr:
    """A literal: bool stays bool, int stays int (a count), anything else is real."""
    return make("const", (), value)


def var(name: str) -> Expr:
    """A name of the model: parameter, state, input, let, trace, payload, noise."""
    return make("var", (), name)


def value(name: str) -> Expr:
    """A name defined earlier in a step program."""
    return make("value", (), name)


def op(name: str, *args: Expr) -> Expr:
    """An operation by its name in the op table."""
    return make(name, args)


def is_const(e: Expr, number: float | None = None) -> bool:
    """Whether `e` is a literal (of this value, if one is given)."""
    return e.op == "const" and (number is None or (not isinstance(e.attr, (bool, str)) and e.attr == number))


def topo(*roots: Expr) -> Iterator[Expr]:
    """Every node once, arguments before users; no recursion, so depth is free."""
    seen: set[Expr] = set()
    stack = [(r, False) for r in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            if node.args:
                stack.append((node, True))
                stack += [(a, False) for a in reversed(node.args) if a not in seen]
            else:
                yield node


@lru_cache(maxsize=4096)
def order(root: Expr) -> tuple[Expr, ...]:
    """`topo` of an expression that is walked again and again, remembered."""
    return tuple(topo(root))


def rebuild(node: Expr, args: tuple[Expr, ...]) -> Expr:
    """The same operation on other arguments; the same node if they are the same."""
    return node if args == node.args else make(node.op, args, node.attr)


def substitute(root: Expr, replacement: Mapping[Expr, Expr]) -> Expr:
    """Replace nodes by others, all at once (what is put in is not looked at again)."""
    if not replacement:
        return root
    done: dict[Expr, Expr] = {}
    for old in topo(root):
        found = replacement.get(old)
        done[old] = found if found is not None else rebuild(old, tuple(done[a] for a in old.args))
    return done[root]


def rewrite(root: Expr, *rules: Rule, limit: int = 1000) -> Expr:
    """Replace nodes until no rule fires; a rule returns `None` for "not mine"."""
    for _ in range(limit):
        done: dict[Expr, Expr] = {}
        for old in topo(root):
            new = rebuild(old, tuple(done[a] for a in old.args))
            done[old] = next((r for rule in rules if (r := rule(new)) is not None), new)
        if done[root] is root:
            return root
        root = done[root]
    raise RuntimeError(f"rewrite did not settle in {limit} rounds")


def leaves(root: Expr, *ops: str) -> frozenset[str]:
    """The names on leaves of these ops (`var`, `value`, `load` …) below `root`."""
    return frozenset(str(e.attr) for e in topo(root) if e.op in ops)


def depends(root: Expr, names: frozenset[str] | set[str]) -> bool:
    """Whether a variable of these names occurs below `root`."""
    return any(e.op == "var" and e.attr in names for e in topo(root))


def size(root: Expr) -> int:
    """How many different nodes there are."""
    return sum(1 for _ in topo(root))


def short(e: Expr, depth: int = 4) -> str:
    """A one-line form for debugging."""
    if e.attr is not None and not e.args:
        return f"%{e.attr}" if isinstance(e.attr, str) else repr(e.attr)
    if depth == 0:
        return "…"
    name = e.op if e.attr is None else f"{e.op}[{e.attr}]"
    return f"{name}({', '.join(short(a, depth - 1) for a in e.args)})" if e.args else name
