"""Run a network: in stretches, with recordings, progress and a guard against states that leave the finite range."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends.networks import BoundNetwork, Chooses, Kept, NetworkJob, NetworkRunner
from birc.errors import BircError
from birc.ir.model import Network
from birc.ir.step import OFFSET
from birc.runtime.located import locates, placed
from birc.runtime.memory import require
from birc.runtime.network.bind import Ready
from birc.runtime.network.checkpoint import Checkpoints
from birc.runtime.network.collected import Collected, Streamed
from birc.runtime.network.guards import Rates, finite, left_range
from birc.runtime.network.result import NetworkResult
from birc.runtime.network.state import NetworkState
from birc.runtime.network.values import number
from birc.runtime.recording import row_stamps
from birc.runtime.result import Result, State
from birc.units import ONE, Unit

Array = npt.NDArray[Any]
Progress = Callable[[int, int, int], None]
"""Called with the steps done, the steps to do, and the spikes so far."""

STRETCH = 0.2
"""Seconds after which a run should come back, to see Ctrl-C and to show progress."""
FIRST = 16
"""Steps of the first stretch, before the pace is known."""
GROWTH = 64
"""How many times as long as the last one a stretch may be: the first steps may tell little of those to come."""
MANY_CELLS, MANY_SYNAPSES = 20_000, 5_000_000
"""Networks with fewer run on one thread, unless more are asked for."""
MAX_RATE = 500.0
"""Hz: the mean rate of a population over 100 ms beyond which a run is stopped, unless another is given."""
MOST_ROWS = 1 << 22
"""Values of sources that are made at a time, and places of spikes inside steps that are recorded, about."""


@dataclass(frozen=True)
class Recorded:
    """A variable of a group (or a signal) that is recorded: instances first … first + count - 1, every so many steps."""

    group: str
    variable: str | None
    first: int
    count: int
    every: int
    unit: Unit

    @property
    def name(self) -> str:
        """What it is called among the recorded variables of its group."""
        return self.variable or "level"

    @property
    def key(self) -> str:
        """Its array in the state."""
        return self.group if self.variable is None else f"{self.group}.{self.variable}"


def what_is_recorded(network: Network, bound: BoundNetwork, h: float, names: Mapping[str, Any]) -> tuple[Recorded, ...]:
    """The network's `record` lines but for spikes, which are always kept. Raises I143 where the intervals of one group differ."""
    units = {p.name: {**{s.name: s.unit for s in p.step.slots}, **{o.name: o.unit for o in p.step.outputs}} for p in bound.populations}
    sizes = {p.name: p.n for p in bound.populations}
    found: list[Recorded] = []
    for record in network.records:
        end = record.what
        if end.port == "spikes" or (end.port is None and end.population not in {s.name for s in bound.signals}):
            continue
        interval = 1 if record.every is None else max(1, int(np.floor(number(record.every, names) / h + 0.5)))
        if end.port is None:
            found.append(Recorded(end.population, None, 0, 1, interval, ONE))
            continue
        if end.port not in units[end.population]:
            message = f"`{end.population}.{end.port}` is no state and no output, so it is not kept from step to step"
            raise BircError("I104", message, record.span)
        first = end.start or 0
        count = (sizes[end.population] if end.stop is None else end.stop) - first
        found.append(Recorded(end.population, end.port, first, count, interval, units[end.population][end.port]))
        if any(r.group == end.population and r.every != interval for r in found):
            raise BircError("I143", f"the variables of `{end.population}` are recorded at one interval, not at several", record.span)
        if sum(r.key == found[-1].key for r in found) > 1:
            raise BircError("I143", f"`{found[-1].key}` is recorded twice", record.span, "name one stretch of its cells: `E[0:10].v`")
    return tuple(found)


