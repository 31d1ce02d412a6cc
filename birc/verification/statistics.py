"""What chaotic networks are compared by where they are run freely: how often, how regularly and how much together their cells fire."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

RATE = 0.05
"""How far apart, as a part, two numbers of spikes may be, beside four times the noise of counting."""
REGULARITY = 0.15
"""How far apart two mean coefficients of variation may be."""
TOGETHER = 1.5
"""Up to how many times as large one Fano factor of the population's counts may be as the other."""
ENOUGH, BINS = 50, 40
"""Cells with three spikes from which a coefficient of variation means something; bins in which counts are taken."""


def regularity(index: Array, stamp: Array) -> float | None:
    """The mean coefficient of variation of intervals of cells with at least three spikes; None where there are too few of them."""
    order = np.lexsort((stamp, index))
    who, when = index[order], stamp[order].astype(np.float64)
    starts = np.flatnonzero(np.r_[True, who[1:] != who[:-1]]) if len(who) else np.zeros(0, np.int64)
    found = []
    for train in np.split(when, starts[1:]):
        if len(train) > 2:
            intervals = np.diff(train)
            found.append(float(intervals.std() / intervals.mean()))
    return float(np.mean(found)) if len(found) >= ENOUGH else None


def together(stamp: Array, steps: int) -> float | None:
    """The Fano factor of the counts of all cells in bins; None where there are too few spikes to tell."""
    counts = np.histogram(stamp, BINS, (0.5, steps + 0.5))[0]
    return float(counts.var() / counts.mean()) if counts.mean() >= 10 else None


def apart(ours: tuple[Array, Array], theirs: tuple[Array, Array], steps: int) -> str:
    """What tells two runs of a population apart, (index, stamp) each, in words; empty where nothing does."""
    count, other = len(ours[0]), len(theirs[0])
    if abs(count - other) > RATE * count + 4 * np.sqrt(count + 1):
        return f"fires {other} times, the reference {count} times"
    cv, other_cv = regularity(*ours), regularity(*theirs)
    if cv is not None and other_cv is not None and abs(cv - other_cv) > REGULARITY:
        return f"fires with a coefficient of variation of {other_cv:.2f}, the reference of {cv:.2f}"
    fano, other_fano = together(ours[1], steps), together(theirs[1], steps)
    if fano is not None and other_fano is not None and not fano / TOGETHER <= other_fano + 0.5 <= (fano + 1.0) * TOGETHER:
        return f"fires together with a Fano factor of {other_fano:.2f}, the reference of {fano:.2f}"
    return ""
