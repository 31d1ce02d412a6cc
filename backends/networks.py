"""What a target that runs networks is given, and what it gives back. All delays are in steps here, all parameters numbers.

Each stretch of steps goes, for every step from stamp k to t = k + 1, through

1. continuous inputs, all from the values at k: sources, signals, couplings; the flow of synapses, traces and signals;
2. the populations in `order`: events at t of each port, then the population's step program, whose spikes have stamp t. Handlers `pre` of a
   projection run before its target's step where the spike is there by then, else behind all populations;
3. `post` handlers of all projections; then traces rise; then recording.

Events at one port and stamp act by projection, in the order of the network; within one by the stamp at which they were sent, then the
stamp of their spike (older ones first), source, which of its spikes at that stamp, target, occurrence. A summing port gets the sum of each
projection's payloads, added one after the other to 0 in this order, and these sums added to one another in the order of the projections.
m spikes of one source at one stamp are one payload of m times the weight at a summing port, m events at another, m runs of a handler, and
a rise by m.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from birc.backends import Array, Dtype, Spikes
from birc.errors import Diagnostic
from birc.ir.connectivity.edges import Backward, Drawn, Edges, Wired, Wiring
from birc.ir.network import NetworkProgram
from birc.ir.step import Step
from birc.ir.synapse import SynapseProgram
from birc.ir.tables import Pieces

Builder = Callable[[Wiring, tuple[Drawn, float], tuple[Drawn, ...], Dtype], Wired]
"""Makes the synapses of a rule, given their delay and the step (ms), what is drawn for them and of which number type that is, as
`birc.ir.connectivity.build.wire` does."""

HISTORY_INDEX, HISTORY_MANY, HISTORY_COUNT = ".spikes.index", ".spikes.many", ".spikes.count"
"""State of a group whose spikes travel: those of stamp s are the first `count[s % length]` entries of row s % length of `index`, ascending.

`many` says how often each came (sources of events only).
"""
LAST = ".last"
"""State of a projection with lazily kept states: the stamp of the last event that reached each synapse (int64)."""
PENDING = ".pending"
"""State of a projection whose synapses send with a delay: row t % length [targets] is what arrives at stamp t, summed in order."""
QUEUE_STAMP, QUEUE_TARGET, QUEUE_PAYLOAD = ".queue.stamp", ".queue.target", ".queue.payload"
"""State of a projection whose synapses send with a delay to a port that acts once per event: the events on their way, by the stamp at which
they arrive and by target (of the projection), those of one target in the order in which they act. Their number changes from step to step: a
runner puts new arrays in place of these."""
TRACE = ".trace."


@dataclass(frozen=True)
class NetworkArtifact:
    """What a backend emitted for a network: files by name, and the manifest that says what they are."""

    target: str
    program: NetworkProgram
    dtype: Dtype
    files: Mapping[str, str | bytes]
    manifest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BoundPopulation:
    """A population: bind values (float64 scalars or arrays [n]; counts as int64) and the streams of its noises."""

    name: str
    step: Step
    n: int
    bind: Mapping[str, Any]
    streams: Mapping[str, int]
    history: int
    """Stamps for which its spikes are kept, 0 where nobody waits for them."""
    tables: Mapping[str, Pieces] = field(default_factory=dict)
    """Those of its program, by name."""


@dataclass(frozen=True)
class BoundSource:
    """A source of events. `poisson` holds cumulative probabilities of a step's count (`uniform_of_cells`), or they are one in `apart`
    cells (`rare_events`); else they are listed: `index` (int32) at `stamp` (int64, ascending, then index), `many` (int32) times each."""

    name: str
    n: int
    history: int
    poisson: Array | None = None
    stream: int = 0
    apart: float | None = None
    stamp: Array | None = None
    index: Array | None = None
    many: Array | None = None


@dataclass(frozen=True)
class BoundSignal:
    """A level, a state of one number, that is multiplied by `decay` each step and raised by the events that reach it."""

    name: str
    decay: float


@dataclass(frozen=True)
class BoundProjection:
    """Events from a group to a port of a population, or to a signal (`port` is None).

    Source i of the edges is `first_source + i` of its group, target j `first_target + j` of its population. Without a synapse
    `weight` is a number or an array [synapses] in the order of the edges, of the artifact's type, and the delays of the edges are the
    whole way. With a synapse they lead to the synapse, `dend` steps (a number, or int32 [synapses]) from there to the target, and `back`
    leads from target spikes to `post` (None where nothing happens then). `bind` holds the values of each program by its role, arrays
    being [synapses], and the decays of its traces under "traces". `inputs` says what feeds each continuous input of the synapse:
    ("signal", name), ("pre", slot or output) or ("post", slot or output), at k; one that is not there is 0. `tables` are (fine, coarse)
    factors of each decay, by its input.
    """

    name: str
    source: str
    first_source: int
    target: str
    first_target: int
    port: str | None
    edges: Edges
    weight: Array | float | None = None
    synapse: SynapseProgram | None = None
    bind: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dend: Array | int = 0
    back: Backward | None = None
    inputs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tables: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)
    pending: int = 0
    """Rows of its pending sums, 0 where it sends without delay."""
    queued: bool = False
    """Whether what is pending is kept event by event, for a port that acts once per event, and not as sums."""
    streams: Mapping[str, int] = field(default_factory=dict)
    """Of the noises of its flow; the instance of a draw is the place of the synapse in the order of the edges."""
    traces: Mapping[str, str] = field(default_factory=dict)
    """Of its traces that another projection keeps, what the array is called in the state; it decays and rises there."""

    def trace(self, name: str) -> str:
        """What the array of a trace is called in the state."""
        return self.traces.get(name, f"{self.name}{TRACE}{name}")


@dataclass(frozen=True)
class BoundCoupling:
    """A continuous value from a population's slot or output, or a source of values, to an input, as it is at k.

    Input j gets the sum of weight * x[i] over its edges (delays are all 0), added in the order of the edges; with `gap` of
    weight * (x[i] - y[j]), y being the same variable of the target. Several couplings of an input are added in the order of the network.
    """

    name: str
    source: str
    first_source: int
    variable: str | None
    """None: a source of values."""
    target: str
    first_target: int
    port: str
    edges: Edges
    weight: Array | float
    """A number, or an array [edges] of the artifact's type."""
    gap: bool = False


