"""Event inputs: from what a person gives for a port to the events that arrive at each stamp.

The event of a source at time t arrives at the stamp nearest to t; row k of an array is what arrives at stamp start + k + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from birc.backends import Events
from birc.errors import BircError
from birc.ir import random
from birc.ir.step import Port
from birc.runtime.files import SpikeTable, read_events
from birc.runtime.inputs import wrong_shape
from birc.runtime.values import HZ, MS, Argument, Call, Setting, bind_arguments, numbers, parse_call, quantity, unknown_form
from birc.units import NONE, ONE

Array = npt.NDArray[Any]
INDEX = np.int32


class EventSource(Protocol):
    """Events of a port by stamp: those that arrive at stamps start + 1 … start + steps."""

    @property
    def width(self) -> float:
        """How many events or draws there are per step, about."""

    def events(self, start: int, steps: int) -> Events: ...


@dataclass(frozen=True)
class Silent:
    """No events."""

    width: float = 0

    def events(self, start: int, steps: int) -> Events:
        return Events(np.zeros(steps + 1, dtype=np.int64), np.zeros(0, dtype=INDEX), np.zeros(0))


@dataclass(frozen=True)
class Listed:
    """Events in order of their stamp."""

    stamps: Array
    index: Array
    payload: Array
    width: float = 0

    def events(self, start: int, steps: int) -> Events:
        edges = np.searchsorted(self.stamps, np.arange(start + 1, start + steps + 2))
        here = slice(edges[0], edges[-1])
        return Events(edges - edges[0], self.index[here], self.payload[here])


@dataclass(frozen=True)
class Rows:
    """Row k of [steps, n or 1] arrives at stamp first + k + 1; 0 is no event."""

    values: Array
    first: int
    n: int

    @property
    def width(self) -> float:
        return self.n

    def events(self, start: int, steps: int) -> Events:
        rows = self.values[start - self.first : start - self.first + steps]
        payload = np.broadcast_to(rows, (rows.shape[0], self.n))
        row, index = np.nonzero(payload)
        return Events(_offsets(row, steps), index.astype(INDEX), payload[row, index])


@dataclass(frozen=True)
class Everyone:
    """An event to every neuron at each of the stamps that `stamps_in(start, steps)` lists."""

    stamps_in: Callable[[int, int], Array]
    payload: float
    n: int

    @property
    def width(self) -> float:
        return self.n

    def events(self, start: int, steps: int) -> Events:
        stamps = self.stamps_in(start, steps)
        row = np.repeat(stamps - start - 1, self.n)
        index = np.tile(np.arange(self.n, dtype=INDEX), len(stamps))
        return Events(_offsets(row, steps), index, np.full(len(index), self.payload))


@dataclass(frozen=True)
class Poisson:
    """Independent Poisson events at every neuron, `mean` per step, with the `table` of their number's distribution."""

    mean: float
    table: Array
    payload: float
    n: int
    seed: int
    stream: int

    @property
    def width(self) -> float:
        return self.n * (1 + self.mean)

    def events(self, start: int, steps: int) -> Events:
        u = random.uniform(self.seed, self.stream, np.arange(start, start + steps)[:, None], np.arange(self.n))
        row, index = np.nonzero(u > self.table[0])
        count = random.poisson(self.table, u[row, index])
        row, index = np.repeat(row, count), np.repeat(index, count)
        return Events(_offsets(row, steps), index.astype(INDEX), np.full(len(index), self.payload))


def _offsets(row: Array, steps: int) -> Array:
    """Where the events of each step begin, from the sorted rows of the events."""
    return np.searchsorted(row, np.arange(steps + 1)).astype(np.int64)


SILENT = Silent()


def event_inputs(given: Mapping[str, object], ports: tuple[Port, ...], setting: Setting) -> dict[str, EventSource]:
    """A source for every event port; one that is not given is silent."""
    return {p.name: event_source(given[p.name], p, setting) if p.name in given else SILENT for p in ports}


