"""What a card says of a model, read from the model itself: nothing is simulated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from birc import driver
from birc.approximations import approximations
from birc.backends import load_backend, target_names
from birc.cards.find import Found
from birc.errors import BircError, Span
from birc.ir.expr import Expr
from birc.ir.model import Model
from birc.ir.step import Step
from birc.runtime.bind import bind, parameter_values
from birc.runtime.durations import step_length
from birc.runtime.values import Setting
from birc.units import ZERO_CELSIUS, Unit

DRIVE = re.compile(r"drive (\w+) = (-?[0-9.e-]+(?: [^\s()]+)?) for ([0-9.e-]+ \w+)")
"""A drive at a constant value, as it stands in a source."""


@dataclass(frozen=True)
class Group:
    """Equations that belong together, as their author wrote them."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Parameter:
    """A parameter; `default` and `range` are quantities as text."""

    name: str
    unit: str
    default: str
    range: str
    learn: bool


@dataclass(frozen=True)
class Variable:
    """A state: where it starts, its limits, and how it is advanced."""

    name: str
    unit: str
    start: str
    limits: str
    solver: str
    why: str


@dataclass(frozen=True)
class Port:
    """What goes in or out: `input` (continuous), `event` or `output`."""

    name: str
    kind: str
    unit: str


@dataclass(frozen=True)
class PresetValues:
    """A preset and the values that it sets, as text."""

    name: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Card:
    """All that is said of a model. `problem` tells why there are no states, solvers and targets of one that cannot run by itself."""

    model: str
    kind: str
    file: str
    family: str
    command: str
    preset: str | None
    summary: str
    about: str
    equations: tuple[Group, ...]
    params: tuple[Parameter, ...]
    states: tuple[Variable, ...]
    ports: tuple[Port, ...]
    presets: tuple[PresetValues, ...]
    targets: tuple[tuple[str, str], ...]
    approximations: tuple[str, ...]

    @property
    def title(self) -> str:
        """The model, with the preset whose values it shows."""
        return f"{self.model}.{self.preset}" if self.preset else self.model


def card_of(found: Found) -> Card:
    """The card of a model; of a channel, synapse, cell or network only what is written in its file."""
    item = found.item
    model = item if isinstance(item, Model) else None
    runs = model is not None and model.kind == "neuron"
    lowered, step = driver.lower(item) if runs else (model, None)
    doc = (getattr(item, "doc", None) or "").strip()
    return Card(
        model=item.name,
        kind=found.kind,
        file=found.file,
        family=found.family,
        command=_command(found) if runs else "",
        preset=found.preset,
        summary=found.summary,
        about=doc.partition("\n")[2].strip(),
        equations=() if model is None else tuple(_groups(model)),
        params=() if lowered is None else tuple(_parameters(lowered, step, found.preset)),
        states=() if lowered is None or step is None else tuple(_variables(lowered, step, found)),
        ports=() if model is None else tuple(_ports(model)),
        presets=() if step is None else tuple(_presets(step)),
        targets=() if step is None else tuple(_targets(step)),
        approximations=() if step is None else tuple(approximations(step)),
    )


def _command(found: Found) -> str:
    """A command line that runs the model as the first of its checks does that drives it once."""
    name = f"{found.item.name}.{found.preset}" if found.preset else found.item.name
    for check in found.loaded.module.checks:
        span = check.drives[0].span if len(check.drives) == 1 else None
        if span is not None and (check.model, check.preset) == (found.item.name, found.preset):
            drive = DRIVE.fullmatch(span.source.line(span.line)[span.column - 1 :].partition("#")[0].strip())
            if drive is not None:
                return f'birc run {found.file} --model {name} --for "{drive[3]}" --input {drive[1]}="{drive[2]}"'
    return f'birc run {found.file} --model {name} --for "500 ms"'


# --- equations


def _groups(model: Model) -> Iterator[Group]:
    """The model's own statements, then those of each channel that it uses."""
    lines = statements(model)
    if lines:
        yield Group("", lines)
    for use in model.uses:
        given = ", ".join(f"{name} = {_expression(value, None)}" for name, value in use.arguments)
        what = f"channel {use.channel.name}({given})" if given else f"channel {use.channel.name}"
        yield Group(f"{use.alias}: {what}", statements(use.channel))


def statements(model: Model) -> tuple[str, ...]:
    """The lines of a model that say how it moves and what events do, as they stand in its source; a base's come first."""
    spike, refractory = model.spike, model.refractory
    parts: list[Any] = [*model.noises, *model.traces, *model.lets, *model.functions, *model.outputs]
    parts += [*model.odes, *model.step_rules, *model.handlers, *(part for part in (spike, refractory) if part is not None)]
    spans = [part.span for part in parts]
    places = {(span.source.name, span.line, span.column): span for span in spans if span is not None}
    own = model.span.source if model.span is not None else None
    ordered = sorted(places.values(), key=lambda span: (span.source is own, span.source.name, span.line, span.column))
    return tuple(line for span in ordered for line in _statement(span))


