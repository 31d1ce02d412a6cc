"""The state of a network as its library wants it: neurons in whole tiles, in the types that loops compute with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from birc.backends import Array
from birc.backends.native.network.fields import LINE
from birc.backends.native.network.turned import Order
from birc.ir.ops import Kind

PAGE = 4096
"""Bytes after which addresses share a place in the first cache."""
APART = 5
"""Lines by which arrays are shifted against one another, so that the values of one neuron do not share that place."""


class Held:
    """Arrays of the state: the caller's own where they can be used as they are, else copies that go back at the end."""

    def __init__(self, state: Mapping[str, Array], real: type[np.floating[Any]], lanes: int) -> None:
        self.state, self.real, self.lanes = state, real, lanes
        self.kinds: Mapping[Kind, Any] = {"real": real, "int": np.int64 if real is np.float64 else np.int32, "bool": np.bool_}
        self.made = 0
        self.arrays: dict[str, Array] = {}
        self.back: list[tuple[Array, Array]] = []
        self.turned_back: list[tuple[Array, Array, Order]] = []

    def tiles(self, n: int) -> int:
        """Tiles of so many neurons."""
        return -(-n // self.lanes)

    def aligned(self, shape: int | tuple[int, ...], dtype: Any = None) -> Array:
        """Zeros that begin on a line of the cache, of reals if nothing else is asked for."""
        dtype = dtype or self.real
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        room = np.zeros(size + PAGE + LINE, np.uint8)
        self.made += 1
        first = (self.made * APART * LINE - room.ctypes.data) % PAGE
        array: Array = room[first : first + size].view(dtype).reshape(shape)
        return array

    def padded(self, values: Any, n: int, kind: Kind) -> Array:
        """Values of neurons in whole tiles; lanes beyond the last neuron repeat the first and do harmless work."""
        array = self.aligned(self.tiles(n) * self.lanes, self.kinds[kind])
        array[:n] = values
        if n:
            array[n:] = array[0]
        return array

    def neurons(self, name: str, kind: Kind = "real") -> Array:
        """A state of neurons, or a trace of theirs, in whole tiles; `back` brings it to the caller.

        It is 0 in lanes beyond the last neuron: what decays there, where nothing comes, would else be subnormal at last, and slow.
        """
        if name not in self.arrays:
            n = len(self.state[name])
            array = self.aligned(self.tiles(n) * self.lanes, self.kinds[kind])
            array[:n] = self.state[name]
            self.arrays[name] = array
            self.back.append((self.state[name], array[:n]))
        return self.arrays[name]

    def plain(self, name: str, dtype: Any = None) -> Array:
        """A state as it is, in the type asked for (that of a real, if none is)."""
        if name not in self.arrays:
            array = np.ascontiguousarray(self.state[name], dtype or self.real)
            self.arrays[name] = array
            if array is not self.state[name]:
                self.back.append((self.state[name], array))
        return self.arrays[name]

    def turned(self, values: Array, order: Order, dtype: Any = None) -> Array:
        """Values of synapses by target, in the type asked for."""
        array = self.aligned(order.shape, dtype)
        order.turn(values, array)
        return array

    def synapses(self, name: str, order: Order, dtype: Any = None) -> Array:
        """A state of synapses by target; `finish` brings it to the caller."""
        array = self.turned(self.state[name], order, dtype)
        self.turned_back.append((self.state[name], array, order))
        return array

    def rows(self, name: str, sums: Array, first: int) -> None:
        """What is pending, in rows of all neurons of the target."""
        rows = self.state[name]
        part = sums[:, first : first + rows.shape[1]]
        part[...] = rows
        self.back.append((rows, part))

    def result(self, rows: Array) -> Array:
        """Where rows that the caller wants filled are written."""
        array = np.ascontiguousarray(rows)
        if array is not rows:
            self.back.append((rows, array))
        return array

    def finish(self) -> None:
        """Bring everything back."""
        for to, array in self.back:
            to[...] = array
        for to, array, order in self.turned_back:
            order.turn_back(array, to)
