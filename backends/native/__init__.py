"""The native target: one C++ translation unit, built with the system's compiler and run in this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from birc.backends import Artifact, Dtype, Missing, Runner
from birc.backends.c_family import OPS, build
from birc.backends.legality import FEATURES, Takes, refusals
from birc.backends.native import emit, run, wire
from birc.backends.native import network as networks
from birc.backends.networks import Builder, NetworkArtifact, NetworkRunner
from birc.errors import Diagnostic
from birc.ir.network import NetworkProgram
from birc.ir.step import Step


class Native:
    """See `birc.backends.Backend`."""

    name: ClassVar[str] = "native"
    description: ClassVar[str] = "C++ for this machine's processor, vectorised and with threads; the fastest way to simulate"
    levels: ClassVar[Mapping[Dtype, str]] = {"f64": "L1", "f32": "L2"}
    takes: ClassVar[Takes] = Takes("the native target", OPS, features=FEATURES, fuses=frozenset(("f32",)))

    def missing(self) -> Missing | None:
        """A C++ compiler, where none is found; on Windows, another system."""
        if os.name == "nt":
            return Missing("Linux or macOS", "use it under WSL; `--target numpy` runs here")
        return None if build.find_compiler() else Missing("a C++ compiler", build.HOW_TO_GET_ONE)

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """Ops that have no C++ spelling, and a program that holds too much at a time."""
        found = list(refusals(step, dtype, self.takes))
        reason = None if found else emit.too_large(step)
        if reason is not None:
            found.append(Diagnostic("L202", reason, step.span, "`--target numpy` takes it"))
        return tuple(found)

    def emit(self, step: Step, dtype: Dtype) -> Artifact:
        """One C++ file."""
        return emit.emit(step, dtype)

    def load(self, artifact: Artifact) -> Runner:
        """A runner; it is built, or found in the cache, before this returns."""
        return run.Native(artifact)

    def refuse_network(self, program: NetworkProgram, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """What it refuses of the programs, and what has no place in its order of events."""
        return networks.refuse_network(program, dtype, self.takes)

    def emit_network(self, program: NetworkProgram, dtype: Dtype) -> NetworkArtifact:
        """One C++ file."""
        return networks.emit_network(program, dtype)

    def load_network(self, artifact: NetworkArtifact) -> NetworkRunner:
        """A runner; the library is built, or found in the cache, with the first job."""
        return networks.load_network(artifact)

    def builder(self) -> Builder:
        """Synapses are made by all cores."""
        return partial(wire.wire, threads=os.cpu_count() or 1)


BACKEND = Native()
