"""Targets: what each makes of a step program, and how it is run where it can run here.

A backend is an op table and a frame: all meaning is decided before it. Backends are listed in `BACKENDS` and imported when asked for;
installed packages add theirs by an entry point of the group `birc.backends`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from birc.errors import BircError, Diagnostic
from birc.ir.step import Step
from birc.ir.surrogates import Surrogate
from birc.ir.synapse import SynapseProgram
from birc.ir.tables import Pieces
from birc.suggest import closest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Array = npt.NDArray[Any]
Dtype = Literal["f64", "f32"]
FLOATS: dict[Dtype, type[np.floating[Any]]] = {"f64": np.float64, "f32": np.float32}


@dataclass(frozen=True)
class Artifact:
    """What a backend emitted: files by name, and the manifest that says what they are."""

    target: str
    step: Step
    dtype: Dtype
    files: Mapping[str, str | bytes]
    manifest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Events:
    """Events of one port over the steps of a job, in the order in which they act.

    Those that arrive at stamp start + j + 1 are `index[offsets[j]:offsets[j + 1]]` (int32) with their `payload` (float64).
    """

    offsets: Array
    index: Array
    payload: Array


@dataclass(frozen=True)
class Spikes:
    """Who fired and when: `index` (int32) and `stamp` (int64), sorted by stamp, then index.

    Where a program locates its spikes inside steps, the runtime adds `offset` (float64), where in its step each was, and sorts by it too.
    """

    index: Array
    stamp: Array
    offset: Array | None = None


def room(count: int) -> Spikes:
    """Memory for so many spikes, of any values."""
    return Spikes(np.empty(count, np.int32), np.empty(count, np.int64))


@dataclass(frozen=True)
class Job:
    """A stretch of a run: `steps` steps of `n` instances from stamp `start`.

    bind: float64 scalars or arrays [n] by name (counts as int64). state: arrays [n] by slot (dtype of the artifact; int32 for counts,
    bool for flags), updated in place. inputs: float64 [steps or 1, n or 1] by port, all ports present. events: by port, all ports present.
    record: arrays [rows, n] by slot or output, filled with the value at the stamps in (start, start + steps] divisible by `every`.
    streams: the random stream of each noise. tables: what the program's tables hold, by slot. room: memory for spikes, if a runner asks
    for it; a run that keeps them then has none to copy.
    """

    n: int
    start: int
    steps: int
    bind: Mapping[str, Any]
    state: Mapping[str, Array]
    inputs: Mapping[str, Array]
    events: Mapping[str, Events]
    record: Mapping[str, Array]
    every: int = 1
    seed: int = 0
    streams: Mapping[str, int] = field(default_factory=dict)
    threads: int = 1
    tables: Mapping[str, Pieces] = field(default_factory=dict)
    room: Callable[[int], Spikes] = room


class Runner(Protocol):
    """A loaded artifact."""

    def run(self, job: Job) -> Spikes:
        """Run a job: state and recordings are filled in place, spikes returned."""


@dataclass(frozen=True)
class Missing:
    """What this machine lacks to run a target, and how to get it."""

    what: str
    how: str


@runtime_checkable
class Backend(Protocol):
    """A target."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    @property
    def description(self) -> str:
        """What it is, in one line."""

    @property
    def levels(self) -> Mapping[Dtype, str]:
        """Conformance level claimed for models with transcendental functions, by number type."""

    def missing(self) -> Missing | None:
        """What running it here would need, or None."""

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """Everything in the program that this target cannot take; empty if it can take all."""

    def emit(self, step: Step, dtype: Dtype) -> Artifact:
        """The files of this target; a pure function of its arguments."""

    def load(self, artifact: Artifact) -> Runner:
        """Make the artifact runnable in this process."""


@runtime_checkable
class Emulated(Protocol):
    """A target whose artifacts may run here on something other than what they are for."""

    def emulation(self) -> str:
        """What they run on and why, in a few words; empty where it is what they are for."""


@runtime_checkable
class Layers(Protocol):
    """A target that also makes layers of its framework."""

    def layer(
        self, artifact: Artifact, params: Mapping[str, object], options: Mapping[str, object], number: Callable[[str, str], float]
    ) -> object:
        """The artifact's layer. `options` are the layer's own and parameters by name; `number` reads the text given for a parameter.

        Raises I301 for an option that does not fit.
        """


Derive = Callable[[Step, Surrogate, bool, Container[str]], Step]
"""The adjoint of a program, given its surrogate, whether resets are detached, and the bind values that get a derivative.

Raises L140 where there is none (`birc.passes.adjoint`).
"""


@runtime_checkable
class Differentiable(Protocol):
    """A target whose artifacts can hold the step's derivative."""

    def emit_differentiable(self, step: Step, dtype: Dtype, derive: Derive) -> Artifact:
        """As `emit`, with what `derive` makes of the step."""


Accelerator = Callable[["Artifact", str, Any], Any]
"""From an artifact, the name of the package that its framework computes with and the framework's operations to what runs all steps of a
layer at once; None where that cannot be."""


@runtime_checkable
class Accelerates(Protocol):
    """A target whose layers can be given something that runs all their steps at once."""

    def accelerate(self, artifact: Artifact, make: Accelerator) -> None:
        """Make the artifact's layers use what `make` gives."""