def event_source(given: object, port: Port, setting: Setting) -> EventSource:
    """The source that a person's input to an event port stands for.

    It is text, an array over time, or a tuple (index, time in ms[, weight]), the weight being a quantity or in the port's unit.
    """
    what = f"input `{port.name}`"
    if isinstance(given, str):
        return _from_text(given.strip(), port, setting, what)
    if isinstance(given, tuple):
        if len(given) not in (2, 3):
            raise BircError("I119", f"{what}: a spike list is (index, time[, weight]), not {len(given)} things")
        return spike_list(given[0], given[1], given[2] if len(given) == 3 else None, port, setting, what)
    return _from_array(numbers(given, port.unit, what), setting, what)


def _from_array(array: Array, setting: Setting, what: str) -> EventSource:
    n, steps = setting.n, setting.steps
    shape = (*array.shape, 1) if array.ndim == 1 and n == 1 else array.shape
    if len(shape) == 2 and shape[0] == steps and shape[1] in (1, n):
        return Rows(array.reshape(shape), setting.start, n)
    if array.ndim == 0:
        help = "say when events come: `regular(10 ms, …)`, `at(5 ms, …)`, a spike list, or an array with a row per step"
        raise BircError("I110", f"{what} takes events, not one number", help=help)
    raise wrong_shape(array.shape, setting, what, over_time=True)


def spike_list(index: object, time: object, weight: object, port: Port, setting: Setting, what: str) -> EventSource:
    """Events given one by one; those of one stamp act in the order of the list.

    What lies beyond the run is left out, and so is what lies before the first stamp of a run that goes on.
    """
    who = _flat(numbers(index, ONE, f"{what}, index"))
    when = _flat(numbers(time, MS, f"{what}, time"))
    if len(who) != len(when):
        raise BircError("I119", f"{what}: {len(who)} indices and {len(when)} times")
    payload = _weights(weight, len(who), port, what)
    wrong = (who != np.floor(who)) | (who < 0) | (who >= setting.n)
    if wrong.any():
        i = int(np.argmax(wrong))
        raise BircError("I121", f"{what}: event {i} is for neuron {who[i]:g}, and there are {setting.n} (0 … {setting.n - 1})")
    if len(when) and np.max(np.abs(when)) >= setting.h * random.MAX_STEP:
        raise BircError("I120", f"{what}: an event at {np.max(np.abs(when)):g} ms is beyond every run")
    stamps = np.floor(when / setting.h + 0.5).astype(np.int64)
    early = stamps < 1
    if early.any():
        i = int(np.argmax(early))
        raise _at_zero(f"event {i} at {when[i]:g} ms", setting, what)
    order = np.argsort(stamps, kind="stable")
    order = order[(stamps[order] > setting.start) & (stamps[order] <= setting.start + setting.steps)]
    return Listed(stamps[order], who[order].astype(INDEX), payload[order])


def _at_zero(which: str, setting: Setting, what: str) -> BircError:
    return BircError(
        "I120",
        f"{what}: {which} would arrive at stamp 0, before the first step",
        help=f"the first stamp at which an event can arrive is 1 ({setting.h:g} ms)",
    )


def _flat(array: Array) -> Array:
    return array.reshape(-1)


def _weights(weight: object, count: int, port: Port, what: str) -> Array:
    if weight is None:
        if port.unit.dimension != NONE:
            help = f'give weights in {port.unit}, or one for all: (index, time, "1 {port.unit}")'
            raise BircError("I122", f"{what}: the events carry no weight, and the port takes {port.unit}", help=help)
        return np.ones(count)
    if isinstance(weight, str):
        return np.full(count, quantity(weight, port.unit, f"{what}, weight"))
    values = _flat(numbers(weight, port.unit, f"{what}, weight"))
    if len(values) not in (1, count):
        raise BircError("I119", f"{what}: {count} events and {len(values)} weights")
    spread: Array = np.broadcast_to(values, (count,))
    return spread


