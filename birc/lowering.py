"""From checked items to step programs: all passes, in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from birc import passes
from birc.errors import BircError, Diagnostic
from birc.frontend.wiring import SOURCES
from birc.ir.expr import Expr, leaves
from birc.ir.model import Cell, Endpoint, Item, Model, Network, NetworkSource, Option, Projection
from birc.ir.network import NetworkProgram, PopulationProgram, ProjectionProgram, differs
from birc.ir.options import SOLVERS, SPIKES
from birc.ir.step import Step
from birc.ir.synapse import SynapseProgram
from birc.passes import lower_synapse, share_traces
from birc.passes.expressions import map_any
from birc.suggest import closest


def lower(
    item: Item,
    solver: str | Sequence[str] | None = None,
    skip: Iterable[str] = (),
    after: passes.After | None = None,
    spikes: str | None = None,
) -> tuple[Model, Step]:
    """Run all passes; gives the model as it was before lowering, and the step program."""
    if not isinstance(item, Model):
        if isinstance(item, Network):
            message = f"`{item.name}` is a network, and this works on one model"
            raise BircError("L112", message, item.span, "name one of the file's models with `--model`")
        raise BircError("L112", "cells are not lowered yet; `birc dump --stage model` shows what was understood", item.span)
    stage: list[Model] = [item]

    def watch(name: str, program: passes.Program, seconds: float) -> None:
        if isinstance(program, Model):
            stage[0] = program
        if after is not None:
            after(name, program, seconds)

    step = passes.run(_with_spikes(_with_solver(item, solver), spikes), passes.PIPELINES["step"], watch, skip)
    assert isinstance(step, Step)
    return stage[0], replace(step, model=stage[0])


def _with_solver(model: Model, solver: str | Sequence[str] | None) -> Model:
    """The model with solver options added: `rk4` for all states, `v=rk4` for one."""
    texts = [solver] if isinstance(solver, str) else list(solver or ())
    options = []
    states = {o.state for o in model.odes} | {f"{use.alias}.{o.state}" for use in model.uses for o in use.channel.odes}
    for text in (part for t in texts for part in t.split(",")):
        state, _, method = text.rpartition("=")
        state, method = state.strip(), method.strip()
        if method not in SOLVERS:
            near = closest(method, SOLVERS)
            help = (f"did you mean `{near}`? " if near else "") + f"solvers: {', '.join(SOLVERS)}"
            raise BircError("A013", f"there is no solver `{method}`", help=help)
        if state and state not in states:
            near = closest(state, states)
            help = f"did you mean `{near}`?" if near else f"states with an equation: {', '.join(sorted(states)) or 'none'}"
            raise BircError("A014", f"`{model.name}` has no equation for a state `{state}`", help=help)
        options.append(Option("solver", method, targets=(state,) if state else ()))
    return replace(model, options=model.options + tuple(options)) if options else model


def _with_spikes(model: Model, spikes: str | None) -> Model:
    """The model with an option that says where its spikes are: `grid` or `located`."""
    if spikes is None:
        return model
    if spikes not in SPIKES:
        near = closest(spikes, SPIKES)
        help = (f"did you mean `{near}`? " if near else "") + f"spikes are {' or '.join(f'`{name}`' for name in SPIKES)}"
        raise BircError("A015", f"there is no place of spikes `{spikes}`", help=help)
    return replace(model, options=(*model.options, Option("spikes", spikes)))


# --- networks


def lower_network(network: Network, solver: str | Sequence[str] | None = None, skip: Iterable[str] = ()) -> NetworkProgram:
    """Lower every model that a network's populations and projections name.

    solver: methods for all its neurons. Raises a BircError with all that cannot be lowered.
    """
    skip = tuple(skip)
    models = {m.name: m for m in network.models}
    refused = [
        Diagnostic("L112", f"the cell `{m.name}` has space, which is not lowered yet", m.span)
        for m in models.values()
        if isinstance(m, Cell)
    ]
    if refused:
        raise BircError.of(refused)
    steps: dict[str, Step] = {}
    for population in network.populations:
        if population.model not in steps:
            steps[population.model] = lower(models[population.model], solver, skip)[1]
    made: dict[tuple[str, lower_synapse.Spread], SynapseProgram] = {}
    projections = []
    for name, projection in zip(projection_names(network), network.projections, strict=True):
        synapse = None
        if projection.synapse is not None:
            model = models[projection.synapse]
            assert isinstance(model, Model)
            key = model.name, spread(projection)
            synapse = made[key] = made.get(key) or lower_one_synapse(model, key[1], skip)
        projections.append(ProjectionProgram(name, projection, synapse, is_continuous(projection, network)))
    populations = tuple(PopulationProgram(p, steps[p.model]) for p in network.populations)
    return NetworkProgram(network, populations, share_traces.run(projections))


def lower_one_synapse(model: Model, spread: lower_synapse.Spread | None = None, skip: Iterable[str] = ()) -> SynapseProgram:
    """All passes on a synapse: those of models, then on each of its programs those of steps."""
    skip = tuple(skip)
    settled = passes.run(model, passes.PIPELINES["model"], skip=skip)
    assert isinstance(settled, Model)
    program = lower_synapse.run(settled, spread)
    finished = {role: _only_what_is_read(passes.run(step, passes.PIPELINES["step"], skip=skip)) for role, step in program.programs}
    return replace(program, **finished)  # type: ignore[arg-type]  # the roles are names of fields


def _only_what_is_read(step: passes.Program) -> Step:
    """The program without the inputs that it does not read."""
    assert isinstance(step, Step)
    read: set[str] = set()

    def look(e: Expr) -> Expr:
        read.update(leaves(e, "read"))
        return e

    for _, statement in step.statements():
        map_any(statement, look)
    return replace(step, inputs=tuple(p for p in step.inputs if p.name in read))


def spread(projection: Projection) -> lower_synapse.Spread:
    """What differs between the synapses of a projection."""
    delays = dict(projection.properties)
    from_file = projection.rule == "from_file"
    return lower_synapse.Spread(
        params=frozenset(name for name, e in projection.arguments if differs(e)),
        axon=from_file or differs(delays.get("axon")),
        back=differs(delays.get("back", delays.get("dend"))),
    )


def is_continuous(projection: Projection, network: Network) -> bool:
    """Whether a projection carries a continuous value."""
    source: NetworkSource | None = next((s for s in network.sources if s.name == projection.source.population), None)
    if source is not None:
        return not SOURCES[source.kind].events
    return projection.source.port not in (None, "spikes")


def projection_names(network: Network) -> list[str]:
    """How each projection was written; those that were written alike are numbered from the second on."""
    names: list[str] = []
    for projection in network.projections:
        name = f"{shown(projection.source)} -> {shown(projection.target)}"
        same = sum(other == name or other.startswith(f"{name} #") for other in names)
        names.append(f"{name} #{same + 1}" if same else name)
    return names


def shown(end: Endpoint) -> str:
    """An endpoint as it is written."""
    part = "" if end.start is None and end.stop is None else f"[{end.start or 0}:{'' if end.stop is None else end.stop}]"
    section = "" if end.section is None else f".{end.section}" + ("" if end.position is None else f"({end.position:g})")
    return f"{end.population}{part}{section}" + ("" if end.port is None else f".{end.port}")
