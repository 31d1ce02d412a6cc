"""The spiking layers of a model: those with a `surrogate_slope`, of their own or of their cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def slope(layer: Any) -> Any:
    """The variable by which the argument of a layer's surrogate is multiplied; None for a layer that does not spike, or is not built."""
    own = getattr(layer, "surrogate_slope", None)
    return own if own is not None else getattr(getattr(layer, "cell", None), "surrogate_slope", None)


def spiking_layers(model: Any) -> list[Any]:
    """Every layer with a slope, however deep; of one inside another the outer one, of a shared one once."""
    return list({id(layer): layer for layer in _spiking(model)}.values())


def _spiking(layer: Any) -> Iterator[Any]:
    if slope(layer) is not None:
        yield layer
    else:
        for inner in inside(layer):
            yield from _spiking(inner)


def no_spiking_layer(model: Any) -> str:
    """What to say of a model in which there is none."""
    return f"the model `{model.name}` " + (
        "has no spiking layer" if model.built else "is not built, so that its spiking layers are not known"
    )


def every_layer(layer: Any) -> Iterator[Any]:
    """The layer and all that are inside it."""
    yield layer
    for inner in inside(layer):
        yield from every_layer(inner)


def inside(layer: Any) -> list[Any]:
    """The layers directly inside, of layers, models and wrappers alike; Keras has no public name for that."""
    return list(getattr(layer, "_layers", ()))
