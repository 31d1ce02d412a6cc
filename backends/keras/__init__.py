"""The Keras target: one self-contained module per neuron or synapse, with a Keras 3 layer for TensorFlow, JAX and torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import ClassVar

from birc.backends import Accelerator, Artifact, Derive, Dtype, Engine, Missing, Runner
from birc.backends.keras.emit import emit
from birc.backends.keras.engines import ENGINES
from birc.backends.keras.legality import TAKES, refusals
from birc.backends.keras.synapse import emit_synapse, refuse_synapse
from birc.backends.keras.tables import fixed
from birc.backends.legality import Takes
from birc.errors import BircError, Diagnostic
from birc.ir.step import OFFSET, Step
from birc.ir.synapse import SynapseProgram


class Keras:
    """See `birc.backends.Backend`."""

    name: ClassVar[str] = "keras"
    description: ClassVar[str] = "a Keras 3 layer that learns, on TensorFlow, JAX or torch"
    levels: ClassVar[Mapping[Dtype, str]] = {"f64": "L1", "f32": "L2"}
    takes: ClassVar[Takes] = TAKES

    def missing(self) -> Missing | None:
        """Keras, or one of the packages that it computes with; none of them is imported to find out."""
        if find_spec("keras") is None:
            return Missing("Keras", 'pip install "birc[keras]"')
        if not any(find_spec(engine) for engine in ENGINES):
            return Missing("TensorFlow, JAX or torch, with which Keras computes", 'pip install "birc[keras]"')
        return None

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """Ops that Keras has not, and parameters that are to be learned and cannot be."""
        return refusals(step, dtype)

    def emit(self, step: Step, dtype: Dtype) -> Artifact:
        """One module."""
        return emit(step, dtype)

    def emit_differentiable(self, step: Step, dtype: Dtype, derive: Derive) -> Artifact:
        """One module, which holds its adjoint."""
        return emit(step, dtype, derive)

    def refuse_synapse(self, program: SynapseProgram, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """As `refuse`, and noise."""
        return refuse_synapse(program, dtype)

    def emit_synapse(self, program: SynapseProgram, dtype: Dtype) -> Artifact:
        """One module."""
        return emit_synapse(program, dtype)

    def load(self, artifact: Artifact) -> Runner:
        """Run the emitted step, with the Keras that this process uses (`KERAS_BACKEND` chooses). Raises L110 for a synapse."""
        from birc.backends.keras.run import KerasRunner

        if artifact.manifest.get("kind") == "synapse":
            message = f"the synapse `{artifact.step.name}` cannot run by itself"
            raise BircError("L110", message, artifact.step.span, "take its layer, or name it in a network")

        return KerasRunner(artifact)

    def accelerate(self, artifact: Artifact, make: Accelerator) -> None:
        """See `birc.backends.Accelerates`."""
        from birc.backends.keras.run import accelerate

        if artifact.manifest.get("kind") != "synapse":
            accelerate(artifact, make)

    @property
    def engines(self) -> Sequence[Engine]:
        """Every package that Keras computes with, and those again that sweep."""
        from birc.backends.keras.derive import DERIVATIVES, SWEEPING, KerasEngine

        return tuple(KerasEngine(name, way) for name in DERIVATIVES for way in (False, True) if not way or name in SWEEPING)

    def learnable(self, artifact: Artifact) -> tuple[str, ...]:
        """All parameters but those that have no derivative."""
        reasons = fixed(artifact.step)
        return tuple(p.name for p in artifact.step.params if p.name not in reasons)

    def layer(
        self, artifact: Artifact, params: Mapping[str, object], options: Mapping[str, object], number: Callable[[str, str], float]
    ) -> object:
        """The emitted layer. A parameter whose name is that of an option, or reserved, is given with an underscore behind.

        Raises L303 for a program whose spikes lie inside steps.
        """
        from birc.backends.keras.run import make_layer

        located = next((slot for slot in artifact.step.slots if slot.name == OFFSET), None)
        if located is not None:
            message = "a layer has its spikes on the ends of steps, where a surrogate stands for their derivative"
            raise BircError("L303", message, located.span, 'compile with `spikes="grid"`')
        return make_layer(artifact, params, options, number)


BACKEND = Keras()
