"""Explain a difference: the first step, the variable, the operation, the source line, and what kind of difference it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from birc.backends import FLOATS, Backend, Dtype
from birc.errors import Span
from birc.ir.evaluate import Moment, interpret
from birc.ir.expr import Expr, value
from birc.ir.ops import evaluate_op
from birc.ir.step import Deliver, Emit, Phase, Put, Slot, Step, Store
from birc.units import ONE
from birc.verify.compare import SPIKE, First
from birc.verify.expose import Point
from birc.verify.trial import Stimulus, Trace, Trial
from birc.verify.watch import Watch, watch

ULPS = 4
"""How far an operation may be from the reference's on the same operands."""
LOGIC = 64
"""From so many units in the last place on it is no rounding."""
BEFORE = 2
"""How many steps before a difference in a free run are looked at."""


@dataclass(frozen=True)
class Culprit:
    """The operation at fault, in words, its place in the model, and what kind of difference it makes."""

    operation: str
    span: Span | None
    nature: str


@dataclass(frozen=True)
class Divergence:
    """The first difference, after the step from stamp `k`, and where it comes from."""

    k: int
    neuron: int
    variable: str
    got: float
    expected: float
    culprit: Culprit

    def text(self, model: str, target: str, h: float) -> str:
        """The explanation, in lines."""
        stamp = self.k + 1
        is_spike = self.variable == SPIKE
        says = ("it fires" if self.got else "it does not fire") if is_spike else f"`{self.variable}` is {self.got!r}"
        right = ("does" if self.expected else "does not") if is_spike else f"has {self.expected!r}"
        lines = [
            f"first divergence of {model} on {target}",
            f"  step {self.k} -> {stamp} ({stamp * h:g} ms), neuron {self.neuron}: {says}, the reference {right}",
            f"  at {self.culprit.operation}",
        ]
        span = self.culprit.span
        if span is not None:
            source = span.source.line(span.line)
            lines.append(f"  {span.where}" + (f": {source.strip()}" if source else ""))
        lines.append(f"  nature: {self.culprit.nature}")
        return "\n".join(lines)


def explain(step: Step, backend: Backend, reference: Watch, dtype: Dtype, trial: Trial, first: First, free: bool) -> Divergence:
    """Run the step again with every operation exposed; of a free run, some steps before it and one after it too."""
    begin = max(0, first.k - BEFORE) if free else first.k
    stimulus = trial.stimulus.window(begin, first.k - begin + (2 if free else 1))
    seen = watch(step, backend, dtype).run(trial, stimulus)
    right = reference.run(trial, stimulus)
    for row in range(first.k - begin + 1):
        moment = Row(reference.points, seen, right, trial, stimulus, row, first.neuron, FLOATS[dtype])
        found = culprit(moment)
        if found is not None:
            if dtype == "f32" and found.nature == "logic" and _agrees(step, backend, reference, trial, stimulus, row, first.neuron):
                found = Culprit(found.operation, found.span, "rounding (the same step in float64 agrees)")
            break
    else:
        found = _outside(step, first, free, seen, right)
    return Divergence(trial.stimulus.start + first.k, first.neuron, first.variable, first.got, first.expected, found)


def _agrees(step: Step, backend: Backend, reference: Watch, trial: Trial, stimulus: Stimulus, row: int, neuron: int) -> bool:
    """Whether the target in float64 sees what the reference sees."""
    again = watch(step, backend, "f64").run(trial, stimulus)
    right = reference.run(trial, stimulus)
    return all(_close(again.states[p.slot][row + 1][neuron], right.states[p.slot][row + 1][neuron]) for p in reference.points)


def _close(a: Any, b: Any) -> bool:
    return bool(a == b) or abs(float(a) - float(b)) <= 1e-12 * max(1.0, abs(float(b)))


def _outside(step: Step, first: First, free: bool, seen: Trace, right: Trace) -> Culprit:
    """Where no operation is at fault: what is done with its result, or nothing but rounding that adds up."""
    if free and _same_ends(seen, right, first.neuron):
        return Culprit("no operation of one step: small differences add up over the run", step.span, "rounding that adds up")
    for _, s in step.statements():
        match s:
            case Store(slot=first.variable):
                return Culprit(f"store {first.variable}: every operation agrees, but another value is kept", s.span, "logic")
            case Put(output=first.variable):
                return Culprit(f"output {first.variable}: every operation agrees, but another value is given out", s.span, "logic")
            case Emit() if first.variable == SPIKE:
                return Culprit("the list of spikes: every operation agrees, but another spike is reported", s.span, "logic")
            case _:
                pass
    return Culprit(f"the value of {first.variable}, which no statement makes", step.span, "logic")


