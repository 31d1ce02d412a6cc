"""Runs a network's library in this process: hands it a job's arrays, in stretches short enough that Ctrl-C is heard between them."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Mapping

import numpy as np

from birc.backends import FLOATS, Array, Spikes
from birc.backends.c_family import build
from birc.backends.native.network.call import Call
from birc.backends.native.network.digits import defines
from birc.backends.native.network.fields import DRIVEN_SIZES, QUEUE_SIZES, SIZES, NetworkFields
from birc.backends.native.network.fixed import Fixed
from birc.backends.native.network.plan import plan
from birc.backends.networks import NetworkArtifact, NetworkJob

SECONDS = 0.1
"""About how long one call of the library lasts: signals are handled between calls."""
UPDATES = 1_000_000
"""Neuron updates in the first call, before the pace is known."""


class NativeNetwork:
    """The runner of a network's artifact."""

    def __init__(self, artifact: NetworkArtifact) -> None:
        (self.source,) = (text for name, text in artifact.files.items() if name.endswith(".cpp") and isinstance(text, str))
        self.plan = plan(artifact.program)
        self.real = FLOATS[artifact.dtype]
        self.libraries: dict[str, ctypes.CDLL] = {}
        self.fixed: Fixed | None = None
        self.steps = 0
        self.rates: Mapping[str, float] = {}
        self.chosen: dict[str, Mapping[str, str]] = {}
        """What was decided in the last job; see `birc.backends.networks.Chooses`."""

    def library(self, head: str) -> ctypes.CDLL:
        """The library built behind some definitions."""
        if head not in self.libraries:
            library = build.library(head + self.source)
            library.birc_run.argtypes = (ctypes.POINTER(NetworkFields),)
            library.birc_run.restype = None
            sizes = (ctypes.c_int64 * len(SIZES)).in_dll(library, "birc_sizes")
            assert tuple(sizes) == SIZES
            if any(kind.driven for kind in self.plan.synapses):
                library.birc_finish.argtypes, library.birc_finish.restype = (ctypes.POINTER(NetworkFields),), None
                sizes = (ctypes.c_int64 * len(DRIVEN_SIZES)).in_dll(library, "birc_driven_sizes")
                assert tuple(sizes) == DRIVEN_SIZES
            if any(kind.queued for kind in self.plan.synapses):
                library.birc_free.argtypes, library.birc_free.restype = (ctypes.c_void_p,), None
                sizes = (ctypes.c_int64 * len(QUEUE_SIZES)).in_dll(library, "birc_queue_sizes")
                assert tuple(sizes) == QUEUE_SIZES
            self.libraries[head] = library
        return self.libraries[head]

    def run(self, job: NetworkJob) -> Mapping[str, Spikes]:
        """See `birc.backends.networks.NetworkRunner`. Ctrl-C is heard between stretches; the state is then that of a stamp between."""
        library = self.library(defines(self.plan, job))
        lanes = ctypes.c_int64.in_dll(library, "birc_lanes").value
        if self.fixed is None or self.fixed.network is not job.network:
            self.fixed, self.rates = Fixed(self.plan, job.network, self.real, lanes), {}
        call = Call(self.fixed, job, self.rates)
        self.chosen = {"on_post": {name: found.words for name, found in call.on_post.items()}}
        found: dict[str, list[Spikes]] = {name: [] for name in call.groups}
        neurons = sum(population.n for population in job.network.populations)
        steps = self.steps or max(1, UPDATES // max(1, neurons))
        first = 0
        try:
            while first < job.steps:
                began = time.perf_counter()
                done, spikes = call.stretch(library, first, min(steps, job.steps - first))
                for name, some in spikes.items():
                    found[name].append(some)
                spent = max(time.perf_counter() - began, 1e-6)
                first += done
                steps = max(1, min(2 * steps, int(done * SECONDS / spent)))
        finally:
            call.finish(library)
        self.steps, self.rates = steps, call.rates(first)
        return {name: joined(some) for name, some in found.items()}


def joined(found: list[Spikes]) -> Spikes:
    """The spikes of stretches, one after another."""
    index: list[Array] = [np.zeros(0, np.int32), *(s.index for s in found)]
    stamp: list[Array] = [np.zeros(0, np.int64), *(s.stamp for s in found)]
    return Spikes(np.concatenate(index), np.concatenate(stamp))


def load_network(artifact: NetworkArtifact) -> NativeNetwork:
    """A runner; the library is built, or found in the cache, when the first job says what differs between neurons."""
    return NativeNetwork(artifact)
