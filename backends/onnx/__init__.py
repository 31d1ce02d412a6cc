"""The ONNX target: graphs that any ONNX runtime takes, as one Scan over time and as a single step."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import ClassVar

from birc.backends import Artifact, Dtype, Missing, Numbers, Runner
from birc.backends.legality import Takes, refusals
from birc.backends.onnx import emit, fill, run
from birc.backends.onnx.table import FUNCTIONS, NODES
from birc.errors import BircError, Diagnostic
from birc.ir.step import Step

PACKAGES = ("onnx", "onnxruntime")
HOW = 'pip install "birc[onnx]"'


class Onnx:
    """See `birc.backends.Backend`."""

    name: ClassVar[str] = "onnx"
    description: ClassVar[str] = "ONNX graphs: a Scan over time, and one step with its state in and out"
    levels: ClassVar[Mapping[Dtype, str]] = {"f64": "L1", "f32": "L2"}
    takes: ClassVar[Takes] = Takes("the ONNX target", frozenset((*NODES, *FUNCTIONS)))

    def missing(self) -> Missing | None:
        """The packages onnx and onnxruntime, where they are not installed."""
        lacking = [name for name in PACKAGES if find_spec(name) is None]
        return Missing(" and ".join(lacking), HOW) if lacking else None

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """Ops that are neither a standard node nor a function of ours."""
        return refusals(step, dtype, self.takes)

    def emit(self, step: Step, dtype: Dtype) -> Artifact:
        """`model.onnx` and `model.step.onnx`. Raises X311 where the package onnx is not installed."""
        if find_spec("onnx") is None:
            raise BircError("X311", "ONNX files are written by the package onnx, which is not installed", help=HOW)
        return emit.emit(step, dtype)

    def fill(self, artifact: Artifact, numbers: Numbers) -> Artifact:
        """See `birc.backends.HoldsNumbers`."""
        return fill.fill(artifact, numbers)

    def load(self, artifact: Artifact) -> Runner:
        """A runner by onnxruntime."""
        return run.OnnxRunner(artifact)


BACKEND = Onnx()
