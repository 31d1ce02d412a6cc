"""Programs of layers: the library's models for Keras, compiled once in a process for each way of integrating them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from birc.driver import Compiled, compile_model
from birc.errors import Source
from birc.sources import Loaded, library, load, read

SIMPLER: Mapping[str, str] = {
    "rk4": "euler", "heun": "euler", "sequential_euler": "euler", "strang": "exponential_euler", "strang4": "exponential_euler",
}  # fmt: skip
"""What stands for a method at the realism level `low`; methods that are not named stay as they are."""


@cache
def program(model: str, dt: str, solver: tuple[str, ...] = (), simple: bool = False) -> Compiled:
    """The model for Keras. model: a name of the library, or the text of a file; simple: Euler's methods where none is exact."""
    loaded = _loaded(model)
    made = compile_model(loaded, "keras", dt=dt, dtype="f32", solver=solver or None, spikes="grid")
    if not simple or solver:
        return made
    simpler = tuple(f"{s}={SIMPLER[b.method]}" for b in made.step.blocks if b.method in SIMPLER for s in b.states)
    return compile_model(loaded, "keras", dt=dt, dtype="f32", solver=simpler, spikes="grid") if simpler else made


def text_of(model: str | Path) -> str:
    """A name of the library as it is; of a file, or of text that holds a model, the text."""
    name = str(model)
    return name if name in library() or "\n" in name else load(name).source.text


@cache
def _loaded(model: str) -> Loaded:
    return read(Source("model.birc", model)) if "\n" in model else load(model)
