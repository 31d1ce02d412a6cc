"""One row of the conformance kit for networks: a tiny network, and the spike stamps and values that a calculation by hand gives."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from birc.backends import Dtype
from birc.backends.networks import Builder, Kept, NetworkJob, NetworkRunner
from birc.errors import Source
from birc.frontend.load import load
from birc.ir.connectivity.build import wire
from birc.ir.model import Network
from birc.ir.network import NetworkProgram
from birc.lowering import lower_network
from birc.runtime.network.bind import bind_network

Numbers = float | tuple[float, ...]

MODELS = """
neuron Relay:
    \"\"\"Fires at the stamp at which something arrives.\"\"\"
    state x = 0
    on exc(w: 1): x += w
    spike when x >= 1:
        x = 0

neuron Sum:
    \"\"\"Keeps what arrives.\"\"\"
    state x = 0
    input I: 1
    on exc(w: 1): x += w
    on inh(w: 1): x -= w
    spike when x >= 1000:
        x = 0

neuron Digits:
    \"\"\"Writes down what arrives, one digit after the other.\"\"\"
    state x = 0
    on write(a: 1): x = 10 * x + a

synapse Weighted:
    state w = 1
    on pre: send w

synapse Learn:
    param A = 1, B = 10
    state w = 100
    trace x of pre: tau = 10 ms
    trace y of post: tau = 10 ms
    on pre:
        w -= A * y
        send w
    on post:
        w += B * x
"""


@dataclass(frozen=True)
class NetworkCase:
    """A run of `steps` steps of a network and what must come of it.

    text: the lines of the network. files: what it reads, by name. stamps: of each cell of a group, the stamps of its spikes; of a group
    that is named, nothing else fires. values: by array of the state (`B.x`, `A -> B.exc.w`) and stamp, one number for all or one for each.
    models: what the network needs besides `MODELS`. exact: also holds in float32.
    """

    name: str
    text: str
    steps: int
    stamps: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    values: Mapping[str, Mapping[int, Numbers]] = field(default_factory=dict)
    models: str = ""
    files: Mapping[str, str] = field(default_factory=dict, hash=False)
    h: float = 1.0
    exact: bool = False

    def __hash__(self) -> int:
        return hash(self.name)


@cache
def program_of(case: NetworkCase) -> NetworkProgram:
    """The lowered network of a row."""
    folder = Path(tempfile.mkdtemp(prefix="birc-kit-"))
    for name, text in case.files.items():
        (folder / name).write_text(text, "utf-8")
    source = Source(str(folder / "row.birc"), f"{MODELS}{case.models}\nnetwork Row:{case.text}")
    network = load(source).items[-1]
    assert isinstance(network, Network)
    return lower_network(network)


def differences(case: NetworkCase, runner: NetworkRunner, dtype: Dtype = "f64", builder: Builder = wire) -> list[str]:
    """Everything in which a run differs from the row; empty where it holds."""
    bound = bind_network(program_of(case), h=case.h, dtype=dtype, seed=1, start=0, steps=case.steps, wire=builder)
    state = {name: a.copy() for name, a in bound.state.items()}
    record = tuple(Kept(name, np.zeros((case.steps, len(state[name])), state[name].dtype), 0, 1) for name in case.values)
    values = {name: np.ascontiguousarray(source.rows(0, case.steps)) for name, source in bound.values.items()}
    spikes = runner.run(NetworkJob(bound.network, 0, case.steps, state, values, record=record, seed=1))
    found = []
    for group, cells in case.stamps.items():
        for cell in range(max(len(cells), 1 + int(spikes[group].index.max(initial=-1)))):
            wanted = cells[cell] if cell < len(cells) else ()
            got = tuple(int(s) for s in spikes[group].stamp[spikes[group].index == cell])
            if got != wanted:
                found.append(f"{group}[{cell}] fires at {got}, not at {wanted}")
    tolerance = 1e-12 if dtype == "f64" else 1e-6
    for kept in record:
        for stamp, numbers in case.values[kept.variable].items():
            got_values, wanted_values = kept.rows[stamp - 1], np.asarray(numbers)
            if not np.all(np.abs(got_values - wanted_values) <= tolerance * np.maximum(1.0, np.abs(wanted_values))):
                found.append(f"{kept.variable} is {got_values.tolist()} at stamp {stamp}, not {numbers}")
    return found
