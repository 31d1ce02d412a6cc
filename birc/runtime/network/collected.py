"""What a run of a network has brought so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import Spikes

Array = npt.NDArray[Any]


@dataclass
class Collected:
    """Rows of recorded variables by their key, and spikes by group, in pieces, in the order of time."""

    rows: dict[str, list[Array]] = field(default_factory=dict)
    spikes: dict[str, list[Spikes]] = field(default_factory=dict)

    def stamps(self, group: str) -> Array:
        """The stamps of all spikes of a group (int64)."""
        return np.concatenate([np.zeros(0, np.int64), *(s.stamp for s in self.spikes.get(group, []))])

    def index(self, group: str) -> Array:
        """The cells of all spikes of a group (int32)."""
        return np.concatenate([np.zeros(0, np.int32), *(s.index for s in self.spikes.get(group, []))])
