"""States in which a comparison stands on the edge: its two sides are equal. `>` for `>=` shows nowhere else.

Such states are found by bisection between two states of the reference run on which the comparison comes out differently.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from birc.backends import Array, Backend, Events, Job
from birc.ir.step import Emit, Step
from birc.verify.compare import SPIKE, First
from birc.verify.divergence import ULPS, Culprit, Divergence, Row, Watch, culprit, watch
from birc.verify.expose import ZEROS, Point, expose, spare_slots
from birc.verify.oracle import Oracle
from birc.verify.stimulus import silence
from birc.verify.trial import Stimulus, Trace, Trial, job_of, run_free

COMPARISONS = ("lt", "le", "gt", "ge")
SAMPLES = 200
HALVINGS = 70
"""Enough to bring two float64 numbers next to each other."""


def edge_divergence(step: Step, backend: Backend, reference: Watch, trial: Trial) -> Divergence | None:
    """The first comparison that a target decides otherwise on equal sides, or next to them; each operation on its own operands."""
    comparisons = [p for p in reference.points if p.value.op in COMPARISONS and _both_real(p, reference.points)]
    if not comparisons:
        return None
    target = watch(step, backend, "f64")
    for point in comparisons:
        edge = _edge(step, trial, point)
        if edge is None:
            continue
        seen, right = target.run(edge, edge.stimulus), reference.run(edge, edge.stimulus)
        for neuron in range(edge.stimulus.n):
            row = Row(reference.points, seen, right, edge, edge.stimulus, 0, neuron, np.float64)
            found = culprit(row)
            if found is not None:
                return _divergence(step, edge, point, neuron, row, found)
    return None


def _divergence(step: Step, edge: Trial, point: Point, neuron: int, row: Row, found: Culprit) -> Divergence:
    """Said of the first variable that comes out otherwise, or of the comparison itself."""
    emitted = [str(s.fired.attr) for _, s in step.statements() if isinstance(s, Emit)]
    for name in emitted:
        slot = next((p.slot for p in row.points if p.name == name), "")
        if slot and row.got(slot) != row.right.states[slot][1][neuron]:
            first = First(0, neuron, SPIKE, float(row.got(slot)), float(row.right.states[slot][1][neuron]))
            return Divergence(edge.stimulus.start, neuron, SPIKE, first.got, first.expected, found)
    for slot in (s.name for s in step.slots):
        got, expected = row.got(slot), row.right.states[slot][1][neuron]
        if abs(float(got) - float(expected)) > ULPS * abs(float(np.spacing(expected))) if expected.dtype.kind == "f" else got != expected:
            return Divergence(edge.stimulus.start, neuron, slot, float(got), float(expected), found)
    got, expected = row.got(point.slot), row.right.states[point.slot][1][neuron]
    return Divergence(edge.stimulus.start, neuron, point.owner, float(got), float(expected), found)


def _both_real(point: Point, points: tuple[Point, ...]) -> bool:
    kinds = {p.name: p.kind for p in points}
    return all(kinds.get(str(a.attr), "real") == "real" if a.op != "const" else isinstance(a.attr, float) for a in point.value.args)


def _edge(step: Step, trial: Trial, point: Point) -> Trial | None:
    """One step of as many instances as there are, each from a state that brings the two sides of a comparison together."""
    gap = _Gap(step, trial, point)
    n = trial.stimulus.n
    rows = np.unique(np.linspace(0, trial.stimulus.steps - 1, SAMPLES).astype(int))
    gaps = np.array([gap.of(gap.state(np.full(n, k)), np.full(n, k)) for k in rows])
    low, high = np.full(n, -1), np.full(n, -1)
    for i in range(n):
        below, above = rows[gaps[:, i] < 0], rows[gaps[:, i] > 0]
        if len(below) and len(above):
            low[i], high[i] = below[(7 * i) % len(below)], above[(11 * i) % len(above)]
    usable = low >= 0
    if not usable.any():
        return None
    low, high = np.where(usable, low, 0), np.where(usable, high, 0)
    start, end = gap.state(low), gap.state(high)
    lower, upper = np.zeros(n), np.ones(n)
    met = np.where(gap.of(_between(start, end, upper), low) > 0, np.nan, 0.0)  # with the inputs of `low` it must still come out otherwise
    for _ in range(HALVINGS):
        middle = (lower + upper) / 2
        d = gap.of(_between(start, end, middle), low)
        met = np.where(np.isnan(met) & (d == 0), middle, met)
        lower, upper = np.where(d < 0, middle, lower), np.where(d < 0, upper, middle)
    chosen = np.where(np.isnan(met), upper, met)
    return gap.trial(_between(start, end, chosen), low)


def _between(a: dict[str, Array], b: dict[str, Array], part: Array) -> dict[str, Array]:
    """States on the way from `a` to `b`; counts and flags stay those of `a`."""
    return {n: x if x.dtype.kind != "f" else x + part * (b[n] - x) for n, x in a.items()}


class _Gap:
    """The difference between the two sides of a comparison, as a function of the state and of whose inputs are held."""

    def __init__(self, step: Step, trial: Trial, point: Point) -> None:
        self.step, self.base, self.point = step, trial, point
        self.exposed, self.points = expose(step)
        self.values: dict[str, Array] = {}
        self.oracle = Oracle(self.exposed, "f64", lambda name, e, result: self.values.__setitem__(name, result))
        self.values.update({n: np.asarray(v) for n, v in trial.program.bound.values.items()})

    def state(self, rows: Array) -> dict[str, Array]:
        """The reference's state before the given step, for each instance its own."""
        who = np.arange(self.base.stimulus.n)
        return {name: a[rows, who].copy() for name, a in self.base.trace.states.items()}

    def stimulus(self, rows: Array) -> Stimulus:
        """The inputs of the given step for each instance, without events."""
        given = self.base.stimulus
        who = np.arange(given.n)
        events: dict[str, Events] = {name: silence(1) for name in given.events}
        return Stimulus(given.n, 1, {name: a[rows, who][None] for name, a in given.inputs.items()}, events)

    def of(self, state: dict[str, Array], rows: Array) -> Array:
        """Left side minus right side, [n]."""
        stimulus = self.stimulus(rows)
        job = job_of(self.base.program, stimulus, {**state, **spare_slots(self.points, stimulus.n, "f64")})
        self.oracle.run(_with_zeros(job))
        left, right = (np.asarray(a.attr if a.op == "const" else self.values[str(a.attr)], float) for a in self.point.value.args)
        return np.broadcast_to(left - right, stimulus.n)

    def trial(self, state: dict[str, Array], rows: Array) -> Trial:
        """The one step from these states as a trial."""
        stimulus = self.stimulus(rows)
        trace: Trace = run_free(Oracle(self.step, "f64"), self.step, "f64", self.base.program, stimulus, state)
        return Trial(self.base.program, stimulus, trace)


def _with_zeros(job: Job) -> Job:
    return replace(job, bind={**job.bind, **ZEROS}, state={n: a.copy() for n, a in job.state.items()})
