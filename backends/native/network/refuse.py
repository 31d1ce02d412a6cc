"""What the native target cannot take of a network: everything at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

from birc.backends import Dtype
from birc.backends.legality import Takes, refusals
from birc.backends.native.emit import too_large
from birc.errors import Diagnostic
from birc.ir.model import Projection
from birc.ir.network import NetworkProgram, ProjectionProgram
from birc.ir.step import Deliver, Step

HELP = "`--target numpy` takes it"


def refuse_network(program: NetworkProgram, dtype: Dtype, takes: Takes) -> tuple[Diagnostic, ...]:
    """What it refuses of every program, and of projections what has no place in its order of events."""
    found: list[Diagnostic] = []
    for step in _programs(program):
        mine = list(refusals(step, dtype, takes))
        reason = None if mine else too_large(step)
        found += mine if reason is None else [Diagnostic("L202", reason, step.span, HELP)]
    steps = {p.population.name: p.step for p in program.populations}
    for made in program.projections:
        found += _events(made, steps)
    return tuple(dict.fromkeys(found))


def _programs(program: NetworkProgram) -> list[Step]:
    synapses = [step for p in program.projections if p.synapse for _, step in p.synapse.programs]
    return list(dict.fromkeys([*(p.step for p in program.populations), *synapses]))


def _events(made: ProjectionProgram, steps: dict[str, Step]) -> Iterator[Diagnostic]:
    """What a synapse sends acts at once where events act one by one: what is pending is summed."""
    projection, synapse = made.projection, made.synapse
    if synapse is None or projection.target.population not in steps or not synapse.pre.outputs:
        return
    one_by_one = any(
        isinstance(s, Deliver) and s.port == projection.target.port and not s.summing
        for _, s in steps[projection.target.population].statements()
    )
    if one_by_one and _has_dend(projection):
        message = f"the native target does not take `dend` of {made.name}, whose events act one by one"
        yield Diagnostic("L203", message, projection.span, "give the delay as `axon`")


def _has_dend(projection: Projection) -> bool:
    return any(name == "dend" and not (e.op == "const" and e.attr == 0) for name, e in projection.properties)
