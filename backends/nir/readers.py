"""Third-party programs that read NIR, and what they should compute: a forward Euler run with each one's profile."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from birc.backends import Array, Artifact, Expected, Job, Missing, Spikes
from birc.backends.nir.emit import FILE, fill, planned
from birc.backends.nir.graph import read
from birc.backends.nir.legality import values
from birc.backends.nir.portable import PROFILES, Profile, outside
from birc.backends.nir.run import System, numbers_of, ports_of, system

TIE = 1e-4
"""By how little of its threshold a potential may miss it for a run in float32 to come out otherwise."""


@dataclass(frozen=True)
class NirReader:
    """See `birc.backends.Reader`: one program, run with the graph of an artifact, and its profile."""

    profile: Profile

    @property
    def name(self) -> str:
        """What its package is called."""
        return self.profile.name

    def missing(self) -> Missing | None:
        """What running it would need, or None."""
        lacking = [m for m in ("torch", "nirtorch", self.name) if find_spec(m) is None]
        return Missing(", ".join(lacking), 'pip install "birc[verify-nir]"') if lacking else None

    def describe(self, artifact: Artifact, job: Job) -> str:
        """How it runs the graph, in words."""
        return self.profile.describe(numbers_of(job).h / 1000)

    def refuse(self, artifact: Artifact, job: Job) -> tuple[str, ...]:
        """Everything in the graph that it does not read as NIR says."""
        plan, numbers = planned(artifact.step), numbers_of(job)
        return tuple(outside(self.profile, plan, values(artifact.step, dict(numbers.bind)), numbers.h))

    def run(self, artifact: Artifact, job: Job) -> Spikes:
        """Its own run."""
        fired = RUNS[self.name](read(_file(artifact, job)), _samples(artifact, job), numbers_of(job).h / 1000)
        return _spikes(fired, job)

    def expected(self, artifact: Artifact, job: Job) -> Expected:
        """The run that its profile says."""
        fired, margin = profiled(self.profile, _file(artifact, job), _samples(artifact, job), numbers_of(job).h / 1000)
        return Expected(_spikes(fired, job), margin <= TIE)


READERS: tuple[NirReader, ...] = tuple(NirReader(profile) for profile in PROFILES.values())


def profiled(profile: Profile, data: bytes, samples: Array, dt: float) -> tuple[Array, Array]:
    """Spikes by a profile under samples [steps, n, ports], and how far the potential is from the threshold, in thresholds: [steps, n]."""
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


def _euler(equations: System, profile: Profile, samples: Array, h: float) -> tuple[Array, Array]:
    """x_i += h * x_i', each row with the rows before it already advanced: a current moves before the membrane that it drives."""
    assert equations.threshold is not None
    place, level, reset = equations.threshold
    steps, n, _ = samples.shape
    x = np.zeros((len(equations.matrix), n))
    fired, margin = np.zeros((steps, n), np.bool_), np.zeros((steps, n))
    for k, sample in enumerate(samples):
        for i in range(len(x)):
            x[i] += h * (equations.matrix[i] @ x + sample @ equations.drive[i] + equations.constant[i])
        margin[k] = np.abs(x[place] - level) / (abs(level) or 1.0)
        fired[k] = x[place] > level
        x[place, fired[k]] = 0.0 if profile.reset == "zero" else reset
    late = np.concatenate([np.zeros((profile.shift, n), np.bool_), fired])[:steps]
    return late, margin


def _file(artifact: Artifact, job: Job) -> bytes:
    data = fill(artifact, numbers_of(job)).files[FILE]
    assert isinstance(data, bytes)
    return data


def _samples(artifact: Artifact, job: Job) -> Array:
    """What a reader is given, [steps, n, ports]: an event is the sample of its step."""
    plan = planned(artifact.step)
    return np.stack([(held + pulses).T for held, pulses in (ports_of(plan, job, j) for j in range(job.steps))])


def _spikes(fired: Array, job: Job) -> Spikes:
    step, neuron = np.nonzero(fired)
    return Spikes(neuron.astype(np.int32), job.start + step.astype(np.int64) + 1)


# --- the programs


def _norse(graph: Any, samples: Array, dt: float) -> Array:
    import norse.torch
    import torch

    module = norse.torch.from_nir(graph, dt=dt, ignore_warnings=True)
    state, spikes = None, []
    with torch.no_grad():
        for sample in samples:
            z, state = module(torch.tensor(sample, dtype=torch.float32), state)
            spikes.append(z.numpy()[:, 0])
    return np.array(spikes) > 0


def _snntorch(graph: Any, samples: Array, dt: float) -> Array:
    import torch
    from snntorch.import_nir import import_from_nir

    with contextlib.redirect_stdout(io.StringIO()):
        module = import_from_nir(graph)
    state, spikes = None, []
    with torch.no_grad():
        for sample in samples:
            given = torch.tensor(sample, dtype=torch.float32)
            z, state = module(given) if state is None else module(given, state)
            spikes.append((z[0] if isinstance(z, tuple) else z).numpy()[:, 0])
    return np.array(spikes) > 0


RUNS: dict[str, Callable[[Any, Array, float], Array]] = {"norse": _norse, "snntorch": _snntorch}
