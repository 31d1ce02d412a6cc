"""A stimulus that float32 can follow.

Where float64 still computes, as exp of 90, float32 overflows. Of an instance that the reference itself cannot compute in float32 no target
could be judged there, so what drives it is weakened until it can.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from birc.backends import Array, Events, Runner
from birc.ir.step import Step
from birc.runtime.simulate import Program
from birc.verification.trial import Stimulus, run_free

SHRINKS = (0.5, 0.25, 0.1, 0.01, 0.0)


def narrowed(step: Step, single: Runner, program: Program, stimulus: Stimulus) -> tuple[Stimulus, int]:
    """The stimulus, weaker for the instances that leave the finite range in `single`, the reference in float32; and how many these are."""
    strength, found = np.ones(stimulus.n), stimulus
    for shrink in SHRINKS:
        states = run_free(single, step, "f32", program, found).states.values()
        finite = np.all([np.isfinite(a).all(axis=0) for a in states], axis=0)
        if finite.all():
            break
        strength[~finite] = shrink
        found = _scaled(stimulus, strength)
    return found, int((strength < 1.0).sum())


def _scaled(stimulus: Stimulus, strength: Array) -> Stimulus:
    """The stimulus with the inputs and payloads of each instance multiplied by its own factor [n]."""
    inputs = {port: a * strength for port, a in stimulus.inputs.items()}
    events = {port: Events(e.offsets, e.index, e.payload * strength[e.index]) for port, e in stimulus.events.items()}
    return replace(stimulus, inputs=inputs, events=events)
