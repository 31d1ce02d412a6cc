"""Keep one trace for several projections where it is the same: the spikes of the same neurons, seen at the same time, decaying alike.

    project E -> E.exc: Pair, …   project E -> I.exc: Pair, …      ->   the trace `x` of the second is that of the first

It is decided by what is written: the end of the projection, its delay, and the time constant with the parameters that it reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from birc.ir.expr import Expr, const, leaves, make, rewrite, substitute, value, var
from birc.ir.model import Endpoint, Projection
from birc.ir.network import ProjectionProgram
from birc.ir.synapse import SynapseProgram, TraceSlot
from birc.passes.fold_constants import fold
from birc.passes.simplify import simplify

Owner = tuple[str, str]
"""A projection and its trace."""


def run(projections: Iterable[ProjectionProgram]) -> tuple[ProjectionProgram, ...]:
    """The projections, each trace with the first that is the same."""
    first: dict[tuple[object, ...], Owner] = {}
    made = []
    for p in projections:
        if p.synapse is not None:
            traces = {t.name: first.setdefault(_what(t, p.projection, p.synapse), (p.name, t.name)) for t in p.synapse.traces}
            p = replace(p, traces=tuple((name, *owner) for name, owner in traces.items() if owner != (p.name, name)))
        made.append(p)
    return tuple(made)


def _what(trace: TraceSlot, projection: Projection, synapse: SynapseProgram) -> tuple[object, ...]:
    """Everything that a trace depends on."""
    delays = dict(projection.properties)
    end, delay = (
        (projection.source, delays.get("axon")) if trace.of == "pre" else (projection.target, delays.get("back", delays.get("dend")))
    )
    return trace.of, _cells(end), delay or const(0.0), trace.nearest, _written(trace.decay, projection, synapse)


def _cells(end: Endpoint) -> tuple[object, ...]:
    return end.population, end.start, end.stop


def _written(name: str, projection: Projection, synapse: SynapseProgram) -> Expr:
    """A bind value in terms of what the projection says, else of its preset and of defaults."""
    preset = next((p for p in synapse.start.presets if p.name == projection.preset), None)
    given = {**dict(preset.values if preset else ()), **dict(projection.arguments)}
    defaults = {p.name: p.value for p in synapse.start.params}

    def of(param: str) -> Expr:
        if param in given:
            return given[param]
        return substitute(defaults[param], {var(n): of(n) for n in leaves(defaults[param], "var") if n in defaults})

    known: dict[Expr, Expr] = {make("param", (), param): of(param) for param in defaults}
    for define in synapse.start.bind:
        known[value(define.name)] = substitute(define.value, known)
    return rewrite(known[value(name)], fold, simplify)
