"""How losses, encoders and trainers refuse what does not fit them."""

from __future__ import annotations

from math import isfinite
from typing import Any

from birc.errors import BircError


def left_alone(error: BircError) -> BircError:
    """The error, marked as one over which Keras writes no message of its own when it comes out of a layer."""
    error._keras_call_info_injected = True  # type: ignore[attr-defined]
    return error


def data_mistake(who: str, message: str, help: str | None = None) -> BircError:
    """Data of a wrong shape, type or range."""
    return left_alone(BircError("I311", f"{who}: {message}", help=help))


def option_mistake(who: str, message: str, help: str | None = None) -> BircError:
    """An option outside its range."""
    return left_alone(BircError("I312", f"{who}: {message}", help=help))


def above_zero(who: str, name: str, value: Any) -> float:
    """A finite number above 0."""
    if not _is_number(value) or not 0 < value < float("inf"):
        raise option_mistake(who, f"{name} = {value!r} is no number above 0")
    return float(value)


def at_least_zero(who: str, name: str, value: Any) -> float:
    """A finite number that is not negative."""
    if not _is_number(value) or not 0 <= value < float("inf"):
        raise option_mistake(who, f"{name} = {value!r} is no number from 0 on")
    return float(value)


def within(who: str, name: str, value: Any, low: float, high: float) -> float:
    """A number in [low, high]."""
    if not _is_number(value) or not low <= value <= high:
        raise option_mistake(who, f"{name} = {value!r} is no number in [{low:g}, {high:g}]")
    return float(value)


def count(who: str, name: str, value: Any, least: int = 1) -> int:
    """A whole number, `least` or more."""
    if not _is_number(value) or not isfinite(value) or int(value) != value or value < least:
        raise option_mistake(who, f"{name} = {value!r} is no whole number from {least} on")
    return int(value)


def one_of(who: str, name: str, value: Any, known: tuple[str, ...]) -> str:
    """One of several words."""
    if value not in known:
        raise option_mistake(who, f"{name} = {value!r} is none of {', '.join(known)}")
    return str(value)


def _is_number(value: Any) -> bool:
    """A Python or NumPy number, and no truth value."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, (bool, str))
