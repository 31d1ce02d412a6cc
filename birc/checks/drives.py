"""What the `drive` lines of a check make of its ports: rows that continuous inputs are held at, and events with their stamps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.errors import BircError
from birc.ir import random
from birc.ir.evaluate import evaluate_names
from birc.ir.model import Check, Drive, Waveform
from birc.ir.step import Port
from birc.ir.waveforms import TRAINS
from birc.runtime.inputs import waveform
from birc.runtime.values import Setting
from birc.units import ONE

Array = npt.NDArray[Any]
Values = Mapping[str, Any]

MOST_STEPS = 2_000_000
"""Beyond this a check is no quick doc-test any more."""


@dataclass(frozen=True)
class Arrivals:
    """Events of one port, in order: their stamps (int64), and their weights in internal units (1 where they have none)."""

    stamp: Array
    weight: Array


@dataclass(frozen=True)
class Piece:
    """A `drive` line, `steps` long, behind `before` steps of the same port."""

    drive: Drive
    before: int
    steps: int


def has_events(check: Check) -> bool:
    """Whether a check sends events."""
    return any(_is_train(drive) for drive in check.drives)


def _is_train(drive: Drive) -> bool:
    return isinstance(drive.value, Waveform) and drive.value.name in TRAINS


def pieces(check: Check, params: Values, h: float) -> Iterator[Piece]:
    """The `drive` lines, each behind those of the same port. Raises C003 where they are too long."""
    taken: dict[str, int] = {}
    for drive in check.drives:
        before = taken.get(drive.port, 0)
        steps = float(evaluate_names(drive.duration, params)) / h
        if not steps + before <= MOST_STEPS:
            message = f"this check would take {steps:.3g} steps of {h:g} ms; a check may take {MOST_STEPS}"
            raise BircError("C003", message, drive.span, "make it shorter, or run it with `birc run`")
        taken[drive.port] = before + int(steps + 0.5)
        yield Piece(drive, before, int(steps + 0.5))


def length(check: Check, params: Values, h: float) -> int:
    """How many steps a check takes. Raises C003 where they are too many, C004 where there is none."""
    total = max((piece.before + piece.steps for piece in pieces(check, params, h)), default=0)
    if total == 0:
        raise BircError("C004", "this check drives nothing, so there is nothing to run", check.span, "add `drive PORT = quantity for T`")
    return total


def held_rows(check: Check, params: Values, h: float) -> dict[str, Array]:
    """What a check holds at each step, by continuous port, all of one length, in internal units. Raises C003 for too long."""
    rows: dict[str, list[Array]] = {}
    total = 0
    for piece in pieces(check, params, h):
        total = max(total, piece.before + piece.steps)
        if not _is_train(piece.drive):
            rows.setdefault(piece.drive.port, []).append(_rows(piece.drive, params, piece.steps, h))
    return {port: np.concatenate([*held, np.zeros(total - sum(map(len, held)))]) for port, held in rows.items()}


def _rows(drive: Drive, params: Values, count: int, h: float) -> Array:
    """What one drive holds at each of its steps."""
    if not isinstance(drive.value, Waveform):
        return np.full(count, float(evaluate_names(drive.value, params)))
    arguments = {name: float(evaluate_names(e, params)) for name, e in drive.value.arguments}
    what = f"the drive of `{drive.port}`"
    try:
        made = waveform(drive.value.name, arguments, Port(drive.port, ONE), Setting("check", 1, 0, count, h, 0), what)
    except BircError as failure:
        raise BircError.of(replace(d, span=drive.span) for d in failure.diagnostics) from None
    return np.asarray(made.rows(0, count), np.float64)[:, 0]


def arrivals(check: Check, params: Values, h: float) -> dict[str, Arrivals]:
    """The events that come to each port, those beyond the end of their line left out. Raises C003 as above, I120 for one at stamp 0."""
    found: dict[str, list[Arrivals]] = {}
    for piece in pieces(check, params, h):
        if _is_train(piece.drive):
            found.setdefault(piece.drive.port, []).append(_train(piece, params, h, check.seed or 0))
    return {port: Arrivals(np.concatenate([a.stamp for a in x]), np.concatenate([a.weight for a in x])) for port, x in found.items()}


def _train(piece: Piece, params: Values, h: float, seed: int) -> Arrivals:
    train = piece.drive.value
    assert isinstance(train, Waveform)
    given = {name: float(evaluate_names(e, params)) for name, e in train.arguments}
    weight = given.pop("weight", 1.0)
    if train.name == "poisson":
        mean = given["rate"] * h
        if not 0 <= mean <= random.MAX_MEAN:
            raise BircError("I123", f"{mean:g} events per step cannot be drawn", piece.drive.span)
        steps = np.arange(piece.before, piece.before + piece.steps)
        counts = random.poisson(random.poisson_table(mean), random.uniform(seed, random.stream(f"check.{piece.drive.port}"), steps, 0))
        stamps = np.repeat(steps + 1, counts)
    else:
        end = piece.steps * h
        if train.name == "regular":
            first = given.get("start", given["period"])
            if not given["period"] >= h:
                raise BircError("I115", f"a period of {given['period']:g} ms is shorter than the step of {h:g} ms", piece.drive.span)
            times = np.arange(first, end + h, given["period"])
        else:
            times = np.array(sorted(given.values()))
        stamps = piece.before + np.floor(times / h + 0.5).astype(np.int64)
        stamps = stamps[stamps <= piece.before + piece.steps]
    if len(stamps) and stamps[0] < 1:
        raise BircError("I120", "an event would arrive at stamp 0, before the first step", piece.drive.span, f"the first is at {h:g} ms")
    return Arrivals(stamps.astype(np.int64), np.full(len(stamps), weight))
