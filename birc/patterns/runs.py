"""Patterns from the library's `check` blocks: one that names a preset and a solver holds a published protocol and its scheme."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from birc import driver
from birc.checks import drive
from birc.errors import BircError
from birc.ir.model import Check
from birc.runtime.result import Result
from birc.sources import choose, library, load
from birc.suggest import closest

Array = npt.NDArray[np.float64]

FINER = 5
"""How many steps of the accurate run make one of the published."""


@dataclass(frozen=True)
class Pattern:
    """A pattern: its protocol, a run under the published scheme, and one accurate in time, with spikes located inside steps."""

    model: str
    name: str
    solver: str
    dt: float
    stimulus: Array
    """What the first port is held at over each published step, in internal units."""
    published: Result
    accurate: Result

    @property
    def agrees(self) -> bool:
        """Whether the scheme and the equations give as many spikes."""
        return len(self.published.index) == len(self.accurate.index)


def patterns(name: str) -> Iterator[Pattern]:
    """All patterns of a library file and of its variants: `izhikevich` is `izhikevich_2004` too.

    Raises A005 for a file that there is not, A008 for one without patterns.
    """
    files = [file for file in library() if file == name or file.startswith(f"{name}_")]
    if not files:
        near = closest(name, library())
        raise BircError(
            "A005", f"there is no model `{name}` in the library", help=f"did you mean `{near}`?" if near else "`birc models` lists it"
        )
    found = False
    for file in files:
        for check in published_checks(file):
            found = True
            yield _run(file, check)
    if not found:
        raise BircError("A008", f"the library has no published patterns of `{name}`", help="`birc models izhikevich --patterns` has")


def published_checks(file: str) -> list[Check]:
    """The checks of a library file that name a preset and a solver, the first of each preset."""
    named: dict[str, Check] = {}
    for check in load(file).module.checks:
        if check.preset is not None and check.solver is not None and check.dt is not None:
            named.setdefault(f"{check.model}.{check.preset}", check)
    return list(named.values())


def _run(file: str, check: Check) -> Pattern:
    item, _ = choose(load(file), check.model)
    dt = check.dt or 0.0
    runs = []
    for solver, spikes, h in ((check.solver, None, dt), (None, "located", dt / FINER)):
        compiled = driver.build(driver.lower(item, solver, spikes=spikes)[1], "numpy")
        runs.append(drive(check, compiled.step, compiled.runner, h, ["v"]))
    stimulus = next(iter(runs[0].driven.values()))
    return Pattern(check.model, str(check.preset), str(check.solver), dt, stimulus, runs[0].out, runs[1].out)
