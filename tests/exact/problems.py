"""Models written in tests, posed against their exact solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from birc.errors import Source
from birc.exact.drive import Drive
from birc.exact.solve import Solution, solve
from birc.exact.verify import Posed, pose
from birc.frontend.load import load_partial
from birc.sources import Loaded


def loaded(text: str) -> Loaded:
    """A file written in a test."""
    source = Source("test.birc", text)
    module, diagnostics = load_partial(source)
    assert module is not None and not [d for d in diagnostics if d.severity == "error"], "\n".join(map(str, diagnostics))
    return Loaded(source, module)


def posed(text: str, **options: Any) -> Posed:
    """A model of a text as a problem; without inputs nothing drives it."""
    return pose(loaded(text), **{"inputs": {}, "duration": "100 ms", **options})


def solved(text: str, stamps: tuple[int, ...] = (), **options: Any) -> Solution:
    """The exact solution of a model of a text."""
    problem = posed(text, **options)
    return solve(problem.system, problem.drive, stamps)


def silent(h: float, steps: int) -> Drive:
    """Nothing from outside."""
    return Drive(h, steps, {}, {})


def spikes(solution: Solution) -> np.ndarray[Any, Any]:
    """The spike times."""
    return np.array(solution.spikes)
