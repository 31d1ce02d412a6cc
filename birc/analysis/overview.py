"""The numbers by which papers describe the activity of a population, at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from birc.analysis.coherence import synchrony
from birc.analysis.firing import rate
from birc.analysis.intervals import cv2, irregularity, local_variation
from birc.analysis.trains import SpikeTrains
from birc.analysis.variability import fano_factor, pairwise_correlation


@dataclass(frozen=True)
class Summary:
    """Numbers of a population; means leave out the neurons of which a number says nothing, and are NaN where none is left."""

    n: int
    spikes: int
    rate: float
    """Mean over neurons and time, in Hz."""
    silent: float
    """The part of the neurons that never fired."""
    irregularity: float
    """Mean CV of the intervals between spikes."""
    cv2: float
    local_variation: float
    fano_factor: float
    """Mean Fano factor of counts in windows of 100 ms."""
    correlation: float
    """Mean correlation of counts in bins of 5 ms, over pairs of at most 200 neurons."""
    synchrony: float
    """Fano factor of the population's counts in bins of 3 ms."""

    def record(self) -> dict[str, float]:
        """Name and number, for JSON and tables."""
        return asdict(self)


def summary(trains: SpikeTrains, seed: int = 0) -> Summary:
    """The usual numbers of a population; `seed` draws the neurons whose correlation is taken. Raises I171 for less than 100 ms."""
    return Summary(
        n=trains.n,
        spikes=len(trains.index),
        rate=rate(trains),
        silent=1.0 - len(np.unique(trains.index)) / trains.n,
        irregularity=irregularity(trains),
        cv2=_mean(cv2(trains)),
        local_variation=_mean(local_variation(trains)),
        fano_factor=_mean(fano_factor(trains)),
        correlation=_mean(pairwise_correlation(trains, seed=seed)),
        synchrony=synchrony(trains),
    )


def _mean(values: npt.NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
