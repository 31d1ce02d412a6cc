"""Level 2 of a network: every model of it lowered. Wiring, delays and numbers come when it is bound."""

from __future__ import annotations

from dataclasses import dataclass

from birc.ir.expr import Expr
from birc.ir.model import Endpoint, Network, Population, Projection, Third
from birc.ir.step import Step
from birc.ir.synapse import SynapseProgram


def differs(e: Expr | None) -> bool:
    """Whether a value is drawn, or given, for each synapse or cell."""
    return e is not None and e.op in ("uniform", "normal", "array")


@dataclass(frozen=True, slots=True)
class PopulationProgram:
    """A population with the step program of its model."""

    population: Population
    step: Step


@dataclass(frozen=True, slots=True)
class ProjectionProgram:
    """A projection of events (`synapse` is None where its weight is constant) or of a continuous value (`continuous`).

    `name` is how it was written, `E -> I.exc`, with ` #2` and so on behind where the network has several alike. `traces` are those of its
    synapses that are kept per neuron and are the same as one of an earlier projection: (trace, projection, its trace).
    """

    name: str
    projection: Projection
    synapse: SynapseProgram | None
    continuous: bool
    traces: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkProgram:
    """A network whose populations and projections are lowered, in the order of the file."""

    network: Network
    populations: tuple[PopulationProgram, ...]
    projections: tuple[ProjectionProgram, ...]

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name

    def sums(self, end: Endpoint) -> bool:
        """Whether what arrives at a port, or a signal, at one stamp acts as a sum."""
        step = next((p.step for p in self.populations if p.population.name == end.population), None)
        return step is None or step.sums(str(end.port))

    @property
    def thirds(self) -> tuple[tuple[str, ProjectionProgram, Third], ...]:
        """Each third party with the projection that it joins, the first between these ends, and what its events are called."""
        found: list[tuple[str, ProjectionProgram, Third]] = []
        for third in self.network.thirds:
            base = next(p for p in self.projections if (p.projection.source, p.projection.target) == (third.source, third.target))
            name = f"{base.name} via {third.via.population}.{third.via.port}"
            same = sum(other == name or other.startswith(f"{name} #") for other, _, _ in found)
            found.append((f"{name} #{same + 1}" if same else name, base, third))
        return tuple(found)

    @property
    def parts(self) -> tuple[tuple[str, Step], ...]:
        """Every step program once, with what it is of: `E`, or `E -> E.exc, pre`."""
        every = [(p.population.name, p.step) for p in self.populations]
        every += [(f"{p.name}, {role}", step) for p in self.projections if p.synapse for role, step in p.synapse.programs]
        first: dict[Step, str] = {}
        for what, step in every:
            first.setdefault(step, what)
        return tuple((what, step) for step, what in first.items())
