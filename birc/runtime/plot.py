"""A figure of a run: what was recorded of a few neurons, and who fired when."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from birc.errors import BircError
from birc.runtime.output import write_atomic
from birc.runtime.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")
MOST_TRACES = 5
MOST_PANELS = 4
MOST_DOTS = 200_000
"""More spikes than that are drawn as an even selection of them: a figure shows no more."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
"""Told apart by colour-blind people (Okabe and Ito 2008)."""


def plot(result: Result, path: str | Path, title: str | None = None) -> Path:
    """Write a figure; the format is that of the ending (png, pdf, svg).

    Raises I150 for another ending, X101 without matplotlib, X102 where the file cannot be written.
    """
    return save_figure(path, lambda: figure(result, title))


def save_figure(path: str | Path, draw: Callable[[], Figure]) -> Path:
    """Draw a figure and write it in the format of the ending; errors are those of `plot`."""
    path = Path(path)
    format = path.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise BircError("I150", f"figures are not written as `{path.suffix or path}`", help=f"use .{', .'.join(FORMATS)}")
    drawn = draw()
    return write_atomic(path, lambda file: drawn.savefig(file, format=format, dpi=150))


def require_matplotlib() -> None:
    """Raises X101 without matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise BircError("X101", "figures need matplotlib, which is not installed", help='pip install "birc[plot]"') from error


def figure(result: Result, title: str | None = None) -> Figure:
    """The figure itself: a panel per recorded variable, and one of spikes."""
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [name for name in result.recorded if result.recorded[name].shape[0]][:MOST_PANELS]
    heights = [2.0] * len(names) + [0.5 if result.n == 1 and names else 2.4]
    drawn = Figure(figsize=(8.0, 0.9 + 0.9 * sum(heights)), layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    scale, unit = (1e-3, "s") if result.duration > 2000 else (1.0, "ms")
    for panel, name in zip(axes, names, strict=False):
        traces(panel, result, name, scale)
    _raster(axes[-1], result, scale)
    axes[-1].set_xlabel(f"time ({unit})")
    axes[-1].set_xlim(result.start * result.dt * scale, result.stop * result.dt * scale)
    about = f"{result.n} neuron{'s' * (result.n != 1)}, {result.rate:.3g} Hz"
    axes[0].set_title(f"{title or result.model} ({about})", loc="left", fontsize="medium")
    return drawn


def traces(panel: Axes, result: Result, name: str, scale: float) -> None:
    """The variable in some of the neurons that were recorded, evenly chosen."""
    values, time = result[name], result.time * scale
    count = values.shape[1]
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_TRACES)).astype(int))
    for colour, neuron in zip(COLOURS, chosen, strict=False):
        panel.plot(time, values[:, neuron], color=colour, linewidth=0.8, label=f"{neuron}")
    if len(chosen) > 1:
        small: dict[str, Any] = {"fontsize": "x-small", "title_fontsize": "x-small", "frameon": False}
        panel.legend(title="neuron", loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(chosen), **small)
    unit = result.units[name]
    panel.set_ylabel(name if unit == "1" else f"{name} ({unit})")
    plain(panel)


def _raster(panel: Axes, result: Result, scale: float) -> None:
    index, time = result.spikes
    if len(index) > MOST_DOTS:
        shown = np.linspace(0, len(index) - 1, MOST_DOTS).astype(int)
        index, time = index[shown], time[shown]
    height = max(0.5, min(8.0, 150.0 / result.n))
    panel.scatter(time * scale, index, s=height**2, marker="|", linewidths=0.8, color="black", rasterized=len(index) > 5000)
    panel.set_ylim(-0.5, result.n - 0.5)
    panel.set_ylabel("neuron")
    panel.set_yticks(np.unique(np.linspace(0, result.n - 1, 5).astype(int)))
    plain(panel)


def plain(panel: Any) -> None:
    """No box around a panel."""
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
