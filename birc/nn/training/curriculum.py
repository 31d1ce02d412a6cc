"""Short sequences first."""

from __future__ import annotations

from math import ceil
from typing import Any

import keras

from birc.nn.mistakes import count, one_of, within
from birc.nn.training.schedules import SCHEDULES, between, progress


@keras.saving.register_keras_serializable("birc")
class TemporalCurriculum:
    """How many steps of each sequence an epoch sees: the part `start` in the first, all from number `epochs` on, rounded up.

    schedule: "linear", "exponential" or "cosine".
    """

    def __init__(self, start: float = 0.25, epochs: int = 10, schedule: str = "linear") -> None:
        who = "TemporalCurriculum"
        self.start = within(who, "start", start, 1e-6, 1)
        self.epochs, self.schedule = count(who, "epochs", epochs), one_of(who, "schedule", schedule, SCHEDULES)

    def steps(self, epoch: int, time_steps: int) -> int:
        """Of `time_steps`, those that an epoch, counted from 0, sees."""
        part = between(self.start, 1.0, progress(epoch, self.epochs), self.schedule)
        return min(time_steps, ceil(part * time_steps - 1e-9))

    def get_config(self) -> dict[str, Any]:
        return {"start": self.start, "epochs": self.epochs, "schedule": self.schedule}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TemporalCurriculum:
        """What `get_config` gave."""
        return cls(**config)
