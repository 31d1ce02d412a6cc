"""What the text of a network is made of, and in which order its values cross from Python."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from birc.backends.c_family import RESERVED
from birc.backends.c_family.headers import header
from birc.backends.c_family.layout import Layout, layout
from birc.backends.c_family.limits import turn_limits
from birc.backends.c_family.loops import CHAIN, EventLoop, Part, kept_names, loops_of
from birc.backends.c_family.quotients import turn_quotients
from birc.backends.c_family.shorten import shorten
from birc.backends.names import identifiers
from birc.backends.native.network.settled import Settled, settled
from birc.ir.driven import why_not
from birc.ir.network import NetworkProgram, PopulationProgram, ProjectionProgram
from birc.ir.step import Step
from birc.ir.synapse import SynapseProgram

HEADERS = ("birc_network.h", "birc_driven.h", "birc_queue.h")
"""The frame of a network; what it has beside that where spikes of targets may wait, and where events are on their way one by one."""
LATE = "Late"
"""What runs `on post` for such spikes, in the struct of a synapse."""


@dataclass(frozen=True)
class Kernel:
    """A step program that populations, or synapses in one role, have in common."""

    name: str
    step: Step
    places: Layout
    loops: tuple[Part, ...]

    @property
    def settled(self) -> Mapping[str, Settled]:
        """What sums may change behind the step, by port."""
        return settled(self.step)

    @property
    def normals(self) -> tuple[tuple[str, int, int], ...]:
        """Each normal number that a lane draws: its name, the place of its noise, which of that noise it is."""
        return tuple((f"{noise.name}:{lane}", i, lane) for i, noise in enumerate(self.step.noises) for lane in range(noise.lanes))

    @property
    def kept(self) -> tuple[str, ...]:
        """Names made in one loop and read in a later one."""
        return tuple(sorted(kept_names(self.loops)))

    @property
    def stretches(self) -> tuple[tuple[Part, ...], ...]:
        """Loops over lanes between two loops over events."""
        found: list[list[Part]] = [[]]
        for part in self.loops:
            if isinstance(part, EventLoop):
                found.append([])
            else:
                found[-1].append(part)
        return tuple(tuple(stretch) for stretch in found)

    @property
    def event_loops(self) -> tuple[EventLoop, ...]:
        """Loops over the events of a port, one between each two stretches."""
        return tuple(part for part in self.loops if isinstance(part, EventLoop))


@dataclass(frozen=True)
class Synapses:
    """The programs of projections with one synapse, by role."""

    name: str
    program: SynapseProgram
    roles: dict[str, Kernel]
    driven: bool
    """Whether spikes of targets may act when the source's next event comes, in one of these projections at least."""
    queued: bool
    """Whether what one of these projections sends may be on its way event by event."""


@dataclass(frozen=True)
class Wire:
    """A projection of events: its place in the network's, the population or signal that it reaches, its synapses.

    `port` is None at a signal.
    """

    number: int
    name: str
    target: str
    port: str | None
    synapses: Synapses | None
    why_not: str | None
    """Why spikes of its targets may not wait for the source's next event; None where they may."""
    queued: bool = False
    """Whether what its synapses send may be on its way event by event."""


@dataclass(frozen=True)
class Plan:
    """Kernels by population, and projections of events; `names` are the populations' identifiers."""

    program: NetworkProgram
    populations: tuple[PopulationProgram, ...]
    kernels: tuple[Kernel, ...]
    wires: tuple[Wire, ...]
    names: dict[str, str]

    def kernel(self, population: str) -> Kernel:
        """The kernel of a population."""
        return next(k for p, k in zip(self.populations, self.kernels, strict=True) if p.population.name == population)

    @property
    def distinct_kernels(self) -> tuple[Kernel, ...]:
        """Each kernel once."""
        return tuple({kernel.name: kernel for kernel in self.kernels}.values())

    @property
    def synapses(self) -> tuple[Synapses, ...]:
        """Each kind of synapse once."""
        return tuple({wire.synapses.name: wire.synapses for wire in self.wires if wire.synapses}.values())

    def onto(self, target: str, port: str | None) -> Iterator[Wire]:
        """Projections onto a port, in order."""
        return (wire for wire in self.wires if wire.target == target and wire.port == port)


