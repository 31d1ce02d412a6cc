"""What is simulated: a library model, a scheme and a step, and the drive of its neurons; `floor.cpp` has the same by hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`name` is also the floor's; the drive rises from the first neuron to the last, in the unit of the port."""

    name: str
    title: str
    model: str
    dt: str
    solver: str | None
    low: float
    high: float
    steps: int


CASES = (
    Case("lif", "LIF with a current, exact", "lif", "0.1 ms", None, 0.0, 400.0, 20_000),
    Case("izhikevich", "Izhikevich, Euler", "izhikevich", "0.5 ms", "euler", 0.0, 20.0, 20_000),
    Case("izhikevich-rk4", "Izhikevich, RK4", "izhikevich", "0.1 ms", None, 0.0, 20.0, 10_000),
    Case("adex", "AdEx, Euler", "adex", "0.1 ms", "euler", 0.0, 1000.0, 10_000),
    Case("hodgkin-huxley", "HH squid, exponential", "hodgkin_huxley", "0.01 ms", None, 0.0, 20.0, 2_000),
)

NEURONS = 10_000
NUMPY_STEPS = 100
"""NumPy is timed over fewer steps: its pace does not depend on how many there are."""
