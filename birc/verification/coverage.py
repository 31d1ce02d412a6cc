"""How much of a step program a stimulus reaches: both sides of every test, choice and clip, every handler, every end of refractoriness."""

from __future__ import annotations

import numpy as np

from birc.ir.step import REFRACTORY, Emit, Step
from birc.verification.trial import Trial
from birc.verification.watch import Watch


def unreached(step: Step, watch: Watch, trial: Trial) -> tuple[list[str], list[str]]:
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
    light += _choices(watch, trial)
    return grave, light


def _choices(watch: Watch, trial: Trial) -> list[str]:
    """Choices of which one side was not seen."""
    choices = [p for p in watch.points if p.value.op in ("select", "min", "max")]
    seen: dict[str, set[bool]] = {p.name: set() for p in choices}
    for values in watch.values(trial):
        for point in choices:
            args = point.value.args
            truth = values.of(args[0]) if point.value.op == "select" else values.of(args[0]) > values.of(args[1])
            seen[point.name] |= set(np.unique(truth).tolist())
    found = []
    for point in choices:
        if len(seen[point.name]) < 2:
            place = f" ({point.span.where})" if point.span else ""
            found.append(f"one side of `{point.value.op}` in %{point.owner}{place}")
    return list(dict.fromkeys(found))
