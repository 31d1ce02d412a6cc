"""Networks from text to a result: compile for a target, bind, run, go on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import birc
from birc.approximations import words_of_table
from birc.backends import Backend, Dtype, load_backend, target_names
from birc.backends.networks import Builder, BuildsNetworks, NetworkArtifact, NetworkRunner, RunsNetworks
from birc.errors import BircError, Diagnostic
from birc.frontend.quantity import parse_quantity
from birc.ir.connectivity.build import wire
from birc.ir.model import Network
from birc.ir.network import NetworkProgram
from birc.ir.text import print_module
from birc.lowering import lower_network
from birc.runtime.durations import count_steps, record_interval, step_length
from birc.runtime.network.bind import Ready, bind_network
from birc.runtime.network.checkpoint import Checkpoints, resume
from birc.runtime.network.parameters import with_parameters
from birc.runtime.network.result import NetworkResult
from birc.runtime.network.simulate import MAX_RATE, Progress, simulate_network
from birc.runtime.network.state import NetworkState
from birc.runtime.output import write_folder
from birc.runtime.values import HZ
from birc.tabulation import network_with_tables, without


@dataclass(frozen=True)
class CompiledNetwork:
    """A network compiled for a target."""

    artifact: NetworkArtifact
    dt: str
    warnings: tuple[Diagnostic, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def program(self) -> NetworkProgram:
        """The lowered network."""
        return self.artifact.program

    @property
    def model(self) -> str:
        """The network's name."""
        return self.program.name

    @cached_property
    def runner(self) -> NetworkRunner:
        """The artifact, loaded. Raises an X code where this machine lacks something."""
        backend = load_backend(self.artifact.target)
        missing = backend.missing()
        if missing is not None:
            raise BircError("X001", f"the target {backend.name} cannot run here: {missing.what}", help=missing.how)
        assert isinstance(backend, RunsNetworks)
        return backend.load_network(self.artifact)

    @property
    def builder(self) -> Builder:
        """Who makes the synapses: the target where it can, else NumPy; they are the same."""
        backend = load_backend(self.artifact.target)
        return backend.builder() if isinstance(backend, BuildsNetworks) else wire

    def bind(self, *, seed: int = 0, start: int = 0, steps: int = 1) -> Ready:
        """The network's numbers and wiring, for the stamps (start, start + steps]."""
        return bind_network(
            self.program,
            h=step_length(self.dt),
            dtype=self.artifact.dtype,
            seed=seed,
            start=start,
            steps=steps,
            wire=self.builder,
            names=self.params,
        )

    def run(
        self,
        duration: str | float,
        *,
        seed: int | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
        state: NetworkState | None = None,
        checkpoint: str | None = None,
        folder: str | Path | None = None,
        go_on: bool = False,
        stream: str | Path | None = None,
        max_rate: str | float = MAX_RATE,
        sources: bool = False,
    ) -> NetworkResult:
        """Simulate `duration`, from the start or on from `state`.

        checkpoint: a time; at each multiple of it the run so far is written to `folder`, and a run with `go_on` begins at the last of
        these, up to the same end. stream: a folder for what is recorded, in place of memory. max_rate: `"1 kHz"`, or a number of Hz.
        sources: keep the events of all sources; else of those that the network records (`record bg.spikes`).
        Raises I… for what does not fit, R001 where a state leaves the finite range, R003 where a population fires more often.
        """
        h = step_length(self.dt)
        steps, said = count_steps(duration, h)
        pause = record_interval(checkpoint, h)[0] if checkpoint else None
        checkpoints = self._checkpoints(folder, pause, go_on, state)
        if go_on and folder is not None:
            checkpoints, state = resume(Path(folder))
            steps = checkpoints.start + steps - state.stamp
            if steps < 1:
                raise BircError("I141", f"the checkpoint in `{folder}` is at {state.stamp * h:g} ms, behind the end of this run")
        number = self._seed(seed, state)
        if state is not None:
            self._fits(state, h)
        start = 0 if state is None else state.stamp
        ready = self.bind(seed=number, start=start, steps=steps)
        ready = replace(ready, warnings=(*said, *ready.warnings))
        return simulate_network(
            self.runner,
            ready,
            h=h,
            start=start,
            steps=steps,
            seed=number,
            dtype=self.artifact.dtype,
            program=self.artifact.manifest["ir_sha256"],
            names=self.params,
            threads=threads,
            progress=progress,
            state=None if state is None else state.values,
            manifest=self.artifact.manifest,
            checkpoints=checkpoints,
            pause=pause,
            stream=stream,
            sources=sources,
            max_rate=1e3 * parse_quantity(max_rate, HZ, "max_rate") if isinstance(max_rate, str) else max_rate,
        )

    def _checkpoints(self, folder: str | Path | None, pause: int | None, go_on: bool, state: NetworkState | None) -> Checkpoints | None:
        """Where a new run puts its checkpoints. Raises I155 where those of another run are there."""
        if pause is None or folder is None or go_on:
            return None
        if Path(folder).exists():
            help = "`--resume` goes on from them; remove the folder to start again"
            raise BircError("I155", f"there are checkpoints of an earlier run in `{folder}`", help=help)
        return Checkpoints(Path(folder), 0 if state is None else state.stamp)

    def _seed(self, seed: int | None, state: NetworkState | None) -> int:
        if state is not None and seed is not None and seed != state.seed:
            raise BircError(
                "I147", f"the run cannot go on from this state: it was made with seed {state.seed}, which also made the synapses"
            )
        number = state.seed if state is not None else seed or 0
        if not 0 <= number < 2**64:
            raise BircError("I146", f"the seed must be a whole number from 0 to {2**64 - 1}, not {number}")
        return number

    def _fits(self, state: NetworkState, h: float) -> None:
        """I147 where a state is of another network, step or number type."""
        problem = None
        if state.program != self.artifact.manifest["ir_sha256"]:
            problem = f"it is of another network, or of `{state.network}` before it was changed"
        elif state.dt != h:
            problem = f"it was made with a step of {state.dt:g} ms, and this is {h:g} ms"
        elif state.dtype != self.artifact.dtype:
            problem = f"it is {state.dtype}, and this is {self.artifact.dtype}"
        if problem:
            raise BircError("I147", f"the run cannot go on from this state: {problem}")

    def write(self, folder: str | Path, force: bool = False) -> Path:
        """Write the artifact's files and its manifest."""
        import json

        text = json.dumps(dict(self.artifact.manifest), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        return write_folder(folder, {**self.artifact.files, "manifest.json": text}, force)


def compile_network(
    network: Network,
    target: str = "numpy",
    *,
    dt: str = "0.1 ms",
    dtype: Dtype = "f64",
    solver: str | Sequence[str] | None = None,
    skip: Iterable[str] = (),
    preset: str | None = None,
    params: Mapping[str, object] | None = None,
    tables: str | None = None,
    warnings: tuple[Diagnostic, ...] = (),
) -> CompiledNetwork:
    """Compile a network for a target. Raises all that the target cannot take.

    `params`, which replace a preset and the defaults, are values of the network's parameters: they are part of what is compiled. `tables`
    are those of `birc.compile_model`, in its neurons.
    """
    program = lower_network(with_parameters(network, params, preset), solver, without(skip, tables))
    program, said = network_with_tables(program, tables) if tables else (program, ())
    backend = load_backend(target)
    if not isinstance(backend, RunsNetworks):
        raise BircError("L112", _no_networks(backend), network.span, f"these do: {', '.join(takers())}")
    refusals = backend.refuse_network(program, dtype)
    if refusals:
        raise BircError.of(refusals)
    artifact = backend.emit_network(program, dtype)
    chosen = {"preset": preset, "params": {name: str(value) for name, value in (params or {}).items()}}
    manifest = {**manifest_of(program, target, dt, dtype), **chosen, **artifact.manifest}
    return CompiledNetwork(NetworkArtifact(target, program, dtype, artifact.files, manifest), dt, (*warnings, *said))


def _no_networks(backend: Backend) -> str:
    return f"the target {backend.name} takes no networks yet"


def takers() -> list[str]:
    """The targets that take networks."""
    return [name for name in target_names() if isinstance(load_backend(name), RunsNetworks)]


def manifest_of(program: NetworkProgram, target: str, dt: str, dtype: Dtype) -> dict[str, Any]:
    """What an artifact says of itself."""
    text = print_module((program.network,))
    return {
        "birc": birc.__version__,
        "network": program.name,
        "target": target,
        "dt": dt,
        "dtype": dtype,
        "ir": text,
        "ir_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "solver": {p.population.name: {s: b.method for b in p.step.blocks for s in b.states} for p in program.populations},
        "tables": {p.population.name: [words_of_table(t, p.step) for t in p.step.tables] for p in program.populations if p.step.tables},
    }
