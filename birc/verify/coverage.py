"""How much of a step program a stimulus reaches: both sides of every test, choice and clip, every handler, every end of refractoriness."""

from __future__ import annotations

import numpy as np

from birc.backends import Array
from birc.ir.expr import Expr
from birc.ir.step import REFRACTORY, Emit, Step
from birc.verify.expose import ZEROS, Point, expose, spare_slots
from birc.verify.oracle import Oracle
from birc.verify.trial import Trial, job_of, with_values


class Coverage:
    """What was seen of each choice of a program."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.exposed, self.points = expose(step)
        self.by_name: dict[str, Point] = {p.name: p for p in self.points}
        self.values: dict[str, Array] = {}
        self.seen: dict[tuple[str, str], set[bool]] = {}

    def observe(self, name: str, e: Expr, result: Array) -> None:
        """Note which way each `select`, `min` and `max` went, for any instance."""
        self.values[name] = result
        if any(x.args for x in e.args):
            return  # in a delivery operations are not named one by one
        if e.op == "select":
            self._note(name, "select", np.asarray(self._value(e.args[0]), bool))
        elif e.op in ("min", "max") and name in self.by_name:
            a, b = (self._value(x) for x in e.args)
            self._note(name, e.op, np.asarray(a > b))

    def _value(self, e: Expr) -> Array:
        return np.asarray(e.attr) if e.op == "const" else self.values[str(e.attr)]

    def _note(self, name: str, what: str, truth: Array) -> None:
        found = self.seen.setdefault((name, what), set())
        if truth.any():
            found.add(True)
        if not truth.all():
            found.add(False)


def unreached(step: Step, trial: Trial) -> tuple[list[str], list[str]]:
    """What the stimulus did not reach: (spikes, resets and handlers, which make a model `not exercised`; all else)."""
    trace, stimulus = trial.trace, trial.stimulus
    grave: list[str] = []
    light: list[str] = []
    if any(isinstance(s, Emit) for _, s in step.statements()):
        if not trace.fired.any():
            grave.append("a spike")
        elif trace.fired.all():
            grave.append("a step without a spike")
    for port in step.events:
        if not len(stimulus.events[port.name].index):
            grave.append(f"an event at `{port.name}`")
    if REFRACTORY in trace.states:
        left = trace.states[REFRACTORY]
        if left.max() > 0 and not ((left[:-1] == 1) & (left[1:] == 0)).any():
            light.append("the end of a refractory period")
    light += _choices(step, trial)
    return grave, light


def _choices(step: Step, trial: Trial) -> list[str]:
    """Choices of which one side was not seen, on the reference's own states."""
    coverage = Coverage(step)
    oracle = Oracle(coverage.exposed, "f64", coverage.observe)
    program, stimulus = with_values(trial.program, ZEROS), trial.stimulus
    coverage.values.update({n: np.asarray(v) for n, v in program.bound.values.items()})
    spare = spare_slots(coverage.points, stimulus.n, "f64")
    for k in range(stimulus.steps):
        state = {name: a[k].copy() for name, a in trial.trace.states.items()} | spare
        oracle.run(job_of(program, stimulus.at(k), state))
    found = []
    for (name, what), seen in coverage.seen.items():
        if len(seen) < 2:
            point = coverage.by_name.get(name)
            place = f" ({point.span.where})" if point and point.span else ""
            owner = point.owner if point else name
            found.append(f"one side of `{what}` in %{owner}{place}")
    return list(dict.fromkeys(found))
