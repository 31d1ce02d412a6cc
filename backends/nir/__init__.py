"""The NIR target: graphs of leaky and integrating nodes, for programs and chips that read NIR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import ClassVar

from birc.backends import Artifact, Dtype, Missing, Numbers, Reader, Runner
from birc.backends.legality import Takes
from birc.backends.nir import emit, legality, portable, readers, run
from birc.errors import BircError, Diagnostic, Span
from birc.ir.step import Step

HOW = 'pip install "birc[nir]"'


class Nir:
    """See `birc.backends.Backend`."""

    name: ClassVar[str] = "nir"
    description: ClassVar[str] = "NIR graphs of LIF, CubaLIF, LI, IF and I nodes, for simulators and neuromorphic chips"
    levels: ClassVar[Mapping[Dtype, str]] = {"f64": "L1", "f32": "L2"}
    solution: ClassVar[str] = "the graph, read back and solved exactly"
    takes: ClassVar[Takes] = legality.TAKES

    def missing(self) -> Missing | None:
        """The package nir, where it is not installed."""
        return None if find_spec("nir") else Missing("nir", HOW)

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """All that has no node, and values that make none."""
        return legality.refusals(step, dtype)

    def emit(self, step: Step, dtype: Dtype) -> Artifact:
        """`plan.txt`; `model.nir` comes with the numbers."""
        return emit.emit(step, dtype)

    def fill(self, artifact: Artifact, numbers: Numbers) -> Artifact:
        """See `birc.backends.HoldsNumbers`. Raises X321 where the package nir is not installed."""
        if self.missing() is not None:
            raise BircError("X321", "NIR files are written by the package nir, which is not installed", help=HOW)
        return emit.fill(artifact, numbers)

    def cautions(self, step: Step, h: float) -> tuple[Diagnostic, ...]:
        """See `birc.backends.Cautions`: L329 for all that readers of the graph will do otherwise."""
        places: dict[Span | None, list[str]] = {}
        for deviation in portable.deviations(emit.planned(step), legality.values(step), h):
            places.setdefault(deviation.span, []).append(deviation.text)
        message = "not everyone runs this graph as the model says"
        return tuple(Diagnostic("L329", message, span, "\n".join(texts), severity="warning") for span, texts in places.items())

    @property
    def readers(self) -> Sequence[Reader]:
        """See `birc.backends.HasReaders`."""
        return readers.READERS

    def load(self, artifact: Artifact) -> Runner:
        """A runner that reads the file back."""
        return run.NirRunner(artifact)


BACKEND = Nir()
