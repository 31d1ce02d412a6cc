"""A trial in which every instance has parameters of its own, so that a target cannot take one neuron's for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from birc.backends import Runner
from birc.ir.expr import leaves
from birc.ir.step import Step
from birc.runtime.simulate import Program
from birc.verification.trial import Trial, run_free

STEPS = 300
SPREAD = 0.1
"""The last instance's parameters are larger than the first's by this part."""


def varied(
    step: Step, reference: Runner, main: Trial, program_of: Callable[[Mapping[str, object]], Program], given: Mapping[str, object]
) -> list[Trial]:
    """The trial, or none where no parameter can be varied or the reference leaves the finite range; instance 0 is as before.

    What tables rest on keeps its value, also where its default follows another parameter: tables are made once for all neurons.
    """
    n = main.stimulus.n
    factors = 1 + SPREAD * np.arange(n) / max(1, n - 1)
    kept: dict[str, object] = {}
    changed: dict[str, object] = {}
    shared = tabled(step)
    for param in step.params:
        value = np.asarray(main.program.bound.values.get(param.name, np.nan), float)
        if param.name in shared:
            kept[param.name] = value / float(param.unit.scale)
            continue
        spread = np.broadcast_to(value, n) * factors
        if np.isfinite(spread).all() and value.any() and (param.range is None or all(map(param.range.holds, spread.tolist()))):
            changed[param.name] = spread / float(param.unit.scale)
    if not changed or n == 1:
        return []
    program = program_of({**given, **kept, **changed})
    stimulus = main.stimulus.window(0, min(STEPS, main.stimulus.steps))
    trace = run_free(reference, step, "f64", program, stimulus)
    return [Trial(program, stimulus, trace)] if trace.finite else []


def tabled(step: Step) -> frozenset[str]:
    """The parameters that tables rest on."""
    values = {end for table in step.tables for end in (table.low, table.high) if isinstance(end, str)}
    values.update(*(leaves(function, "value") for table in step.tables for function in table.functions))
    params: set[str] = set()
    for define in reversed(step.bind):
        if define.name in values:
            values |= leaves(define.value, "value")
            params |= leaves(define.value, "param")
    return frozenset(params)
