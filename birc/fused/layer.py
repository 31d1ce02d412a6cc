"""Runs all steps of an emitted layer at once, where a C++ compiler is found; results are those of its loop over time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from birc.backends import Artifact
from birc.backends.c_family.build import find_compiler
from birc.fused import on_host, product_on, sweep_on
from birc.fused.emit import emit, learned_below, takes
from birc.fused.sweep import Sweeper
from birc.ir.adjoint import SLOPE, UNIT, argument
from birc.ir.surrogates import TABLE

OFF = "BIRC_FUSED"
"""Environment variable: "0" keeps every layer to its loop."""


class Fused:
    """What the module of an artifact calls: all steps of one of its layers at once."""

    def __init__(self, artifact: Artifact, engine: str, ops: Any) -> None:
        self._step, self._engine, self._ops = artifact.step, engine, ops
        self._names: Mapping[str, str] = artifact.manifest["names"]
        self._draws = tuple(f"{noise.name}:{lane}" for noise in artifact.step.noises for lane in range(noise.lanes))
        self._made: dict[Any, Sweeper] = {}

    def sweeper(self, settings: Any, units: int, each: frozenset[str]) -> Sweeper:
        """The kernel for a layer's surrogate, learned parameters, ports and noise, its size, and the bind values that differ in it."""
        spike = settings.spike
        key = (spike.name, spike.detach_reset, settings.learn, settings.learn_surrogate, settings.ports, settings.noise, units, each)
        if key not in self._made:
            surrogate = TABLE[spike.name]
            wanted = learned_below(self._step, frozenset(settings.learn))
            if settings.learn_surrogate and surrogate.slope:
                wanted |= {argument(surrogate.slope)}
            given = {*settings.ports, *(self._draws if settings.noise else ())}
            kernel = emit(self._step, surrogate, spike.detach_reset, wanted, frozenset(given), each, units)
            self._made[key] = Sweeper(kernel)
        return self._made[key]

    def fits(self, settings: Any) -> bool:
        """Whether a layer with these settings can be run at once: a surrogate of another kind may look at all neurons of a step."""
        return settings.spike.name in TABLE

    def sees(self, x: Any) -> bool:
        """Whether a tensor's sizes are known, as they are but where JAX only asks for shapes, or exports."""
        return self._engine != "jax" or all(isinstance(size, int) for size in x.shape)

    def multiplies(self, x: Any, kernel: Any) -> bool:
        """Whether `product` takes these tensors: those in single precision."""
        types = {getattr(t.dtype, "name", str(t.dtype)).removeprefix("torch.") for t in (x, self._ops.convert_to_tensor(kernel))}
        return self.sees(x) and types == {"float32"}

    def product(self, x: Any, kernel: Any, bias: Any) -> Any:
        """x kernel + bias, or without where it is None; where most of x is 0, by what is not. x: [batch, time, features]."""
        tensor = self._ops.convert_to_tensor
        return product_on(self._engine)(x, tensor(kernel), None if bias is None else tensor(bias))

    def __call__(self, cell: Any, columns: Mapping[str, Any], states: Sequence[Any], mask: Any = None) -> tuple[dict[str, Any], list[Any]]:
        """What is seen of a layer's output, in internal units, and the last states.

        columns: by port and draw, [batch, time, units]; states: by slot, [batch, units]; mask: truths [batch, time].
        """
        settings = cell.settings
        numbers = cell.held.numbers or cell.numbers()
        each = frozenset(name for name, identifier in self._names.items() if identifier in numbers and len(numbers[identifier].shape))
        sweeper = self.sweeper(settings, cell.units, each)
        kernel = sweeper.kernel
        given = tuple(i for i, name in enumerate(kernel.inputs) if name in columns)
        seen = tuple(i for i, name in enumerate(kernel.seen) if name in settings.output)
        own = self._surrogate(cell, kernel.defaults)
        bind = [own[name] if name in own else numbers[self._names[name]] for name in kernel.bind]
        run = sweep_on(self._engine, sweeper, given, seen)
        cast = [self._ops.convert_to_tensor(self._ops.cast(b, "float32")) for b in bind]
        kept = None if mask is None else self._ops.cast(mask, "float32")
        found, last = run([columns[kernel.inputs[i]] for i in given], list(states), cast, kept)
        return {kernel.seen[i]: a for i, a in zip(seen, found, strict=True)}, last

    def _surrogate(self, cell: Any, defaults: Mapping[str, float]) -> dict[str, Any]:
        spike = cell.spike()
        arguments = {argument(name): value for name, value in {**spike.arguments, **spike.learned}.items()}
        return {**defaults, **arguments, SLOPE: spike.slope, UNIT: 1 / spike.scale}


def fused(artifact: Artifact, engine: str, ops: Any) -> Fused | None:
    """For a program that can be run at once, on a machine that can build it."""
    if os.environ.get(OFF) == "0" or not takes(artifact.step) or find_compiler() is None or not on_host(engine):
        return None
    return Fused(artifact, engine, ops)