@runtime_checkable
class TakesSynapses(Protocol):
    """A target that takes a synapse by itself, with all its programs in one artifact, whose `step` is the program `start`."""

    def refuse_synapse(self, program: SynapseProgram, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """Everything in the programs that this target cannot take; empty if it can take all."""

    def emit_synapse(self, program: SynapseProgram, dtype: Dtype) -> Artifact:
        """The files of this target; a pure function of its arguments."""


@dataclass(frozen=True)
class Numbers:
    """What one parameter set makes of a program at a step of `h` ms: bind values and initial states of one neuron, by name."""

    h: float
    bind: Mapping[str, Any]
    initial: Mapping[str, Any]


@runtime_checkable
class HoldsNumbers(Protocol):
    """A target whose files hold the numbers of one parameter set."""

    def fill(self, artifact: Artifact, numbers: Numbers) -> Artifact:
        """The artifact with the numbers in its files. Raises a BircError that holds all that do not fit."""


@runtime_checkable
class SolvesItself(Protocol):
    """A target that takes the equations, not the program: it is compared by whole runs, since it has no ops to compare."""

    solution: str


@runtime_checkable
class Cautions(Protocol):
    """A target whose artifacts are run by others, and not always as the model says."""

    def cautions(self, step: Step, h: float) -> tuple[Diagnostic, ...]:
        """Warnings: everything by which a run elsewhere is known to differ, for an artifact made for a step of `h` ms."""


@dataclass(frozen=True)
class Expected:
    """What a reader should make of a job: who fires when, and where, [steps, n], it is on the verge of doing otherwise."""

    spikes: Spikes
    ties: Array


class Reader(Protocol):
    """A program of other people that runs a target's files, and what is known of how it does."""

    @property
    def name(self) -> str:
        """What it is called."""

    def missing(self) -> Missing | None:
        """What running it here would need, or None."""

    def refuse(self, artifact: Artifact, job: Job) -> tuple[str, ...]:
        """Everything by which the artifact is outside of what it runs as the format says; then it is not run."""

    def describe(self, artifact: Artifact, job: Job) -> str:
        """How it runs the artifact, in a few words: its method and step."""

    def run(self, artifact: Artifact, job: Job) -> Spikes:
        """What it makes of a job; the state is not touched."""

    def expected(self, artifact: Artifact, job: Job) -> Expected:
        """What it should make of it, computed by birc."""


@runtime_checkable
class HasReaders(Protocol):
    """A target whose files other programs read. `birc verify` runs those that are installed and holds them to what is expected of them."""

    @property
    def readers(self) -> Sequence[Reader]:
        """All that are known."""


@dataclass(frozen=True)
class Lesson:
    """What an engine differentiates: a run of a layer, and dL/d of what is seen of it.

    inputs: by port, [steps, n], in internal units; up: dL/d of spikes, of states and of outputs by name, [steps, n]; params: every
    parameter, in its own unit, of which those in `learn` get a derivative for each neuron; dt in ms.
    """

    inputs: Mapping[str, Array]
    up: Mapping[str, Array]
    params: Mapping[str, float]
    learn: tuple[str, ...]
    surrogate: str
    dt: float


@dataclass(frozen=True)
class Learned:
    """What an engine makes of a lesson: what is seen, [steps, n], and dL/d of inputs, [steps, n], and of learned parameters, [n]."""

    seen: Mapping[str, Array]
    inputs: Mapping[str, Array]
    params: Mapping[str, Array]


class Engine(Protocol):
    """Something that a target's layers compute with, and learn."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def level(self) -> str:
        """The level that its derivatives reach: L1, or L2 where it rounds to single precision on the way."""

    def missing(self) -> Missing | None:
        """What running it here would need, or None."""

    def learn(self, artifact: Artifact, lesson: Lesson) -> Learned:
        """Go through a lesson. Raises BircError where that fails."""


@runtime_checkable
class Learns(Protocol):
    """A target that makes layers with derivatives. `birc verify` holds each engine that is installed to the compiler's own derivative."""

    @property
    def engines(self) -> Sequence[Engine]:
        """All that are known."""

    def learnable(self, artifact: Artifact) -> tuple[str, ...]:
        """The parameters that can be learned."""


BACKENDS: dict[str, str] = {
    "numpy": "birc.backends.numpy",
    "native": "birc.backends.native",
    "cuda": "birc.backends.cuda",
    "keras": "birc.backends.keras",
    "onnx": "birc.backends.onnx",
    "nir": "birc.backends.nir",
}


GROUP = "birc.backends"


def further() -> dict[str, EntryPoint]:
    """Targets of installed packages, by name; a name that birc has itself is birc's."""
    from importlib.metadata import entry_points

    return {point.name: point for point in sorted(entry_points(group=GROUP), key=str) if point.name not in BACKENDS}


def target_names() -> tuple[str, ...]:
    """The names of all targets."""
    return (*BACKENDS, *further())


def load_backend(name: str) -> Backend:
    """Import a backend by its name. Raises A010 for a name that is none, X006 for a package's that cannot be used."""
    if name in BACKENDS:
        backend: Backend = import_module(BACKENDS[name]).BACKEND
        return backend
    found = further()
    if name in found:
        return _foreign(found[name])
    known = (*BACKENDS, *found)
    near = closest(name, known)
    help = f"did you mean `{near}`?" if near else "`birc targets` lists them"
    raise BircError("A010", f"there is no target `{name}`", help=f"{help} (targets: {', '.join(known)})")


def _foreign(point: EntryPoint) -> Backend:
    """The backend behind an entry point."""
    package = f" of the package {point.dist.name}" if point.dist else ""
    help = "update or remove that package; `docs/writing_a_backend.md` says what a backend has"
    try:
        backend = point.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise BircError("X006", f"the target `{point.name}`{package} cannot be loaded: {error}", help=help) from error
    if not isinstance(backend, Backend) or backend.name != point.name:
        raise BircError("X006", f"the target `{point.name}`{package} is no backend of this name: {point.value}", help=help)
    return backend
