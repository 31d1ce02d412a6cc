"""Level 2 of a network: every model of it lowered. Wiring, delays and numbers come when it is bound."""

from __future__ import annotations

from dataclasses import dataclass

from birc.ir.model import Network, Population, Projection
from birc.ir.step import Step
from birc.ir.synapse import SynapseProgram


@dataclass(frozen=True, slots=True)
class PopulationProgram:
    """A population with the step program of its model."""

    population: Population
    step: Step


@dataclass(frozen=True, slots=True)
class ProjectionProgram:
    """A projection of events (`synapse` is None where its weight is constant) or of a continuous value (`continuous`).

    `name` is how it was written, `E -> I.exc`, with ` #2` and so on behind where the network has several alike.
    """

    name: str
    projection: Projection
    synapse: SynapseProgram | None
    continuous: bool


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

    @property
    def parts(self) -> tuple[tuple[str, Step], ...]:
        """Every step program once, with what it is of: `E`, or `E -> E.exc, pre`."""
        every = [(p.population.name, p.step) for p in self.populations]
        every += [(f"{p.name}, {role}", step) for p in self.projections if p.synapse for role, step in p.synapse.programs]
        first: dict[Step, str] = {}
        for what, step in every:
            first.setdefault(step, what)
        return tuple((what, step) for step, what in first.items())
