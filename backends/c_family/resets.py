"""What a spike changes as a loop of its own, which is left out of a step in which no lane fires.

```
loop:    … %fired = %v.1 >= 30   %v.2 = select(%fired, %c, %v.1)   fired %fired   v := %v.2
  ->
loop:    … %fired = %v.1 >= 30   raised %fired   v := %v.1
resets:  %fired = load v >= 30   %v.2 = select(%fired, %c, load v)   fired %fired   v := %v.2
```

Lanes that do not fire get from the first loop what they would have got from the whole, so all bits stay the same. In most steps none of
some ten neurons fires; the next step then need not wait for selections. The second loop reads what the first one stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from birc.backends.c_family.loops import WAITS, Loop, Named, Part, aliases
from birc.ir.expr import Expr, const, leaves, make, rebuild, size, topo

MOST_AGAIN = 10
"""Ops of the first loop that the second one does again, at most, for one value."""

NO, YES = const(False), const(True)


def part_resets(parts: Sequence[Part], binds: Iterable[str]) -> tuple[list[Part], Loop | None]:
    """The loops of a step without what a spike changes, and that; None where the last loop stays whole.

    The first loop has `raised` and the second `fired`, or, where what decides is gone by then, the first has `fired`, whose flags the
    second reads. What is kept between loops, and what names stand for, is as in `parts`. binds: the names of bind values.
    """
    *before, whole = parts
    found = _parted(whole, before, binds) if isinstance(whole, Loop) and len(whole.fired) == 1 else None
    return ([*before, found[0]], found[1]) if found else (list(parts), None)


def flag_left(parts: Sequence[Part], resets: Loop | None) -> str | None:
    """The name of the flag that the last of the parts leaves to the resets, if it does."""
    last = parts[-1]
    return str(last.fired[0][0].attr) if resets and isinstance(last, Loop) and last.fired else None


def _parted(whole: Loop, before: Sequence[Part], binds: Iterable[str]) -> tuple[Loop, Loop] | None:
    ((flag, _),) = whole.fired
    inner = {name: e for name, e, _ in whole.defines}
    if flag.op != "value" or (fired := str(flag.attr)) not in inner:
        return None
    late = _late(whole.defines, fired)
    outputs, stores = ([end for end in ends if _reads(end[1], late)] for ends in (whole.outputs, whole.stores))
    if not outputs and not stores:
        return None

    first = _unfired(whole, flag, {name: inner[name] for name in late - {fired}})
    if any(n in (NO, YES) for _, e, _ in (*first.outputs, *first.stores) for n in topo(e)):
        return None  # something else than a selection asks who fired
    known = {name: e for name, e in inner.items() if name not in late} | aliases(before)
    again = _Again(first.stores, known, late.union(binds, *(part.makes() for part in before)))
    try:
        outputs, stores = ([(name, again.of(e), place) for name, e, place in ends] for ends in (outputs, stores))
        defines: list[Named] = []
        for name, e, place in reversed(whole.defines):
            if name in late and name != fired and any(_reads(user, (name,)) for _, user, _ in (*outputs, *stores, *defines)):
                defines.insert(0, (name, again.of(e), place))
    except LookupError:
        return None
    try:
        test = [(name, again.of(e), place) for name, e, place in whole.defines if name == fired]
    except LookupError:
        first.fired = whole.fired
        return first, Loop(defines, [], outputs, stores)
    first.raised = flag
    return first, Loop(test + defines, whole.fired, outputs, stores)


def _late(defines: Iterable[Named], fired: str) -> frozenset[str]:
    """The flag's name, and those of values that depend on it."""
    late = {fired}
    for name, e, _ in defines:
        if _reads(e, late):
            late.add(name)
    return frozenset(late)


def _reads(e: Expr, names: Collection[str]) -> bool:
    return any(name in names for name in leaves(e, "value"))


def _unfired(whole: Loop, flag: Expr, after: Mapping[str, Expr]) -> Loop:
    """What a loop computes and leaves behind for a lane that does not fire; slots that stay as they are have no store."""
    found: dict[Expr, Expr] = {flag: NO}

    def of(root: Expr) -> Expr:
        for e in topo(root):
            if e not in found:
                named = after.get(str(e.attr)) if e.op == "value" else None
                found[e] = of(named) if named is not None else _decided(rebuild(e, tuple(found[a] for a in e.args)))
        return found[root]

    outputs = [(name, of(e), place) for name, e, place in whole.outputs]
    stores = [(slot, new, place) for slot, e, place in whole.stores if (new := of(e)) is not make("load", (), slot)]
    wanted = {str(flag.attr)}.union(*(leaves(e, "value") for _, e, _ in (*outputs, *stores)))
    defines: list[Named] = []
    for define in reversed(whole.defines):
        if define[0] in wanted:
            wanted |= leaves(define[1], "value")
            defines.insert(0, define)
    return Loop(defines, [], outputs, stores)


def _decided(e: Expr) -> Expr:
    """What an op comes to where one of its flags is known."""
    match e.op, e.args:
        case "select", (test, a, b) if test in (NO, YES):
            return a if test is YES else b
        case "not", (a,) if a in (NO, YES):
            return NO if a is YES else YES
        case "and" | "or", (a, b) if {a, b} & {NO, YES}:
            known, other = (a, b) if a in (NO, YES) else (b, a)
            return other if (known is YES) == (e.op == "and") else known
        case _:
            return e


class _Again:
    """Expressions as the second loop can compute them, from what the first one stored, and from names that are read or made again."""

    def __init__(self, stores: Iterable[Named], known: Mapping[str, Expr], there: Collection[str]) -> None:
        self.found = {e: make("load", (), slot) for slot, e, _ in stores if e.op != "const"}
        self.lost = {slot for slot, _, _ in stores}
        self.known, self.there = known, there

    def of(self, root: Expr) -> Expr:
        """The expression anew. Raises LookupError where something in it is gone, or takes long to make again."""
        new = self._of(root)
        if size(new) > size(root) + MOST_AGAIN:
            raise LookupError(root)
        return new

    def _of(self, root: Expr) -> Expr:
        if root in self.found:
            return self.found[root]
        name = str(root.attr)
        if root.op == "value" and name in self.known:
            made = self.known[name]
            if any(e.op in WAITS for e in topo(made)):
                raise LookupError(root)
            new = self._of(made)
        elif (root.op == "value" and name not in self.there) or (root.op == "load" and name in self.lost):
            raise LookupError(root)
        else:
            new = rebuild(root, tuple(self._of(e) for e in root.args))
        self.found[root] = new
        return new
