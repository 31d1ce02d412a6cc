"""Small networks on the NumPy reference, to which layers of synapses are held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from birc import driver

Array = npt.NDArray[Any]


def spikes(shape: tuple[int, ...], rate: float, seed: int) -> Array:
    """Zeros, and ones with this probability."""
    return (np.random.default_rng(seed).random(shape) < rate).astype(np.float32)


def listed(folder: Path, name: str, train: Array, dt: float = 1.0) -> None:
    """A file of the spikes of [time, cells], row k at stamp k + 1."""
    row, cell = np.nonzero(train)
    np.savez(folder / name, index=cell, time_ms=(row + 1) * dt)


def run(folder: Path, text: str, steps: int, dt: float = 1.0) -> Any:
    """A network's text, run in float32 for some steps of `dt` ms."""
    (folder / "network.birc").write_text(text, "utf-8")
    return driver.compile(folder / "network.birc", dt=f"{dt} ms", dtype="f32").run(steps * dt)


def weights(result: Any, projection: str, shape: tuple[int, int], name: str = "w") -> Array:
    """A state of the synapses of an all-to-all projection, as a matrix."""
    found = result.synapses(projection)
    matrix = np.zeros(shape, np.float32)
    matrix[found.source, found.target] = found.values[name]
    return matrix


def fired(result: Any, population: str, steps: int, cells: int) -> Array:
    """The spikes of a population [time, cells], row k at stamp k + 1."""
    spikes = result[population].spikes
    found = np.zeros((steps, cells), np.float32)
    found[np.rint(np.asarray(spikes.time) / result.dt).astype(int) - 1, spikes.index] = 1
    return found
