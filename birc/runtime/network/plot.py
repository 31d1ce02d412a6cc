"""A figure of a network's run: what was recorded, and one raster of all populations, in which each has its share of the height."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from birc.runtime.network.result import NetworkResult
from birc.runtime.plot import COLOURS, MOST_DOTS, MOST_PANELS, plain, require_matplotlib, save_figure, traces

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot(result: NetworkResult, path: str | Path, title: str | None = None) -> Path:
    """Write a figure; errors are those of `birc.runtime.plot.plot`."""
    return save_figure(path, lambda: figure(result, title))


def figure(result: NetworkResult, title: str | None = None) -> Figure:
    """The figure itself."""
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    recorded = [(out, name) for out in result.groups.values() for name in out.recorded if out.recorded[name].shape[0]][:MOST_PANELS]
    heights = [2.0] * len(recorded) + [5.0]
    drawn = Figure(figsize=(8.0, 0.9 + 0.9 * sum(heights)), layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    scale, unit = (1e-3, "s") if result.duration > 2000 else (1.0, "ms")
    for panel, (out, name) in zip(axes, recorded, strict=False):
        traces(panel, out, name, scale)
        panel.set_ylabel(f"{out.model}.{panel.get_ylabel()}")
    _rasters(axes[-1], result, scale)
    axes[-1].set_xlabel(f"time ({unit})")
    axes[-1].set_xlim(result.start * result.dt * scale, result.stop * result.dt * scale)
    axes[0].set_title(title or result.name, loc="left", fontsize="medium")
    return drawn


def _rasters(panel: Axes, result: NetworkResult, scale: float) -> None:
    """Spikes of every population, one above the other in the order of the network, with its name and rate."""
    groups = [result.groups[p.name] for p in result.network.populations]
    base, ticks, names = 0, [], []
    total = sum(len(out.index) for out in groups)
    height = max(1.0, min(6.0, 600.0 / sum(out.n for out in groups)))
    for colour, out in zip(COLOURS * len(groups), groups, strict=False):
        index, time = out.spikes
        share = max(1, int(MOST_DOTS * len(index) / max(total, 1)))
        if len(index) > share:
            shown = np.linspace(0, len(index) - 1, share).astype(int)
            index, time = index[shown], time[shown]
        panel.scatter(time * scale, base + index, s=height**2, marker="|", linewidths=0.6, color=colour, rasterized=total > 5000)
        ticks.append(base + out.n / 2)
        names.append(f"{out.model}\n{out.rate:.3g} Hz")
        base += out.n
    panel.set_ylim(-0.5, base - 0.5)
    panel.set_yticks(ticks, names)
    plain(panel)
