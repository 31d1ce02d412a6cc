"""Makes synapses in parallel: what `birc.ir.connectivity.build.wire` makes, to the bit, in little more memory than they take.

Three passes: how many targets each source has; the targets, row by row of their sources; then each row is sorted by delay and its values
are drawn. A draw that a later pass needs is made again, which costs less than keeping it. Rules without chance other than `all_to_all`
come from the reference.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from birc.backends import FLOATS, Array, Dtype
from birc.backends.c_family import build
from birc.backends.c_family.headers import header
from birc.ir.connectivity.build import check_array, delay_steps
from birc.ir.connectivity.cells import own_source, own_target, room
from birc.ir.connectivity.chance import degree, log_of_none
from birc.ir.connectivity.draws import draw
from birc.ir.connectivity.edges import Drawn, Edges, Wired, Wiring
from birc.ir.connectivity.rules import pairs
from birc.ir.connectivity.total import how_many

SLAB = 1 << 22
"""About how many synapses one call of the library makes: signals are handled between calls."""
LONGEST_NORMAL = 9.0
"""No normal draw is farther from 0: sqrt(-2 log(2^-54)) is 8.7."""

POINTER = ctypes.c_void_p
CONSTANT, UNIFORM, NORMAL, LISTED, DENSE = range(5)
KINDS = {"constant": CONSTANT, "uniform": UNIFORM, "normal": NORMAL}


class WiringFields(ctypes.Structure):
    """`birc::Wiring`."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("sources", "targets", "same", "alone", "several", "k")),
        ("seed", ctypes.c_uint64),
        ("stream", ctypes.c_int64),
        ("none", ctypes.c_double),
        ("rest", ctypes.c_int64),
        ("threads", ctypes.c_int64),
    )


class DrawnFields(ctypes.Structure):
    """`birc::Drawn`."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("kind", "stream", "narrow")),
        *((name, ctypes.c_double) for name in ("a", "b", "low", "high")),
        ("array", POINTER),
        ("out", POINTER),
    )


class DelayFields(ctypes.Structure):
    """`birc::Delays`."""

    _fields_ = (
        ("drawn", DrawnFields),
        ("h", ctypes.c_double),
        ("lowest", ctypes.c_int64),
        ("columns", ctypes.c_int64),
        ("column", POINTER),
    )


@cache
def library() -> ctypes.CDLL:
    """The builder, compiled once. Raises X201 to X204 as `build.library` does."""
    return build.library("\n".join([header("birc_types.h"), header("birc_random.h"), header("birc_wire.h", "birc.backends.native")]))


def wire(wiring: Wiring, delay: tuple[Drawn, float], values: tuple[Drawn, ...] = (), dtype: Dtype = "f64", threads: int = 1) -> Wired:
    """See `birc.ir.connectivity.build.wire`; drawn values are of type `dtype`. Raises also what `library` raises."""
    maker = Maker(library(), wiring, _fields(wiring, threads))
    row, target = maker.targets()
    return maker.finish(row, target, delay, values, dtype)


def _fields(w: Wiring, threads: int) -> WiringFields:
    alone = w.same is not None and "self" not in w.flags
    p = float(w.arguments["p"]) if w.rule == "random" else 0.0
    return WiringFields(
        sources=w.sources, targets=w.targets, same=w.same or 0, alone=alone, several="multapses" in w.flags, k=0, seed=w.seed,
        stream=w.stream, none=log_of_none(p) if 0.0 < p < 1.0 else 0.0, rest=False, threads=max(1, threads),
    )  # fmt: skip


@dataclass(frozen=True)
class Maker:
    """Makes the synapses of one projection."""

    library: ctypes.CDLL
    wiring: Wiring
    fields: WiringFields

    def call(self, name: str, span: tuple[int, int], synapses: float, *arguments: Any) -> None:
        """`birc_<name>` for the cells (or draws) of a span, about `SLAB` synapses at a time."""
        function = getattr(self.library, f"birc_{name}")
        function.restype = None
        first, last = span
        cuts = np.linspace(first, last, 1 + max(1, min(last - first, round(synapses / SLAB)))).astype(np.int64)
        for low, high in pairwise(cuts.tolist()):
            function(ctypes.byref(self.fields), ctypes.c_int64(low), ctypes.c_int64(high), *(_passed(a) for a in arguments))

    def targets(self) -> tuple[Array, Array]:
        """Where the targets of each source begin (int64 [sources + 1]), and the targets (int32 [synapses]), ascending for each."""
        w, fields = self.wiring, self.fields
        every = (0, w.sources)
        rooms = room(own_target(w), w.targets)
        p = float(w.arguments.get("p", 1.0))
        match w.rule:
            case "all_to_all" | "dense" | "random" if p == 1.0:
                row, target = _rows(rooms)
                self.call("all_targets", every, len(target), row, target)
            case "random" if p > 0.0:
                count = np.zeros(w.sources, np.int64)
                self.call("random_degrees", every, p * w.sources * w.targets, count)
                row, target = _rows(count)
                self.call("random_targets", every, len(target), row, target)
            case "fixed_outdegree":
                fields.k = degree(w, rooms, "targets")
                row, target = _rows(np.full(w.sources, fields.k))
                self.call("outdegree_targets", every, len(target), row, target)
            case "fixed_indegree":
                row, target = self._indegree()
            case "fixed_total":
                row, target = self._total(rooms)
            case _:
                source, target, _ = pairs(w)
                row, _ = _rows(np.bincount(source, minlength=w.sources))
        return row, target

    def _indegree(self) -> tuple[Array, Array]:
        w, fields = self.wiring, self.fields
        fields.k = degree(w, room(own_source(w), w.sources), "sources")
        count = np.zeros(w.sources, np.int64)
        synapses = fields.k * w.targets
        self.call("indegree_degrees", (0, w.targets), synapses, count)
        row, target = _rows(count)
        self.call("indegree_targets", (0, w.targets), synapses, row.copy(), target)
        self.call("sort", (0, w.sources), synapses, row, target)
        return row, target

    def _total(self, rooms: Array) -> tuple[Array, Array]:
        w, fields = self.wiring, self.fields
        every = (0, w.sources)
        wanted, fields.rest = how_many(w, rooms)
        count = np.zeros(w.sources, np.int64)
        self.call("total_sources", (0, wanted), wanted, count)
        found = count
        if not fields.several:
            known, found, drawn = np.zeros_like(count), np.zeros_like(count), wanted
            while drawn:
                self.call("total_degrees", every, drawn, count, known, found)
                missing = wanted - int(found.sum())
                if not missing:
                    break
                known = count.copy()
                self.call("total_sources", (drawn, drawn + missing), missing, count)
                drawn += missing
        row, target = _rows(rooms - found if fields.rest else found)
        self.call("total_targets", every, len(target), row, count, target)
        return row, target

    def finish(self, row: Array, target: Array, delay: tuple[Drawn, float], values: tuple[Drawn, ...], dtype: Dtype) -> Wired:
        """Sorts each source's synapses by delay, in place, and draws their values."""
        w, every, count = self.wiring, (0, self.wiring.sources), len(target)
        delays, fields, _kept = self._delays(row, target, *delay)
        starts = np.zeros(w.sources * len(delays) + 1, np.int64)
        outs = [value.a if value.kind == "constant" else np.empty(count, FLOATS[dtype]) for value in values]
        made = [(value, out) for value, out in zip(values, outs, strict=True) if isinstance(out, np.ndarray)]
        arrays = [_array(w, value, count) for value, _ in made]
        drawn = (DrawnFields * len(made))(*(_drawn(v, a, out) for (v, out), a in zip(made, arrays, strict=True)))
        starts[-1] = count
        if count:
            self.call("finish", every, count, row, target, fields, starts, drawn, len(made))
        return Wired(Edges(w.sources, w.targets, delays, starts, target), tuple(outs))

    def _delays(self, row: Array, target: Array, drawn: Drawn, h: float) -> tuple[Array, DelayFields, Array]:
        """The delays that there are, how the library finds the place of a synapse's delay among them, and an array that this needs."""
        w = self.wiring
        fields = DelayFields(drawn=_drawn(drawn, None, None), h=h, lowest=0, columns=1, column=None)
        if drawn.kind == "constant":
            return delay_steps(drawn, drawn.a, h), fields, np.zeros(0, np.int32)
        if drawn.kind == "array":
            source = np.repeat(np.arange(w.sources), np.diff(row))
            _array(w, drawn, len(target))
            delays, which = np.unique(delay_steps(drawn, draw(drawn, w.seed, source, target, source), h), return_inverse=True)
            column, fields.drawn.kind = which.astype(np.int32), LISTED
        else:
            lowest, highest = _bounds(drawn, h)
            column, fields.lowest = np.zeros(highest - lowest + 1, np.int32), lowest
            fields.column = column.ctypes.data
            self.call("survey", (0, w.sources), len(target), row, target, fields)
            present = np.flatnonzero(column)
            delays, column[present] = lowest + present, np.arange(len(present))
        fields.column, fields.columns = column.ctypes.data, len(delays)
        return delays, fields, column


