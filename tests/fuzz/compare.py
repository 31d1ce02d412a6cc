"""One model, every way: the interpreter after each pass, without each pass that can be left out, and each target.

All take each step from the same state, that of the reference run, so that a difference is the fault of one step and not of chaos.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from birc import passes
from birc.backends import Events, Job, Runner, load_backend
from birc.errors import Source
from birc.frontend.load import load
from birc.ir.model import Model
from birc.ir.step import Step
from birc.runtime.simulate import Program, prepare
from birc.verification.oracle import Oracle
from tests.fuzz.generate import SIZES

Array = npt.NDArray[Any]
N, STEPS, H = 4, 60, 0.25
BOUND = 1e-9
"""Of a state after one step, relative to the largest value that it takes."""
CHANGES_THE_METHOD = ("order-blocks", "guard-runaway")


@dataclass(frozen=True)
class Difference:
    """Where two ways of running a model first disagree."""

    between: str
    stamp: int
    neuron: int
    variable: str
    reference: float
    found: float

    def __str__(self) -> str:
        place = f"stamp {self.stamp}, neuron {self.neuron}"
        return f"{self.between}: `{self.variable}` is {self.found!r}, not {self.reference!r}, at {place}"


@dataclass(frozen=True)
class Path:
    """A reference run: a job for each step, states and outputs after it, and who fired."""

    jobs: tuple[Job, ...]
    after: tuple[Mapping[str, Array], ...]
    fired: tuple[Array, ...]

    def at_once(self) -> Path:
        """All steps as one step of many more neurons: each is taken from a given state, so it does not matter which comes first."""
        jobs = self.jobs
        shift = [np.concatenate([j.events[port].index + N * k for k, j in enumerate(jobs)]) for port in jobs[0].events]
        payload = [np.concatenate([j.events[port].payload for j in jobs]) for port in jobs[0].events]
        job = replace(
            jobs[0],
            n=N * len(jobs),
            state={name: np.concatenate([j.state[name] for j in jobs]) for name in jobs[0].state},
            inputs={name: np.concatenate([j.inputs[name] for j in jobs], axis=1) for name in jobs[0].inputs},
            events={
                port: Events(np.array([0, len(index)]), index.astype(np.int32), values)
                for port, index, values in zip(jobs[0].events, shift, payload, strict=True)
            },
        )
        after = {name: np.concatenate([values[name] for values in self.after]) for name in self.after[0]}
        return Path((job,), (after,), (np.concatenate(self.fired),))


def differences(text: str, targets: Sequence[str] = ("numpy",), seed: int = 0) -> Iterator[Difference]:
    """Every way of running the last model of a text that disagrees with the one before it. Raises `BircError`."""
    model = load(Source("fuzzed.birc", text)).items[-1]
    assert isinstance(model, Model)
    ways = list(_programs(model))
    path = follow(ways[0][1], seed)
    if not path.jobs:
        return
    for name, step in ways[1:]:
        yield from compare(f"after {name}", Oracle(step, "f64"), step, path)
    final = ways[-1][1]
    seen = [step for _, step in ways]
    for option in passes.PASSES:
        if not option.needed and option.name not in CHANGES_THE_METHOD:
            other = passes.run(model, passes.PIPELINES["step"], skip=[option.name])
            assert isinstance(other, Step)
            if other not in seen and other.blocks == final.blocks:  # what is not folded may ask for another method
                seen.append(other)
                yield from compare(f"without {option.name}", Oracle(other, "f64"), other, path)
    for target in targets:
        backend = load_backend(target)
        if backend.missing() is None:
            yield from compare(f"on {target}", backend.load(backend.emit(final, "f64")), final, path)


def _programs(model: Model) -> Iterator[tuple[str, Step]]:
    """The step program as it is lowered, and after each later pass that changes it."""
    found: list[tuple[str, Step]] = []

    def keep(name: str, program: passes.Program, seconds: float) -> None:
        if isinstance(program, Step) and (not found or found[-1][1] != program):
            found.append((name, program))

    passes.run(model, passes.PIPELINES["step"], keep)
    return iter(found)


def _prepared(runner: Runner, step: Step, n: int = N) -> Program:
    return prepare(runner, step, h=H, steps=STEPS, dtype="f64", n=n, seed=1, threads=1)


def follow(step: Step, seed: int) -> Path:
    """Run the reference step by step under a random stimulus, until a state leaves the finite range."""
    draws = np.random.default_rng(seed)
    oracle = Oracle(step, "f64")
    program = _prepared(oracle, step)
    levels = {p.name: SIZES.get(p.unit.text, 1.0) * draws.uniform(-1, 2, (1, N)) for p in step.inputs}
    state = {name: a.copy() for name, a in program.bound.state.items()}
    jobs, after, fired = [], [], []
    for k in range(STEPS):
        job = Job(
            n=N,
            start=k,
            steps=1,
            bind={},
            state={name: a.copy() for name, a in state.items()},
            inputs={name: level * (draws.normal(1, 0.5, (1, N)) if k % 3 else 1.0) for name, level in levels.items()},
            events={p.name: _events(draws, SIZES.get(p.unit.text, 1.0)) for p in step.events},
            record={},
            seed=1,
            streams=program.streams,
        )
        values, who = _one_step(oracle, step, program, job)
        if not all(np.isfinite(a).all() and np.abs(a.astype(float)).max(initial=0.0) < 1e100 for a in values.values()):
            break
        jobs.append(job)
        after.append(values)
        fired.append(who)
        state = {name: values[name] for name in state}
    path = Path(tuple(jobs), tuple(after), tuple(fired))
    return path.at_once() if jobs and not step.noises else path  # a draw depends on neuron and stamp


def _events(draws: np.random.Generator, size: float) -> Events:
    """A few events at one stamp, some of them at the same neuron."""
    count = int(draws.poisson(1.0))
    index = np.sort(draws.integers(0, N, count)).astype(np.int32)
    return Events(np.array([0, count]), index, size * draws.uniform(-0.5, 1.0, count))


def _one_step(runner: Runner, step: Step, program: Program, job: Job) -> tuple[dict[str, Array], Array]:
    """States and outputs after one step, and who fired."""
    state = {name: a.copy() for name, a in job.state.items()}
    outputs = {p.name: np.zeros((1, job.n)) for p in step.outputs}
    spikes = runner.run(replace(job, bind=program.bound.values, state=state, record=outputs, streams=program.streams))
    who = np.zeros(job.n, np.bool_)
    who[spikes.index] = True
    return {**state, **{f"output {name}": rows[0] for name, rows in outputs.items()}}, who


def compare(between: str, runner: Runner, step: Step, path: Path) -> Iterator[Difference]:
    """The first place where this way disagrees with the reference, if any."""
    program = _prepared(runner, step, path.jobs[0].n)
    scales = {name: max(float(np.abs(values[name].astype(float)).max()) for values in path.after) for name in path.after[0]}
    for job, after, who in zip(path.jobs, path.after, path.fired, strict=True):
        found, fired = _one_step(runner, step, program, job)
        pairs = [("spike", who.astype(float), fired.astype(float), 0.0)]
        pairs += [(name, right.astype(float), found[name].astype(float), BOUND * scales[name]) for name, right in after.items()]
        for name, right, got, bound in pairs:
            for at in np.flatnonzero(~(np.abs(got - right) <= bound))[:1]:
                yield Difference(between, job.start + int(at) // N + 1, int(at) % N, name, float(right[at]), float(got[at]))
                return
