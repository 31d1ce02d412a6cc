"""The NumPy reference: readable Python, vectorised over neurons. What people read to know what a model means."""

from __future__ import annotations

from collections.abc import Mapping

from birc.backends import Artifact, Backend, Dtype, Missing, Runner
from birc.backends.legality import FEATURES, Takes, refusals
from birc.backends.networks import NetworkArtifact, NetworkRunner
from birc.backends.numpy.emit import emit
from birc.backends.numpy.network import emit_network, load_network, programs
from birc.backends.numpy.run import NumpyRunner
from birc.backends.numpy.syntax import CALL, INFIX, PREFIX
from birc.errors import Diagnostic
from birc.ir.network import NetworkProgram
from birc.ir.step import Step


class NumpyBackend:
    """Runs everywhere; takes every step program that birc lowers from a model."""

    name = "numpy"
    description = "readable NumPy, the reference"
    levels: Mapping[Dtype, str] = {"f64": "L0", "f32": "L2"}
    takes = Takes("the numpy target", frozenset((*INFIX, *PREFIX, *CALL)), features=FEATURES)

    def missing(self) -> Missing | None:
        """NumPy is a dependency of birc itself."""
        return None

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """What is not in `takes`: operations of `bind` that were written into a phase by hand."""
        return refusals(step, dtype, self.takes)

    def emit(self, step: Step, dtype: Dtype) -> Artifact:
        """One module with a `step` function."""
        return emit(step, dtype)

    def load(self, artifact: Artifact) -> Runner:
        """Run the emitted module in this process."""
        return NumpyRunner(artifact)

    def refuse_network(self, program: NetworkProgram, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """What `refuse` says of any of its programs."""
        return tuple(dict.fromkeys(d for step in programs(program) for d in self.refuse(step, dtype)))

    def emit_network(self, program: NetworkProgram, dtype: Dtype) -> NetworkArtifact:
        """A module for every program."""
        return emit_network(program, dtype)

    def load_network(self, artifact: NetworkArtifact) -> NetworkRunner:
        """Run the emitted modules in this process."""
        return load_network(artifact)


BACKEND: Backend = NumpyBackend()
