"""Synapses whose states lie by target while a job runs, as targets fire more often than sources do.

A handler of the target's spikes then finds its synapses one behind another, as vectors; those of the source's events stand here and there.
Where every source reaches every target their places need no index: those of a source are a column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from birc.backends import Array
from birc.backends.native.network.fields import LINE
from birc.backends.networks import BoundProjection
from birc.ir.connectivity.edges import Backward, Edges

WORTH = 3.0
"""Spikes of a target beyond those of a source that make up for turning its synapses, there and back (measured in the pair STDP of the
bench: 3 ns a synapse, of which each such spike saves 1.1; in one of 2 million synapses of 10,000 sources, 9 ns and 4)."""
MOST = 1 << 31
"""Synapses whose places are kept in 32 bits."""


@dataclass(frozen=True)
class Matrix:
    """Synapses of every source with every target: [targets, pitch], of which [:, :sources] are theirs."""

    sources: int
    targets: int
    pitch: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values by target."""
        return self.targets, self.pitch

    def turn(self, values: Array, to: Array) -> None:
        """Bring values [synapses] by source to an array by target …"""
        to[:, : self.sources] = values.reshape(self.sources, self.targets).T

    def turn_back(self, values: Array, to: Array) -> None:
        """… and back."""
        to.reshape(self.sources, self.targets)[...] = values[:, : self.sources].T


@dataclass(frozen=True)
class Listed:
    """Any synapses, by target as `back` lists them."""

    back: Backward

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values by target."""
        return (self.back.forward.count,)

    @cached_property
    def place(self) -> Array:
        """Where each synapse lies by target: int32 [synapses]."""
        found = np.empty(self.back.forward.count, np.int32)
        found[self.back.synapse] = np.arange(len(found), dtype=np.int32)
        return found

    def turn(self, values: Array, to: Array) -> None:
        """Bring values [synapses] by source to an array by target …"""
        to[...] = values[self.back.synapse]

    def turn_back(self, values: Array, to: Array) -> None:
        """… and back."""
        to[...] = values[self.place]


Order = Matrix | Listed


def is_matrix(edges: Edges, back: Backward) -> bool:
    """Whether every source has one synapse with every target, and all the same delays; to be asked where targets follow one another."""
    return len(back.delays) == len(edges.delays) == 1 and bool((np.diff(edges.starts) == edges.targets).all())


def matrix(edges: Edges, real: type[np.floating[Any]]) -> Matrix:
    """A target's values take an odd number of lines, so that those of a source do not share a set of the cache."""
    size = np.dtype(real).itemsize
    return Matrix(edges.sources, edges.targets, (-(-edges.sources * size // LINE) | 1) * LINE // size)


def may_turn(p: BoundProjection) -> bool:
    """Whether a projection's synapses may lie by target: what flows in them, and draws for it, goes by source."""
    return p.synapse is not None and p.synapse.post is not None and p.synapse.flow is None and 0 < p.edges.count < MOST


def pays(p: BoundProjection, spikes: Mapping[str, float], steps: int) -> bool:
    """Whether turning pays in so many steps, as the targets fire more often; `spikes` are those of a cell and step, by group."""
    return steps * (spikes.get(p.target, 0.0) - spikes.get(p.source, 0.0)) > WORTH
