"""The figures of a card: answers to steps of the input, firing rate by input, phase plane; and a small trace for each preset."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from birc.cards.bench import Answer, Bench, Curve, answer, curve
from birc.cards.plane import Plane, moving, plane
from birc.errors import BircError
from birc.runtime.plot import COLOURS, require_matplotlib
from birc.runtime.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 3
MOST_LINES = 6
DPI = 80
TONES = 64
GREY = "#999999"
COLUMNS = 4
MOST_SPIKES = 30
"""In a preset's trace, which ends there."""


def blank(width: float, height: float) -> Figure:
    """An empty figure. Raises X101 without matplotlib."""
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """A figure as a file, in few colours: a third of the size."""
    from PIL import Image

    drawn, file = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, pil_kwargs={"compress_level": 1})
    image = Image.open(drawn).convert("RGB").quantize(TONES, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(file, format="png", optimize=True)
    return file.getvalue()


def main_variable(on: Bench) -> str:
    """What stands for the membrane: the state `v`, else an output, else the first state."""
    states = [s.name for s in on.model.states]
    if "v" in states:
        return "v"
    return on.model.outputs[0].name if on.model.outputs else states[0]


def panels(on: Bench) -> list[list[str]]:
    """What is drawn together: the membrane, then the other states by their unit."""
    main = main_variable(on)
    groups: dict[str, list[str]] = {}
    for s in on.model.states:
        if s.name != main:
            groups.setdefault(s.unit.text, []).append(s.name)
    return [[main], *(names[:MOST_LINES] for names in list(groups.values())[: MOST_PANELS - 1])]


def overview(on: Bench) -> Figure:
    """The main figure of a model."""
    rows = panels(on)
    rates = curve(on)
    moved = moving(on)
    reply = answer(on, rates, tuple(dict.fromkeys([*(name for names in rows for name in names), *moved])))
    rows = [rows[0], *(names for names in rows[1:] if any(np.ptp(reply.result[name]) > 0.0 for name in names))]
    below = [rates is not None, bool(moved)]
    heights = [1.7, *([0.9] * (len(rows) - 1))]
    size = sum(heights) + 0.8 + (3.0 if any(below) else 0.0)
    figure = blank(9.0, size)
    upper, lower = _halves(figure, sum(heights) + 0.8) if any(below) else (figure, None)
    _steps(upper, on, reply, rows, heights)
    if lower is not None:
        axes = list(lower.subplots(1, max(2, sum(below)), squeeze=False)[0])
        if rates is not None:
            _rates(axes.pop(0), on, rates)
        if moved:
            _plane(axes.pop(0), on, reply, moved)
        for left in axes:
            left.set_visible(False)
    return figure


def _halves(figure: Any, upper: float) -> Any:
    """The figure in two, the upper one of this height."""
    return figure.subfigures(2, 1, height_ratios=[upper, 3.0])


# --- answers to steps


def _steps(area: Any, on: Bench, reply: Answer, rows: list[list[str]], heights: list[float]) -> None:
    grid = area.subplots(len(rows), len(reply.amplitudes), sharex=True, sharey="row", squeeze=False, height_ratios=heights)
    index, fired = reply.result.spikes
    time, unit = reply.result.time, on.port.unit.text if on.port else ""
    for column, amplitude in enumerate(reply.amplitudes):
        for panel, names in zip(grid[:, column], rows, strict=True):
            for colour, name in zip((*COLOURS, "black"), names, strict=False):
                panel.plot(time, reply.result[name][:, column], color=colour, linewidth=0.9, label=name)
            if on.port:
                panel.axvspan(reply.on, reply.off, color="black", alpha=0.06, linewidth=0)
            _plain(panel)
        top = grid[0, column]
        if on.port:
            top.set_title(f"{on.port.name} = {amplitude:g}{'' if unit == '1' else ' ' + unit}", fontsize="small")
        _marks(top, fired[index == column])
        grid[-1, column].set_xlabel("time (ms)", fontsize="small")
    for panel, names in zip(grid[:, 0], rows, strict=True):
        panel.set_ylabel(_label(reply.result, names), fontsize="x-small" if len(rows) > 2 else "small")
        if len(names) > 1:
            grid[rows.index(names), -1].legend(fontsize="x-small", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    grid[0, 0].set_xlim(0.0, float(time[-1]))


def _marks(panel: Axes, times: Any) -> None:
    """A tick above the trace for every spike."""
    if len(times):
        panel.plot(times, np.full(len(times), 1.0), "|", color="black", markersize=5, transform=panel.get_xaxis_transform(), clip_on=False)


def _label(result: Result, names: list[str]) -> str:
    unit = result.units[names[0]]
    if len(names) > 1:
        return "states" if unit == "1" else unit
    return names[0] if unit == "1" else f"{names[0]} ({unit})"


def _plain(panel: Any) -> None:
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    panel.tick_params(labelsize="x-small")


# --- firing rate


def _rates(panel: Axes, on: Bench, rates: Curve) -> None:
    assert on.port is not None
    panel.plot(rates.inputs, rates.first, color=GREY, linewidth=1.0, label="first interval")
    panel.plot(rates.inputs, rates.steady, color=COLOURS[0], linewidth=1.4, label="steady")
    unit = on.port.unit.text
    panel.set_xlabel(on.port.name if unit == "1" else f"{on.port.name} ({unit})", fontsize="small")
    panel.set_ylabel("firing rate (Hz)", fontsize="small")
    panel.set_ylim(bottom=0.0)
    if rates.onset > 0.0 and not on.noisy:
        panel.axvline(rates.onset, color=GREY, linewidth=0.8, linestyle=":")
        panel.set_title(f"first spike from {rates.onset:.4g}{'' if unit == '1' else ' ' + unit}", fontsize="small", loc="left")
    panel.legend(fontsize="x-small", frameon=False)
    _plain(panel)


# --- phase plane


def _plane(panel: Axes, on: Bench, reply: Answer, states: tuple[str, ...]) -> None:
    """Nullclines without input and with the strongest step, and the path during that step; of one state its rate."""
    path = [reply.result[s] for s in states]
    ends = tuple((float(p.min()), float(p.max())) for p in path)
    levels = (0.0, reply.amplitudes[-1]) if on.port and reply.amplitudes[-1] != 0.0 else (0.0,)
    found = plane(on, states, ends, levels)
    units = {s.name: s.unit.text for s in on.model.states}
    names = [s if units[s] == "1" else f"{s} ({units[s]})" for s in states]
    panel.set_xlabel(names[0], fontsize="small")
    for level, style in zip(levels, ("--", "-") if len(levels) > 1 else ("-",), strict=True):
        _curves(panel, on, found, level, style)
    if len(states) == 2:
        _path(panel, reply, [p[:, -1] for p in path], on)
        panel.set_ylabel(names[1], fontsize="small")
        panel.set_xlim(found.axes[0][0], found.axes[0][-1])
        panel.set_ylim(found.axes[1][0], found.axes[1][-1])
    else:
        panel.axhline(0.0, color="black", linewidth=0.6)
        scale = next(float(s.unit.scale) for s in on.model.states if s.name == states[0])
        panel.set_ylabel(f"{states[0]}' ({'1' if units[states[0]] == '1' else units[states[0]]}/ms)", fontsize="small")
        values = np.concatenate([r[0] / scale for r in found.rates.values()])
        finite = values[np.isfinite(values)]
        low, high = np.quantile(finite, [0.0, 0.9])
        panel.set_ylim(low - 0.1 * (high - low), high + 0.3 * (high - low))
    panel.legend(fontsize="x-small", frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, columnspacing=1.0)
    _plain(panel)


def _curves(panel: Axes, on: Bench, found: Plane, level: float, style: str) -> None:
    """The nullclines of a plane, or the rate of a line, at one level of the input; what no input moves is drawn once."""
    others = [rates for other, rates in found.rates.items() if other != level]
    for i, (state, rates) in enumerate(zip(found.states, found.rates[level], strict=True)):
        fixed = bool(others) and all(np.array_equal(rates, other[i], equal_nan=True) for other in others)
        if fixed and level != 0.0:
            continue
        held = "" if on.port is None or fixed else f", {on.port.name} = {level:g}"
        drawn: dict[str, Any] = {"linestyle": "-" if fixed else style, "linewidth": 1.2}
        if len(found.states) == 1:
            scale = next(float(s.unit.scale) for s in on.model.states if s.name == state)
            panel.plot(found.axes[0], rates / scale, color=COLOURS[0], label=f"{state}'{held}", **drawn)
            continue
        finite = np.where(np.isfinite(rates), rates, np.nan)
        if np.nanmin(finite) < 0.0 < np.nanmax(finite):
            panel.contour(*found.axes, finite, [0.0], colors=[COLOURS[1 + i]], linestyles=[drawn["linestyle"]], linewidths=1.2)
            panel.plot([], [], color=COLOURS[1 + i], label=f"{state}' = 0{held}", **drawn)


def _path(panel: Axes, reply: Answer, path: list[Any], on: Bench) -> None:
    """The path, broken where a spike jumps."""
    x, y = (np.array(p, dtype=float) for p in path)
    during = (reply.result.time >= reply.on) & (reply.result.time <= reply.off) if on.port else np.ones(len(x), np.bool_)
    last = len(reply.amplitudes) - 1
    jumps = reply.result.stamps[reply.result.index == last] - 1
    if on.model.spike is not None and on.model.spike.body:
        ends = jumps[(jumps >= 0) & (jumps < len(x))]
        panel.plot(x[ends], y[ends], "s", color=COLOURS[0], markersize=2.5)
        x[ends - 1] = np.where(ends > 0, np.nan, x[ends - 1])
    panel.plot(x[during], y[during], color=COLOURS[0], linewidth=0.8)


# --- presets


def presets(on: Bench) -> Figure | None:
    """A trace of the membrane for each preset, those of equal values as one; None for a model without presets."""
    if not on.step.presets or on.found.preset is not None:
        return None
    names: dict[object, list[str]] = {}
    for preset in on.step.presets:
        names.setdefault(preset.values, []).append(preset.name)
    columns = min(len(names), COLUMNS)
    rows = -(-len(names) // columns)
    figure = blank(2.25 * columns, 1.45 * rows + 0.2)
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for panel, equal in zip(grid, names.values(), strict=False):
        _trace(panel, on, equal)
    for panel in grid[len(names) :]:
        panel.set_visible(False)
    return figure


def _trace(panel: Axes, on: Bench, names: list[str]) -> None:
    """The membrane with the input below it: as a check of one of the names drives it, else during the strongest of three steps."""
    panel.set_title(", ".join(names), fontsize="x-small", loc="left", pad=8)
    _plain(panel)
    main = main_variable(on)
    try:
        result, held = _example(on, names, main)
    except BircError as error:
        if error.code != "R001":
            raise
        panel.text(0.5, 0.5, "leaves the finite range", fontsize="x-small", ha="center", transform=panel.transAxes)
        return
    neuron = result.n - 1
    index, time = result.spikes
    own = time[index == neuron]
    end = float(own[MOST_SPIKES]) if len(own) > MOST_SPIKES and not on.model.step_rules else float(result.time[-1])
    shown = result.time <= end
    panel.plot(result.time[shown], result[main][shown, neuron], color=COLOURS[0], linewidth=0.7)
    _marks(panel, own[own <= end])
    panel.set_xlim(0.0, end)
    if held is not None and np.ptp(held) > 0.0:
        low, high = panel.get_ylim()
        panel.set_ylim(low - 0.2 * (high - low), high)
        shape = 0.02 + 0.1 * (held - held.min()) / np.ptp(held)
        panel.plot(result.time[shown], shape[shown], color=GREY, linewidth=0.8, transform=panel.get_xaxis_transform())


def _example(on: Bench, names: list[str], main: str) -> tuple[Result, Any]:
    """A run of a preset, whose last neuron is drawn, and what its input was held at."""
    port = on.port.name if on.port else ""
    for name in names:
        ran = on.liveliest(name, (main,))
        if ran is not None:
            return ran.out, ran.driven.get(port)
    by_itself = on.under(names[0])
    reply = answer(by_itself, curve(by_itself), (main,))
    time = reply.result.time
    return reply.result, np.where((time > reply.on) & (time <= reply.off), reply.amplitudes[-1], 0.0)
