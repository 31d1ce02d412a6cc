"""Continuous inputs: from what a person gives for a port to the values held over each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from birc.errors import BircError
from birc.ir import random
from birc.ir.step import Port
from birc.ir.waveforms import WAVEFORMS
from birc.runtime.files import read_array
from birc.runtime.values import (
    PER_NEURON,
    REQUIRED,
    Argument,
    Setting,
    bind_arguments,
    numbers,
    parse_call,
    per_neuron_form,
    quantity,
    unknown_form,
)
from birc.suggest import closest

Array = npt.NDArray[Any]


class Continuous(Protocol):
    """Values of a port by stamp: those of steps start … start + steps - 1 as float64 [steps or 1, n or 1], in internal units."""

    @property
    def width(self) -> float:
        """How many values `rows` makes per step."""

    def rows(self, start: int, steps: int) -> Array: ...


@dataclass(frozen=True)
class Constant:
    """The same at every step: [1, n or 1]."""

    values: Array
    width: float = 0

    def rows(self, start: int, steps: int) -> Array:
        return self.values


@dataclass(frozen=True)
class Table:
    """Row k of [steps, n or 1] is held over step first + k."""

    values: Array
    first: int
    width: float = 0

    def rows(self, start: int, steps: int) -> Array:
        return self.values[start - self.first : start - self.first + steps]


@dataclass(frozen=True)
class Waveform:
    """A function of the stamp, the same for all neurons."""

    at: Callable[[Array], Array]
    width: float = 1

    def rows(self, start: int, steps: int) -> Array:
        return self.at(np.arange(start, start + steps)).reshape(steps, 1)


@dataclass(frozen=True)
class NormalNoise:
    """A new independent normal value for each step and neuron."""

    mean: float
    sd: float
    n: int
    seed: int
    stream: int

    @property
    def width(self) -> float:
        return self.n

    def rows(self, start: int, steps: int) -> Array:
        z = random.normal(self.seed, self.stream, np.arange(start, start + steps)[:, None], np.arange(self.n))
        result: Array = self.mean + self.sd * z
        return result


ZERO = Constant(np.zeros((1, 1)))


def continuous_inputs(given: Mapping[str, object], ports: tuple[Port, ...], setting: Setting) -> dict[str, Continuous]:
    """A source for every continuous port; one that is not given is 0."""
    return {p.name: continuous(given[p.name], p, setting) if p.name in given else ZERO for p in ports}


def check_names(given: Mapping[str, object], ports: tuple[Port, ...]) -> None:
    """Refuse (I101) inputs for ports that the model does not have."""
    known = [p.name for p in ports]
    for name in given:
        if name not in known:
            near = closest(str(name), known)
            listed = ", ".join(f"`{n}`" for n in known)
            help = f"did you mean `{near}`?" if near else f"its inputs are {listed}" if known else "it has none"
            raise BircError("I101", f"the model has no input `{name}`", help=help)


def continuous(given: object, port: Port, setting: Setting) -> Continuous:
    """The source that a person's input to a continuous port stands for."""
    what = f"input `{port.name}`"
    if isinstance(given, str):
        return _from_text(given.strip(), port, setting, what)
    return _from_array(numbers(given, port.unit, what), setting, what)


def _from_array(array: Array, setting: Setting, what: str) -> Continuous:
    n, steps = setting.n, setting.steps
    shape = array.shape
    if array.size == 1:
        return Constant(array.reshape(1, 1))
    if len(shape) == 1 and n == 1:
        shape = (*shape, 1)
    elif len(shape) == 1:
        shape = (1, *shape)
    if len(shape) == 2 and shape[1] in (1, n) and shape[0] in (1, steps):
        array = array.reshape(shape)
        return Constant(array) if shape[0] == 1 else Table(array, setting.start)
    raise wrong_shape(array.shape, setting, what)


def wrong_shape(shape: tuple[int, ...], setting: Setting, what: str, over_time: bool = False) -> BircError:
    """The error for an array that fits neither the neurons nor the steps (I110)."""
    n, steps = setting.n, setting.steps
    forms = [] if over_time else ["one number"]
    if n == 1:
        forms += [f"({steps},): one value per step"]
    else:
        forms += [] if over_time else [f"({n},): one value per neuron"]
        forms += [f"({steps}, 1): one per step", f"({steps}, {n}): one per step and neuron"]
    help = "it can be " + "; ".join(forms)
    if len(shape) == 2 and shape[::-1] in ((steps, n), (steps, 1)):
        help = "steps come first: transpose it\n" + help
    elif len(shape) == 1 and n > 1 and shape[0] == steps:
        help = "for the same values in every neuron, make it a column: x[:, None]\n" + help
    run = f"{steps} step{'s' * (steps != 1)} of {n} neuron{'s' * (n != 1)}"
    return BircError("I110", f"{what} has shape {shape}, which does not fit a run of {run}", help=help)


