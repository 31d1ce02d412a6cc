"""A lowered network becomes numbers: parameters, wiring, delays, the order of populations, the state it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends import FLOATS, Dtype
from birc.backends.networks import (
    HISTORY_COUNT,
    HISTORY_INDEX,
    HISTORY_MANY,
    BoundCoupling,
    BoundNetwork,
    BoundPopulation,
    BoundProjection,
    BoundSignal,
    BoundSource,
    Builder,
)
from birc.errors import BircError, Diagnostic, Span
from birc.frontend.wiring import SOURCES
from birc.ir import random
from birc.ir.connectivity.edges import Edges
from birc.ir.evaluate import evaluate_names
from birc.ir.model import Population
from birc.ir.network import NetworkProgram, PopulationProgram
from birc.ir.step import Step
from birc.runtime.bind import bind
from birc.runtime.inputs import Continuous
from birc.runtime.memory import require
from birc.runtime.network.delays import in_order
from birc.runtime.network.projections import Around, bind_coupling, bind_projection
from birc.runtime.network.sources import event_source, value_source
from birc.runtime.network.third import bind_third
from birc.runtime.network.values import number, per_cell
from birc.runtime.values import Internal, Setting

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Ready:
    """A network that can run: its numbers, the state it starts from, sources of values by name, and what was noticed."""

    network: BoundNetwork
    state: dict[str, Array]
    values: dict[str, Continuous]
    warnings: tuple[Diagnostic, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)


def bind_network(
    program: NetworkProgram,
    *,
    h: float,
    dtype: Dtype,
    seed: int,
    start: int,
    steps: int,
    wire: Builder,
    names: Mapping[str, Any] | None = None,
) -> Ready:
    """Bind a network for the stamps (start, start + steps], with a step of h ms.

    `wire` builds connectivity. Raises BircErrors for what does not fit, with the place in the network.
    """
    network = program.network
    names = names or {}
    sizes = {p.population.name: p.population.count for p in program.populations}
    sizes |= {s.name: s.count for s in network.sources}
    around = Around(program, sizes, frozenset(s.name for s in network.signals), names, h, seed, dtype, wire)
    warnings: list[Diagnostic] = []
    state: dict[str, Array] = {}
    projections: list[BoundProjection] = []
    couplings: list[BoundCoupling] = []
    at_once: dict[tuple[str, str], Span | None] = {}
    for made in program.projections:
        if made.continuous:
            couplings.append(bind_coupling(made, around))
            continue
        found = bind_projection(made, around)
        projections.append(found.bound)
        state |= found.state
        warnings += found.warnings
        if found.at_once:
            at_once.setdefault((found.bound.source, found.bound.target), made.projection.span)
    projections, ours = _with_shared_traces(program, projections)
    state = {name: array for name, array in state.items() if name not in ours}
    joined = {p.name: p for p in projections}
    for name, base, third in program.thirds:
        bound_third = bind_third(name, third, joined[base.name], around)
        projections.append(bound_third)
        if bound_third.edges.count and bound_third.edges.delays[0] == 0:
            at_once.setdefault((bound_third.source, bound_third.target), third.span)
    couplings += _signal_inputs(program)
    history = _histories(projections)
    populations = []
    for each in program.populations:
        bound, slots, said = _population(each, around, history.get(each.population.name, 0))
        populations.append(bound)
        state |= slots
        warnings += said
    sources: list[BoundSource] = []
    values: dict[str, Continuous] = {}
    for source in network.sources:
        setting = Setting(source.name, source.count, start, steps, h, seed)
        if SOURCES[source.kind].events:
            sources.append(event_source(source, names, setting, history.get(source.name, 0)))
        else:
            values[source.name] = value_source(source, names, setting)
    signals = tuple(BoundSignal(s.name, float(np.exp(-h / number(dict(s.properties)["tau"], names)))) for s in network.signals)
    state |= {s.name: np.zeros(1, FLOATS[dtype]) for s in signals}
    state |= _spike_rows(populations, sources)
    order = in_order([p.name for p in populations], {k: v for k, v in at_once.items() if k[0] in {p.name for p in populations}})
    ready = BoundNetwork(program, tuple(populations), tuple(sources), signals, tuple(projections), tuple(couplings), order)
    random.streams(_stream_names(ready))
    return Ready(ready, state, values, tuple(warnings))


def _stream_names(network: BoundNetwork) -> list[str]:
    """What draws random numbers at every step: no two may share a stream."""
    names = [f"{p.name}.{noise}" for p in network.populations for noise in p.streams]
    names += [f"{s.name}.events:source" for s in network.sources if s.poisson is not None]
    return names + [f"{p.name}.{noise}" for p in network.projections for noise in p.streams]


def _with_shared_traces(program: NetworkProgram, projections: list[BoundProjection]) -> tuple[list[BoundProjection], set[str]]:
    """The projections with the traces that others keep, and the arrays that are not needed then.

    Of alike traces, the first projection that has synapses keeps the array: without any, it has no delay at which the trace would rise.
    """
    same = {(p.name, name): (other, its) for p in program.projections for name, other, its in p.traces}
    kept: dict[tuple[str, str], str] = {}
    found = []
    for p in projections:
        traces = {}
        for trace in p.synapse.traces if p.synapse and p.edges.count else ():
            mine = p.trace(trace.name)
            array = kept.setdefault(same.get((p.name, trace.name), (p.name, trace.name)), mine)
            if array != mine:
                traces[trace.name] = array
        found.append(replace(p, traces=traces) if traces else p)
    return found, {p.trace(name) for p, q in zip(projections, found, strict=True) for name in q.traces}


# --- populations


def _population(made: PopulationProgram, around: Around, history: int) -> tuple[BoundPopulation, dict[str, Array], tuple[Diagnostic, ...]]:
    population, step = made.population, made.step
    name, n = population.name, population.count
    width = np.dtype(FLOATS[around.dtype]).itemsize
    require(2 * n * width * max(1, len(step.slots)), f"the state of {n} neurons of `{name}`", "make the population smaller")
    units = {**{s.name: s.unit for s in step.slots}, **{p.name: p.unit for p in step.params}}
    params: dict[str, Any] = {}
    init: dict[str, Any] = {}
    for key, e in population.arguments:
        if key not in units:  # an input, fed by a signal
            continue
        is_param = key in {p.name for p in step.params}
        stream = random.stream(f"{name}.{key}:{'param' if is_param else 'init'}")
        value = per_cell(e, around.names, n, around.seed, stream, units[key], population.span, f"`{key}` of {name}")
        (params if is_param else init)[key] = Internal(value)
    setting = Setting(name, n, 0, 1, around.h, around.seed)
    try:
        found = bind(step, setting, around.dtype, params, population.preset, init)
    except BircError as error:
        raise BircError.of(
            replace(d, message=f"{d.message} (population `{name}`)", span=population.span) for d in error.diagnostics
        ) from None
    streams = random.streams(f"{name}.{noise.name}" for noise in step.noises)
    bound = BoundPopulation(name, step, n, found.values, {k.rpartition(".")[2]: v for k, v in streams.items()}, history, found.tables)
    state = {f"{name}.{slot}": array.copy() for slot, array in found.state.items()}
    state |= {f"{name}.{output}": x for output, x in _outputs(step, found.values, found.state, around, population).items()}
    return bound, state, found.warnings


def _outputs(step: Step, bound: Mapping[str, Any], slots: Mapping[str, Array], around: Around, population: Population) -> dict[str, Array]:
    """What outputs are at stamp 0, without input. Raises L116 where the equations are not known."""
    if not step.outputs:
        return {}
    if step.model is None:
        raise BircError("L116", f"the outputs of `{step.name}` at stamp 0 are not known without its equations", population.span)
    real = FLOATS[around.dtype]
    names = {**{p.name: bound[p.name] for p in step.params if p.name in bound}, **slots, **{i.name: 0.0 for i in step.model.inputs}}
    names["elapsed"] = around.h
    with np.errstate(all="ignore"):
        return {
            o.name: np.broadcast_to(np.asarray(evaluate_names(o.value, names)), (population.count,)).astype(real)
            for o in step.model.outputs
        }


def _signal_inputs(program: NetworkProgram) -> list[BoundCoupling]:
    """Signals that feed inputs of neurons."""
    found = []
    for each in program.populations:
        inputs = {i.name for i in each.step.inputs}
        for key, e in each.population.arguments:
            if key in inputs and e.op == "var":
                n = each.population.count
                edges = Edges(1, n, np.zeros(1, np.int64), np.array([0, n], np.int64), np.arange(n, dtype=np.int32))
                name = f"{e.attr} -> {each.population.name}.{key}"
                found.append(BoundCoupling(name, str(e.attr), 0, None, each.population.name, 0, key, edges, 1.0))
    return found


# --- spikes that travel


def _histories(projections: list[BoundProjection]) -> dict[str, int]:
    """For how many stamps the spikes of each group are kept."""
    kept: dict[str, int] = {}
    for p in projections:
        longest = int(p.edges.delays[-1]) if len(p.edges.delays) else 0
        kept[p.source] = max(kept.get(p.source, 0), longest + 1)
        if p.back is not None:
            back = int(p.back.delays[-1]) if len(p.back.delays) else 0
            kept[p.target] = max(kept.get(p.target, 0), back + 1)
    return kept


def _spike_rows(populations: list[BoundPopulation], sources: list[BoundSource]) -> dict[str, Array]:
    """Empty rows of spikes; those of sources at stamp 0 are in theirs."""
    state: dict[str, Array] = {}
    groups: list[BoundPopulation | BoundSource] = [*populations, *sources]
    for group in groups:
        if not group.history:
            continue
        require(group.history * group.n * 4, f"spikes of `{group.name}` on their way", "make delays shorter")
        state[group.name + HISTORY_INDEX] = np.zeros((group.history, group.n), np.int32)
        state[group.name + HISTORY_COUNT] = np.zeros(group.history, np.int32)
        if isinstance(group, BoundSource):
            state[group.name + HISTORY_MANY] = np.zeros((group.history, group.n), np.int32)
            if group.stamp is not None and group.index is not None and group.many is not None:
                first = group.stamp == 0
                count = int(first.sum())
                state[group.name + HISTORY_COUNT][0] = count
                state[group.name + HISTORY_INDEX][0, :count] = group.index[first]
                state[group.name + HISTORY_MANY][0, :count] = group.many[first]
    return state
