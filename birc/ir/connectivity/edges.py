"""Synapses as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Edges:
    """Synapses sorted by source, then delay, then target, then occurrence (where a pair has several).

    Those of source i with a delay of `delays[j]` steps (int64, ascending) are the stretch `starts[i * len(delays) + j]` to
    `starts[i * len(delays) + j + 1]` (int64 [sources * len(delays) + 1]) of `target` (int32 [synapses]).
    """

    sources: int
    targets: int
    delays: Array
    starts: Array
    target: Array

    @property
    def count(self) -> int:
        """How many synapses."""
        return len(self.target)

    def source(self) -> Array:
        """The source of each synapse (int32 [synapses])."""
        if not self.count:
            return np.zeros(0, np.int32)  # there may be no delays, and so no stretches
        return np.repeat(np.arange(self.sources, dtype=np.int32), np.diff(self.starts[:: len(self.delays)]))

    def delay(self) -> Array:
        """The delay of each synapse in steps (int64 [synapses])."""
        return np.repeat(np.tile(self.delays, self.sources), np.diff(self.starts))


@dataclass(frozen=True)
class Backward:
    """The synapses `forward` from their targets, by the delay of `on post`: `steps` (int64 [synapses] in the order of the edges, or [1]).

    What leads there is made when it is first asked for.
    """

    forward: Edges
    steps: Array

    @cached_property
    def delays(self) -> Array:
        """The delays there are (int64, ascending)."""
        return np.unique(self.steps)

    @cached_property
    def synapse(self) -> Array:
        """The place of each synapse in the forward order (int32 [synapses]; int64 where there are 2^31 or more).

        Within one target and delay they stand in that order.
        """
        return np.argsort(self._row, kind="stable").astype(np.int32 if self.forward.count < 1 << 31 else np.int64)

    @cached_property
    def edges(self) -> Edges:
        """From targets (as its sources) to sources."""
        starts = np.zeros(self.forward.targets * len(self.delays) + 1, np.int64)
        np.cumsum(np.bincount(self._row, minlength=len(starts) - 1), out=starts[1:])
        return Edges(self.forward.targets, self.forward.sources, self.delays, starts, self.forward.source()[self.synapse])

    @property
    def _row(self) -> Array:
        which = np.searchsorted(self.delays, self.steps)
        return self.forward.target.astype(np.int64) * max(1, len(self.delays)) + (which if len(which) == self.forward.count else 0)


@dataclass(frozen=True)
class Drawn:
    """A number for each synapse: `constant` (a), `uniform` (from a to b), `normal` (mean a, standard deviation b) or an `array`.

    Draws are kept in [low, high]. The draw of the synapse from source i to target j that is the m-th of this pair is that of
    `birc.ir.random` with the stream `stream`, step j, instance i and lane m: a function of these only. An array [synapses]
    has the order of `rules` (source, then target, then occurrence), one [sources, targets] is read at (i, j).
    """

    kind: Literal["constant", "uniform", "normal", "array"]
    a: float = 0.0
    b: float = 0.0
    stream: int = 0
    low: float = -np.inf
    high: float = np.inf
    array: Array | None = None


@dataclass(frozen=True)
class Wiring:
    """A rule with its arguments, over `sources` x `targets` cells; `stream` is that of its own draws.

    Arguments that are files are given as arrays: the kernel of `conv2d`; `source`, `target`, `weight`, `delay` of `from_file`.

    `same` is the index of the source that is target 0 (source i and target j are one cell where i - j == same), None where source and
    target share no cell; such pairs are left out unless `self` is among the flags.
    """

    rule: str
    arguments: Mapping[str, Any]
    flags: frozenset[str]
    sources: int
    targets: int
    same: int | None
    seed: int
    stream: int


@dataclass(frozen=True)
class Wired:
    """Edges, and the values drawn for them (float64 [synapses], or a number where they are constant), in the order of the edges."""

    edges: Edges
    values: tuple[Array | float, ...]
