"""Synapses of a full matrix, every source onto every target: their places need no index, and they may lie by target while a job runs.

A handler of the target's spikes then finds its synapses one behind another, as vectors; one of the source's events takes a column.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from birc.backends.native.network.held import LINE
from birc.backends.networks import BoundProjection

WORTH = 3.0
"""Spikes of a target beyond those of a source that make up for turning its synapses, there and back (measured in the pair STDP of the
bench: 3 ns a synapse, of which each such spike saves 1.1)."""


def is_matrix(p: BoundProjection) -> bool:
    """Whether every source has one synapse with every target, and all the same delays; to be asked where targets follow one another."""
    if p.back is None or len(p.back.delays) != 1 or len(p.edges.delays) != 1:
        return False
    return bool((np.diff(p.edges.starts) == p.edges.targets).all())


def may_turn(p: BoundProjection) -> bool:
    """Whether the synapses of a matrix may lie by target: what flows in them, and draws for it, goes by source."""
    return p.synapse is not None and p.synapse.post is not None and p.synapse.flow is None


def pays(p: BoundProjection, spikes: Mapping[str, float], steps: int) -> bool:
    """Whether turning pays in so many steps, as the targets fire more often; `spikes` are those of a cell and step, by group."""
    return steps * (spikes.get(p.target, 0.0) - spikes.get(p.source, 0.0)) > WORTH


def pitch(p: BoundProjection, real: type[np.floating[Any]]) -> int:
    """From one target to the next, in values: an odd number of lines, so that those of a source do not share a set of the cache."""
    size = np.dtype(real).itemsize
    return (-(-p.edges.sources * size // LINE) | 1) * LINE // size
