"""Join a product and the sum that alone uses it into one operation that rounds once.

    add (mul %a, %b), %c                   ->  fma %a, %b, %c
    sub %c, (mul %a, %b)                   ->  fma (neg %a), %b, %c

Other bits than those of two operations: only float32 has it, only on targets that take `fma`, and the artifact names it. It runs when a
program is made ready for such a target, not before.
"""

from __future__ import annotations

from collections import Counter

from birc.ir.expr import Expr, const, op, rebuild, topo
from birc.ir.name_kinds import name_kinds
from birc.ir.ops import Kind, kinds
from birc.ir.step import Step
from birc.passes.expressions import map_step


def run(step: Step) -> Step:
    """Fuse in every expression of the phases."""
    names = name_kinds(step)
    slots = {slot.name: slot.kind for slot in step.slots}

    def leaf(e: Expr) -> Kind:
        return slots[str(e.attr)] if e.op == "load" else names[str(e.attr)]

    def change(root: Expr) -> Expr:
        kind = kinds((root,), leaf)
        users = Counter(a for node in topo(root) for a in node.args)
        done: dict[Expr, Expr] = {}
        for node in topo(root):
            fused = _fuse(node, users) if kind[node] == "real" else None
            if fused:
                done[node] = op("fma", *(_signed(done[a], minus) for a, minus in fused))
            else:
                done[node] = rebuild(node, tuple(done[a] for a in node.args))
        return done[root]

    return map_step(step, change, bind=False)


def _fuse(node: Expr, users: Counter[Expr]) -> list[tuple[Expr, bool]] | None:
    """The arguments of the `fma` that stands for a sum or difference, each with whether it is turned round."""
    if node.op not in ("add", "sub"):
        return None
    left, right = node.args
    minus = node.op == "sub"
    if right.op == "mul" and users[right] == 1:
        return [(right.args[0], minus), (right.args[1], False), (left, False)]
    if left.op == "mul" and users[left] == 1:
        return [(left.args[0], False), (left.args[1], False), (right, minus)]
    return None


def _signed(e: Expr, minus: bool) -> Expr:
    if not minus:
        return e
    return const(-e.attr) if e.op == "const" and isinstance(e.attr, float) else op("neg", e)
