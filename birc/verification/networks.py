"""A target's run of a network against the reference's: the same synapses, every step from the reference's own state, and the whole run.

The reference of every target is NumPy; that of NumPy is the interpreter of the IR. A network makes its own stimulus, its sources; what it
did not reach is listed, and then it is `not exercised`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import FLOATS, Backend, Dtype
from birc.backends.networks import (
    HISTORY_COUNT,
    HISTORY_INDEX,
    HISTORY_MANY,
    BoundNetwork,
    BuildsNetworks,
    NetworkJob,
    NetworkRunner,
    RunsNetworks,
)
from birc.backends.numpy.network import NetworkLoop, load_network
from birc.backends.numpy.network import emit_network as emit_numpy
from birc.ir.connectivity.build import wire
from birc.ir.evaluate import Moment, interpret
from birc.ir.network import NetworkProgram
from birc.ir.step import Step
from birc.runtime.network.bind import Ready, bind_network
from birc.verification.report import Report
from birc.verification.statistics import apart

Array = npt.NDArray[Any]
State = dict[str, Array]

BOUNDS: Mapping[Dtype, float] = {"f64": 1e-12, "f32": 1e-5}
"""What a state may be off after one step, relative to the largest value of its array in the run."""


@dataclass(frozen=True)
class Found:
    """The first difference in lock-step."""

    stamp: int
    variable: str
    place: int
    got: float
    expected: float
    error: float


def interpreter(dtype: Dtype) -> NetworkRunner:
    """Runs the programs of a network on the interpreter."""

    def execute(step: Step, n: int, bind: Any, state: Any, inputs: Any, events: Any, draw: Any, tables: Any) -> Any:
        outcome = interpret(step, Moment(n, bind, state, inputs, events, draw, FLOATS[dtype], tables=tables))
        return outcome.state, outcome.fired, outcome.outputs

    return NetworkLoop(dtype, execute)


def verify_network(program: NetworkProgram, backend: Backend, *, h: float, dtype: Dtype, steps: int, seed: int, dt: str) -> Report:
    """Compare a target with the reference over `steps` steps of a network."""
    report = Report(backend.name, program.name, "pass", dt=dt, dtype=dtype, span=None)
    if not isinstance(backend, RunsNetworks):
        return replace(report, status="refused", reason=f"the target {backend.name} takes no networks yet", span=program.network.span)
    refusals = backend.refuse_network(program, dtype)
    if refusals:
        return replace(
            report,
            status="refused",
            reason="; ".join(d.message for d in refusals),
            span=refusals[0].span,
            detail="\n".join(map(str, refusals)),
        )
    missing = backend.missing()
    if missing is not None:
        return replace(report, status="unavailable", reason=f"{missing.what}: {missing.how}")
    ready = bind_network(program, h=h, dtype=dtype, seed=seed, start=0, steps=steps, wire=wire)
    difference = _synapses_differ(program, backend, ready, h, dtype, seed)
    if difference:
        return replace(report, status="fail", reason=difference)
    runner = backend.load_network(backend.emit_network(program, dtype))
    reference = interpreter(dtype) if backend.name == "numpy" else load_network(emit_numpy(program, dtype))
    return _compare(report, ready, reference, runner, steps, seed, dtype)


def _synapses_differ(program: NetworkProgram, backend: Backend, ready: Ready, h: float, dtype: Dtype, seed: int) -> str:
    """Whether the target makes other synapses than the reference."""
    if not isinstance(backend, BuildsNetworks):
        return ""
    own = bind_network(program, h=h, dtype=dtype, seed=seed, start=0, steps=1, wire=backend.builder())
    for a, b in zip(ready.network.projections, own.network.projections, strict=True):
        same = all(np.array_equal(getattr(a.edges, part), getattr(b.edges, part)) for part in ("delays", "starts", "target"))
        if not same:
            return f"it makes other synapses of {a.name}"
        if not np.array_equal(np.asarray(a.weight if a.weight is not None else 0), np.asarray(b.weight if b.weight is not None else 0)):
            return f"it draws other weights for {a.name}"
    return ""


def _job(ready: Ready, state: State, start: int, steps: int, seed: int) -> NetworkJob:
    values = {name: np.ascontiguousarray(source.rows(start, steps)) for name, source in ready.values.items()}
    return NetworkJob(ready.network, start, steps, state, values, seed=seed)


def _compare(report: Report, ready: Ready, reference: NetworkRunner, target: NetworkRunner, steps: int, seed: int, dtype: Dtype) -> Report:
    """Lock-step, one step after the other; then the target's own run beside the reference's."""
    state = {name: a.copy() for name, a in ready.state.items()}
    scale: dict[str, float] = {}
    worst, where, first, exact = 0.0, "", None, True
    fired: dict[str, list[tuple[int, Array]]] = {p.name: [] for p in ready.network.populations}
    moved: set[str] = set()
    heard: set[str] = set()
    for k in range(steps):
        before = {name: a.copy() for name, a in state.items()}
        other = {name: a.copy() for name, a in state.items()}
        right = reference.run(_job(ready, state, k, 1, seed))
        left = target.run(_job(ready, other, k, 1, seed))
        for name, spikes in right.items():
            heard |= {name} if len(spikes.index) else set()
            if name in fired and len(spikes.index):
                fired[name].append((k + 1, spikes.index))
            if first is None and not np.array_equal(spikes.index, left[name].index):
                odd = np.setxor1d(spikes.index, left[name].index)
                place = int(odd[0]) if len(odd) else 0
                first = Found(k + 1, f"spikes of {name}", place, float(place in left[name].index), float(place in spikes.index), np.inf)
        for name, a in _seen(state).items():
            if a.dtype.kind == "f":
                scale[name] = max(scale.get(name, 0.0), float(np.abs(a).max(initial=0.0)))
                moved |= {name} if not np.array_equal(a, before[name]) else set()
            b = _seen(other)[name]
            if np.array_equal(a, b):
                continue
            exact = False
            if a.shape != b.shape:  # a queue
                first = first or Found(k + 1, f"the number of entries of {name}", 0, float(len(b)), float(len(a)), np.inf)
                continue
            error = np.abs(a.astype(np.float64) - b) / (scale.get(name, 1.0) or 1.0)
            place = int(np.argmax(error))
            if error.reshape(-1)[place] > worst:
                worst, where = float(error.reshape(-1)[place]), name
            bound = BOUNDS[dtype] if a.dtype.kind == "f" else 0.0
            if first is None and error.reshape(-1)[place] > bound:
                got, expected = float(b.reshape(-1)[place]), float(a.reshape(-1)[place])
                first = Found(k + 1, name, place, got, expected, float(error.reshape(-1)[place]))
    if first is not None:
        return _failed(report, first, worst, where)
    unreached = _unreached(ready.network, heard, moved)
    apart = _run_freely(ready, target, fired, state if exact else None, steps, seed)
    if apart:
        return replace(report, status="fail", worst=worst, where=where, reason=apart)
    level = "L0" if exact else "L1" if dtype == "f64" else "L2"
    if dtype == "f32" and level == "L0":
        level = "L2"
    status = "not exercised" if unreached else "pass"
    return replace(report, status=status, level="" if unreached else level, worst=worst, where=where, unreached=unreached)  # type: ignore[arg-type]


def _seen(state: Mapping[str, Array]) -> dict[str, Array]:
    """What counts of a state: of rows of spikes, the part that is in use."""
    found = {name: a for name, a in state.items() if not name.endswith((HISTORY_INDEX, HISTORY_MANY))}
    for name in state:
        for end in (HISTORY_INDEX, HISTORY_MANY):
            if name.endswith(end):
                count = state[name.removesuffix(end) + HISTORY_COUNT]
                rows = state[name]
                used = np.arange(rows.shape[1]) < count[:, None]
                found[name] = np.where(used, rows, 0)
    return found


def _failed(report: Report, first: Found, worst: float, where: str) -> Report:
    """What differs first, and what that hints at."""
    if first.error < 1e-3:
        hint = "it is small: another order of operations, or another function of the target"
    elif np.isinf(first.error):
        hint = "the states before are equal: another order of events, a delay, or the condition of the spike"
    else:
        hint = "it is no rounding: another rule"
    detail = (
        f"{report.target} and the reference part at stamp {first.stamp}, from the same state at stamp {first.stamp - 1}:\n"
        f"  {first.variable}, number {first.place}: {first.got!r}, and {first.expected!r} in the reference\n  {hint}"
    )
    reason = f"{first.variable} differs at stamp {first.stamp}"
    return replace(
        report, status="fail", worst=worst, where=where, reason=reason, detail=detail, step=first.stamp - 1, variable=first.variable
    )


def _unreached(network: BoundNetwork, heard: set[str], moved: set[str]) -> tuple[str, ...]:
    """What of the network was not exercised: groups that never fired, projections without synapses, traces and signals that stayed 0."""
    found = [f"spikes of {p.name}" for p in network.populations if _spikes(p.step) and p.name not in heard]
    found += [f"events of {s.name}" for s in network.sources if s.name not in heard]
    for projection in network.projections:
        if not projection.edges.count:
            found.append(f"{projection.name} has no synapses")
            continue
        if projection.synapse is None:
            continue
        names = [s.name for s in projection.synapse.start.slots if f"{projection.name}.{s.name}" not in moved]
        traces = [t.name for t in projection.synapse.traces if f"{projection.name}.trace.{t.name}" not in moved]
        found += [f"{projection.name}: `{name}` never changed" for name in (*names, *traces)]
    return (*found, *(f"the signal {s.name}" for s in network.signals if s.name not in moved))


def _spikes(step: Step) -> bool:
    return bool(step.phase("emit"))


def _run_freely(
    ready: Ready, target: NetworkRunner, fired: Mapping[str, list[tuple[int, Array]]], end: State | None, steps: int, seed: int
) -> str:
    """The target's whole run: the reference's spikes and, in `end`, its last state, where every step was equal to the bit; else the
    same statistics of each population's spikes."""
    state = {name: a.copy() for name, a in ready.state.items()}
    got = target.run(_job(ready, state, 0, steps, seed))
    for name, found in fired.items():
        index = np.concatenate([np.zeros(0, np.int32), *(i for _, i in found)])
        stamp = np.concatenate([np.zeros(0, np.int64), *(np.full(len(i), t) for t, i in found)])
        if end is not None:
            same = np.array_equal(index, got[name].index) and np.array_equal(stamp, got[name].stamp)
            if not same:
                return f"run freely, {name} fires otherwise than the reference, though every single step is the same"
            continue
        difference = apart((index, stamp), (got[name].index, got[name].stamp), steps)
        if difference:
            return f"run freely, {name} {difference}"
    own = _seen(state)
    for name, a in _seen(end or {}).items():
        if not np.array_equal(a, own[name]):
            return f"run freely, {name} ends otherwise than in the reference, though every single step is the same"
    return ""
