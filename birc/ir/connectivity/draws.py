"""Numbers drawn for synapses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from birc.ir import random
from birc.ir.connectivity.edges import Array, Drawn


def draw(drawn: Drawn, seed: int, source: Array, target: Array, occurrence: Array) -> Array | float:
    """The number of each synapse (float64 [synapses]), or the one number of all; see `Drawn`.

    A uniform number is a + (b - a) * u, a normal one a + b * z; then what lies below `low` becomes `low`, what lies above `high`, `high`.
    """
    match drawn.kind:
        case "constant":
            return drawn.a
        case "array":
            assert drawn.array is not None
            values = np.asarray(drawn.array, dtype=np.float64)
            return values[source, target] if values.ndim == 2 else values
        case "uniform":
            found = drawn.a + (drawn.b - drawn.a) * _by_pair(random.uniform, drawn, seed, source, target, occurrence)
        case "normal":
            found = drawn.a + drawn.b * _by_pair(random.normal, drawn, seed, source, target, occurrence)
    found = np.where(found < drawn.low, drawn.low, found)
    return np.where(found > drawn.high, drawn.high, found)


def _by_pair(kind: Callable[..., Array], drawn: Drawn, seed: int, source: Array, target: Array, occurrence: Array) -> Array:
    """Draws with step `target`, instance `source` and lane `occurrence`; most synapses are the first of their pair."""
    result = np.empty(len(source))
    for lane in range(int(occurrence.max(initial=-1)) + 1):
        where = np.flatnonzero(occurrence == lane)
        result[where] = kind(seed, drawn.stream, target[where], source[where], lane)
    return result
