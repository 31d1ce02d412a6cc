"""All steps of a layer at once, for the frameworks that Keras computes with.

`emit` writes a C++ unit from a step program and its adjoint, `sweep` builds and calls it, and `on_jax`, `on_tensorflow` and `on_torch`
make it a function of the framework that has a derivative. `product` and `product_on_…` do the same for what drives a layer: the product of
spikes with a kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from birc.fused.product import library
from birc.fused.sweep import Sweeper

Multiply = Callable[[Any, Any, Any], Any]
SweepOn = Callable[[Sequence[Any], Sequence[Any], Sequence[Any], Any], tuple[list[Any], list[Any]]]


@cache
def sweep_on(engine: str, sweeper: Sweeper, given: tuple[int, ...], seen: tuple[int, ...]) -> SweepOn:
    """A function of an engine's tensors: the `given` inputs [outer, steps, inner], all initial states [outer, inner], all bind values
    ([inner] or one number) and a mask [outer, steps] or None to what is `seen` [outer, steps, inner], by its place in the kernel, and the
    last states [outer, inner]. Where the mask is 0, states stay and what is seen is 0.

    Raises X201 to X204 where nothing can be built.
    """
    made: SweepOn = import_module(f"birc.fused.on_{engine}").make(sweeper, given, seen)
    return made


@cache
def product_on(engine: str) -> Multiply:
    """A function of an engine's tensors in single precision: x [..., features], a kernel [features, units] and a bias [units] or None to
    x kernel + bias [..., units]. Where few values of x are not 0, only those take part; else the engine's own product is taken.

    Raises X201 to X204 where nothing can be built.
    """
    library()
    made: Multiply = import_module(f"birc.fused.product_on_{engine}").multiply
    return made


def on_host(engine: str) -> bool:
    """Whether the engine computes on the processor, where the unit can take part."""
    if engine == "jax":
        return bool(import_module("jax").default_backend() == "cpu")
    if engine == "tensorflow":
        return not import_module("tensorflow").config.list_physical_devices("GPU")
    return engine == "torch" and not import_module("torch").cuda.is_available()
