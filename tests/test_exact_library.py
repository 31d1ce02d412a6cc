"""Every neuron of the library, with every preset that has a check, against the exact solution of its equations.

A scheme with steps waits for the end of one with each spike, and what follows waits too: spike times have order 1, states the order of
the method. The runs end behind the fifth spike, so that what the dynamics makes of early errors (irregular bursts) stays apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from birc import driver, sources
from birc.checks import has_events
from birc.errors import BircError
from birc.exact.compare import ExactReport
from birc.exact.solve import solve
from birc.exact.verify import Posed, pose, quickest_target, verify_exact
from birc.ir.model import Check, Model
from birc.sources import Loaded

pytest.importorskip("scipy")

H = float(driver.DT.removesuffix(" ms"))
LONGEST = 2000
SPIKES = 5
APART = 2 * H
"""A run ends between spikes that are farther apart than this."""
STRETCHED = 4.0
"""What the dynamics makes of the lateness of a spike, at most."""
NEAR_A_BIFURCATION = {
    ("Izhikevich2004", "depolarizing_afterpotential"),
    ("Izhikevich2004", "inhibition_induced_spiking"),
    ("Izhikevich2007", "FS"),
}
"""Where it makes more of it: as many spikes need shorter steps, or spikes that are located inside steps."""


def posed_cases() -> Iterator[tuple[str, str, str | None]]:
    """File, model and preset of the neurons that a check drives without sending them events."""
    for file in sources.library():
        module = sources.load(file).module
        neurons = {m.name for m in module.items if isinstance(m, Model) and m.kind == "neuron"}
        checks = [check for check in module.checks if check.model in neurons and check.drives and not has_events(check)]
        yield from dict.fromkeys((file, check.model, check.preset) for check in checks)


CASES = list(posed_cases())


def drives(loaded: Loaded, model: str, preset: str | None) -> list[Loaded]:
    """The file with one of its checks alone, for each check that drives this preset; those of the default scheme first."""
    checks = [c for c in loaded.module.checks if c.drives and not has_events(c) and (c.model, c.preset) == (model, preset)]
    return [replace(loaded, module=replace(loaded.module, checks=(c,))) for c in sorted(checks, key=by_scheme)]


def by_scheme(check: Check) -> bool:
    return check.solver is not None


def pose_to(loaded: Loaded, model: str, preset: str | None, steps: int, spikes: str) -> Posed:
    return pose(loaded, model=model, preset=preset, dt=driver.DT, duration=f"{steps * H} ms", spikes=spikes)


def problem(file: str, model: str, preset: str | None, where: str = "grid") -> Posed:
    """The first drive under which it spikes, up to the time between the fifth spike and the next; else the first drive."""
    found = []
    for loaded in drives(sources.load(file), model, preset):
        steps = min(pose(loaded, model=model, preset=preset, dt=driver.DT).drive.steps, LONGEST)
        whole = pose_to(loaded, model, preset, steps, where)
        spikes = solve(whole.system, whole.drive).spikes
        for before, after in zip(spikes[SPIKES - 1 :], spikes[SPIKES:], strict=False):
            if after - before > APART:
                return pose_to(loaded, model, preset, int((before + after) / 2 / H), where)
        if spikes:
            return whole
        found.append(whole)
    return found[0]


def has_no_exact_solution(model: Model) -> bool:
    """Whether chance or the length of a step is part of the model."""
    return bool(model.noises or model.step_rules) or not model.odes


def compared(file: str, name: str, preset: str | None, where: str) -> ExactReport | None:
    """The report; None where there is nothing to compare, which must have a reason."""
    model = next(m for m in sources.load(file).module.items if isinstance(m, Model) and m.name == name)
    try:
        return verify_exact(problem(file, name, preset, where), quickest_target())
    except BircError as error:
        codes = {d.code for d in error.diagnostics}
        without_spikes = model.spike is None and where == "located" and codes == {"L114"}
        assert without_spikes or (has_no_exact_solution(model) and codes == {"V101"}), error
        return None


def agrees(report: ExactReport, late: float) -> bool:
    """Whether it spikes as often with the default step as in the exact solution, each spike off by that many steps for each so far."""
    row = next(row for row in report.rows if row.dt == pytest.approx(H))
    return row.agree and row.spikes == len(report.spikes) and (row.lateness or 0.0) <= late


@pytest.mark.slow
@pytest.mark.parametrize(("file", "name", "preset"), CASES, ids=["-".join(filter(None, case)) for case in CASES])
def test_scheme_converges_to_the_exact_solution(file: str, name: str, preset: str | None) -> None:
    report = compared(file, name, preset, "grid")
    if report is not None:
        assert report.status == "pass", report.reason
        assert agrees(report, STRETCHED) != ((name, preset) in NEAR_A_BIFURCATION)


@pytest.mark.slow
@pytest.mark.parametrize(("file", "name", "preset"), CASES, ids=["-".join(filter(None, case)) for case in CASES])
def test_with_spikes_inside_steps_none_is_late_by_a_step(file: str, name: str, preset: str | None) -> None:
    report = compared(file, name, preset, "located")
    if report is not None:
        assert report.status == "pass", report.reason
        assert agrees(report, 1.0)


def test_most_of_the_library_has_an_exact_solution() -> None:
    models = [m for file in sources.library() for m in sources.load(file).module.items if isinstance(m, Model)]
    neurons = {m.name: m for m in models if m.kind == "neuron" and m.odes}
    exact = [m for m in neurons.values() if not has_no_exact_solution(m)]
    assert len(exact) > 0.6 * len(neurons)
