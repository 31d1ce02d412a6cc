"""What a layer computes, as text: equations, parameters with units and values, step and scheme, surrogate, and with what it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from birc.cards.facts import statements
from birc.nn.base import BaseBiologicalLayer
from birc.nn.mistakes import data_mistake


@dataclass(frozen=True, repr=False)
class Explanation:
    """A layer, explained; its text is what `print` and a notebook show."""

    title: str
    equations: tuple[str, ...]
    parameters: tuple[tuple[str, str, str, bool], ...]
    """Name, value, unit, and whether it is a weight."""
    schemes: tuple[tuple[str, str, str], ...]
    """Of each block of equations: its states, the method, and why."""
    facts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        width = max((len(name) for name, *_ in self.parameters), default=0)
        rows = [f"  {n:<{width}} = {value} {unit}{'  (learned)' if learned else ''}" for n, value, unit, learned in self.parameters]
        return "\n".join(
            [
                self.title,
                "equations",
                *(f"  {line}" for line in self.equations),
                "parameters",
                *(row.rstrip() for row in rows),
                "integration",
                *(f"  {states}: {method} ({reason})" for states, method, reason in self.schemes),
                *(f"{what}: {value}" for what, value in self.facts),
            ]
        )

    __repr__ = __str__


def explain(layer: BaseBiologicalLayer) -> Explanation:
    """What a layer of neurons computes, with the present values of what it learns. Raises I311 for what is no such layer."""
    if not isinstance(layer, BaseBiologicalLayer):
        name = getattr(layer, "name", layer)
        raise data_mistake(
            "explain", f"`{name}` is no layer of birc.nn, but a {type(layer).__name__}", "name one: explain(model.layers[0])"
        )
    step, inner = layer.compiled.step, layer.inner
    settings = inner.settings
    doc = (step.doc or step.name).partition("\n")[0]
    return Explanation(
        f"{type(layer).__name__} `{layer.name}`: {step.name}. {doc}",
        statements(step.model) if step.model else (),
        tuple(_parameter(inner, name) for name in settings.rows),
        tuple((", ".join(b.states), b.method, b.reason) for b in step.blocks),
        (
            ("step", _step(settings)),
            ("input", f"{', '.join(settings.ports)}; 1 is {settings.gain:g} {_unit(step, settings.ports[0])}".rstrip()),
            ("output", ", ".join(settings.output)),
            ("surrogate", _surrogate(inner)),
            ("realism", layer.biological_realism_level),
            ("computed by", _computed(inner)),
        ),
    )


def _computed(inner: Any) -> str:
    how = "all steps at once, a kernel in C++" if inner._at_once else "the portable step, keras.ops"
    return f"{how} on {keras.backend.backend()}"


def _parameter(inner: Any, name: str) -> tuple[str, str, str, bool]:
    row, settings = inner.settings.rows[name], inner.settings
    learned = name in settings.learn
    if learned and inner.built:
        value = np.asarray(ops.convert_to_numpy(inner.cell.learned[row.argument]))
    else:
        value = np.asarray(settings.values[name]) / row.scale
    shown = f"{float(value):.6g}" if value.ndim == 0 else f"{value.min():.6g} … {value.max():.6g} in {value.size} neurons"
    return name, shown, "" if row.unit == "1" else row.unit, learned


def _step(settings: Any) -> str:
    parts = f", {settings.substeps} substeps of {settings.h:g} ms" if settings.substeps > 1 else ""
    return f"{settings.h * settings.substeps:g} ms{parts}"


def _unit(step: Any, port: str) -> str:
    found = next(p.unit.text for p in (*step.inputs, *step.events) if p.name == port)
    return "" if found == "1" else str(found)


def _surrogate(inner: Any) -> str:
    settings = inner.settings
    if "spikes" not in settings.output:
        return "none: no spikes are put out"
    arguments = {**settings.spike.arguments}
    if settings.learn_surrogate and inner.built:
        arguments |= {n: float(ops.convert_to_numpy(w)) for n, w in inner.cell.surrogate_learned.items()}
    listed = ", ".join(f"{name} = {value:.6g}" for name, value in arguments.items())
    scaled = f", which sees a margin of {settings.spike.scale:g} as 1" if settings.spike.scale != 1 else ""
    reset = "the reset is detached" if settings.detach_reset else "the derivative goes through the reset"
    return f"{settings.spike.name}{f'({listed})' if listed else ''}{scaled}; {reset}"
