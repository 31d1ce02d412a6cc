"""The spiking layers of a model: those with a `surrogate_slope`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def spiking_layers(model: Any) -> list[Any]:
    """Every layer with a `surrogate_slope`, however deep; of one inside another the outer one, of a shared one once.

    `surrogate_slope` is a variable that does not train, by which the argument of the layer's surrogate is multiplied.
    """
    return list({id(layer): layer for layer in _spiking(model)}.values())


def _spiking(layer: Any) -> Iterator[Any]:
    if getattr(layer, "surrogate_slope", None) is not None:
        yield layer
    else:
        for inner in inside(layer):
            yield from _spiking(inner)


def every_layer(layer: Any) -> Iterator[Any]:
    """The layer and all that are inside it."""
    yield layer
    for inner in inside(layer):
        yield from every_layer(inner)


def inside(layer: Any) -> list[Any]:
    """The layers directly inside, of layers, models and wrappers alike; Keras has no public name for that."""
    return list(getattr(layer, "_layers", ()))
