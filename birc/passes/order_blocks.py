"""Join each linear component with the linear components that feed it, so that they are solved exactly together.

    block %i_s constant   block %v constant     ->  block %i_s, %v constant
"""

from __future__ import annotations

from dataclasses import replace

from birc.ir.expr import Expr
from birc.ir.graph import reads
from birc.ir.model import Block, Model
from birc.passes.classify_odes import linearity


def run(model: Model) -> Model:
    """Merge constant-coefficient blocks along linear feeds; the order stays one in which what is read comes first."""
    rates = {o.state: o.rhs for o in model.odes}
    edges = reads(model)
    taken = {s for o in model.options if o.kind == "solver" and o.name != "exact" for s in o.targets or rates}
    merged: list[Block] = []
    for block in model.blocks:
        joinable = block.linearity == "constant" and not taken & set(block.states)
        feeds: list[Block] = []
        states = block.states
        for b in merged if joinable else ():
            joint = tuple(s for f in (*feeds, b) for s in f.states) + block.states  # two feeds may be nonlinear in one another
            if not taken & set(b.states) and _feeds(model, b, block, joint, rates, edges):
                feeds.append(b)
                states = joint
        merged = [b for b in merged if b not in feeds]
        merged.append(Block(states, "constant") if feeds else block)
    blocks = _sorted(merged, edges)
    return model if blocks == model.blocks else replace(model, blocks=blocks)


def _feeds(
    model: Model, source: Block, target: Block, joint: tuple[str, ...], rates: dict[str, Expr], edges: dict[str, frozenset[str]]
) -> bool:
    """Whether the target reads the source, and all of `joint` is linear with constant coefficients."""
    reading = any(edges[s] & set(source.states) for s in target.states)
    return reading and linearity(model, joint, rates) == "constant"


def _sorted(blocks: list[Block], edges: dict[str, frozenset[str]]) -> tuple[Block, ...]:
    """Topological order again, as far as there is one: merging can move a block behind one that reads it."""
    rest, out, done = list(blocks), [], set[str]()
    while rest:
        ready = next((b for b in rest if all(edges[s] <= done | set(b.states) for s in b.states)), rest[0])
        rest.remove(ready)
        out.append(ready)
        done |= set(ready.states)
    return tuple(out)
