"""What order of convergence a model's scheme has by theory, and what order a row of errors shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from birc.ir.graph import reads
from birc.ir.model import Block, Model
from birc.ir.solvers import SOLVERS

EXACT = 0
"""Stands for a scheme whose only error is rounding."""
SLACK = 0.35
"""How far a measured order may stay below theory, errors of higher order being there too."""


def theoretical_order(lowered: Model) -> int:
    """Of the smooth flow: the least of its blocks; `EXACT` where all are solved exactly.

    A block reads the states of others as they are at the start of the step, which is of first order; only exact blocks are read at
    times inside the step, by methods that have such times.
    """
    edges = reads(lowered)
    owner = {s: block for block in lowered.blocks for s in block.states}
    orders = [_order(block, [owner[r] for s in block.states for r in edges[s]]) for block in lowered.blocks]
    return min((o for o in orders if o != EXACT), default=EXACT)


def _order(block: Block, sources: Sequence[Block]) -> int:
    own = SOLVERS[block.method]
    inside = all(own.staged and SOLVERS[b.method].order == EXACT for b in sources if b is not block)
    return own.order if inside else 1


def measured_order(coarse: float | None, fine: float | None, floor: float) -> float | None:
    """The order that halving the step shows; None where an error is missing or lost in rounding."""
    if coarse is None or fine is None or coarse <= floor or fine <= floor or not math.isfinite(coarse):
        return None
    return math.log2(coarse / fine)
