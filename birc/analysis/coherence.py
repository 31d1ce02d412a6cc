"""How much a population acts as one, from its potentials and from its spikes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from birc.analysis.bins import population_counts
from birc.analysis.trains import SpikeTrains
from birc.errors import BircError
from birc.runtime.archive import pieces


def chi(values: npt.ArrayLike) -> float:
    """The synchrony of recorded values [rows, n], such as potentials, from 0 to 1 (Golomb and Rinzel 1994).

    The root of the variance over time of the mean over neurons, by the mean over neurons of their variances over time: 1 if all do the
    same, about 1/sqrt(n) if they are independent; NaN if nothing changes. Values that lie in a file are read in pieces.
    Raises I170 for another shape.
    """
    array = np.asanyarray(values)
    if array.ndim != 2 or not array.size:
        raise BircError("I170", f"synchrony is that of values [rows, n], and these are {list(array.shape)}")
    first = array[0].astype(np.float64)
    totals, squares, together = np.zeros_like(first), np.zeros_like(first), 0.0
    for rows in pieces(array):
        change = rows - first  # the spread does not depend on where they start, and is not lost beside their size
        totals += change.sum(axis=0)
        squares += (change**2).sum(axis=0)
        together += float((change.mean(axis=1) ** 2).sum())
    number = len(array)
    single = float((squares / number - (totals / number) ** 2).mean())
    common = together / number - float(totals.mean() / number) ** 2
    return float(np.sqrt(max(common, 0.0) / single)) if single > 0 else float("nan")


def synchrony(trains: SpikeTrains, bin: str | float = 3.0) -> float:
    """The variance by the mean of the population's spike count in bins of 3 ms (Potjans and Diesmann 2014); NaN if it is silent.

    1 for independent Poisson processes, and larger the more spikes fall together. Raises I171 for a bin that does not fit.
    """
    found = population_counts(trains, bin)
    mean = found.mean()
    return float(found.var() / mean) if mean > 0 else float("nan")
