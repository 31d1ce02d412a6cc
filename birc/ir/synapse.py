"""Level 2 of a synapse: programs over synapses, each an ordinary step program whose instances are synapses.

`flow` advances what changes in continuous time, over all synapses, once per step. `pre` and `post` are the handlers, over the synapses that
an event reaches: traces, and states that are kept up to date lazily, enter them as continuous inputs (`read`); what `send` delivers leaves
them as the outputs `send.0`, `send.1` …, in order. `rise_pre` and `rise_post` raise the traces that are kept per synapse, behind both
handlers of a stamp, because handlers read traces as their left limit; their input `count` is how many events came.

A lazily kept state (`Decay`) obeys x' = a (x - rest) with a and rest fixed: n steps after the last event that reached its synapse it is
rest + (x - rest) * exp(a h n), and the factor is the input `input` of every program that reads it. It is looked up, exp(a h (n mod 4096))
times exp(a h 4096 (n div 4096)), from numbers made when parameters are bound, so that it is the same bits on every target. Every handler
and rise brings all lazily kept states of its synapses to its own stamp.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from birc.errors import Span
from birc.ir.plasticity import Change
from birc.ir.step import Step

PIECE = 4096
"""Steps in the finer part of a decay's table."""

COUNT = "count"
"""The input of a `rise` program: how many events reach the synapse at this stamp."""

SEND = "send."
"""What the outputs of a handler that sends begin with."""


@dataclass(frozen=True, slots=True)
class TraceSlot:
    """A trace that is kept per neuron: times the bind value `decay` each step, then + 1 per event (`nearest`: = 1).

    `of` says whose spikes, seen at the synapse: those of the source at stamp s + axon, of the target at s + back.
    """

    name: str
    of: Literal["pre", "post"]
    nearest: bool
    decay: str


@dataclass(frozen=True, slots=True)
class Decay:
    """A state of a synapse that is brought up to date when an event comes; `exponent` is the bind value a h, per step."""

    state: str
    input: str
    exponent: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What was decided about a part of a synapse, and why: for `birc explain`."""

    what: str
    how: str
    reason: str


@dataclass(frozen=True, slots=True)
class SynapseProgram:
    """A synapse for one projection. `start` has no phases: its bind section gives initial states, decays and exponents.

    `inputs` are the continuous inputs of the model; slots and parameters of all programs are those of `start`.
    """

    name: str
    start: Step
    flow: Step | None
    pre: Step
    post: Step | None
    rise_pre: Step | None
    rise_post: Step | None
    traces: tuple[TraceSlot, ...]
    decays: tuple[Decay, ...]
    inputs: tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    changes: tuple[Change, ...] = ()
    """What its handlers do, in normal form."""
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def programs(self) -> tuple[tuple[str, Step], ...]:
        """All programs that run, by their role."""
        roles = (("flow", self.flow), ("pre", self.pre), ("post", self.post), ("rise_pre", self.rise_pre), ("rise_post", self.rise_post))
        return tuple((role, step) for role, step in roles if step is not None)

    @property
    def has_post(self) -> bool:
        """Whether something happens in it at a spike of its target."""
        return self.post is not None or self.rise_post is not None

    @property
    def needs_back(self) -> bool:
        """Whether spikes of targets matter to it."""
        return self.has_post or any(t.of == "post" for t in self.traces)