def _bounds(drawn: Drawn, h: float) -> tuple[int, int]:
    """Steps that no drawn delay is below or above."""
    far = LONGEST_NORMAL * abs(drawn.b)
    ends = (drawn.a - far, drawn.a + far) if drawn.kind == "normal" else sorted((drawn.a, drawn.b))
    low, high = (int(s) for s in delay_steps(drawn, np.clip(ends, drawn.low, drawn.high), h))
    return max(1, low - 1), high + 1


def _array(w: Wiring, drawn: Drawn, count: int) -> Array | None:
    """The array of given numbers as the library reads it. Raises I110 for another shape than that of the synapses or of all pairs."""
    check_array(drawn, w, count)
    if drawn.array is None:
        return None
    return np.ascontiguousarray(drawn.array, dtype=np.float64)


def _drawn(drawn: Drawn, array: Array | None, out: Array | None) -> DrawnFields:
    kind = KINDS[drawn.kind] if drawn.kind != "array" else LISTED if drawn.array is None or drawn.array.ndim == 1 else DENSE
    return DrawnFields(
        kind=kind, stream=drawn.stream, narrow=out is not None and out.dtype == np.float32, a=drawn.a, b=drawn.b, low=drawn.low,
        high=drawn.high, array=None if array is None else array.ctypes.data, out=None if out is None else out.ctypes.data,
    )  # fmt: skip


def _rows(count: Array) -> tuple[Array, Array]:
    """Where each row begins (int64 [rows + 1]), and room for all."""
    row = np.zeros(len(count) + 1, np.int64)
    np.cumsum(count, out=row[1:])
    return row, np.empty(int(row[-1]), np.int32)


def _passed(argument: Any) -> Any:
    """An argument as the library takes it."""
    match argument:
        case np.ndarray():
            return POINTER(argument.ctypes.data)
        case int():
            return ctypes.c_int64(argument)
        case _:
            return ctypes.byref(argument)
