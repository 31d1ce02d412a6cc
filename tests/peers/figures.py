"""What a comparison measures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A difference that was measured, the bound that it must keep, and why it is not 0."""

    what: str
    measured: float
    bound: float
    unit: str
    why: str

    @property
    def holds(self) -> bool:
        return self.measured <= self.bound
