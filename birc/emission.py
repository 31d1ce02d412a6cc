"""A step program as a target's artifact, with the program's derivative where the target has use for it."""

from __future__ import annotations

from birc.backends import Artifact, Backend, Differentiable, Dtype
from birc.ir.step import Step
from birc.passes import adjoint


def emit(backend: Backend, step: Step, dtype: Dtype) -> Artifact:
    """The artifact of a program that the target does not refuse."""
    if isinstance(backend, Differentiable):
        return backend.emit_differentiable(step, dtype, adjoint.run)
    return backend.emit(step, dtype)
