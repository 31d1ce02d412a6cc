"""Arguments of a layer and parameters of its model: each may be given by either name, in the unit that belongs to the name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from birc.errors import BircError


class Default(float):
    """The default of an argument: a number that nobody gave."""


@dataclass(frozen=True)
class Twin:
    """An argument of a layer, the model's parameter that it is, and what it is multiplied by to be in the model's unit."""

    argument: str
    parameter: str
    scale: float = 1.0


@dataclass(frozen=True)
class Given:
    """What a layer is told of its model: `parameters` by the model's names, and the same as they were written, for its configuration."""

    parameters: Mapping[str, Any]
    written: Mapping[str, Any] = field(default_factory=dict)


def mistake(layer: str, name: str | None, message: str, help: str | None = None) -> BircError:
    """I301, which says which layer it is about."""
    return BircError("I301", f"{layer}{f' `{name}`' if name else ''}: {message}", help=help)


def take(layer: str, name: str | None, twins: tuple[Twin, ...], arguments: Mapping[str, Any], options: dict[str, Any]) -> Given:
    """The parameters among a layer's arguments and options; the model's own names are taken out of `options`.

    An argument that is left at its default (`Default`, or None) gives way to its parameter, and is written down nowhere. Raises I301
    where both are given.
    """
    parameters: dict[str, Any] = {}
    written: dict[str, Any] = {}
    for twin in twins:
        value = arguments[twin.argument]
        own = options.pop(twin.parameter, None) if twin.parameter != twin.argument else None
        told = value is not None and not isinstance(value, Default)
        if told and own is not None:
            message = f"`{twin.argument}` and `{twin.parameter}` are the same parameter, and both are given"
            raise mistake(layer, name, message, f"`{twin.argument}` is {_unit(twin)}, `{twin.parameter}` in the model's unit: give one")
        if own is not None:
            parameters[twin.parameter] = written[twin.parameter] = own
        elif value is not None:
            parameters[twin.parameter] = value if isinstance(value, str) else float(value) * twin.scale
            if told:
                written[twin.argument] = value
    return Given(parameters, written)


def _unit(twin: Twin) -> str:
    return "in seconds" if twin.scale == 1000 else "a plain number"


def whole_number(layer: str, name: str | None, argument: str, value: Any) -> int:
    """A number of units. Raises I301."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or int(value) != value or value < 1:
        raise mistake(layer, name, f"{argument} = {value!r}: expected a whole number from 1")
    return int(value)
