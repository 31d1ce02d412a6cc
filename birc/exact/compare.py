"""A model's scheme, at several step lengths, against the exact solution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from birc.backends import Dtype, Runner
from birc.exact.drive import Drive
from birc.exact.order import EXACT, SLACK, measured_order, theoretical_order
from birc.exact.solve import Solution, solve
from birc.exact.system import System
from birc.ir.model import Model
from birc.ir.step import OFFSET, Step
from birc.runtime.simulate import Program, Progress
from birc.verification.trial import Trace, run_free

Array = npt.NDArray[np.float64]

FINER = (1, 2, 4, 8)
COARSER = (4, 2)
CHECKPOINTS = 64
"""Stamps at most at which states are compared."""
BEFORE_SPIKE = 0.9
"""Of the way to the first spike: a scheme with long steps may spike earlier."""
FLOORS: Mapping[Dtype, float] = {"f64": 1e-9, "f32": 1e-5}
"""Relative errors below which rounding, and the tolerance of the exact solution, hide the order."""

Status = Literal["pass", "fail", "not exercised"]


@dataclass(frozen=True)
class Row:
    """One step length: the number of spikes, the worst error of a spike time in ms, and the worst error of a state before the first
    spike, relative to the state's largest value; None where there is nothing to compare. `agree`: spike by spike with the exact ones.

    The orders compare with the row of twice the step. `lateness` is the worst error of a spike time in steps for each spike so far: up
    to 1 where spikes end on steps, each waits for the end of one, and those behind it wait too.
    """

    dt: float
    spikes: int
    agree: bool
    spike_error: float | None
    state_error: float | None
    lateness: float | None = None
    spike_order: float | None = None
    state_order: float | None = None


@dataclass(frozen=True)
class ExactReport:
    """How a scheme converges to the exact solution. `order` is that of theory for the smooth flow, 0 for an exact scheme."""

    model: str
    methods: Mapping[str, str]
    order: int
    duration: float
    spikes: tuple[float, ...]
    compared_until: float
    rows: tuple[Row, ...]
    status: Status
    reason: str
    solver: str

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """The rows in words, with their heads."""
        heads = ("dt", "spikes", "worst spike time", "order", "worst state", "order")
        return heads, [
            (
                f"{row.dt:g} ms",
                f"{row.spikes}" + ("" if row.agree else " (not the same)"),
                _shown(row.spike_error, " ms"),
                _shown_order(row.spike_order),
                _shown(row.state_error, ""),
                _shown_order(row.state_order),
            )
            for row in self.rows
        ]

    def record(self) -> dict[str, Any]:
        """The report for `--json`."""
        return {
            "model": self.model,
            "methods": dict(self.methods),
            "order": "exact" if self.order == EXACT else self.order,
            "duration_ms": self.duration,
            "exact": {"method": self.solver, "spikes": list(self.spikes), "states_compared_until_ms": self.compared_until},
            "rows": [
                {
                    "dt_ms": row.dt,
                    "spikes": row.spikes,
                    "agree": row.agree,
                    "worst_spike_error_ms": row.spike_error,
                    "lateness_in_steps_per_spike": row.lateness,
                    "spike_order": row.spike_order,
                    "worst_state_error": row.state_error,
                    "state_order": row.state_order,
                }
                for row in self.rows
            ],
            "status": self.status,
            "reason": self.reason,
        }


def compare_with_exact(
    lowered: Model,
    step: Step,
    system: System,
    drive: Drive,
    runner: Runner,
    prepare: Callable[[Drive], Program],
    dtype: Dtype,
    progress: Progress | None = None,
) -> ExactReport:
    """Run the scheme at each step length. `prepare` binds its parameters for a drive's step."""
    exact = solve(system, drive)
    drives = [d for factor in COARSER if (d := drive.coarser(factor)) is not None] + [drive.finer(factor) for factor in FINER]
    stamps = _checkpoints(drive, drives[0], exact.spikes[0] if exact.spikes else None)
    reference = solve(system, drive, stamps, stamps[-1] * drive.h) if stamps else exact
    rows: list[Row] = []
    for d in drives:
        trace = run_free(runner, step, dtype, prepare(d), d.stimulus())
        here = [round(k * drive.h / d.h) for k in stamps]
        row = _row(d, trace, exact, _state_error(trace, system, here, reference.states))
        rows.append(_with_orders(row, rows[-1] if rows else None, FLOORS[dtype]))
        if progress is not None:
            progress(len(rows), len(drives))
    order = theoretical_order(lowered)
    start = np.array(system.start[: len(system.observed)])
    moved = bool(exact.spikes) or bool((reference.states != start).any())
    located = any(slot.name == OFFSET for slot in step.slots)
    status, reason = (
        _verdict(order, rows, drive.h, FLOORS[dtype], located) if moved else ("not exercised", "no state ever changes: give an input")
    )
    return ExactReport(
        model=step.name,
        methods={s: b.method for b in lowered.blocks for s in b.states},
        order=order,
        duration=drive.stop,
        spikes=exact.spikes,
        compared_until=stamps[-1] * drive.h if stamps else 0.0,
        rows=tuple(rows),
        status=status,
        reason=reason,
        solver=exact.method,
    )


