"""Explain a difference: the first step, the variable, the operation, the source line, and what kind of difference it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from birc.backends import Backend, Dtype
from birc.ir.step import Emit, Put, Step, Store
from birc.verification.compare import SPIKE, First
from birc.verification.culprit import Culprit, Row, culprit
from birc.verification.handlers import statement_at_fault
from birc.verification.trial import Stimulus, Trace, Trial
from birc.verification.watch import Watch, watch

BEFORE = 2
"""How many steps before a difference in a free run are looked at."""


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


def explain(
    step: Step, backend: Backend, reference: Watch, dtype: Dtype, trial: Trial, first: First, *, free: bool, allowed: float
) -> Divergence:
    """Run the step again with every operation exposed, each of which may be off by `allowed` ulp.

    Of a free run, some steps before it and one after it are run too.
    """
    begin = max(0, first.k - BEFORE) if free else first.k
    stimulus = trial.stimulus.window(begin, first.k - begin + (2 if free else 1))
    seen = watch(step, backend, dtype).run(trial, stimulus)
    right = reference.run(trial, stimulus)
    for row in range(first.k - begin + 1):
        moment = Row(reference.points, seen, right, trial, stimulus, row, first.neuron, dtype)
        at_fault = culprit(moment, allowed)
        if at_fault is not None:
            found, point = at_fault
            if point.deliver is not None:
                found = statement_at_fault(step, backend, moment, point.deliver, found, allowed)
            if dtype == "f32" and found.nature == "logic" and _agrees(step, backend, reference, trial, stimulus, row, first.neuron):
                found = replace(found, nature="rounding (the same step in float64 agrees)")
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
