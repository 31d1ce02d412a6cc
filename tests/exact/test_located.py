"""With `spikes located` spike times converge with the order of the method; on the ends of steps with the first."""

from __future__ import annotations

import math

import pytest

from birc.exact.compare import ExactReport
from birc.exact.verify import pose, verify_exact


def report(model: str, dt: str, duration: str, current: str, spikes: str) -> ExactReport:
    return verify_exact(pose(model, dt=dt, duration=duration, inputs={"I": current}, spikes=spikes))


def order(found: ExactReport) -> float:
    """Between the longest and the shortest step whose spikes agree."""
    errors = [(row.dt, row.spike_error) for row in found.rows if row.agree and row.spike_error]
    (long, most), (short, least) = errors[0], errors[-1]
    return math.log(most / least) / math.log(long / short)


@pytest.mark.parametrize(
    ("model", "dt", "duration", "current", "least"),
    [("izhikevich", "0.1 ms", "100 ms", "10 mV/ms", 3.0), ("hodgkin_huxley", "0.05 ms", "50 ms", "10 uA/cm^2", 3.3)],
)
def test_the_order_of_spike_times(model: str, dt: str, duration: str, current: str, least: float) -> None:
    inside = report(model, dt, duration, current, "located")
    assert inside.status == "pass" and len(inside.spikes) >= 3 and "located inside steps" in inside.reason
    assert order(inside) > least
    grid = report(model, dt, duration, current, "grid")
    assert order(grid) < 1.5
    mine, other = inside.rows[-1].spike_error, grid.rows[-1].spike_error
    assert mine is not None and other is not None and mine < other / 100


def test_an_exact_scheme_has_exact_spikes() -> None:
    found = report("lif", "0.1 ms", "200 ms", "300 pA", "located")
    assert all(row.spike_error is not None and row.spike_error < 1e-7 for row in found.rows)
    assert found.rows[-1].lateness is not None and found.rows[-1].lateness < 1e-6
