"""Explain a difference: the first step, the variable, the operation, the source line, and what kind of difference it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from birc.backends import FLOATS, Array, Backend, Dtype, Runner
from birc.errors import Span
from birc.ir.expr import Expr
from birc.ir.ops import evaluate_op
from birc.ir.step import Step, Store
from birc.runtime.simulate import Program
from birc.verify.expose import ZEROS, Point, expose, spare_slots
from birc.verify.trial import Stimulus, Trace, initial, job_of

ULPS = 4
"""How far an operation may be from the reference's on the same operands."""


@dataclass(frozen=True)
class Divergence:
    """The first difference: from stamp `k`, at `neuron`, in `variable`, made by `operation` at `span`."""

    k: int
    neuron: int
    variable: str
    got: float
    expected: float
    operation: str
    span: Span | None
    nature: str

    def text(self, model: str, target: str, h: float) -> str:
        """The explanation, in lines."""
        stamp = self.k + 1
        lines = [
            f"first divergence of {model} on {target}",
            f"  step {self.k} -> {stamp} ({stamp * h:g} ms), neuron {self.neuron}: `{self.variable}` is {self.got!r}, the reference has {self.expected!r}",
            f"  at {self.operation}",
        ]
        if self.span is not None:
            source = self.span.source.line(self.span.line)
            lines.append(f"  {self.span.where}" + (f": {source.strip()}" if source else ""))
        lines.append(f"  nature: {self.nature}")
        return "\n".join(lines)


def explain(
    step: Step,
    backend: Backend,
    reference: Runner,
    dtype: Dtype,
    program: Program,
    stimulus: Stimulus,
    trace: Trace,
    at: tuple[int, int, str],
    found: tuple[float, float],
) -> Divergence:
    """Run the one step again with every operation exposed, on the target and on `reference` (a runner of the exposed program)."""
    k, neuron, variable = at
    exposed, points = expose(step)
    seen = _one_step(backend.load(backend.emit(exposed, dtype)), exposed, points, dtype, program, stimulus, trace, k)
    right = _one_step(reference, exposed, points, "f64", program, stimulus, trace, k)
    operation, span, nature = _culprit(step, points, seen, right, program, stimulus, k, neuron, dtype, variable)
    if dtype == "f32" and nature == "logic":
        again = _one_step(backend.load(backend.emit(exposed, "f64")), exposed, points, "f64", program, stimulus, trace, k)
        same = all(_close(again[p.slot][neuron], right[p.slot][neuron], 1e-12) for p in points)
        nature = "rounding (the same step in float64 agrees)" if same else nature
    return Divergence(k, neuron, variable, found[0], found[1], operation, span, nature)


def _one_step(
    runner: Runner, exposed: Step, points: tuple[Point, ...], dtype: Dtype, program: Program, stimulus: Stimulus, trace: Trace, k: int
) -> dict[str, Array]:
    """The state after the step from the reference's state at k, exposed values among it."""
    own = initial(program, replace(exposed, slots=exposed.slots[: len(exposed.slots) - len(points)]), dtype)
    state = {name: trace.states[name][k].astype(a.dtype) for name, a in own.items()} | spare_slots(points, stimulus.n, dtype)
    job = job_of(program, stimulus.at(k), state, k)
    runner.run(replace(job, bind={**job.bind, **ZEROS}))
    return dict(job.state)


def _culprit(
    step: Step,
    points: tuple[Point, ...],
    seen: dict[str, Array],
    right: dict[str, Array],
    program: Program,
    stimulus: Stimulus,
    k: int,
    neuron: int,
    dtype: Dtype,
    variable: str,
) -> tuple[str, Span | None, str]:
    """The first operation that is wrong on the target's own operands, else the first value that differs."""
    real = FLOATS[dtype]
    values: dict[str, Any] = {name: _of(v, neuron) for name, v in program.bound.values.items()}
    for point in points:
        got = seen[point.slot][neuron]
        expected = _expected(point, values, right, neuron, stimulus, k, real)
        ulps = _ulps(got, expected, real)
        if ulps > ULPS:
            nature = "logic" if ulps > 64 else "rounding (the operation itself is less exact than the reference)"
            if point.value.op == "value" and ulps <= 64:
                nature = "ordering (a sum taken in another order)"
            shown = _shown(point, values, got, expected)
            return shown, point.span, nature
        values[point.name] = got
    store = next((s for _, s in step.statements() if isinstance(s, Store) and s.slot == variable), None)
    if store is not None:
        return f"store {variable}: every operation agrees, but another value is kept", store.span, "logic"
    return "the spike list: every operation agrees, but other neurons are reported", step.span, "logic"


def _expected(
    point: Point, values: dict[str, Any], right: dict[str, Array], neuron: int, stimulus: Stimulus, k: int, real: type[np.floating[Any]]
) -> Any:
    """What the operation gives for the target's operands; for what has none, the reference's value."""
    e = point.value
    if not e.args:
        reference = right[point.slot][neuron]
        return reference.astype(real) if point.kind == "real" else reference
    operands = tuple(_operand(a, values, real) for a in e.args)
    with np.errstate(all="ignore"):
        return np.asarray(evaluate_op(e, operands))[()]


def _operand(e: Expr, values: dict[str, Any], real: type[np.floating[Any]]) -> Any:
    if e.op == "const":
        return np.asarray(e.attr) if isinstance(e.attr, (bool, int)) else real(e.attr)
    value = values[str(e.attr)]
    return real(value) if np.asarray(value).dtype.kind == "f" else value


def _of(x: Any, neuron: int) -> Any:
    a = np.asarray(x)
    return a[neuron] if a.ndim else a[()]


def _ulps(got: Any, expected: Any, real: type[np.floating[Any]]) -> float:
    """How many units in the last place lie between two values; infinite for kinds, truths and NaNs that differ."""
    if np.asarray(expected).dtype.kind != "f":
        return 0.0 if got == expected else float("inf")
    if got == expected or (np.isnan(got) and np.isnan(expected)):
        return 0.0
    if not (np.isfinite(got) and np.isfinite(expected)):
        return float("inf")
    return float(abs(float(got) - float(expected)) / np.spacing(np.abs(real(expected))))


def _close(a: Any, b: Any, bound: float) -> bool:
    return bool(a == b) or abs(float(a) - float(b)) <= bound * max(1.0, abs(float(b)))


def _shown(point: Point, values: dict[str, Any], got: Any, expected: Any) -> str:
    e = point.value
    operands = ", ".join(repr(a.attr) if a.op == "const" else f"%{a.attr}" for a in e.args)
    inside = "" if point.name == point.owner else f" in %{point.owner}"
    what = f"%{point.name} = {e.op} {operands}" if e.args else f"%{point.name} ({e.op})"
    known = [f"%{a.attr} = {values[str(a.attr)]!r}" for a in e.args if a.op != "const"]
    given = f" with {', '.join(known)}" if known else ""
    return f"{what}{inside}: {got!r}, not {expected!r}{given}"


