"""What a person gives for a number: a quantity as text, a number or array in the declared unit, a draw per neuron, a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.errors import BircError
from birc.frontend.quantity import parse_quantity
from birc.ir import random
from birc.ir.ops import USER_FUNCTIONS
from birc.runtime.files import read_array
from birc.suggest import closest
from birc.units import NAMES, Unit

Array = npt.NDArray[Any]
MS, HZ = NAMES["ms"], NAMES["Hz"]
REQUIRED = float("nan")


@dataclass(frozen=True)
class Argument:
    """One argument of a text form such as `poisson(rate, weight)`; a default of NaN means that it must be given."""

    name: str
    unit: Unit
    default: float = REQUIRED


@dataclass(frozen=True)
class Call:
    """A text form: its name and its arguments as text, each with the name it was given under, if any."""

    name: str
    arguments: tuple[tuple[str | None, str], ...]


@dataclass(frozen=True)
class Internal:
    """A number or an array of numbers that is in internal units already."""

    value: Any


@dataclass(frozen=True)
class Setting:
    """What a run fixes before its inputs are read: `n` neurons, `steps` steps of `h` ms from stamp `start`."""

    model: str
    n: int
    start: int
    steps: int
    h: float
    seed: int

    def stamp(self, time: float) -> int:
        """The stamp nearest to a time, halves rounded up; a time beyond every run gives a stamp beyond every run."""
        return int(np.clip(np.floor(time / self.h + 0.5), -random.MAX_STEP, random.MAX_STEP))

    def stream(self, name: str, use: str) -> int:
        """The random stream of a port, parameter or state; the colon keeps it apart from every variable's own."""
        return random.stream(f"{self.model}.{name}:{use}")


def quantity(text: str, unit: Unit, what: str) -> float:
    """A finite quantity in internal units."""
    value = parse_quantity(text, unit, what)
    if not np.isfinite(value):
        raise BircError("I111", f"{what}: `{text}` is not finite")
    return value


def parse_call(text: str) -> Call | None:
    """Read `name(a, b, key = c)`; None where the text is something else, such as a quantity or a function of the language."""
    match = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*\((.*)\)\s*", text, re.DOTALL)
    if match is None or match[1] in USER_FUNCTIONS:
        return None
    parts, depth = [""], 0
    for character in match[2]:
        depth += (character in "([") - (character in ")]")
        if depth < 0:
            return None
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    arguments = []
    for part in parts if match[2].strip() else []:
        keyed = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*=(?!=)(.*)", part, re.DOTALL)
        arguments.append((keyed[1], keyed[2].strip()) if keyed else (None, part.strip()))
    return Call(match[1], tuple(arguments))


def bind_arguments(call: Call, signature: tuple[Argument, ...], what: str) -> dict[str, float]:
    """The arguments of a call in internal units, by name. Raises I115 where they do not fit the signature."""
    form = f"{call.name}({', '.join(a.name if np.isnan(a.default) else f'{a.name} = …' for a in signature)})"
    known = {a.name: a for a in signature}
    given: dict[str, str] = {}
    for position, (key, text) in enumerate(call.arguments):
        name = key or (signature[position].name if position < len(signature) else None)
        if name is None or name not in known:
            problem = f"`{call.name}` has no argument `{key}`" if key else f"`{call.name}` takes {len(signature)} arguments at most"
            raise BircError("I115", f"{what}: {problem}", help=f"its form is `{form}`")
        if name in given:
            raise BircError("I115", f"{what}: `{name}` is given twice", help=f"its form is `{form}`")
        given[name] = text
    values = {}
    for argument in signature:
        if argument.name in given:
            values[argument.name] = quantity(given[argument.name], argument.unit, f"{what}, {argument.name}")
        elif np.isnan(argument.default):
            raise BircError("I115", f"{what}: `{argument.name}` is missing", help=f"its form is `{form}`")
        else:
            values[argument.name] = argument.default
    return values


