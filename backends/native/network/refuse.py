"""What the native target cannot take of a network: everything at once, each with its place."""

from __future__ import annotations

from birc.backends import Dtype
from birc.backends.legality import Takes, refusals
from birc.backends.native.emit import too_large
from birc.errors import Diagnostic
from birc.ir.network import NetworkProgram
from birc.ir.step import Step

HELP = "`--target numpy` takes it"


def refuse_network(program: NetworkProgram, dtype: Dtype, takes: Takes) -> tuple[Diagnostic, ...]:
    """What it refuses of every program."""
    found: list[Diagnostic] = []
    for step in _programs(program):
        mine = list(refusals(step, dtype, takes))
        reason = None if mine else too_large(step)
        found += mine if reason is None else [Diagnostic("L202", reason, step.span, HELP)]
    return tuple(dict.fromkeys(found))


def _programs(program: NetworkProgram) -> list[Step]:
    synapses = [step for p in program.projections if p.synapse for _, step in p.synapse.programs]
    return list(dict.fromkeys([*(p.step for p in program.populations), *synapses]))
