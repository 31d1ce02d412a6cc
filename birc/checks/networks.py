"""Checks of networks: run on the reference, and measured by the spikes of their populations and sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from birc.checks.compare import Array, CheckResult, Stretch, asked, compare
from birc.checks.drives import MOST_STEPS
from birc.errors import BircError, Diagnostic
from birc.ir.evaluate import evaluate_names
from birc.ir.model import Check, Network
from birc.networks import compile_network
from birc.runtime.network.parameters import parameters
from birc.runtime.result import Result

BIN = 3.0
"""The width of a bin of `synchrony`, in ms."""


def run_network_check(check: Check, network: Network, dt: str) -> list[CheckResult]:
    """Run a network, then compare what its groups did with each expectation. Raises C003 for a check that would take too long."""
    names = parameters(network, {}, check.preset)
    assert check.run is not None
    duration = float(evaluate_names(check.run, names))
    compiled = compile_network(network, dt=dt, solver=check.solver, preset=check.preset)
    if not duration <= MOST_STEPS * 0.01:
        message = f"this check would run for {duration:g} ms; a check may run for {MOST_STEPS * 0.01:g} ms"
        raise BircError("C003", message, check.span, "make it shorter, or run the network with `birc run`")
    try:
        out = compiled.run(duration, seed=check.seed or 0, sources=True)
    except BircError as failure:
        broken = failure.diagnostics[0]
        return [CheckResult(network.name, x, Diagnostic("C002", f"the run failed: {broken.message}", x.span)) for x in check.expects]
    found = []
    for x in check.expects:
        stretch = Stretch(out.steps, out.dt, x.during, names)
        values: dict[str, Any] = {name: np.asarray(value) for name, value in names.items()}
        missing: dict[str, str] = {}
        for path in asked(x) - names.keys():
            group, _, measure = path.partition(".")
            values[path] = MEASURES[measure](out[group], stretch)
            missing[path] = f"`{path}` is not defined: `{group}` fired {len(_times(out[group], stretch))} times in this stretch"
        found.append(CheckResult(network.name, x, compare(x, stretch, values, missing)))
    return found


def _times(out: Result, stretch: Stretch) -> Array:
    times: Array = out.spikes.time
    return times[stretch.holds(times)]


def _count(out: Result, stretch: Stretch) -> float:
    """The spikes of all cells."""
    return float(len(_times(out, stretch)))


def _rate(out: Result, stretch: Stretch) -> float:
    """Spikes per cell and time."""
    low, high = stretch.ends
    return _count(out, stretch) / (out.n * (high - low)) if high > low else float("nan")


def _cv(out: Result, stretch: Stretch) -> float:
    """The coefficient of variation of the intervals between spikes, mean over the cells with at least three spikes; NaN without one."""
    inside = stretch.holds(out.spikes.time)
    times, cells = out.spikes.time[inside], out.spikes.index[inside]
    order = np.lexsort((times, cells))
    times, cells = times[order], cells[order]
    intervals = np.diff(times)[np.diff(cells) == 0]
    owners = cells[1:][np.diff(cells) == 0]
    count = np.bincount(owners, minlength=out.n)
    enough = count >= 2
    if not enough.any():
        return float("nan")
    mean = np.bincount(owners, intervals, out.n)[enough] / count[enough]
    square = np.bincount(owners, intervals**2, out.n)[enough] / count[enough]
    return float(np.mean(np.sqrt(np.maximum(square - mean**2, 0)) / mean))


def _synchrony(out: Result, stretch: Stretch) -> float:
    """Variance over mean of the spikes of the group in bins of 3 ms; 1 for independent Poisson cells, NaN without a spike."""
    low, high = stretch.ends
    bins = int((high - low) / BIN + 1e-9)
    times = _times(out, stretch)
    if bins < 2 or not len(times):
        return float("nan")
    # a spike of stamp k fills the step that ends there
    at = np.floor((times - low - 0.5 * stretch.h) / BIN).astype(np.int64)
    counts = np.bincount(at[(at >= 0) & (at < bins)], minlength=bins)
    return float(np.var(counts) / np.mean(counts)) if counts.any() else float("nan")


MEASURES = {"count": _count, "rate": _rate, "cv": _cv, "synchrony": _synchrony}
