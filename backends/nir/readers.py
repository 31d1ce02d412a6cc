"""Third-party programs that read NIR, and what they should compute: a forward Euler run with each one's profile."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from birc.backends import Array, Missing
from birc.backends.nir.graph import read
from birc.backends.nir.portable import PROFILES, Profile
from birc.backends.nir.run import System, system

MODULES = {"norse": "norse", "snntorch": "snntorch"}


def missing(reader: str) -> Missing | None:
    """What running a reader would need, or None."""
    lacking = [m for m in ("torch", "nirtorch", MODULES[reader]) if find_spec(m) is None]
    return Missing(", ".join(lacking), 'pip install "birc[verify-nir]"') if lacking else None


def run(reader: str, data: bytes, samples: Array, dt: float) -> Array:
    """The spikes [steps] that a reader makes of a graph under samples [steps, ports], at a step of `dt` seconds."""
    return RUNS[reader](read(data), samples, dt)


def expected(reader: str, data: bytes, samples: Array, dt: float) -> tuple[Array, float]:
    """The spikes [steps] by the reader's profile, and by how little the potential misses or passes the threshold at any step."""
    profile = PROFILES[reader]
    graph = read(data)
    kinds = {type(node).__name__ for node in graph.nodes.values()}
    if not profile.gain:  # birc writes r = 1, which a reader that drops it reads rightly too
        for node in graph.nodes.values():
            if type(node).__name__ in ("LIF", "IF"):
                node.r = np.ones_like(node.r)
    step = profile.dt if profile.dt is not None else dt
    if "IF" in kinds and profile.integrator is not None:
        step = profile.integrator
    return _euler(system(graph), profile, samples, step)


def _euler(equations: System, profile: Profile, samples: Array, h: float) -> tuple[Array, float]:
    """x_i += h * x_i', each row with the rows before it already advanced: a current moves before the membrane that it drives."""
    assert equations.threshold is not None
    place, level, reset = equations.threshold
    x = np.zeros(len(equations.matrix))
    fired = np.zeros(len(samples), np.bool_)
    margin = np.inf
    for k, sample in enumerate(samples):
        for i in range(len(x)):
            x[i] += h * (equations.matrix[i] @ x + equations.drive[i] @ sample + equations.constant[i])
        margin = min(margin, abs(x[place] - level))
        fired[k] = x[place] > level
        if fired[k]:
            x[place] = 0.0 if profile.reset == "zero" else reset
    return np.concatenate([np.zeros(profile.shift, np.bool_), fired])[: len(samples)], float(margin)


def _norse(graph: Any, samples: Array, dt: float) -> Array:
    import norse.torch
    import torch

    module = norse.torch.from_nir(graph, dt=dt, ignore_warnings=True)
    state, spikes = None, []
    with torch.no_grad():
        for sample in samples:
            z, state = module(torch.tensor(sample[None], dtype=torch.float32), state)
            spikes.append(float(z))
    return np.array(spikes) > 0


def _snntorch(graph: Any, samples: Array, dt: float) -> Array:
    import torch
    from snntorch.import_nir import import_from_nir

    with contextlib.redirect_stdout(io.StringIO()):
        module = import_from_nir(graph)
    state, spikes = None, []
    with torch.no_grad():
        for sample in samples:
            given = torch.tensor(sample[None], dtype=torch.float32)
            found = module(given) if state is None else module(given, state)
            z, state = found
            spikes.append(float(z[0] if isinstance(z, tuple) else z))
    return np.array(spikes) > 0


RUNS: dict[str, Callable[[Any, Array, float], Array]] = {"norse": _norse, "snntorch": _snntorch}
