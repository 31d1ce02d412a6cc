"""The sources of a network: events that are drawn or listed, and continuous values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends.networks import BoundSource
from birc.errors import BircError
from birc.ir import random
from birc.ir.expr import Expr
from birc.ir.model import NetworkSource
from birc.ir.step import Port
from birc.runtime.files import SpikeTable, read_events
from birc.runtime.inputs import Continuous, waveform
from birc.runtime.network.values import beside, number
from birc.runtime.values import Setting
from birc.units import ONE

Array = npt.NDArray[Any]

WAVES = {"current_step": "step", "current_ramp": "ramp", "current_noise": "noise", "current_sine": "sine"}
RENAMED = {"initial": "first", "final": "last"}


def value_source(source: NetworkSource, names: Mapping[str, Any], setting: Setting) -> Continuous:
    """A source of a continuous value; one of noise draws for each of its cells. Raises I115 for what makes none."""
    arguments = {RENAMED.get(name, name): number(e, names) for name, e in source.arguments}
    if source.kind == "current_ramp":
        arguments = {"start": 0.0, "stop": (setting.start + setting.steps) * setting.h} | arguments
    return waveform(WAVES[source.kind], arguments, Port("source", ONE), setting, f"source `{source.name}`")


def event_source(source: NetworkSource, names: Mapping[str, Any], setting: Setting, history: int) -> BoundSource:
    """A source of events: spikes at stamps 0 and on, those of a list for the stamps of this run."""
    what = f"source `{source.name}`"
    arguments: dict[str, Expr] = dict(source.arguments)
    if source.kind == "poisson":
        rate = number(arguments["rate"], names)
        mean = rate * setting.h
        if mean > random.MAX_MEAN:
            help = f"the most is {random.MAX_MEAN:g} per step: {random.MAX_MEAN / setting.h:g} kHz at a step of {setting.h:g} ms"
            raise BircError("I123", f"{what}: {mean:g} events per step are too many", source.span, help)
        stream = setting.stream("events", "source")
        if 0 < mean <= random.RARE:
            return BoundSource(source.name, source.count, history, stream=stream, apart=min(1 / mean, 1e300))
        return BoundSource(source.name, source.count, history, random.poisson_table(mean), stream)
    if source.kind == "regular":
        stamps = _regular(number(arguments["rate"], names), arguments.get("start"), names, setting, what, source)
        index = np.tile(np.arange(source.count, dtype=np.int32), len(stamps))
        stamp = np.repeat(stamps, source.count)
        return BoundSource(source.name, source.count, history, stamp=stamp, index=index, many=np.ones(len(index), np.int32))
    return _listed(source, str(arguments["file"].attr), setting, history, what)


def _regular(rate: float, start: Expr | None, names: Mapping[str, Any], setting: Setting, what: str, source: NetworkSource) -> Array:
    """Stamps of a regular train from `start` on, by default one period after 0."""
    h, period = setting.h, 1.0 / rate
    if period < h:
        raise BircError("I115", f"{what}: a period of {period:g} ms is shorter than the step of {h:g} ms", source.span)
    first = period if start is None else number(start, names)
    low = max(0, int((setting.start * h - first) / period) - 1)
    high = max(low, int(((setting.start + setting.steps + 1) * h - first) / period) + 2)
    stamps = np.floor((first + period * np.arange(low, high)) / h + 0.5).astype(np.int64)
    return _in_run(stamps, setting)


def _in_run(stamps: Array, setting: Setting) -> Array:
    return stamps[(stamps > setting.start - (setting.start == 0)) & (stamps <= setting.start + setting.steps)]


def _listed(source: NetworkSource, reference: str, setting: Setting, history: int, what: str) -> BoundSource:
    """The spikes of a file: who, and when (ms). Raises I117 for what is no such list, I121 for no such cell, I120 for a time before 0."""
    table = read_events(beside(reference, source.span), what)
    if not isinstance(table, SpikeTable):
        raise BircError("I117", f"{what}: `{reference}` is no spike list", source.span, "it needs the columns index and time_ms")
    who, when = np.asarray(table.index, np.float64), np.asarray(table.time, np.float64)
    wrong = ~((who == np.floor(who)) & (who >= 0) & (who < source.count))
    if wrong.any():
        i = int(np.argmax(wrong))
        message = f"{what}: spike {i} is of cell {who[i]:g}, and there are {source.count} (0 … {source.count - 1})"
        raise BircError("I121", message, source.span)
    bad = ~((when >= 0) & (when < setting.h * random.MAX_STEP))
    if bad.any():
        i = int(np.argmax(bad))
        raise BircError("I120", f"{what}: spike {i} at {when[i]:g} ms is outside of every run", source.span)
    stamps = np.floor(when / setting.h + 0.5).astype(np.int64)
    inside = (stamps > setting.start - (setting.start == 0)) & (stamps <= setting.start + setting.steps)
    pairs, many = np.unique(np.stack([stamps[inside], who[inside].astype(np.int64)], axis=1), axis=0, return_counts=True)
    return BoundSource(
        source.name,
        source.count,
        history,
        stamp=np.ascontiguousarray(pairs[:, 0]),
        index=pairs[:, 1].astype(np.int32),
        many=many.astype(np.int32),
    )
