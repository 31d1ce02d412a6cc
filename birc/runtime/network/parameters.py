"""The parameters of a network become numbers, and with them its counts, weights, delays and all other arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from birc.errors import BircError, Span
from birc.ir.evaluate import evaluate_names
from birc.ir.expr import Expr, const, substitute, var
from birc.ir.model import Endpoint, Network, NetworkSource, Population, Properties
from birc.runtime.bind import check_range, default_values, unknown_name
from birc.runtime.values import numbers, quantity
from birc.units import Unit

MOST = 2**31 - 1
"""Instances are counted in 32 bits, because the random numbers are."""


def with_parameters(network: Network, given: Mapping[str, object] | None = None, preset: str | None = None) -> Network:
    """The network without parameters: their values are put in everywhere.

    Counts are rounded. Raises as `parameters`, and I158 for a count that is none or a slice beyond its population.
    """
    values = parameters(network, given or {}, preset)
    return _filled(network, {var(name): const(value) for name, value in values.items()}) if values else network


def parameters(network: Network, given: Mapping[str, object], preset: str | None) -> dict[str, float]:
    """The value of every parameter in internal units: defaults, replaced by a preset's, replaced by what is given.

    `given` are quantities as text, or numbers in the declared unit. Raises I102 and I105 for names, I110 to I112 and I130 for values.
    """
    known = {p.name: p for p in network.params}
    for name in given:
        if name not in known:
            raise unknown_name("I102", "parameter", name, known)
    presets = {p.name: p for p in network.presets}
    if preset is not None and preset not in presets:
        raise unknown_name("I105", "preset", preset, presets)
    source = {p.name: p.value for p in network.params} | (dict(presets[preset].values) if preset is not None else {})
    chosen = {name: _number(value, known[name].unit, f"parameter `{name}`") for name, value in given.items()}
    values = default_values(source, chosen)
    for param in network.params:
        check_range(param, values[param.name])
    return {name: float(value) for name, value in values.items()}


def _number(value: object, unit: Unit, what: str) -> float:
    if isinstance(value, str):
        return quantity(value.strip(), unit, what)
    array = numbers(value, unit, what)
    if array.size != 1:
        raise BircError("I110", f"{what} has shape {array.shape}", help="a network's parameter is one number")
    return float(array.reshape(()))


def _filled(network: Network, values: Mapping[Expr, Expr]) -> Network:
    def all_of(properties: Properties) -> Properties:
        return tuple((name, substitute(e, values)) for name, e in properties)

    populations = tuple(replace(p, arguments=all_of(p.arguments), count=_size(p, values), size=None) for p in network.populations)
    sources = tuple(replace(s, arguments=all_of(s.arguments), count=_size(s, values), size=None) for s in network.sources)
    counts = {p.name: p.count for p in populations} | {s.name: s.count for s in sources}
    for ends, span in (*(((p.source, p.target), p.span) for p in network.projections), *(((r.what,), r.span) for r in network.records)):
        for end in ends:
            _check_slice(end, counts, span)
    return replace(
        network,
        params=(),
        presets=(),
        populations=populations,
        sources=sources,
        signals=tuple(replace(s, properties=all_of(s.properties)) for s in network.signals),
        projections=tuple(
            replace(p, arguments=all_of(p.arguments), rule_arguments=_whole(all_of(p.rule_arguments)), properties=all_of(p.properties))
            for p in network.projections
        ),
        thirds=tuple(replace(t, properties=all_of(t.properties)) for t in network.thirds),
        records=tuple(replace(r, every=None if r.every is None else substitute(r.every, values)) for r in network.records),
    )


def _whole(arguments: Properties) -> Properties:
    """Rounded counts as whole numbers."""
    values = {name: float(evaluate_names(e, {})) for name, e in arguments if e.op == "floor"}
    return tuple((name, const(int(values[name])) if np.isfinite(values.get(name, np.nan)) else e) for name, e in arguments)


def _size(group: Population | NetworkSource, values: Mapping[Expr, Expr]) -> int:
    """The number of instances. Raises I158."""
    if group.size is None:
        return group.count
    value = float(evaluate_names(substitute(group.size, values), {}))
    if not 1 <= value <= MOST:
        message = f"with these parameters `{group.name}` has {value:g} instances"
        raise BircError("I158", message, group.span, f"a count is a whole number from 1 to {MOST}")
    return int(value)


def _check_slice(end: Endpoint, counts: Mapping[str, int], span: Span | None) -> None:
    """I158: a slice lies inside its population."""
    n = counts.get(end.population)
    if n is None or (end.start is None and end.stop is None):
        return
    if not (end.start or 0) < (n if end.stop is None else end.stop) <= n:
        raise BircError("I158", f"with these parameters `{end.population}` has the instances 0 to {n - 1}", span)