def _shown(error: float | None, unit: str) -> str:
    return "-" if error is None else f"{error:.2g}{unit}"


def _shown_order(order: float | None) -> str:
    return "-" if order is None else f"{order:.1f}"


def _checkpoints(drive: Drive, coarsest: Drive, first: float | None) -> list[int]:
    """Stamps of the drive's grid that all grids have, up to short of the first spike."""
    factor = round(coarsest.h / drive.h)
    last = coarsest.steps if first is None else int(BEFORE_SPIKE * first / coarsest.h)
    return sorted({int(k) * factor for k in np.linspace(1, last, min(last, CHECKPOINTS))}) if last else []


def _state_error(trace: Trace, system: System, stamps: Sequence[int], reference: Array) -> float | None:
    """The largest error relative to the largest value of the state in the exact solution (or 1, where that is always 0)."""
    if not stamps:
        return None
    found = np.stack([trace.states[s][stamps, 0] for s in system.observed], axis=1)
    scale = np.abs(reference).max(axis=0)
    with np.errstate(all="ignore"):
        worst = float(np.max(np.abs(found - reference) / np.where(scale > 0, scale, 1.0)))
    return worst if math.isfinite(worst) else math.inf


def _row(drive: Drive, trace: Trace, exact: Solution, state_error: float | None) -> Row:
    rows = np.flatnonzero(trace.fired[:, 0])
    times = (rows + (trace.states[OFFSET][rows + 1, 0] if OFFSET in trace.states else 1)) * drive.h
    both = min(len(times), len(exact.spikes))
    off = np.abs(times[:both] - np.array(exact.spikes[:both]))
    worst = float(off.max()) if both else None
    lateness = float((off / (np.arange(1, both + 1) * drive.h)).max()) if both else None
    # a spike right at the end may fall to either side of it
    tail = drive.stop - (worst or 0.0) - 2 * drive.h
    agree = all(t >= tail for t in (*times[both:], *exact.spikes[both:])) and trace.finite
    return Row(drive.h, len(times), agree, worst, state_error, lateness)


def _with_orders(row: Row, coarser: Row | None, floor: float) -> Row:
    if coarser is None:
        return row
    spikes = measured_order(coarser.spike_error, row.spike_error, 0.0) if row.agree and coarser.agree else None
    return replace(row, spike_order=spikes, state_order=measured_order(coarser.state_error, row.state_error, floor))


def _verdict(order: int, rows: Sequence[Row], dt: float, floor: float, located: bool) -> tuple[Status, str]:
    """Whether the errors behave as theory says; the reason in words."""
    finest = rows[-1]
    said = []
    if finest.state_error is not None:
        measured = [row.state_order for row in rows if row.state_order is not None]
        if finest.state_error <= floor and not measured:
            said.append(f"states agree to {finest.state_error:.1g}")
        elif order == EXACT:
            return "fail", f"the scheme should be exact, and a state is off by {finest.state_error:.2g} of its range"
        elif finest.state_error > floor and (not measured or max(measured[-2:]) < order - SLACK):
            shown = f"{measured[-1]:.2f}" if measured else "none"
            return "fail", f"states converge with order {shown}, where the method has order {order}"
        else:
            said.append(f"states converge with order {measured[-1]:.1f} (theory: {order})")
    if not finest.agree:
        return "fail", f"the spikes do not agree with the exact ones even at dt = {finest.dt:g} ms"
    if finest.spike_error is not None and finest.lateness is not None:
        at_dt = next(row for row in rows if row.dt == dt)
        if at_dt.agree and at_dt.spike_error is not None and finest.lateness > 1.01 and finest.spike_error > at_dt.spike_error / 2:
            return "fail", f"spike times do not converge: off by {finest.spike_error:.2g} ms even at dt = {finest.dt:g} ms"
        if located:
            said.append(f"spike times, located inside steps, are off by {finest.spike_error:.1g} ms at most at dt = {finest.dt:g} ms")
        else:
            said.append("spike times converge with order 1, that of spikes which end on steps")
    return "pass", "; ".join(said)