def _statement(span: Span) -> list[str]:
    """A statement's lines with what is indented below it, moved to the margin."""
    margin = span.column - 1
    lines = [span.source.line(span.line)[margin:].rstrip()]
    for number in range(span.line + 1, len(span.source.lines) + 1):
        line = span.source.line(number).rstrip()
        below = line and len(line) - len(line.lstrip()) > margin
        if number > span.end_line and not below:
            break
        lines.append(line[min(margin, len(line) - len(line.lstrip())) :])
    return lines


# --- numbers


def quantity(value: float, unit: Unit, written: str = "") -> str:
    """An internal value in a unit, with all digits that matter; a temperature in degC where it is written so."""
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    if written.endswith("degC"):
        return f"{value - float(ZERO_CELSIUS):.12g} degC"
    number = f"{value / float(unit.scale):.12g}"
    return number if unit.text == "1" else f"{number} {unit.text}"


def _expression(e: Expr, unit: Unit | None) -> str:
    """A literal in its unit, or a name; anything else is left to the source."""
    if e.op == "const" and not isinstance(e.attr, str | bool) and e.attr is not None:
        return quantity(float(e.attr), unit) if unit is not None else f"{float(e.attr):.12g}"
    return str(e.attr) if e.op == "var" else "…"


def _bound(step: Step, preset: str | None) -> Any:
    return bind(step, Setting(step.name, 1, 0, 1, step_length(driver.DT), 0), "f64", {}, preset)


def _parameters(model: Model, step: Step | None, preset: str | None) -> Iterator[Parameter]:
    """The parameters, those of channels under their dotted names, with the values that a run takes."""
    setting = Setting(model.name, 1, 0, 1, step_length(driver.DT), 0)
    values = parameter_values(step, setting, {}, preset) if step is not None else {}
    for p in model.params:
        text = _written(p.span) if p.span is not None else ""
        value = quantity(float(values[p.name]), p.unit, text) if p.name in values else text or _expression(p.value, p.unit)
        if p.value.op != "const" and preset is None and p.name in values:
            # A channel's parameter that `use` sets from another has the text of its own default, which does not hold.
            value += f" = {_expression(p.value, p.unit) if '.' in p.name else text}"
        yield Parameter(p.name, str(p.unit), value, _range(p.range, p.unit), p.learn)


def _written(span: Span) -> str:
    """The expression behind the `=` of a declaration, as it stands in the source."""
    text = span.source.line(span.line)[span.column - 1 : span.end_column - 1 if span.line == span.end_line else None]
    value = text.partition("=")[2]
    for word in (" learn", " in (", " in ["):
        value = value.partition(word)[0]
    return value.strip()


def _range(range: Any, unit: Unit) -> str:
    if range is None:
        return ""
    low, high = "[" if range.low_closed else "(", "]" if range.high_closed else ")"
    return f"{low}{quantity(range.low, unit)}, {quantity(range.high, unit)}{high}"


# --- states, ports, presets, targets


def _variables(model: Model, step: Step, found: Found) -> Iterator[Variable]:
    """Every state with its value at the start, and the solver that `birc explain` names."""
    try:
        start = _bound(step, found.preset).state
    except BircError:
        start = {}
    rows = {row.variable: row for row in driver.explain(found.loaded, model=model.name)}
    for s in model.states:
        row = rows.get(s.name)
        first = quantity(float(f"{float(start[s.name][0]):.6g}"), s.unit) if s.name in start else ""
        limits = "" if s.low is None and s.high is None else f"[{_limit(s.low, s.unit, '-inf')}, {_limit(s.high, s.unit, 'inf')}]"
        yield Variable(s.name, str(s.unit), first, limits, row.method if row else "", row.reason if row else "")


def _limit(e: Expr | None, unit: Unit, none: str) -> str:
    return none if e is None else _expression(e, unit)


def _ports(model: Model) -> Iterator[Port]:
    for i in model.inputs:
        yield Port(i.name, "input", str(i.unit))
    for h in model.handlers:
        yield Port(h.port, "event", "" if h.unit is None else str(h.unit))
    for o in model.outputs:
        yield Port(o.name, "output", str(o.unit))


def _presets(step: Step) -> Iterator[PresetValues]:
    known = {p.name: (p.unit, _written(p.span) if p.span else "") for p in step.params}
    setting = Setting(step.name, 1, 0, 1, step_length(driver.DT), 0)
    for preset in step.presets:
        values = parameter_values(step, setting, {}, preset.name)
        yield PresetValues(preset.name, tuple((name, quantity(float(values[name]), *known[name])) for name, _ in preset.values))


def _targets(step: Step) -> Iterator[tuple[str, str]]:
    """Each target with why it refuses the model; "" where it takes it."""
    for name in target_names():
        try:
            refused = load_backend(name).refuse(step, "f64")
        except BircError as error:
            refused = error.diagnostics
        yield name, "; ".join(dict.fromkeys(d.message for d in refused))
