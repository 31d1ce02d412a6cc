"""One network, every way: the interpreter, NumPy and the native target, whole and in stretches, on one and two threads; all to the bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from birc.backends import Array, Dtype, Spikes
from birc.backends.networks import HISTORY_COUNT, HISTORY_INDEX, HISTORY_MANY, QUEUE_PAYLOAD, Kept, NetworkJob, NetworkRunner
from birc.errors import Source
from birc.frontend.load import load
from birc.ir.connectivity.build import wire
from birc.ir.model import Network
from birc.lowering import lower_network
from birc.networks import CompiledNetwork, compile_network
from birc.runtime.durations import step_length
from birc.runtime.network.bind import Ready, bind_network
from birc.verification.networks import interpreter
from tests.fuzz.networks import Fuzzed

STEPS, SEED = 60, 7
CUTS = (0, 1, 23, STEPS)

Found = tuple[dict[str, Array], list[Array], dict[str, Spikes]]
"""State, recordings and spikes of a run."""


def network_of(fuzzed: Fuzzed, folder: Path) -> Network:
    """The network of a text whose files are put into a folder. Raises `BircError`."""
    for name, text in fuzzed.files.items():
        (folder / name).write_text(text, "utf-8")
    network = load(Source(str(folder / "fuzzed.birc"), fuzzed.text)).items[-1]
    assert isinstance(network, Network)
    return network


def bound(made: CompiledNetwork) -> Ready:
    """The network's numbers, with synapses as the reference makes them."""
    h = step_length(made.dt)
    return bind_network(made.program, h=h, dtype=made.artifact.dtype, seed=SEED, start=0, steps=STEPS, wire=wire)


def differences(network: Network, dt: str, dtype: Dtype, native: bool) -> Iterator[str]:
    """Every way of running a network that disagrees with the interpreter. Raises `BircError`."""
    made = compile_network(network, "numpy", dt=dt, dtype=dtype)
    ready = bound(made)
    wanted = run(interpreter(dtype), ready)
    yield from compare("numpy", wanted, run(made.runner, ready))
    yield from compare("numpy in stretches", wanted, run(made.runner, ready, CUTS))
    if not native:
        return
    other = compile_network(network, "native", dt=dt, dtype=dtype)
    own = bind_network(lower_network(network), h=step_length(dt), dtype=dtype, seed=SEED, start=0, steps=STEPS, wire=other.builder)
    yield from wired_alike(ready, own)
    for threads in (1, 2):
        yield from compare(f"native on {threads} threads", wanted, run(other.runner, ready, threads=threads))
    yield from compare("native in stretches", wanted, run(other.runner, ready, CUTS, threads=2))


def run(runner: NetworkRunner, ready: Ready, cuts: tuple[int, ...] = (0, STEPS), threads: int = 1) -> Found:
    """A run in stretches, everything recorded that is a row of reals, some of it at some stamps only."""
    state = {name: a.copy() for name, a in ready.state.items()}
    rows: dict[str, list[Array]] = {}
    spikes: list[Mapping[str, Spikes]] = []
    for start, stop in pairwise(cuts):
        values = {name: np.ascontiguousarray(source.rows(start, stop - start)) for name, source in ready.values.items()}
        record = tuple(_kept(state, start, stop))
        spikes.append(runner.run(NetworkJob(ready.network, start, stop - start, state, values, record=record, seed=SEED, threads=threads)))
        for kept in record:
            rows.setdefault(kept.variable, []).append(kept.rows)
    every = {
        name: Spikes(np.concatenate([s[name].index for s in spikes]), np.concatenate([s[name].stamp for s in spikes])) for name in spikes[0]
    }
    return state, [np.concatenate(parts) for parts in rows.values()], every


def _kept(state: Mapping[str, Array], start: int, stop: int) -> Iterator[Kept]:
    for i, (name, a) in enumerate(state.items()):
        if a.ndim == 1 and len(a) and a.dtype.kind == "f" and not name.endswith(QUEUE_PAYLOAD):
            every, first = 1 + i % 3, min(i % 2, len(a) - 1)
            yield Kept(name, np.zeros((stop // every - start // every, len(a) - first), a.dtype), first, every)


def compare(what: str, wanted: Found, got: Found) -> Iterator[str]:
    """Where two runs differ in a bit."""
    (state, rows, spikes), (other, other_rows, other_spikes) = wanted, got
    for name, x in _in_use(state).items():
        yield from _differ(f"{what}: {name}", x, _in_use(other)[name])
    for number, (x, y) in enumerate(zip(rows, other_rows, strict=True)):
        yield from _differ(f"{what}: recording {number}", x, y)
    for name, found in spikes.items():
        yield from _differ(f"{what}: who of {name} fires", found.index, other_spikes[name].index)
        yield from _differ(f"{what}: when {name} fires", found.stamp, other_spikes[name].stamp)


def _differ(what: str, x: Array, y: Array) -> Iterator[str]:
    if x.dtype != y.dtype or x.shape != y.shape:
        yield f"{what}: {y.dtype}{list(y.shape)}, not {x.dtype}{list(x.shape)}"
    elif not np.array_equal(x, y, equal_nan=x.dtype.kind == "f"):
        place = tuple(int(i) for i in np.argwhere(x != y)[0])
        yield f"{what}{list(place)} is {y[place]!r}, not {x[place]!r}"


def _in_use(state: Mapping[str, Array]) -> dict[str, Array]:
    """A state without what is left over in rows of spikes."""
    found = {}
    for name, a in state.items():
        found[name] = a
        for end in (HISTORY_INDEX, HISTORY_MANY):
            if name.endswith(end):
                count = state[name.removesuffix(end) + HISTORY_COUNT]
                found[name] = np.where(np.arange(a.shape[1]) < count[:, None], a, 0)
    return found


def wired_alike(a: Ready, b: Ready) -> Iterator[str]:
    """Where the synapses of two bound networks differ: who reaches whom and when, weights, parameters and initial states."""
    for x, y in zip(a.network.projections, b.network.projections, strict=True):
        for part in ("delays", "starts", "target"):
            yield from _differ(f"{part} of {x.name}", getattr(x.edges, part), getattr(y.edges, part))
        yield from _differ(f"weights of {x.name}", _weights(x.weight), _weights(y.weight))
        yield from _differ(f"dend of {x.name}", np.asarray(x.dend), np.asarray(y.dend))
        for role, values in x.bind.items():
            for name, value in values.items():
                yield from _differ(f"{name} of {x.name}", np.asarray(value), np.asarray(y.bind[role][name]))
    for c, d in zip(a.network.couplings, b.network.couplings, strict=True):
        yield from _differ(f"targets of {c.name}", c.edges.target, d.edges.target)
        yield from _differ(f"weights of {c.name}", np.asarray(c.weight), np.asarray(d.weight))
    for name, array in a.state.items():
        yield from _differ(f"initial {name}", array, b.state[name])


def _weights(weight: Any) -> Array:
    return np.asarray(weight if weight is not None else 0)