def plan(program: NetworkProgram) -> Plan:
    """Populations of one program share a kernel; so do projections of one synapse, unless it has inputs that they may feed differently."""
    steps = {id(p.step): p.step for p in program.populations}
    wires = [p for p in program.projections if not p.continuous]
    ends = [(p.name, p.projection.target.population, p.projection.target.port) for p in wires]
    ends += [(name, third.via.population, third.via.port) for name, _, third in program.thirds]
    kinds = {_kind(wire): wire.synapse for wire in wires if wire.synapse}
    keys = [*((key, step.name) for key, step in steps.items()), *((key, synapse.name) for key, synapse in kinds.items())]
    unique = _unique([name for _, name in keys])
    words = identifiers([*unique, *(f".{p.population.name}" for p in program.populations)], RESERVED | frame())
    named = {key: words[name] for (key, _), name in zip(keys, unique, strict=True)}
    kernels = {key: kernel(step, named[key]) for key, step in steps.items()}
    reasons = [why_not(wire) for wire in wires]
    driven = {_kind(wire) for wire, reason in zip(wires, reasons, strict=True) if reason is None}
    one_by_one = [_is_queued(wire, program) for wire in wires]
    queued = {_kind(wire) for wire, waits in zip(wires, one_by_one, strict=True) if waits}
    synapses = {key: _synapses(synapse, named[key], key in driven, key in queued) for key, synapse in kinds.items()}
    return Plan(
        program,
        program.populations,
        tuple(kernels[id(p.step)] for p in program.populations),
        tuple(
            Wire(i, *end, synapses.get(_kind(wires[i])), reasons[i], one_by_one[i]) if i < len(wires) else Wire(i, *end, None, "")
            for i, end in enumerate(ends)
        ),
        {p.population.name: words[f".{p.population.name}"] for p in program.populations},
    )


@cache
def frame() -> frozenset[str]:
    """What types of the frame are called."""
    text = "".join(map(header, ("birc_types.h", "birc_math.h", "birc_random.h", "birc_tables.h")))
    text += header("birc_lookup.h", "birc.backends.native") + "".join(header(name, "birc.backends.native.network") for name in HEADERS)
    return frozenset(re.findall(r"\b(?:struct|enum) (\w+)", text)) | {LATE}


def _kind(wire: ProjectionProgram) -> object:
    return wire.name if wire.synapse and wire.synapse.inputs else id(wire.synapse)


def _is_queued(made: ProjectionProgram, program: NetworkProgram) -> bool:
    """Whether it has synapses that send, with a delay, to a port that acts once per event."""
    if made.synapse is None or not made.synapse.pre.outputs:
        return False
    if all(name != "dend" or (e.op == "const" and e.attr == 0) for name, e in made.projection.properties):
        return False
    return not program.sums(made.projection.target)


def _unique(names: list[str]) -> list[str]:
    """Names of which each that came before gets a number."""
    found: list[str] = []
    for name in names:
        count = sum(other == name or other.startswith(f"{name}.") for other in found)
        found.append(f"{name}.{count + 1}" if count else name)
    return found


def kernel(step: Step, name: str) -> Kernel:
    """A program in short definitions, with its loops."""
    short = shorten(turn_limits(turn_quotients(step)))
    return Kernel(name, short, layout(short), tuple(loops_of(short, CHAIN)))


def _synapses(program: SynapseProgram, name: str, driven: bool, queued: bool) -> Synapses:
    roles = {role: kernel(step, role) for role, step in program.programs}
    return Synapses(name, program, {role: made for role, made in roles.items() if any(made.step.statements())}, driven, queued)
