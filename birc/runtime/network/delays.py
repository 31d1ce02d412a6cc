"""Delays in steps, and the order in which populations act within one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.errors import BircError, Span
from birc.ir.connectivity.edges import Drawn

Array = npt.NDArray[Any]
LONGEST = 1 << 20
"""Steps of delay beyond which a delay is a slip of the pen: the spikes of as many steps are kept."""


def steps_of(drawn: Drawn, values: Array | float, h: float, span: Span | None, what: str) -> Array | int:
    """Delays (ms) in steps: floor(T/h + 0.5); what is drawn is one step at least.

    Raises I132 for one that is negative or too long, and for one above 0 that would be none.
    """
    times = np.asarray(values, np.float64)
    steps = np.floor(times / h + 0.5)
    wrong = ~((times >= 0) & (steps <= LONGEST))
    if wrong.any():
        shown = float(times.reshape(-1)[int(np.argmax(wrong))])
        raise BircError("I132", f"{what} of {shown:g} ms is no number of steps from 0 to {LONGEST}", span)
    if drawn.kind in ("uniform", "normal"):
        steps = np.maximum(steps, 1)
    short = (steps == 0) & (times > 0)
    if short.any():
        shown = float(times.reshape(-1)[int(np.argmax(short))])
        help = f"make it {h:g} ms at least, or shorten the step"
        raise BircError("I132", f"{what} of {shown:g} ms is no delay at all with a step of {h:g} ms", span, help)
    return int(steps) if steps.ndim == 0 else steps.astype(np.int32)


def in_order(populations: Sequence[str], at_once: Mapping[tuple[str, str], Span | None]) -> tuple[str, ...]:
    """Populations, each behind those that reach it without delay (the keys of `at_once`), else in their order. Raises M135 for a cycle."""
    rest, done = list(populations), []
    while rest:
        ready = next((p for p in rest if not any((q, p) in at_once for q in rest)), None)
        if ready is None:
            cycle = _cycle(rest, at_once)
            links = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
            message = f"the cycle {' -> '.join([*cycle, cycle[0]])} has no delay: some of it is no step long"
            raise BircError("M135", message, at_once[links[-1]], "a spike needs time around a cycle: `axon = 1 ms`")
        rest.remove(ready)
        done.append(ready)
    return tuple(done)


def _cycle(rest: list[str], at_once: Mapping[tuple[str, str], Span | None]) -> list[str]:
    """A cycle among populations each of which is reached by another of them."""
    path = [rest[0]]
    while True:
        before = next(q for q in rest if (q, path[-1]) in at_once)
        if before in path:
            return list(reversed(path[path.index(before) :]))
        path.append(before)
