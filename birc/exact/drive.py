"""What acts on a model from outside, on a grid of its own, so that runs with shorter and longer steps see the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from birc.backends import Events
from birc.ir.step import Step
from birc.runtime.events import event_inputs
from birc.runtime.inputs import continuous_inputs
from birc.runtime.values import Setting
from birc.verification.trial import Stimulus

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Drive:
    """Inputs [steps] by port, held over steps of `h`, and (stamp, payload) of each port's events in their order, in internal units."""

    h: float
    steps: int
    inputs: Mapping[str, Array]
    events: Mapping[str, tuple[tuple[int, float], ...]]

    @property
    def stop(self) -> float:
        """When it ends."""
        return self.steps * self.h

    def finer(self, factor: int) -> Drive:
        """The same on shorter steps."""
        inputs = {name: np.repeat(rows, factor) for name, rows in self.inputs.items()}
        events = {name: tuple((k * factor, p) for k, p in listed) for name, listed in self.events.items()}
        return Drive(self.h / factor, self.steps * factor, inputs, events)

    def coarser(self, factor: int) -> Drive | None:
        """The same on longer steps, where it changes nowhere between these."""
        stamps = {self.steps} | {k for listed in self.events.values() for k, _ in listed}
        stamps |= {int(k) + 1 for rows in self.inputs.values() for k in np.flatnonzero(np.diff(rows))}
        if any(k % factor for k in stamps):
            return None
        inputs = {name: rows[::factor] for name, rows in self.inputs.items()}
        events = {name: tuple((k // factor, p) for k, p in listed) for name, listed in self.events.items()}
        return Drive(self.h * factor, self.steps // factor, inputs, events)

    def stimulus(self) -> Stimulus:
        """As what a runner takes, for one neuron."""
        events = {name: _events(listed, self.steps) for name, listed in self.events.items()}
        return Stimulus(1, self.steps, {name: rows[:, None] for name, rows in self.inputs.items()}, events)


def make_drive(step: Step, setting: Setting, inputs: Mapping[str, object]) -> Drive:
    """The drive that a person's inputs make for one neuron; a port that gets nothing is 0 or silent."""
    rows = {name: source.rows(0, setting.steps) for name, source in continuous_inputs(inputs, step.inputs, setting).items()}
    held = {name: np.broadcast_to(values, (setting.steps, 1))[:, 0].astype(np.float64) for name, values in rows.items()}
    arriving = {name: source.events(0, setting.steps) for name, source in event_inputs(inputs, step.events, setting).items()}
    listed = {name: tuple(zip(_stamps(events), events.payload.tolist(), strict=True)) for name, events in arriving.items()}
    return Drive(setting.h, setting.steps, held, listed)


def _stamps(events: Events) -> list[int]:
    counts = np.diff(events.offsets)
    stamps: list[int] = (np.repeat(np.arange(len(counts)), counts) + 1).tolist()
    return stamps


def _events(listed: tuple[tuple[int, float], ...], steps: int) -> Events:
    counts = np.bincount([k - 1 for k, _ in listed], minlength=steps)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Events(offsets, np.zeros(len(listed), np.int32), np.array([p for _, p in listed], np.float64))
