"""Join each linear component with the linear components that feed it, so that they are solved exactly together.

    block %i_s constant   block %v constant     ->  block %i_s, %v constant
"""

from __future__ import annotations

from dataclasses import replace

from birc.ir.expr import Expr
from birc.ir.graph import reads
from birc.ir.linear import linear_form
from birc.ir.model import Block, Model
from birc.passes.classify_odes import linearity


def run(model: Model) -> Model:
    """Merge constant-coefficient blocks along linear feeds; the order stays one in which what is read comes first."""
    rates = {o.state: o.rhs for o in model.odes}
    edges = reads(model)
    taken = {s for o in model.options if o.kind == "solver" and o.name != "exact" for s in o.targets or rates}
    merged: list[Block] = []
    for block in model.blocks:
        feeds = [b for b in merged if b.linearity == "constant" and _feeds(b, block, rates, edges)]
        joinable = block.linearity == "constant" and not taken & set(block.states)
        feeds = [b for b in feeds if not taken & set(b.states)] if joinable else []
        states = tuple(s for b in feeds for s in b.states) + block.states
        if feeds and linearity(model, states, rates) == "constant":
            merged = [b for b in merged if b not in feeds]
            merged.append(Block(states, "constant"))
        else:
            merged.append(block)
    blocks = _sorted(merged, edges)
    return model if blocks == model.blocks else replace(model, blocks=blocks)


def _feeds(source: Block, target: Block, rates: dict[str, Expr], edges: dict[str, frozenset[str]]) -> bool:
    """Whether the target reads the source, and linearly."""
    names = frozenset(source.states)
    reading = [s for s in target.states if edges[s] & names]
    return bool(reading) and all(linear_form(rates[s], names | frozenset(target.states)) is not None for s in reading)


def _sorted(blocks: list[Block], edges: dict[str, frozenset[str]]) -> tuple[Block, ...]:
    """Topological order again: merging can move a block behind one that reads it."""
    rest, out, done = list(blocks), [], set[str]()
    while rest:
        ready = next((b for b in rest if all(edges[s] <= done | set(b.states) for s in b.states)), rest[0])
        rest.remove(ready)
        out.append(ready)
        done |= set(ready.states)
    return tuple(out)
