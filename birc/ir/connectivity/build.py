"""Makes the synapses of a projection: the reference that every target's own builder repeats to the bit."""

from __future__ import annotations

from typing import Literal

import numpy as np

from birc.errors import BircError
from birc.ir.connectivity.draws import draw
from birc.ir.connectivity.edges import Array, Backward, Drawn, Edges, Wired, Wiring
from birc.ir.connectivity.rules import pairs


def wire(wiring: Wiring, delay: tuple[Drawn, float], values: tuple[Drawn, ...] = (), dtype: Literal["f64", "f32"] = "f64") -> Wired:
    """The synapses of a rule with their delays, and the values drawn for each of them.

    `delay` is (T, h): its number of steps is floor(T / h + 0.5), and at least one where T is drawn. The delays of the result are those
    that occur, and a constant one always. Values are drawn in float64 and kept as `dtype`. Raises what the rule raises.
    """
    source, target, occurrence = pairs(wiring)
    for drawn in (delay[0], *values):
        check_array(drawn, wiring, len(source))
    found = [draw(value, wiring.seed, source, target, occurrence) for value in values]
    steps = delay_steps(delay[0], draw(delay[0], wiring.seed, source, target, occurrence), delay[1])
    edges, order = sorted_edges(source, target, steps, wiring.sources, wiring.targets)
    real = {"f64": np.float64, "f32": np.float32}[dtype]
    return Wired(edges, tuple(value[order].astype(real, copy=False) if isinstance(value, np.ndarray) else value for value in found))


def check_array(drawn: Drawn, wiring: Wiring, count: int) -> None:
    """I110 for an array that has no number for each of `count` synapses: [synapses], or [sources, targets]."""
    if drawn.array is None or drawn.array.shape in ((count,), (wiring.sources, wiring.targets)):
        return
    forms = f"({count},): one number per synapse; ({wiring.sources}, {wiring.targets}): one per source and target"
    raise BircError("I110", f"an array of shape {drawn.array.shape} does not fit {count} synapses", help=f"it can be {forms}")


def sorted_edges(source: Array, target: Array, steps: Array, sources: int, targets: int) -> tuple[Edges, Array]:
    """Synapses (in the order of `rules`) as edges, given their delays in steps, [synapses] or [1]; and where each of these came from."""
    delays, which = np.unique(steps, return_inverse=True)
    row = source.astype(np.int64) * max(1, len(delays)) + (which if len(which) == len(source) else 0)
    order = np.argsort(row, kind="stable")
    starts = np.zeros(sources * len(delays) + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=len(starts) - 1), out=starts[1:])
    return Edges(sources, targets, delays, starts, target[order]), order


def delay_steps(drawn: Drawn, time: Array | float, h: float) -> Array:
    """Delays in steps (int64): [synapses], or [1] where they are constant."""
    steps = np.floor(np.atleast_1d(np.asarray(time, dtype=np.float64)) / h + 0.5).astype(np.int64)
    return np.maximum(steps, 1) if drawn.kind in ("uniform", "normal") else steps


def backward(edges: Edges, delays: int | Array) -> Backward:
    """The synapses from their targets, by the delay of `on post` in steps: a number, or int [synapses] in the order of the edges."""
    return Backward(edges, np.atleast_1d(np.asarray(delays, dtype=np.int64)))