def unknown_form(call: Call, forms: tuple[str, ...], what: str) -> BircError:
    """The error for a text form that there is not here (I114)."""
    near = closest(call.name, forms)
    help = f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{f}`' for f in forms)}" if forms else None
    return BircError("I114", f"{what}: there is no `{call.name}(…)` here", help=help)


def numbers(value: object, unit: Unit, what: str, infinite: bool = False) -> Array:
    """Numbers in a declared unit as finite float64 in internal units, of the shape they were given in.

    Raises I112 for what is no array of numbers, I111 for NaN and (unless `infinite`) for infinity.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different length
        raise BircError("I112", f"{what}: this is no array of numbers ({error})") from error
    if array.dtype.kind not in "fiub":
        shown = type(value).__name__ if array.dtype.kind == "O" else f"{array.dtype}"
        raise BircError("I112", f"{what}: expected numbers, not {shown}")
    array = _finite(array.astype(np.float64), what, infinite)
    scale = float(unit.scale)
    if scale == 1.0:
        return array
    with np.errstate(over="ignore"):
        return _finite(array * scale, what, infinite)


def _finite(array: Array, what: str, infinite: bool = False) -> Array:
    """The array, if it is finite. Raises I111 with the place of the first value that is not."""
    wrong = np.isnan(array) if infinite else ~np.isfinite(array)
    if wrong.any():
        place = np.argwhere(wrong)[0]
        where = f" at {', '.join(str(i) for i in place)}" if len(place) else ""
        raise BircError("I111", f"{what}: the value{where} is {array[tuple(place)]}", help="every value must be a finite number")
    return array


def _linspace(bound: dict[str, float], n: int, draw: Callable[[], Any]) -> Array:
    return np.linspace(bound["first"], bound["last"], n)


def _uniform(bound: dict[str, float], n: int, draw: Callable[[], tuple[Array, Array]]) -> Array:
    u = draw()[0]
    result: Array = bound["low"] * (1.0 - u) + bound["high"] * u
    return result


def _normal(bound: dict[str, float], n: int, draw: Callable[[], tuple[Array, Array]]) -> Array:
    result: Array = bound["mean"] + bound["sd"] * draw()[1]
    return result


PER_NEURON: dict[str, tuple[tuple[str, str], Callable[..., Array]]] = {
    "linspace": (("first", "last"), _linspace),
    "uniform": (("low", "high"), _uniform),
    "normal": (("mean", "sd"), _normal),
}
"""Text forms that give each neuron its own value, with their arguments, all in the declared unit."""


def per_neuron_form(call: Call, unit: Unit, what: str, setting: Setting, name: str, use: str) -> Array:
    """The values [n] of a form in `PER_NEURON`, in internal units; draws depend on the seed, the name and the neuron alone."""
    names, make = PER_NEURON[call.name]
    bound = bind_arguments(call, tuple(Argument(a, unit) for a in names), what)
    if bound.get("sd", 0.0) < 0:
        raise BircError("I115", f"{what}: a standard deviation cannot be negative")

    def draw() -> tuple[Array, Array]:
        stream, target = setting.stream(name, use), np.arange(setting.n)
        return random.uniform(setting.seed, stream, target, 0), random.normal(setting.seed, stream, target, 0)

    with np.errstate(all="ignore"):
        return _finite(make(bound, setting.n, draw), what)


def per_neuron(value: object, unit: Unit, what: str, setting: Setting, name: str, use: str, infinite: bool = False) -> Any:
    """One number for all (a float) or one per neuron (an array [n]), in internal units. Raises I110 for another shape."""
    if isinstance(value, Internal):
        array = _finite(np.asarray(value.value, np.float64), what, infinite)
    elif isinstance(value, str):
        text = value.strip()
        if text.startswith("@"):
            array = numbers(read_array(text[1:], what), unit, what, infinite)
        elif (call := parse_call(text)) is not None:
            if call.name not in PER_NEURON:
                raise unknown_form(call, tuple(PER_NEURON), what)
            array = per_neuron_form(call, unit, what, setting, name, use)
        else:
            return parse_quantity(text, unit, what) if infinite else quantity(text, unit, what)
    else:
        array = numbers(value, unit, what, infinite)
    if array.size == 1:
        return float(array.reshape(()))
    if array.shape in ((setting.n,), (1, setting.n), (setting.n, 1)):
        return array.reshape(setting.n)
    raise BircError("I110", f"{what} has shape {array.shape}", help=f"give one number, or one per neuron: ({setting.n},)")