def _from_text(text: str, port: Port, setting: Setting, what: str) -> Continuous:
    if text.startswith("@"):
        return _from_array(numbers(read_array(text[1:], what), port.unit, what), setting, what)
    call = parse_call(text)
    if call is None:
        return Constant(np.full((1, 1), quantity(text, port.unit, what)))
    if call.name in PER_NEURON:
        return Constant(per_neuron_form(call, port.unit, what, setting, port.name, "input").reshape(1, -1))
    if call.name not in WAVEFORMS:
        raise unknown_form(call, (*WAVEFORMS, *PER_NEURON), what)
    signature = tuple(Argument(a.name, a.unit or port.unit, REQUIRED if a.default is None else a.default) for a in WAVEFORMS[call.name])
    return waveform(call.name, bind_arguments(call, signature, what), port, setting, what)


def _step(bound: dict[str, float], port: Port, setting: Setting, what: str) -> Continuous:
    amplitude, first, last = bound["amplitude"], setting.stamp(bound["start"]), _stop(bound["stop"], setting)
    return Waveform(lambda k: np.where((k >= first) & (k < last), amplitude, 0.0))


def _stop(time: float, setting: Setting) -> float:
    return time if np.isinf(time) else setting.stamp(time)


def _ramp(bound: dict[str, float], port: Port, setting: Setting, what: str) -> Continuous:
    low, high, first, last = bound["first"], bound["last"], setting.stamp(bound["start"]), setting.stamp(bound["stop"])
    if last <= first:
        raise BircError("I115", f"{what}: the ramp's stop must come at least one step after its start")

    def at(k: Array) -> Array:
        x = (np.clip(k, first, last) - first) / (last - first)
        value: Array = low * (1.0 - x) + high * x
        return value

    return Waveform(at)


def _pulses(bound: dict[str, float], port: Port, setting: Setting, what: str) -> Continuous:
    amplitude, first = bound["amplitude"], setting.stamp(bound["start"])
    period, width = setting.stamp(bound["period"]), setting.stamp(bound["width"])
    if not 0 < width <= period:
        raise BircError("I115", f"{what}: a pulse lasts one step at least, and a period at most")
    return Waveform(lambda k: np.where((k >= first) & ((k - first) % period < width), amplitude, 0.0))


def _sine(bound: dict[str, float], port: Port, setting: Setting, what: str) -> Continuous:
    amplitude, frequency, offset, phase, h = bound["amplitude"], bound["frequency"], bound["offset"], bound["phase"], setting.h
    return Waveform(lambda k: offset + amplitude * np.sin(2 * np.pi * frequency * h * k + phase))


def _noise(bound: dict[str, float], port: Port, setting: Setting, what: str) -> Continuous:
    if bound["sd"] < 0:
        raise BircError("I115", f"{what}: a standard deviation cannot be negative")
    return NormalNoise(bound["mean"], bound["sd"], setting.n, setting.seed, setting.stream(port.name, "input"))


Maker = Callable[[dict[str, float], Port, Setting, str], Continuous]

MAKERS: dict[str, Maker] = {"step": _step, "ramp": _ramp, "pulses": _pulses, "sine": _sine, "noise": _noise}
"""What makes each of the waveforms that there are."""


def waveform(name: str, arguments: Mapping[str, float], port: Port, setting: Setting, what: str) -> Continuous:
    """A waveform from its arguments in internal units. Raises I115 for what makes none."""
    given = {a.name: arguments.get(a.name, a.default) for a in WAVEFORMS[name]}
    return MAKERS[name]({key: number for key, number in given.items() if number is not None}, port, setting, what)


def parse_assignment(text: str, what: str) -> tuple[str, str]:
    """Read `NAME=value` as it stands on a command line. Raises I118 for anything else."""
    name, equals, value = text.partition("=")
    name, value = name.strip(), value.strip()
    if not equals or not name or not value:
        raise BircError("I118", f"{what}: expected NAME=VALUE, got `{text}`", help='for example I="250 pA"')
    return name, value
