"""Values that a program is compiled with become the defaults of its parameters, for targets whose files hold numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from birc.errors import BircError
from birc.frontend.quantity import parse_quantity
from birc.ir.expr import Expr, const
from birc.ir.step import Step


def with_values(step: Step, params: Mapping[str, object] | None, preset: str | None) -> Step:
    """The program whose defaults are a preset's values and the quantities and numbers given; arrays and draws are left to the run."""
    chosen: dict[str, Expr] = {}
    for found in step.presets:
        if found.name == preset:
            chosen |= dict(found.values)
    units = {p.name: p.unit for p in step.params}
    for name, value in (params or {}).items():
        if name not in units:
            continue
        if isinstance(value, str):
            try:
                chosen[name] = const(parse_quantity(value, units[name], f"parameter `{name}`"))
            except BircError:
                continue
        elif isinstance(value, (int, float)):
            chosen[name] = const(float(value) * float(units[name].scale))
    if not chosen:
        return step
    return replace(step, params=tuple(replace(p, value=chosen.get(p.name, p.value)) for p in step.params))
