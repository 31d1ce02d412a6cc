"""States in which a comparison stands on the edge: its two sides are equal. `>` for `>=` shows nowhere else.

Such states are found by bisection between two states of the reference run on which the comparison comes out differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from birc.backends import Array, Backend
from birc.ir.ops import evaluate_op
from birc.ir.step import Step
from birc.verification.case import Reference
from birc.verification.compare import differ
from birc.verification.culprit import Culprit, Row, culprit
from birc.verification.divergence import Divergence
from birc.verification.expose import COMPARISONS, Point
from birc.verification.oracle import Oracle
from birc.verification.stimulus import silence
from birc.verification.trial import Stimulus, Trace, Trial, run_free
from birc.verification.watch import Values, Watch, watch

SAME = 1e-12
"""Up to which error a variable comes out alike."""
HALVINGS = 70
"""Enough to bring two float64 numbers next to each other."""


def edge_divergence(step: Step, backend: Backend, reference: Reference, trial: Trial, allowed: float) -> Divergence | None:
    """The first comparison that a target decides otherwise on equal sides, or next to them; each operation on its own operands.

    The target shows its comparisons and their sides; where one is not what its sides say, or what follows from them differs, it shows every
    operation.
    """
    comparisons = [p for p in reference.fast_edges.points if p.value.op in COMPARISONS and _both_real(p, reference.watch.points)]
    if not comparisons:
        return None
    target = watch(step, backend, "f64", COMPARISONS)
    gap = _Gap(step, reference.fast_edges, trial)
    gaps = gap.along(comparisons)
    for point in comparisons:
        edge = _edge(gap, point, gaps[point.name])
        if edge is None:
            continue
        right = reference.watch.run(edge, edge.stimulus)
        if _as_expected(target, right, edge, step, allowed):
            continue
        seen = watch(step, backend, "f64").run(edge, edge.stimulus)
        for neuron in range(edge.stimulus.n):
            row = Row(reference.watch.points, seen, right, edge, edge.stimulus, 0, neuron, "f64")
            at_fault = culprit(row, allowed)
            if at_fault is not None:
                return _divergence(step, row, point, at_fault[0])
    return None


def _as_expected(target: Watch, right: Trace, edge: Trial, step: Step, allowed: float) -> bool:
    """Whether every comparison is what its own sides say, and states, outputs and spikes are the reference's.

    Where operations may be off by `allowed` ulp, sides may be too, and a neuron with a comparison that rightly comes out otherwise is not
    compared further.
    """
    trace = target.run(edge, edge.stimulus)
    values = target.seen(edge, trace)
    undecided = np.zeros_like(trace.fired)
    for point in target.points:
        if point.value.op in COMPARISONS:
            got = values.by_name[point.name]
            if not np.array_equal(got, evaluate_op(point.value, tuple(values.of(a) for a in point.value.args))):
                return False
            undecided |= (got != right.states[point.slot][1:]) & (allowed > 0)
    states = {s.name: trace.states[s.name] for s in step.slots}
    return differ(Trace(states, trace.outputs, trace.fired), edge, SAME if allowed else 0.0, undecided).first is None


def _divergence(step: Step, row: Row, point: Point, found: Culprit) -> Divergence:
    """Said of the first variable that comes out otherwise, or of the comparison itself."""
    others = np.ones_like(row.seen.fired)
    others[:, row.neuron] = False
    states = {s.name: row.seen.states[s.name] for s in step.slots}
    first = differ(Trace(states, row.seen.outputs, row.seen.fired), row.trial, SAME, others).first
    if first is not None:
        return Divergence(row.trial.stimulus.start, row.neuron, first.variable, first.got, first.expected, found)
    return Divergence(row.trial.stimulus.start, row.neuron, point.owner, float(row.got(point.slot)), float(row.right_of(point.slot)), found)


def _both_real(point: Point, points: tuple[Point, ...]) -> bool:
    kinds = {p.name: p.kind for p in points}
    return all(kinds.get(str(a.attr), "real") == "real" if a.op != "const" else isinstance(a.attr, float) for a in point.value.args)


def _edge(gap: _Gap, point: Point, gaps: Array) -> Trial | None:
    """One step of as many instances as there are, each from a state and inputs that bring the two sides of a comparison together."""
    n = len(gap.who)
    low, high = np.zeros(n, int), np.zeros(n, int)
    for i in range(n):
        below, above = np.flatnonzero(gaps[:, i] < 0), np.flatnonzero(gaps[:, i] > 0)
        if len(below) and len(above):
            low[i], high[i] = below[(7 * i) % len(below)], above[(11 * i) % len(above)]
    if not (low != high).any():
        return None
    start, end = gap.moment(low), gap.moment(high)
    lower, upper = np.zeros(n), np.ones(n)
    met = np.full(n, np.nan)
    for _ in range(HALVINGS):
        middle = (lower + upper) / 2
        d = gap.of(start.towards(end, middle), point)
        met = np.where(np.isnan(met) & (d == 0), middle, met)
        lower, upper = np.where(d < 0, middle, lower), np.where(d < 0, upper, middle)
    return gap.trial(start.towards(end, np.where(np.isnan(met), upper, met)))


@dataclass(frozen=True)
class _Moment:
    """A state and the inputs held over the step from it, each instance's from a row of its own."""

    state: Mapping[str, Array]
    inputs: Mapping[str, Array]

    def towards(self, other: _Moment, part: Array) -> _Moment:
        """On the way to another moment; counts and flags stay."""
        state = {n: a if a.dtype.kind != "f" else a + part * (other.state[n] - a) for n, a in self.state.items()}
        return _Moment(state, {n: a + part * (other.inputs[n] - a) for n, a in self.inputs.items()})


class _Gap:
    """The difference between the two sides of comparisons, as a function of the moment."""

    def __init__(self, step: Step, fast: Watch, trial: Trial) -> None:
        self.step, self.fast, self.base = step, fast, trial
        self.who = np.arange(trial.stimulus.n)

    def moment(self, rows: Array) -> _Moment:
        """The reference's own moment before the given step of each instance."""
        states, inputs = self.base.trace.states, self.base.stimulus.inputs
        return _Moment({name: a[rows, self.who] for name, a in states.items()}, {name: a[rows, self.who] for name, a in inputs.items()})

    def stimulus(self, moment: _Moment) -> Stimulus:
        """Its inputs, without events."""
        given = self.base.stimulus
        return Stimulus(given.n, 1, {name: a[None] for name, a in moment.inputs.items()}, {name: silence(1) for name in given.events})

    def along(self, points: list[Point]) -> dict[str, Array]:
        """Of each comparison, left side minus right side along the reference run, [steps, n]."""
        parts = list(self.fast.values(self.base))
        return {p.name: np.concatenate([_difference(values, p) for values in parts]) for p in points}

    def of(self, moment: _Moment, point: Point) -> Array:
        """Left side minus right side, [n]."""
        trace = self.fast.run(self.base, self.stimulus(moment), moment.state)
        gap: Array = _difference(self.fast.seen(self.base, trace), point)[0]
        return gap

    def trial(self, moment: _Moment) -> Trial:
        """The one step from this moment as a trial."""
        stimulus = self.stimulus(moment)
        trace = run_free(Oracle(self.step, "f64"), self.step, "f64", self.base.program, stimulus, moment.state)
        return Trial(self.base.program, stimulus, trace)


def _difference(values: Values, point: Point) -> Array:
    left, right = (values.of(a).astype(float) for a in point.value.args)
    gap: Array = left - right
    return gap
