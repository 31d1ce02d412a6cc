"""How a number goes from its start to its end over epochs."""

from __future__ import annotations

from math import cos, pi

SCHEDULES = ("linear", "exponential", "cosine")


def progress(epoch: int, epochs: int) -> float:
    """0 in the first of `epochs` epochs, 1 in the last one and from then on; 1 at once if there is one epoch."""
    return min(1.0, epoch / (epochs - 1)) if epochs > 1 else 1.0


def between(start: float, end: float, p: float, schedule: str) -> float:
    """linear: start + (end - start) p; exponential: start (end / start)^p; cosine: start + (end - start) (1 - cos(pi p)) / 2."""
    if schedule == "exponential":
        return start * float((end / start) ** p)
    return start + (end - start) * (p if schedule == "linear" else (1 - cos(pi * p)) / 2)
