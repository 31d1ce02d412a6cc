"""Find the operation at fault in one step: the first that is wrong on the target's own operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from birc.backends import FLOATS, Dtype
from birc.errors import Span
from birc.ir.evaluate import Moment, interpret
from birc.ir.expr import Expr, value
from birc.ir.ops import evaluate_op
from birc.ir.step import Deliver, Phase, Slot, Step, Store
from birc.units import ONE
from birc.verification.expose import Point
from birc.verification.trial import Stimulus, Trace, Trial

ULPS = 4
"""How far an operation may be from the reference's on the same operands."""
LOGIC = 64
"""From so many units in the last place on it is no rounding."""


@dataclass(frozen=True)
class Culprit:
    """The operation at fault, in words, its place in the model, and what kind of difference it makes."""

    operation: str
    span: Span | None
    nature: str


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
    dtype: Dtype

    @property
    def real(self) -> type[np.floating[Any]]:
        """The number type of the target."""
        return FLOATS[self.dtype]

    def got(self, slot: str) -> Any:
        """A slot after the step, on the target."""
        return self.seen.states[slot][self.row + 1][self.neuron]

    def right_of(self, slot: str) -> Any:
        """A slot after the step, on the reference."""
        return self.right.states[slot][self.row + 1][self.neuron]

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
            reference = self.right_of(point.slot)
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


def culprit(row: Row, allowed: float) -> tuple[Culprit, Point] | None:
    """The first operation that is wrong on the target's own operands."""
    values: dict[str, Any] = {name: _of(v, row.neuron) for name, v in row.trial.program.bound.values.items()}
    for point in row.points:
        got = row.got(point.slot)
        expected = row.expected(point, values)
        off = ulps(got, expected, row.real)
        if off > allowed:
            rounding = "rounding (the operation itself is less exact than the reference)"
            if point.value.op == "value":
                rounding = "ordering (the same numbers in another order)"
            return Culprit(_shown(point, values, got, expected), point.span, "logic" if off > LOGIC else rounding), point
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
    with np.errstate(over="ignore"):
        return float(abs(float(got) - float(expected)) / float(np.spacing(np.abs(real(expected)))))


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