def _from_text(text: str, port: Port, setting: Setting, what: str) -> EventSource:
    if text.startswith("@"):
        read = read_events(text[1:], what)
        if isinstance(read, SpikeTable):
            return spike_list(read.index, read.time, read.weight, port, setting, what)
        return _from_array(numbers(read, port.unit, what), setting, what)
    call = parse_call(text)
    if call is None:
        quantity(text, port.unit, what)
        raise BircError("I110", f"{what} takes events, not one quantity", help=f"say when: `regular(10 ms, {text})`, `at(5 ms, {text})`")
    if call.name not in FORMS:
        raise unknown_form(call, tuple(FORMS), what)
    return FORMS[call.name](call, port, setting, what)


def _weight(port: Port) -> Argument:
    """A weight may be left out only where the payload has no unit."""
    return Argument("weight", port.unit, 1.0) if port.unit.dimension == NONE else Argument("weight", port.unit)


def _poisson(call: Call, port: Port, setting: Setting, what: str) -> EventSource:
    bound = bind_arguments(call, (Argument("rate", HZ), _weight(port)), what)
    mean = bound["rate"] * setting.h
    if mean < 0:
        raise BircError("I115", f"{what}: a rate cannot be negative")
    if mean > random.MAX_MEAN:
        help = f"the most is {random.MAX_MEAN:g} per step: {random.MAX_MEAN / setting.h:g} kHz at a step of {setting.h:g} ms"
        raise BircError("I123", f"{what}: {mean:g} events per step are too many", help=help)
    return Poisson(mean, random.poisson_table(mean), bound["weight"], setting.n, setting.seed, setting.stream(port.name, "input"))


def _regular(call: Call, port: Port, setting: Setting, what: str) -> EventSource:
    signature = (Argument("period", MS), _weight(port), Argument("start", MS, np.inf))
    bound = bind_arguments(call, signature, what)
    period, h = bound["period"], setting.h
    first = period if np.isinf(bound["start"]) else bound["start"]
    if period < h:
        raise BircError("I115", f"{what}: a period of {period:g} ms is shorter than the step of {h:g} ms")
    if setting.stamp(first) < 1:
        raise _at_zero(f"the first event at {first:g} ms", setting, what)

    def stamps_in(start: int, steps: int) -> Array:
        low = max(0, int((start * h - first) / period) - 1)
        high = max(low, int(((start + steps + 1) * h - first) / period) + 2)
        stamps = np.floor((first + period * np.arange(low, high)) / h + 0.5)
        inside: Array = stamps[(stamps > start) & (stamps <= start + steps)].astype(np.int64)
        return inside

    return Everyone(stamps_in, bound["weight"], setting.n)


def _at(call: Call, port: Port, setting: Setting, what: str) -> EventSource:
    texts = call.arguments
    unitless = port.unit.dimension == NONE
    if any(key is not None and key != "weight" for key, _ in texts) or len(texts) < 2 - unitless:
        raise BircError("I115", f"{what}: `at` takes times and a weight", help="its form is `at(time, …, weight)`")
    keyed = [text for key, text in texts if key == "weight"]
    plain = [text for key, text in texts if key is None]
    if len(keyed) > 1 or not plain:
        raise BircError("I115", f"{what}: `at` takes times and one weight", help="its form is `at(time, …, weight)`")
    weight_text = keyed[0] if keyed else None if unitless and len(plain) == 1 else plain.pop()
    weight = 1.0 if weight_text is None else quantity(weight_text, port.unit, f"{what}, weight")
    times = [quantity(text, MS, f"{what}, time") for text in plain]
    for text, time in zip(plain, times, strict=True):
        if setting.stamp(time) < 1:
            raise _at_zero(f"the event at {text}", setting, what)
    every = np.sort(np.array([setting.stamp(time) for time in times], dtype=np.int64))
    return Everyone(lambda start, steps: every[(every > start) & (every <= start + steps)], weight, setting.n)


FORMS: dict[str, Callable[[Call, Port, Setting, str], EventSource]] = {"poisson": _poisson, "regular": _regular, "at": _at}
"""Text forms of events, to every neuron: `poisson(rate, weight)`, independent; `regular(period, weight, start = period)`;
`at(time, …, weight)`."""
