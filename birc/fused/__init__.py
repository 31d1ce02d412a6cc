"""All steps of a layer at once, for the frameworks that Keras computes with.

`emit` writes a C++ unit from a step program and its adjoint, `sweep` builds and calls it, and `on_jax`, `on_tensorflow` and `on_torch`
make it a function of the framework that has a derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from birc.fused.sweep import Sweeper

SweepOn = Callable[[Sequence[Any], Sequence[Any], Sequence[Any]], tuple[list[Any], list[Any]]]


@cache
def sweep_on(engine: str, sweeper: Sweeper, given: tuple[int, ...], seen: tuple[int, ...]) -> SweepOn:
    """A function of an engine's tensors: the `given` inputs [outer, steps, inner], all initial states [outer, inner] and all bind values
    ([inner] or one number) to what is `seen` [outer, steps, inner], by its place in the kernel, and the last states [outer, inner].

    Raises X201 to X204 where nothing can be built.
    """
    made: SweepOn = import_module(f"birc.fused.on_{engine}").make(sweeper, given, seen)
    return made


def on_host(engine: str) -> bool:
    """Whether the engine computes on the processor, where the unit can take part."""
    if engine == "jax":
        return bool(import_module("jax").default_backend() == "cpu")
    if engine == "tensorflow":
        return not import_module("tensorflow").config.list_physical_devices("GPU")
    return engine == "torch" and not import_module("torch").cuda.is_available()
