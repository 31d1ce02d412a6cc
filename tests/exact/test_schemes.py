"""What `docs/schemes.md` says of the library, over one second."""

from __future__ import annotations

import numpy as np
import pytest

from birc.exact.solve import solve
from birc.exact.verify import pose, quickest_target
from tests.bench import schemes
from tests.bench.schemes import CASES, crossing, spike_times

pytestmark = pytest.mark.slow

RUNS_FAR = {"adex"}
"""Models whose v a step carries so far over the threshold that a state behind it, which sequential Euler shows it before the reset, is
thrown off: AdEx, whose w takes a part of v, with an upstroke of 1e10 mV/ms at its peak."""


def test_the_default_of_hodgkin_and_huxley_keeps_all_spike_times() -> None:
    case = CASES[0]
    problem = pose(case.model, dt=case.dt, duration="1 s", inputs={"I": case.drive})
    exact = np.array(solve(problem.system, problem.drive).spikes)
    fit = {scheme.name: scheme for scheme in schemes.schemes(case)[0]}
    (default,) = {block.method for block in problem.lowered.blocks}
    stamps, between = spike_times(fit[default], case.between)
    assert len(stamps) == len(exact) == 69
    assert np.abs(stamps - exact).max() <= 0.01 and np.abs(between - exact).max() < 1e-4
    lost, _ = spike_times(fit[schemes.PEERS], case.between)
    assert len(lost) == 68


@pytest.mark.skipif(quickest_target() != "native", reason="NumPy takes minutes")
@pytest.mark.parametrize("case", CASES[1:], ids=lambda case: case.model)
def test_every_scheme_has_all_spikes_of_models_with_a_reset(case: schemes.Case) -> None:
    problem = pose(case.model, dt=case.dt, duration="1 s", inputs={"I": case.drive})
    exact = solve(problem.system, problem.drive)
    found = {scheme.name: len(spike_times(scheme, None)[0]) for scheme in schemes.schemes(case)[0]}
    if case.model in RUNS_FAR:
        assert found.pop("sequential_euler") < len(exact.spikes)
    assert found == dict.fromkeys(found, len(exact.spikes)) and "rk4" in found and "euler" in found


def test_a_crossing_is_found_between_two_steps() -> None:
    at = np.array([-2.0, -1.0, 0.0, 1.0]) + 0.3
    assert abs(crossing(at**3 + at) + 0.3) < 1e-12