def _same_ends(seen: Trace, right: Trace, neuron: int) -> bool:
    return all(_close(a[-1][neuron], right.states[name][-1][neuron]) for name, a in seen.states.items())


@dataclass(frozen=True)
class Row:
    """One step of one neuron: every exposed value on the target and on the reference."""

    points: tuple[Point, ...]
    seen: Trace
    right: Trace
    trial: Trial
    stimulus: Stimulus
    row: int
    neuron: int
    real: type[np.floating[Any]]

    def got(self, slot: str) -> Any:
        """A slot after the step, on the target."""
        return self.seen.states[slot][self.row + 1][self.neuron]

    def expected(self, point: Point, values: Mapping[str, Any]) -> Any:
        """What the operation gives for the target's own operands; for what it is given from outside, the reference's value."""
        e = point.value
        if point.deliver is not None:
            return self.delivered(point.deliver, point.name, values)
        if e.op == "load":
            return self.seen.states[str(e.attr)][self.row][self.neuron]
        if e.op == "const" or (e.op == "value" and e.attr in values):
            return self.operand(e, values)
        if not e.args:
            reference = self.right.states[point.slot][self.row + 1][self.neuron]
            return reference.astype(self.real) if point.kind == "real" else reference
        with np.errstate(all="ignore"):
            return np.asarray(evaluate_op(e, tuple(self.operand(a, values) for a in e.args)))[()]

    def operand(self, e: Expr, values: Mapping[str, Any]) -> Any:
        """A literal or a named value in the number type of the target."""
        x = np.asarray(e.attr if e.op == "const" else values[str(e.attr)])
        return self.real(x) if x.dtype.kind == "f" else x[()]

    def delivered(self, deliver: Deliver, name: str, values: Mapping[str, Any]) -> Any:
        """What the events of this stamp make of a carried variable, from the target's own value before them."""
        events = self.stimulus.at(self.row).events[deliver.port]
        mine = events.index == self.neuron
        program = Step(
            name="", params=(), slots=(Slot("x", "real", ONE, ".zero"),), inputs=(), events=(), outputs=(), noises=(), bind=(),
            phases=(Phase("deliver", (deliver,)), Phase("reset", (Store("x", value(name)),))),
        )  # fmt: skip
        zero = np.zeros(1, self.real)
        given = {deliver.port: (np.zeros(int(mine.sum()), np.int32), events.payload[mine])}
        return interpret(program, Moment(1, values, {"x": zero}, events=given, dtype=self.real)).state["x"][0]


def culprit(row: Row) -> Culprit | None:
    """The first operation that is wrong on the target's own operands."""
    values: dict[str, Any] = {name: _of(v, row.neuron) for name, v in row.trial.program.bound.values.items()}
    for point in row.points:
        got = row.got(point.slot)
        expected = row.expected(point, values)
        off = ulps(got, expected, row.real)
        if off > ULPS:
            rounding = "rounding (the operation itself is less exact than the reference)"
            if point.value.op == "value":
                rounding = "ordering (a sum taken in another order)"
            return Culprit(_shown(point, values, got, expected), point.span, "logic" if off > LOGIC else rounding)
        values[point.name] = got
    return None


def _of(x: Any, neuron: int) -> Any:
    a = np.asarray(x)
    return a[neuron] if a.ndim else a[()]


def ulps(got: Any, expected: Any, real: type[np.floating[Any]]) -> float:
    """How many units in the last place lie between two values; infinite for kinds, truths and NaNs that differ."""
    if np.asarray(expected).dtype.kind != "f":
        return 0.0 if got == expected else float("inf")
    if got == expected or (np.isnan(got) and np.isnan(expected)):
        return 0.0
    if not (np.isfinite(got) and np.isfinite(expected)):
        return float("inf")
    return float(abs(float(got) - float(expected)) / np.spacing(np.abs(real(expected))))


def _shown(point: Point, values: Mapping[str, Any], got: Any, expected: Any) -> str:
    e = point.value
    operands = ", ".join(repr(a.attr) if a.op == "const" else f"%{a.attr}" for a in e.args)
    inside = "" if point.name == point.owner else f" in %{point.owner}"
    what = f"%{point.name} = {e.op} {operands}" if e.args else f"%{point.name} ({'event' if e.op == 'value' else e.op})"
    known = [f"%{a.attr} = {_number(values[str(a.attr)])}" for a in e.args if a.op != "const"]
    given = f" with {', '.join(known)}" if known else ""
    return f"{what}{inside}: {_number(got)}, not {_number(expected)}{given}"


def _number(x: Any) -> str:
    """A number without its NumPy type; a float32 in its own digits."""
    plain = np.asarray(x)[()]
    return repr(plain.item()) if plain.dtype != np.float32 else str(plain)