def simulate_network(
    runner: NetworkRunner,
    ready: Ready,
    *,
    h: float,
    start: int,
    steps: int,
    seed: int,
    dtype: str,
    program: str,
    names: Mapping[str, Any],
    threads: int | None = None,
    progress: Progress | None = None,
    state: Mapping[str, Array] | None = None,
    manifest: Mapping[str, Any] | None = None,
    checkpoints: Checkpoints | None = None,
    pause: int | None = None,
    stream: str | Path | None = None,
    max_rate: float = MAX_RATE,
    sources: bool = False,
) -> NetworkResult:
    """Run the stamps (start, start + steps] from `state`, or from the state of `ready`.

    checkpoints: one is made at every stamp that `pause` divides, and the result begins where the first run of them began. stream: a
    folder for unnamed files that hold spikes and recordings, in place of memory.
    Ctrl-C ends the run; the result then holds what was there until then. Raises R001 where a state leaves the finite range, R003 where
    the mean rate of a population is above `max_rate` (Hz). sources: keep the events of all sources, not only of those that the network
    records.
    """
    network = ready.network
    recorded = what_is_recorded(network.program.network, network, h, names)
    values = {name: array.copy() for name, array in (state if state is not None else ready.state).items()}
    collected = Collected() if stream is None or checkpoints is not None else Streamed(Path(stream))
    if stream is None:
        size = sum((steps // r.every + 1) * r.count * values[r.key].itemsize for r in recorded)
        require(size, "what is recorded", "record fewer cells, or less often: `every 1 ms`")
    team = threads or usual_threads(network)
    silent = frozenset() if sources else silent_sources(network)

    def job(of: dict[str, Array], start: int, steps: int, kept: tuple[Kept, ...] = ()) -> NetworkJob:
        given = {name: np.ascontiguousarray(source.rows(start, steps)) for name, source in ready.values.items()}
        return NetworkJob(network, start, steps, of, given, record=kept, silent=silent, seed=seed, threads=team)

    def again(of: Mapping[str, Array], start: int, steps: int) -> Mapping[str, Array]:
        copy = {name: array.copy() for name, array in of.items()}
        runner.run(job(copy, start, steps))
        return copy

    rates, fired = Rates(network, h, max_rate), 0
    located = {p.name: p.n for p in network.populations if locates(p.step)}
    width = sum(source.width for source in ready.values.values()) + sum(located.values())
    most = max(1, int(MOST_ROWS / max(width, 1)))
    stop, at, length, reason = start + steps, start, min(FIRST, most), ""
    before = {name: array.copy() for name, array in values.items()}
    try:
        while at < stop:
            left = stop - at
            count = min(left if left <= 1.1 * length else length, pause - at % pause if pause else left)  # no short one behind
            began = time.perf_counter()
            kept = tuple(_window(r, at, count, values) for r in recorded)
            offsets = {name: _every_step(f"{name}.{OFFSET}", n, count, values) for name, n in located.items()}
            spikes = dict(runner.run(job(values, at, count, (*kept, *offsets.values()))))
            spikes |= {name: placed(spikes[name], where.rows, at) for name, where in offsets.items()}
            if not finite(values):
                raise left_range(network, before, at, count, h, again)
            for r, k in zip(recorded, kept, strict=True):
                collected.add_rows(r.key, k.rows)
            for name, found in spikes.items():
                collected.add_spikes(name, found)
            at += count
            fired += sum(len(found.index) for found in spikes.values())
            rates.check(at, count, spikes)
            for name, array in values.items():
                if before[name].shape == array.shape:
                    before[name][...] = array
                else:
                    before[name] = array.copy()
            if checkpoints is not None and pause and at % pause == 0 and at < stop:
                checkpoints.save(NetworkState(network.program.name, at, h, seed, dtype, program, values), collected)
            if progress is not None:
                progress(at - start, steps, fired)
            took = max(time.perf_counter() - began, 1e-6)
            length = max(1, min(most, GROWTH * length, int(count * STRETCH / took)))
    except KeyboardInterrupt:
        values, reason = before, f"interrupted at {at * h:g} ms"
    end = NetworkState(network.program.name, at, h, seed, dtype, program, values)
    if checkpoints is not None:
        collected = checkpoints.join(collected, Collected() if stream is None else Streamed(Path(stream)))
        start = checkpoints.start
    groups = _results(network, recorded, collected, start, at, h, seed, values, silent, frozenset(located))
    first = {f"{r.group}.{r.name}": r.first for r in recorded}
    about = {**(manifest or {}), **(runner.chosen if isinstance(runner, Chooses) else {})}
    return NetworkResult(network.program.name, groups, h, start, at, seed, end, network, first, reason, ready.warnings, about)


def silent_sources(network: BoundNetwork) -> frozenset[str]:
    """The sources of events that the network does not record: there may be far more of their events than of spikes."""
    recorded = {r.what.population for r in network.program.network.records}
    return frozenset(s.name for s in network.sources if s.name not in recorded)


def usual_threads(network: BoundNetwork) -> int:
    """How many threads a network is worth: steps of a small one are over before a second thread has begun."""
    cells = sum(p.n for p in network.populations)
    synapses = sum(p.edges.count for p in network.projections)
    if cells < MANY_CELLS and synapses < MANY_SYNAPSES:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _window(r: Recorded, start: int, steps: int, values: Mapping[str, Array]) -> Kept:
    rows = (start + steps) // r.every - start // r.every
    return Kept(r.key, np.empty((rows, r.count), values[r.key].dtype), r.first, r.every)


def _every_step(key: str, n: int, steps: int, values: Mapping[str, Array]) -> Kept:
    return Kept(key, np.empty((steps, n), values[key].dtype), 0, 1)


def _results(
    network: BoundNetwork,
    recorded: tuple[Recorded, ...],
    collected: Collected,
    start: int,
    stop: int,
    h: float,
    seed: int,
    values: Mapping[str, Array],
    silent: frozenset[str],
    located: frozenset[str],
) -> dict[str, Result]:
    """A result for each group whose spikes are kept, and each signal."""
    results = {}
    sizes = {p.name: p.n for p in network.populations} | {s.name: s.n for s in network.sources} | {s.name: 1 for s in network.signals}
    for name in [name for name in sizes if name not in silent]:
        n = sizes[name]
        mine = [r for r in recorded if r.group == name]
        own = {key.removeprefix(f"{name}."): a for key, a in values.items() if key.startswith(f"{name}.")}
        results[name] = Result(
            model=name,
            n=n,
            dt=h,
            start=start,
            stop=stop,
            every=mine[0].every if mine else 1,
            seed=seed,
            stamps=collected.stamps(name),
            index=collected.index(name),
            recorded={r.name: _rows(r, collected, start, stop, values) for r in mine},
            declared={r.name: r.unit for r in mine},
            state=State(name, stop, h, seed, own),
            offsets=collected.offsets(name) if name in located else None,
        )
    return results


def _rows(r: Recorded, collected: Collected, start: int, stop: int, values: Mapping[str, Array]) -> Array:
    """The rows of a variable up to the end of a run that may have been interrupted."""
    return collected.all_rows(r.key, r.count, values[r.key].dtype)[: len(row_stamps(start, stop, r.every))]
