"""What stops a run of a network: a state that leaves the finite range, a population that runs away."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import Spikes
from birc.backends.networks import QUEUE_PAYLOAD, QUEUE_TARGET, BoundNetwork
from birc.errors import BircError
from birc.runtime.bind import show

Array = npt.NDArray[Any]
State = Mapping[str, Array]
Again = Callable[[State, int, int], State]

WINDOW = 100.0
"""The time in ms over which a mean rate is taken."""


def finite(state: State) -> bool:
    """Whether every real number of a state is."""
    return all(a.dtype.kind != "f" or bool(np.isfinite(a).all()) for a in state.values())


def left_range(
    network: BoundNetwork, before: State, start: int, steps: int, h: float, again: Callable[[State, int, int], State]
) -> BircError:
    """R001 with the stamp, the cell and the variable: the stretch is run again from its start, in halves.

    `again(state, start, steps)` gives the state that many steps later, and leaves the one it is given alone.
    """
    low, high, good = 0, steps, before
    while high - low > 1:
        half = (high - low) // 2
        trial = again(good, start + low, half)
        if finite(trial):
            low, good = low + half, trial
        else:
            high = low + half
    bad = again(good, start + low, 1)
    name = next(n for n, a in bad.items() if a.dtype.kind == "f" and not np.isfinite(a).all())
    flat = bad[name].reshape(-1)
    place = int(np.argmax(~np.isfinite(flat)))
    stamp = start + low + 1
    when = f"at stamp {stamp} ({stamp * h:g} ms)"
    became = "not a number" if np.isnan(flat[place]) else "infinite"
    if name.endswith(QUEUE_PAYLOAD):
        sender = name.removesuffix(QUEUE_PAYLOAD)
        message = f"what {sender} sends to its target {int(bad[sender + QUEUE_TARGET][place])} became {became} {when}"
        return BircError("R001", message, help="look at the parameters and states of its synapses")
    group, _, slot = name.rpartition(".")
    population = next((p for p in network.populations if p.name == group), None)
    found = next((s for s in (population.step.slots if population else ()) if s.name == slot), None)
    was = float(good[name].reshape(-1)[place])
    shown = show(was, found.unit) if found else f"{was:g}"
    who = f"neuron {place} of `{group}`" if population else f"synapse {place} of {group}" if group else f"the signal `{name}`"
    return BircError(
        "R001",
        f"`{slot}` of {who} became {became} {when}",
        found.span if found else None,
        f"it was {shown} at the stamp before; look at its parameters and at what reaches it, or make the step shorter",
    )


class Rates:
    """Mean rates over the last 100 ms, and the limit (Hz) beyond which a run is stopped."""

    def __init__(self, network: BoundNetwork, h: float, limit: float) -> None:
        self.sizes = {p.name: p.n for p in network.populations}
        self.spans = {p.population.name: p.population.span for p in network.program.populations}
        self.h, self.limit = h, limit
        self.recent: deque[tuple[int, dict[str, int]]] = deque()

    def check(self, stamp: int, steps: int, spikes: Mapping[str, Spikes]) -> None:
        """R003 where a population fires more often than the limit allows; `spikes` are those of the last `steps` steps."""
        self.recent.append((steps, {name: len(spikes[name].index) for name in self.sizes}))
        time = self.h * sum(n for n, _ in self.recent)
        while time - self.h * self.recent[0][0] >= WINDOW:
            time -= self.h * self.recent.popleft()[0]
        if time < WINDOW:
            return
        for name, n in self.sizes.items():
            rate = 1e3 * sum(found[name] for _, found in self.recent) / (n * time)
            if rate > self.limit:
                message = (
                    f"`{name}` runs away: {rate:.4g} Hz on the mean over the last {time:.4g} ms, at stamp {stamp} ({stamp * self.h:g} ms)"
                )
                help = f"{self.limit:g} Hz are allowed; look at the weights that reach it, or allow more with `--max-rate`"
                raise BircError("R003", message, self.spans[name], help)