@dataclass(frozen=True)
class BoundNetwork:
    """A network whose numbers are known.

    `order` lists the populations so that one whose spikes act without delay stands before those that it reaches.
    """

    program: NetworkProgram
    populations: tuple[BoundPopulation, ...]
    sources: tuple[BoundSource, ...]
    signals: tuple[BoundSignal, ...]
    projections: tuple[BoundProjection, ...]
    couplings: tuple[BoundCoupling, ...]
    order: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """What is recorded of a state: instances `first` and on of the array `variable` of the state, as they are at the stamps in
    (start, start + steps] that `every` divides, one row of `rows` [rows, instances] for each."""

    variable: str
    rows: Array
    first: int
    every: int


@dataclass(frozen=True)
class NetworkJob:
    """A stretch of a run: `steps` steps from stamp `start`.

    state: arrays by `GROUP.slot`, `GROUP.output`, `PROJECTION.slot`, `PROJECTION` + TRACE + trace, `SIGNAL` ([1]) and the names above
    behind a group or projection, changed in place but for queues; reals are of the artifact's type.
    values: float64 [steps or 1, n or 1] of each source of values. feeds: the same for inputs `GROUP.port` that a user feeds.
    """

    network: BoundNetwork
    start: int
    steps: int
    state: MutableMapping[str, Array]
    values: Mapping[str, Array] = field(default_factory=dict)
    feeds: Mapping[str, Array] = field(default_factory=dict)
    record: tuple[Kept, ...] = ()
    silent: frozenset[str] = frozenset()
    """Sources of events whose spikes nobody asks for: they act, and are not listed."""
    seed: int = 0
    threads: int = 1


class NetworkRunner(Protocol):
    """A loaded network."""

    def run(self, job: NetworkJob) -> Mapping[str, Spikes]:
        """Run a job: state and recordings are filled in place; the spikes of populations and of sources of events are returned.

        A source whose event comes m times is listed m times; one that is `silent` is left out.
        """


@runtime_checkable
class Chooses(Protocol):
    """A loaded network that decides itself how to run something, by what is bound and recorded."""

    chosen: Mapping[str, Mapping[str, str]]
    """Of the last job: by subject (`on_post`) and projection what was decided, and why; it stands in the manifest of a run."""


@runtime_checkable
class RunsNetworks(Protocol):
    """A target that takes networks."""

    def refuse_network(self, program: NetworkProgram, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """Everything that this target cannot take; empty if it can take all."""

    def emit_network(self, program: NetworkProgram, dtype: Dtype) -> NetworkArtifact:
        """The files of this target; a pure function of its arguments."""

    def load_network(self, artifact: NetworkArtifact) -> NetworkRunner:
        """Make the artifact runnable in this process."""


@runtime_checkable
class BuildsNetworks(Protocol):
    """A target that makes synapses by itself, the same as `birc.ir.connectivity.build.wire` does."""

    def builder(self) -> Builder:
        """What makes them."""
