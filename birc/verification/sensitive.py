"""Neurons whose spikes nothing but rounding moves: chaotic ones, and ones that stand at the edge of firing.

A float32 run of these drifts away from any other run. They are told by the reference alone, which moves its own spikes by more than a
step where its initial state is moved by a rounding of float32. Of such neurons only how often they fire is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from birc.backends import Array
from birc.verification.compare import worst_shift
from birc.verification.trial import Trace

ROUNDINGS = (2.0**-23, -(2.0**-23), 2.0**-22, -(2.0**-22))
"""Relative changes of the initial state: last bits of float32."""


def shifts(got: Array, right: Array) -> Array:
    """The largest shift between the spikes of each neuron, in steps [n]."""
    return np.array([worst_shift(got[:, [i]], right[:, [i]]) for i in range(right.shape[1])])


def sensitive(trace: Trace, again: Callable[[Mapping[str, Array]], Trace]) -> Array:
    """Of which neurons the reference moves its own spikes by more than a step [n]; `again` runs it from another initial state."""
    found = np.zeros(trace.fired.shape[1], dtype=bool)
    for rounding in ROUNDINGS:
        moved = {name: a[0] * (1.0 + rounding) if a.dtype.kind == "f" else a[0] for name, a in trace.states.items()}
        found |= shifts(again(moved).fired, trace.fired) > 1
    return found


def as_often(got: Array, right: Array) -> bool:
    """Whether two rasters [steps, n] have about as many spikes: within three standard deviations of a Poisson process."""
    a, b = int(got.sum()), int(right.sum())
    return abs(a - b) <= 3.0 * float(np.sqrt(max(b, 1)))
