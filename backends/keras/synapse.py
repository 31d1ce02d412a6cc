"""A synapse as a Python module for Keras: its programs over matrices of synapses, and a layer that runs them in the order of a step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from birc.backends import Artifact, Dtype
from birc.backends.keras import names as reserved
from birc.backends.keras.emit import Body, bind_lines, environment
from birc.backends.keras.legality import TAKES, refusals
from birc.backends.keras.ops import HELPERS, MATRIX
from birc.backends.keras.program import defined, roots
from birc.backends.keras.tables import tables
from birc.backends.legality import refusals as beyond
from birc.backends.names import identifiers
from birc.errors import Diagnostic
from birc.ir.expr import leaves, topo
from birc.ir.step import Port, Step
from birc.ir.synapse import PIECE, SynapseProgram
from birc.ir.text import print_step

START = "start"
"""The role of the program that gives initial states and decays."""


@dataclass(frozen=True)
class Role:
    """A program as text: the lines of its bind section, the bind values that these return, and the lines of the program itself."""

    name: str
    bind: list[str]
    values: list[str]
    body: list[str]


def refuse_synapse(program: SynapseProgram, dtype: Dtype) -> tuple[Diagnostic, ...]:
    """Everything in the way, each thing once; noise is, because synapses of a layer draw no numbers."""
    takes = replace(TAKES, features=TAKES.features - {"noise"})
    found = [d for _, step in program.programs for d in beyond(step, dtype, takes)]
    return tuple(dict.fromkeys((*refusals(program.start, dtype), *found)))


def emit_synapse(program: SynapseProgram, dtype: Dtype) -> Artifact:
    """The module's text. All synapses share their parameters, and spikes take no time to reach them, so that traces are kept per neuron."""
    start = program.start
    names = identifiers([d.name for d in start.bind], reserved.RESERVED)
    kept = {s.init for s in start.slots} | {t.decay for t in program.traces} | {d.exponent for d in program.decays}
    layer = identifiers([program.name], reserved.RESERVED | reserved.SYNAPSE)[program.name]
    parts = (start, *(step for _, step in program.programs))
    used = {e.op for step in parts for p in step.phases for root in roots(p) for e in topo(root)}
    used |= {e.op for step in parts for d in step.bind for e in topo(d.value)}
    found = replace(tables(start, names), ports=tuple((p.name, p.unit.text, repr(float(p.unit.scale))) for p in _ports(program)))
    digest = hashlib.sha256("".join(print_step(step) for step in parts).encode()).hexdigest()[:12]
    doc = reserved.docstring(start.doc)
    text = (
        environment()
        .get_template("synapse.py.j2")
        .render(
            layer=layer,
            title=doc.partition("\n")[0],
            doc=doc,
            program=digest,
            helpers=[h for h in HELPERS if h in used],
            matrices=[m for m in MATRIX if m in used],
            durations="steps" in used,
            t=found,
            roles=[_start(start, names, kept), *(_role(role, step) for role, step in program.programs)],
            traces=[(t.name, t.of, t.nearest, names[t.decay]) for t in program.traces],
            decays=[(d.input, names[d.exponent]) for d in program.decays],
            sends=[port.name for port in program.pre.outputs],
            piece=PIECE,
        )
    )
    says = {"layer": layer, "program": digest, "arguments": found.arguments, "kind": "synapse"}
    return Artifact("keras", start, dtype, {f"{layer}.py": text}, says)


def _ports(program: SynapseProgram) -> Iterator[Port]:
    """The continuous inputs of the model, in its order, of those that a program reads."""
    ports = {port.name: port for _, step in program.programs for port in step.inputs}
    return (ports[name] for name in program.inputs if name in ports)


def _start(start: Step, names: dict[str, str], kept: set[str]) -> Role:
    return Role(START, bind_lines(start, names, frozenset(kept)), [names[d.name] for d in start.bind if d.name in kept], [])


def _role(role: str, step: Step) -> Role:
    names = identifiers([*(d.name for d in step.bind), *defined(step)], reserved.RESERVED)
    read = frozenset[str]().union(*(leaves(root, "value") for p in step.phases for root in roots(p)))
    values = [names[d.name] for d in step.bind if d.name in read]
    return Role(role, bind_lines(step, names, read), values, Body(step, names).text())
