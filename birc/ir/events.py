"""How the events of one stamp reach a population of `n`: summed, or one per target and round in their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def total(index: Array, payload: Array, n: int, dtype: Any) -> Array:
    """The sum of payloads per target, added to 0 one after the other in the order given."""
    sums = np.zeros(n, dtype)
    if len(index):
        np.add.at(sums, index, payload.astype(dtype))
    return sums


def rounds(index: Array, payload: Array, n: int, dtype: Any) -> Iterator[tuple[Array, Array]]:
    """(mask, payload) of each round: a target's r-th event acts in round r."""
    while len(index):
        _, first = np.unique(index, return_index=True)
        mask, values = np.zeros(n, np.bool_), np.zeros(n, dtype)
        mask[index[first]] = True
        values[index[first]] = payload[first]
        yield mask, values
        index, payload = np.delete(index, first), np.delete(payload, first)
