"""From a network's programs to one C++ translation unit: a pure function.

Neurons of a population advance in tiles of lanes, synapses in stretches that an event reaches, both by loops without branches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from birc.backends import Dtype
from birc.backends.c_family import C_TYPES, COUNTS, REALS, Real, comment, doc_comment
from birc.backends.c_family.build import FLAGS, OPTIONAL
from birc.backends.c_family.headers import header
from birc.backends.c_family.layout import Layout
from birc.backends.c_family.loops import LookupLoop, Loop, aliases
from birc.backends.c_family.writer import Writer
from birc.backends.names import file_name
from birc.backends.native.network.plan import HEADERS, Kernel, Plan, Synapses, plan
from birc.backends.networks import NetworkArtifact
from birc.ir.driven import why_not
from birc.ir.network import NetworkProgram

LANES: Mapping[Dtype, int] = {"f32": 64, "f64": 32}
"""Neurons in a tile: four of the widest vectors, so that a loop over them is straight code, and few idle lanes in small populations."""

WAITS = "may wait for the next event of the source"
"""What the manifest says of `on post` where a rule allows it."""

CHANGES = {"add": "Plus", "sub": "Minus"}


def emit_network(program: NetworkProgram, dtype: Dtype) -> NetworkArtifact:
    """`<name>.cpp`, which needs nothing but a C++17 compiler."""
    parts = plan(program)
    real = REALS[dtype]
    name = file_name(program.name)
    headers = [header(word) for word in ("birc_types.h", "birc_math.h", "birc_random.h")]
    if any(kernel.places.tables for kernel in parts.distinct_kernels):
        headers += [header("birc_tables.h"), header("birc_lookup.h", "birc.backends.native")]
    driven = [wire for wire in parts.wires if wire.why_not is None]
    queued = [wire for wire in parts.wires if wire.queued]
    own = [HEADERS[0], *(name for name, wires in zip(HEADERS[1:], (driven, queued), strict=True) if wires)]
    flags = [*FLAGS, *(group[0] for group in OPTIONAL)]
    text = (
        _environment()
        .get_template("network.cpp.j2")
        .render(
            title=comment(program.name),
            doc=doc_comment(program.network.doc),
            command=" ".join(("c++", *flags, f"{name}.cpp", "-o", f"{name}.so")),
            lanes=LANES[dtype],
            real=real,
            count=COUNTS[dtype],
            headers=[*headers, "\n\n".join(header(word, "birc.backends.native.network") for word in own)],
            driven=driven,
            queued=queued,
            neurons=[neurons(kernel, real, "[base + lane]") for kernel in parts.distinct_kernels],
            synapses=[synapses(kind, real) for kind in parts.synapses],
            populations=[population(parts, i) for i in range(len(parts.populations))],
            wires=[{"number": wire.number, "name": comment(wire.name), "wire": wire} for wire in parts.wires],
            signals=[wire for wire in parts.wires if wire.port is None],
            types=C_TYPES,
            kept_types={**C_TYPES, "bool": "count"},  # loops over arrays of bool stay scalar
        )
    )
    on_post = {p.name: why_not(p) or WAITS for p in program.projections if p.synapse and p.synapse.has_post}
    manifest = {"compiler_flags": flags, **({"on_post": on_post} if on_post else {})}
    return NetworkArtifact("native", program, dtype, {f"{name}.cpp": text}, manifest)


@dataclass(frozen=True)
class Text:
    """A kernel as the template wants it: `stretches` of loops over lanes, and between two of them a loop over `events`."""

    name: str
    doc: list[str]
    places: Layout
    names: Mapping[str, str]
    normals: tuple[tuple[str, int, int], ...]
    kept: tuple[str, ...]
    stretches: list[list[dict[str, Any]]]
    events: list[dict[str, Any]]
    payloads: list[str]
    one_by_one: list[str]
    quiet: bool
    """Whether steps without a sum to add are worth a text of their own: it is often so where few events are added behind the step."""
    fires: bool
    nowhere: bool
    """Whether something is looked up that no lane reads."""

    @property
    def parted(self) -> bool:
        """Whether what one stretch makes for the next is kept for all neurons."""
        return len(self.stretches) > 1


def neurons(kernel: Kernel, real: Real, neuron: str = "[lane]") -> Text:
    """The text of a kernel; `neuron` is how it indexes bind values."""
    kept = frozenset(kernel.kept)
    writer = Writer(kernel.step, kernel.places, aliases(kernel.loops), real, "[lane]", neuron)
    written = {id(part): writer.loop(part, kept) for part in kernel.loops}
    return Text(
        name=kernel.name,
        doc=[comment(kernel.step.name), *(line.removeprefix("// ") for line in doc_comment(kernel.step.doc)[:1])],
        places=kernel.places,
        names=writer.names,
        normals=kernel.normals,
        kept=kernel.kept,
        stretches=[[written[id(part)] for part in stretch] for stretch in kernel.stretches],
        events=[written[id(part)] for part in kernel.event_loops],
        payloads=list(writer.payloads.values()),
        one_by_one=[loop.deliver.port for loop in kernel.event_loops],
        quiet=bool(kernel.settled) and set(writer.payloads.values()) == set(kernel.settled),
        fires=any(isinstance(part, Loop) and part.fired for part in kernel.loops),
        nowhere=any(isinstance(part, LookupLoop) and not kept.issuperset(part.lookup.results) for part in kernel.loops),
    )


@dataclass(frozen=True)
class Role:
    """A program of a synapse as the template wants it; `inputs` are (name, what it is, its place among those)."""

    text: Text
    inputs: list[tuple[str, str, int]]

    @property
    def in_blocks(self) -> bool:
        """Whether its lanes are taken a block at a time, for which something is kept."""
        return bool(self.text.kept or self.text.normals)


def synapses(kind: Synapses, real: Real) -> dict[str, Any]:
    """The texts of a synapse's programs."""
    roles = {}
    for role, kernel in kind.roles.items():
        roles[role] = Role(neurons(kernel, real), [(name, *input_of(kind, role, name)) for name in kernel.places.inputs])
    doc = doc_comment(kind.program.start.doc)[:1]
    about = {"lazy": bool(kind.program.decays), "driven": kind.driven, "queued": kind.queued}
    return {"name": kind.name, "doc": [f"// {comment(kind.program.name)}", *doc], "roles": roles, **about}


