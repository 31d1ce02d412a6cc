"""The figure of patterns: a panel for each, with the membrane under the published scheme, the accurate one behind it, and the stimulus."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from birc.errors import BircError
from birc.patterns.runs import Array, Pattern
from birc.runtime.output import write_atomic
from birc.runtime.plot import COLOURS, FORMATS, require_matplotlib
from birc.runtime.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 4
PEAK = 30.0
"""Spikes are drawn up to here, in mV: what is recorded is the state after the reset."""
BELOW, HEIGHT = -100.0, 12.0
"""Where the stimulus is drawn, in mV."""


def draw(found: Sequence[Pattern], path: str | Path) -> Path:
    """Write the figure. Raises I150 for an ending that is no figure's, X101 without matplotlib, X102 where it cannot be written."""
    path = Path(path)
    format = path.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise BircError("I150", f"figures are not written as `{path.suffix or path}`", help=f"use .{', .'.join(FORMATS)}")
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-len(found) // COLUMNS)
    drawn = Figure(figsize=(3.0 * COLUMNS, 1.6 * rows + 0.4), layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots(rows, COLUMNS, squeeze=False).ravel()
    for letter, panel, pattern in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", axes, found, strict=False):
        _panel(panel, pattern, f"({letter}) {pattern.name.replace('_', ' ')}")
    for panel in axes[len(found) :]:
        panel.set_axis_off()
    scheme = "black: the published scheme; blue: the equations, accurately; below: the stimulus; bars: 20 ms"
    drawn.suptitle(scheme, fontsize="small")
    return write_atomic(path, lambda file: drawn.savefig(file, format=format, dpi=150))


def _panel(panel: Axes, pattern: Pattern, title: str) -> None:
    panel.plot(*trace(pattern.accurate), color=COLOURS[0], linewidth=0.5, alpha=0.7)
    panel.plot(*trace(pattern.published), color="black", linewidth=0.7)
    low, high = pattern.stimulus.min(), pattern.stimulus.max()
    time = np.arange(len(pattern.stimulus)) * pattern.dt
    panel.step(time, BELOW + HEIGHT * (pattern.stimulus - low) / ((high - low) or 1.0), where="post", color="black", linewidth=0.7)
    panel.plot([time[-1] - 20.0, time[-1]], [BELOW - 6.0] * 2, color="black", linewidth=1.5)
    panel.set_ylim(BELOW - 10.0, PEAK + 5.0)
    panel.set_title(title, fontsize="small")
    panel.set_axis_off()


def trace(result: Result) -> tuple[Array, Array]:
    """Time and membrane of the neuron, with a point at the peak put in before each reset."""
    spikes = result.spikes.time
    time, v = result.time, np.minimum(result["v"][:, 0], PEAK)
    at = np.searchsorted(time, spikes, side="left")
    return np.insert(time, at, spikes), np.insert(v, at, PEAK)
