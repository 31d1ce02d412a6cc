"""What `birc explain` says of a model or a network: how each variable is advanced, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from birc.approximations import words_of_table
from birc.backends.show import show
from birc.ir import driven
from birc.ir.linear import mul
from birc.ir.model import Network, Projection
from birc.ir.network import ProjectionProgram
from birc.ir.plasticity import Change, Term
from birc.ir.synapse import Choice, SynapseProgram
from birc.lowering import lower_network, spread
from birc.tabulation import network_with_tables, without


@dataclass(frozen=True)
class Explained:
    """How one variable is advanced, and why."""

    variable: str
    method: str
    reason: str
    place: str


INDEX = Choice("index by target", "8 bytes a synapse", "spikes of a target find its synapses at once")
NO_INDEX = replace(INDEX, how="none", reason="every source reaches every target, so that places are known")
TURNS = "native keeps states by target while targets fire more often than sources"

AT_ONCE = "act at once"
WAITS = Choice(
    "spikes of targets",
    f"{AT_ONCE}, or with the next event of the source",
    f"nothing tells the difference; they wait on native from {driven.MANY:,} synapses on, which then have no index by target",
)


def choices(made: ProjectionProgram, synapse: SynapseProgram) -> Iterator[Choice]:
    """What was decided about the synapses of a projection, where some of its traces are those of others."""
    shared = {name: f"`{its}` of {other}" for name, other, its in made.traces}
    for choice in synapse.choices:
        if choice.what in shared:
            yield replace(choice, how=shared[choice.what], reason="the same spikes at the same time, decaying alike")
        else:
            yield choice
    if synapse.needs_back:
        index = NO_INDEX if is_matrix(made.projection) else INDEX
        turns = synapse.post is not None and synapse.flow is None
        yield replace(index, reason=f"{index.reason}; {TURNS}") if turns else index
    if synapse.has_post:
        why_not = driven.why_not(made)
        if why_not is None and is_matrix(made.projection):
            why_not = "no index by target is needed"
        yield Choice("spikes of targets", AT_ONCE, why_not) if why_not else WAITS


def is_matrix(projection: Projection) -> bool:
    """Whether every source has one synapse with every target, and all the same delays."""
    differing, ends = spread(projection), (projection.source.population, projection.target.population)
    whole = projection.rule in ("all_to_all", "dense") and (ends[0] != ends[1] or "self" in projection.flags)
    return whole and not differing.axon and not differing.back


def _change(name: str, change: Change) -> Explained:
    """What an event does to a state, as a sum of products."""
    whole = all(term.is_product for term in change.terms)
    reason = "a sum of products" if whole else "a sum of products, some of which have a factor that is no polynomial"
    place = change.span.where if change.span else ""
    how = f"{change.state} {'=' if change.absolute else '+='} {' + '.join(map(_term, change.terms)) or '0'}"
    return Explained(f"{name}: {change.state}, on {change.side}", how.replace("+ -", "- "), reason, place)


def _term(term: Term) -> str:
    product = term.factor
    for part in term.parts:
        product = mul(product, part)
    return show(product)


def explain_network(
    network: Network, solver: str | Sequence[str] | None = None, skip: Iterable[str] = (), tables: str | None = None
) -> list[Explained]:
    """The solver of each state of each population, its tables, and what was decided about the synapses of each projection."""
    program = lower_network(network, solver, without(skip, tables))
    program = network_with_tables(program, tables)[0] if tables else program
    rows = []
    for each in program.populations:
        odes = {o.state: o for o in each.step.model.odes} if each.step.model else {}
        for block in each.step.blocks:
            for state in block.states:
                span = odes[state].span if state in odes else None
                rows.append(Explained(f"{each.population.name}.{state}", block.method, block.reason, span.where if span else ""))
        for table in each.step.tables:
            span = odes[table.slot].span if table.slot in odes else None
            words = words_of_table(table, each.step)
            rows.append(Explained(f"{each.population.name}.{table.name}", "table", words, span.where if span else ""))
    for made in program.projections:
        where = made.projection.span.where if made.projection.span else ""
        if made.synapse is not None:
            rows += [Explained(f"{made.name}: {c.what}", c.how, c.reason, where) for c in choices(made, made.synapse)]
            rows += [_change(made.name, change) for change in made.synapse.changes]
        elif not made.continuous:
            rows.append(Explained(made.name, "static", "its weight does not change: spikes act at their targets", where))
        else:
            rows.append(Explained(made.name, "coupling", "a continuous value, as it is at the start of each step", where))
    return rows