def input_of(kind: Synapses, role: str, name: str) -> tuple[str, int]:
    """What an input of a role is: a trace of a side, the factor of a lazily kept state, how many events came, or an input of the model."""
    program = kind.program
    given = [port for port in kind.roles[role].places.inputs if port in {trace.name for trace in program.traces} | set(program.inputs)]
    for trace in program.traces:
        if trace.name == name:
            return trace.of, given.index(name)
    for place, decay in enumerate(program.decays):
        if decay.input == name:
            return "factor", place
    return ("given", given.index(name)) if name in program.inputs else ("count", 0)


def population(parts: Plan, number: int) -> dict[str, Any]:
    """A population: what comes to it before its step, and what comes to its ports one by one."""
    name = parts.populations[number].population.name
    kernel = parts.kernels[number]
    wires = [wire for wire in parts.wires if wire.target == name and wire.port is not None]
    slots = [slot.name for slot in kernel.places.slots]
    return {
        "number": number,
        "name": parts.names[name],
        "title": comment(name),
        "kernel": kernel.name,
        "summed": [wire for wire in wires if kernel.step.sums(str(wire.port))],
        "one_by_one": [list(parts.onto(name, loop.deliver.port)) for loop in kernel.event_loops],
        "settled": {
            port: (kernel.places.events.index(port), slots.index(change.slot), CHANGES[change.op])
            for port, change in kernel.settled.items()
        },
        "ports": [loop.deliver.port for loop in kernel.event_loops],
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("birc.backends.native.network"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
