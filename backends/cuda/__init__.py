"""The CUDA target: one translation unit for NVIDIA devices, with a plain C interface; without a device it runs emulated on the host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import ClassVar

from birc.backends import Artifact, Dtype, Missing, Runner
from birc.backends.c_family import OPS, build
from birc.backends.cuda import device, emit, run
from birc.backends.legality import FEATURES, Takes, refusals
from birc.errors import Diagnostic
from birc.ir.step import Step


class Cuda:
    """See `birc.backends.Backend`."""

    name: ClassVar[str] = "cuda"
    description: ClassVar[str] = "CUDA C++ for NVIDIA devices, with a plain C interface"
    levels: ClassVar[Mapping[Dtype, str]] = {"f64": "L1", "f32": "L2"}
    takes: ClassVar[Takes] = Takes("the cuda target", OPS, features=FEATURES, statements=5000, fuses=frozenset(("f32",)))

    def missing(self) -> Missing | None:
        """A C++ compiler, where there is neither a device with nvcc nor a compiler to emulate one."""
        if os.name == "nt":
            return Missing("Linux", "use it under WSL; `--target numpy` runs here")
        return None if device.can_run() else Missing("a C++ compiler, or nvcc and an NVIDIA device", build.HOW_TO_GET_ONE)

    def emulation(self) -> str:
        """See `birc.backends.Emulated`."""
        return device.emulation()

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """What is not in `takes`, and a program that names too many arrays."""
        found = refusals(step, dtype, self.takes)
        values = 0 if found else emit.values_of(step)
        if values > emit.MOST_VALUES:
            message = f"the program has {values} parameters, states and ports; the cuda target takes {emit.MOST_VALUES}"
            return (Diagnostic("L202", message, step.span, "`--target numpy` takes it"),)
        return found

    def emit(self, step: Step, dtype: Dtype) -> Artifact:
        """The `.cu` file and its C header."""
        return emit.emit(step, dtype)

    def load(self, artifact: Artifact) -> Runner:
        """A runner on the device, or on the emulated one; it is built, or found in the cache, before this returns."""
        return run.CudaRunner(artifact, device.machine())


BACKEND = Cuda()
