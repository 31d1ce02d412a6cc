"""What a bound network has that no run changes, as its library wants it: edges, weights, parameters, the order of populations."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from birc.backends import Array
from birc.backends.native.network.fields import CouplingFields, EdgesFields, Memory, SourceFields
from birc.backends.native.network.held import Held
from birc.backends.native.network.plan import Kernel, Plan, Wire
from birc.backends.native.network.turned import Listed, Matrix, Order, is_matrix, matrix
from birc.backends.native.run import TableFields, table_arrays
from birc.backends.networks import BoundCoupling, BoundNetwork, BoundPopulation, BoundProjection, BoundSource
from birc.ir.connectivity.edges import Edges
from birc.ir.ops import Kind
from birc.ir.random import FIELD

NUMBERS = {"flow": 0, "pre": 1, "post": 2, "rise_pre": 3, "rise_post": 4}
"""The place of each role in the tables of a projection."""
BLOCKS = (2048, 4096)
"""Neurons to which is delivered at a time."""
WORTH = 16
"""Synapses of a stretch in a block that make up for looking at it (measured: 4 and 8 are slower than no blocks, 50 faster)."""
NEURON = 2000
"""A second of a neuron's steps takes about as long as what so many synapses bring in it, at three spikes per second each (measured at
full scale of the cortical microcircuit: 28 us, and 18 ns a synapse)."""
SEVERAL = 4
"""Delays for which it is worth to keep where their synapses begin a second time, in a quarter of the memory."""
LONGEST = 1 << 16
"""Synapses of a source that are too many for that."""
WORDS = 4
"""Words of 16 bits in an `int64`."""
FEW = 8
"""Probabilities with which all draws of a Poisson source are compared."""
LARGEST = 0xFFFFFFFF
LOOKED_AT = 1 << 24
"""Synapses up to which it is worth to know whether some are of one pair."""
SAMPLE = 1 << 12
"""Synapses that tell whether it is worth looking at all."""


class Fixed:
    """Tables of a bound network; they live as long as this."""

    def __init__(self, plan: Plan, network: BoundNetwork, real: type[np.floating[Any]], lanes: int) -> None:
        self.plan, self.network, self.real, self.lanes = plan, network, real, lanes
        self.types = Held({}, real, lanes)
        self.memory = Memory()
        self.zero = self.memory.at(np.zeros(8))
        self.populations = {p.name: p for p in network.populations}
        self.projections = {p.name: p for p in network.projections}
        self.signals = {s.name for s in network.signals}
        self.place = {name: i for i, name in enumerate(network.order)}
        self.each = {kernel.name: self._each(kernel) for kernel in plan.distinct_kernels}
        self.binds = {p.name: self._binds(plan.kernel(p.name), p) for p in network.populations}
        self.tables = {p.name: self._tables(plan.kernel(p.name), p) for p in network.populations}
        self.edges = {p.name: self.edge_fields(p.edges) for p in network.projections}
        self.orders = {p.name: self._order(p) for p in network.projections if p.back is not None}
        self.weights = {p.name: self._weights(p.weight) for p in network.projections}
        self.backs: dict[tuple[str, bool], EdgesFields] = {}
        self.made: dict[tuple[str, bool], tuple[int, int]] = {}
        self.couplings = [self._coupling(c) for c in network.couplings]
        self.sources = [self._source(s) for s in network.sources]
        self.stages = stages(network)
        self.shares = shares(network, self.stages)
        self.rows = self._rows()
        self.blocks = {p.name: self._block(p) for p in network.populations}
        self.spans = {p.name: self._span(p) for p in network.projections}

    # --- edges

    def edge_fields(self, edges: Edges) -> EdgesFields:
        """Edges as they cross."""
        delays, starts = (np.ascontiguousarray(a, np.int64) for a in (edges.delays, edges.starts))
        target = np.ascontiguousarray(edges.target, np.int32)
        single = len(delays) == 1 and edges.count == edges.sources and bool((np.diff(starts) == 1).all())
        at = self.memory.at
        return EdgesFields(edges.sources, len(delays), at(delays), at(starts), at(target), is_dense(edges), single, is_apart(edges))

    def _order(self, p: BoundProjection) -> Order:
        """How a projection's synapses lie by target, where they do."""
        assert p.back is not None
        if self.edges[p.name].dense and is_matrix(p.edges, p.back):
            return matrix(p.edges, self.real)
        return Listed(p.back)

    def back(self, p: BoundProjection, driven: bool) -> EdgesFields:
        """The way from targets; where synapses are a matrix, or spikes wait for the source's events, nothing but its delay."""
        assert p.back is not None
        found = p.name, driven or isinstance(self.orders[p.name], Matrix)
        if found not in self.backs:
            delays = self.memory.at(np.ascontiguousarray(p.back.delays, np.int64))
            self.backs[found] = EdgesFields(p.edges.targets, len(p.back.delays), delays) if found[1] else self.edge_fields(p.back.edges)
        return self.backs[found]

    def _weights(self, weight: Array | float | None) -> tuple[int, float]:
        """Where weights are, and the one of all."""
        if isinstance(weight, np.ndarray):
            return self.memory.at(np.ascontiguousarray(weight, self.real)), 0.0
        return 0, float(weight or 0.0)

    def _rows(self) -> dict[str, tuple[int, int]]:
        """By projection: where the rows of its sources stand in little memory, if they do, and the bytes of each.

        All stand in one array: the system then takes large pages for it, in which what is read here and there is found at once.
        """
        several = {p.name: p.edges for p in self.network.projections if p.synapse is None and len(p.edges.delays) >= SEVERAL}
        short = {name: edges for name, edges in several.items() if edges.count and longest_row(edges) < LONGEST}
        words = {name: row_words(edges) for name, edges in short.items()}
        room = np.zeros(sum(edges.sources * words[name] for name, edges in short.items()), np.uint16)
        found = {p.name: (0, 0) for p in self.network.projections}
        first = 0
        for name, edges in short.items():
            table = room[first : first + edges.sources * words[name]].reshape(edges.sources, words[name])
            fill_rows(table, edges)
            found[name] = self.memory.at(table), table.shape[1] * table.itemsize
            first += table.size
        return found

    def _coupling(self, c: BoundCoupling) -> CouplingFields:
        """A coupling, but for what it reads and makes."""
        weights, weight = self._weights(c.weight)
        return CouplingFields(self.edge_fields(c.edges), weights, weight, first_target=c.first_target)

    # --- blocks

    def _block(self, population: BoundPopulation) -> int:
        """Tiles to which is delivered at a time: few, so that what arrives stays in the first cache, but for whole stretches of targets."""
        tiles = self.types.tiles(population.n)
        if len(self.plan.kernel(population.name).stretches) > 1:
            return max(1, tiles)
        mine = [p for p in self.network.projections if p.target == population.name and p.synapse is None and p.edges.count]
        lengths = [mean_stretch(p.edges) for p in mine]
        for neurons in BLOCKS:
            block = max(1, neurons // self.lanes)
            if block < tiles and any(length * block / tiles >= WORTH for length in lengths):
                return block
        return min(max(1, tiles), BLOCKS[0] // self.lanes)

    def _span(self, p: BoundProjection) -> int:
        """Neurons of a block, 0 for a projection whose stretches are too short to be delivered block by block."""
        if p.target not in self.populations or p.synapse is not None or not p.edges.count:
            return 0
        tiles, block = self.types.tiles(self.populations[p.target].n), self.blocks[p.target]
        return block * self.lanes if block < tiles and mean_stretch(p.edges) * block / tiles >= WORTH else 0

    # --- parameters

    def _each(self, kernel: Kernel) -> list[bool]:
        """Which values of a kernel differ between neurons, in one of its populations at least."""
        names = [p.population.name for p, k in zip(self.plan.populations, self.plan.kernels, strict=True) if k is kernel]
        binds = [self.populations[name].bind for name in names]
        return [any(np.size(bind[name]) > 1 for bind in binds) for name in kernel.places.binds]

    def _binds(self, kernel: Kernel, population: BoundPopulation) -> int:
        tables = []
        for name, each in zip(kernel.places.binds, self.each[kernel.name], strict=True):
            values, kind = population.bind[name], kernel.places.kinds[name]
            array = self.types.padded(values, population.n, kind) if each else self._one(values, kind)
            tables.append(self.memory.at(array))
        return self.memory.table(tables)

    def _tables(self, kernel: Kernel, population: BoundPopulation) -> int:
        """The tables of a population's functions."""
        found = []
        for table in kernel.places.tables:
            given, columns, rows = table_arrays(population.tables[table.name], self.real)
            found.append(TableFields(given.low, given.width, given.pieces, given.degree, self.memory.at(columns), self.memory.at(rows)))
        return self.memory.many(TableFields, found)

    def _one(self, value: Any, kind: Kind) -> Array:
        return np.asarray(value).reshape(-1)[:1].astype(self.types.kinds[kind])

    def synapses(self, wire: Wire, turned: bool) -> tuple[int, int]:
        """Where a projection's bind values by role are, and its delays behind the synapses (0: all are the same); by target if turned."""
        if (wire.name, turned) not in self.made:
            p, kind = self.projections[wire.name], wire.synapses
            assert kind is not None
            mine = [self.projections[w.name] for w in self.plan.wires if w.synapses is kind and w.name in self.projections]
            by_role = [0] * len(NUMBERS)
            for role, kernel in kind.roles.items():
                values = [self._synapse_value(p, mine, role, kernel, name, turned) for name in kernel.places.binds]
                by_role[NUMBERS[role]] = self.memory.table(values)
            dend = self._one_each(p, p.dend, np.int32, turned) if isinstance(p.dend, np.ndarray) else 0
            self.made[wire.name, turned] = self.memory.table(by_role), dend
        return self.made[wire.name, turned]

    def _synapse_value(self, p: BoundProjection, mine: list[BoundProjection], role: str, kernel: Kernel, name: str, turned: bool) -> int:
        """A value of a projection's synapses, one for each where this is so in one of its kind."""
        if name not in p.bind.get(role, {}):  # no synapses, no values
            return self.zero
        value, kind = p.bind[role][name], kernel.places.kinds[name]
        if not any(np.size(other.bind.get(role, {}).get(name, 0)) > 1 for other in mine):
            return self.memory.at(self._one(value, kind))
        return self._one_each(p, np.broadcast_to(value, p.edges.count), self.types.kinds[kind], turned)

    def _one_each(self, p: BoundProjection, values: Array, dtype: Any, turned: bool) -> int:
        """Where a value of each synapse is."""
        if turned:
            return self.memory.at(self.types.turned(values, self.orders[p.name], dtype))
        return self.memory.at(np.ascontiguousarray(values, dtype))

    def late(self, p: BoundProjection) -> bool:
        """Whether spikes of the source that take no time come only behind the target's step."""
        if p.synapse is None or p.source not in self.place or p.target not in self.place:
            return False
        return self.place[p.source] >= self.place[p.target]

    def _source(self, s: BoundSource) -> SourceFields:
        """A source of events, but for its group and where its list begins."""
        if s.poisson is not None:
            table = np.ascontiguousarray(s.poisson, np.float64)
            return SourceFields(0, self.memory.at(table), len(table), stream=s.stream, least=self.memory.at(least_words(table)))
        if s.apart is not None:
            return SourceFields(apart=s.apart, pairs=pairs_ahead(min(s.n, FIELD) / s.apart), stream=s.stream)
        assert s.stamp is not None and s.index is not None and s.many is not None
        arrays = [np.ascontiguousarray(a, t) for a, t in ((s.stamp, np.int64), (s.index, np.int32), (s.many, np.int32))]
        stamp, index, many = (self.memory.at(a) for a in arrays)
        return SourceFields(stamp=stamp, index=index, many=many, events=len(arrays[0]))


def mean_stretch(edges: Edges) -> float:
    """How many synapses a source has of one delay, where it has any."""
    return edges.count / max(1, int(np.count_nonzero(np.diff(edges.starts))))


def longest_row(edges: Edges) -> int:
    """How many synapses a source has at most."""
    return int(np.diff(edges.starts[:: len(edges.delays)]).max())


def row_words(edges: Edges) -> int:
    """Words of 16 bits of a `birc::Row`."""
    return -(-(WORDS + len(edges.delays) + 1) // WORDS) * WORDS


def fill_rows(table: Array, edges: Edges) -> None:
    """Write the `birc::Row` of each source: uint16 [sources, words]."""
    width = len(edges.delays)
    starts, first = edges.starts[:-1].reshape(edges.sources, width), edges.starts[:-1:width]
    table[:, :WORDS] = np.ascontiguousarray(first, np.int64).view(np.uint16).reshape(-1, WORDS)
    np.subtract(starts, first[:, None], out=table[:, WORDS : WORDS + width], casting="unsafe")
    table[:, WORDS + width] = edges.starts[width::width] - first


def is_dense(edges: Edges) -> bool:
    """Whether the targets of every stretch follow one another."""
    if edges.count < 2:
        return edges.count == 1
    if not _follow(edges.target[:SAMPLE], edges):
        return False
    return _follow(edges.target, edges)


def _follow(target: Array, edges: Edges) -> bool:
    breaks = np.diff(target) != 1
    inner = edges.starts[(edges.starts > 0) & (edges.starts < len(target))] - 1
    breaks[inner] = False
    return not breaks.any()


def is_apart(edges: Edges) -> bool:
    """Whether it is known that no stretch reaches a target twice; targets of a stretch ascend."""
    if not 1 < edges.count <= LOOKED_AT:
        return False
    again = edges.target[1:] == edges.target[:-1]
    again[edges.starts[(edges.starts > 0) & (edges.starts < edges.count)] - 1] = False
    return not again.any()


def pairs_ahead(mean: float) -> int:
    """Pairs of gaps that most steps need, where so many events are in a field on average."""
    return 1 + int((mean + mean**0.5) / 2)


def least_words(table: Array) -> Array:
    """Of the first probabilities, as many as are compared with all draws; the largest word where there are no more."""
    words = [least_word(float(probability)) for probability in table[:FEW]]
    return np.array([*words, *[LARGEST] * (FEW - len(words))], np.uint32)


def least_word(probability: float) -> int:
    """The upper word of the least draw above a probability: a draw is (k + 0.5) / 2^53, rounded, for the first 53 of 64 bits.

    The largest word where no draw is above it: a draw that begins with that is finished in any case.
    """
    low, high = 0, 1 << 53
    while low < high:
        middle = (low + high) // 2
        if (float(middle) + 0.5) * 2.0**-53 > probability:
            high = middle
        else:
            low = middle + 1
    return min(low >> 21, LARGEST)


def stages(network: BoundNetwork) -> list[int]:
    """Where in the order of populations those begin that wait for spikes of the ones before."""
    place = {name: i for i, name in enumerate(network.order)}
    at_once: Mapping[str, set[str]] = {name: set() for name in network.order}
    for p in network.projections:
        direct = len(p.edges.delays) > 0 and int(p.edges.delays[0]) == 0
        if direct and p.source in place and p.target in place and place[p.source] < place[p.target]:
            at_once[p.target].add(p.source)
    found = [0]
    for i, name in enumerate(network.order):
        if at_once[name] & set(network.order[found[-1] : i]):
            found.append(i)
    return [*found, len(network.order)]


def shares(network: BoundNetwork, stages: list[int]) -> dict[str, tuple[int, int, int]]:
    """Of each group: the work of those ahead of it in its stage, its own, and that of all of the stage. Sources have one of their own."""
    incoming = {p.name: 0 for p in network.populations}
    for projection in network.projections:
        if projection.target in incoming:
            incoming[projection.target] += projection.edges.count
    work = {p.name: max(1, NEURON * p.n + incoming[p.name]) for p in network.populations}
    work |= {s.name: max(1, s.n) for s in network.sources}
    found: dict[str, tuple[int, int, int]] = {}
    for names in [[s.name for s in network.sources], *(network.order[first:stop] for first, stop in pairwise(stages))]:
        *before, total = accumulate((work[name] for name in names), initial=0)
        found |= {name: (at, work[name], total) for name, at in zip(names, before, strict=True)}
    return found
