"""Library synapses against NEST's: the weight with which each of a few hundred spikes is delivered, while the target fires, too.

All of NEST's delay is behind the synapse: here `dend`, and `back`, which is the same by default.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.errors import Source
from birc.frontend.load import load
from birc.ir.model import Network
from birc.networks import compile_network
from tests.peers.both import ask
from tests.peers.figures import Figure

Array = npt.NDArray[np.float64]
DT, STEPS, DELAY = 0.1, 20_000, 12

NETWORK = """
from birc use {name}

neuron Ear:
    \"\"\"Fires when it is told to, and adds up what it hears.\"\"\"
    state x = 0, total = 0 pA
    on fire(w: 1): x += w
    on hear(w: pA): total += w
    spike when x >= 1:
        x = 0

network Pair:
    population B: Ear[1]
    source pre: spikes(file = "pre.csv")[1]
    source post: spikes(file = "post.csv")[1]
    project post -> B.fire: w = 1, one_to_one
    project pre -> B.hear: {name}({arguments}), one_to_one, dend = {delay} ms
    record B.total
"""


def stamps(seed: int, often: float, apart_from: Sequence[int] = ()) -> list[int]:
    """Random stamps, of spikes that are not seen at the synapse together with those of the other side."""
    draws = np.random.default_rng(seed)
    seen = {stamp + DELAY for stamp in apart_from}
    return [int(k) for k in 2 + np.flatnonzero(draws.random(STEPS - 2 * DELAY) < often) if int(k) not in seen]


def ours(name: str, arguments: str, pre: Sequence[int], post: Sequence[int]) -> Array:
    """What arrives of each spike, from the sum of all."""
    with tempfile.TemporaryDirectory() as folder:
        for side, listed in (("pre", pre), ("post", post)):
            Path(folder, f"{side}.csv").write_text("index,time_ms\n" + "".join(f"0,{k * DT:.1f}\n" for k in listed), "utf-8")
        text = NETWORK.format(name=name, arguments=arguments, delay=f"{DELAY * DT:.1f}")
        network = load(Source(str(Path(folder, "pair.birc")), text)).items[-1]
        assert isinstance(network, Network)
        total = compile_network(network, dt=f"{DT} ms").run(f"{STEPS * DT} ms")["B"].total[:, 0]
    heard: Array = np.diff(total, prepend=0.0)[[k + DELAY - 1 for k in pre]]
    return heard


def theirs(model: str, parameters: Mapping[str, float], pre: Sequence[int], post: Sequence[int], neuron: Mapping[str, float]) -> Array:
    """The weights that NEST's synapse delivers."""
    task: dict[str, Any] = {"model": model, "parameters": dict(parameters), "neuron": dict(neuron), "pre": pre, "post": post}
    return ask("nest", program="run_nest_synapse", dt=DT, steps=STEPS, delay=DELAY, record=("weights",), **task).states["weights"]


def differ(mine: Array, other: Array) -> list[Figure]:
    """The largest difference, of weights that change."""
    assert len(mine) == len(other) > 100 and np.ptp(mine) > 1.0, json.dumps([len(mine), len(other), float(np.ptp(mine))])
    return [Figure(f"weight at {len(mine)} spikes", float(np.max(np.abs(mine - other))), 1e-9, "pA", "rounding")]


PRE, POST = stamps(21, 0.01), stamps(22, 0.01)
"""About 10 spikes in 100 ms on each side."""


def apart() -> list[int]:
    """Spikes of the source that are at the synapse at no stamp of the target's."""
    return stamps(21, 0.01, POST)


def pair(name: str, model: str) -> list[Figure]:
    pre = apart()
    mine = ours(name, "A_p = 0.02, A_m = 0.022, w_max = 100 pA, tau_p = 17 ms, tau_m = 25 ms", pre, POST)
    parameters = {"weight": 50.0, "Wmax": 100.0, "lambda": 0.02, "alpha": 1.1, "mu_plus": 0.0, "mu_minus": 0.0, "tau_plus": 17.0}
    return differ(mine, theirs(model, parameters, pre, POST, {"tau_minus": 25.0}))


def triplet() -> list[Figure]:
    pre = apart()
    mine = ours("TripletSTDP", "A2_p = 0.005, A3_p = 0.006, A2_m = 0.007, A3_m = 0.002, w_max = 100 pA", pre, POST)
    parameters = {
        "weight": 50.0, "Wmax": 100.0, "tau_plus": 16.8, "tau_plus_triplet": 101.0, "Aplus": 0.5, "Aplus_triplet": 0.6,
        "Aminus": 0.7, "Aminus_triplet": 0.2,
    }  # fmt: skip
    return differ(mine, theirs("stdp_triplet_synapse", parameters, pre, POST, {"tau_minus": 33.7, "tau_minus_triplet": 125.0}))


def short_term() -> list[Figure]:
    mine = ours("TsodyksMarkram", "w = 100 pA, U = 0.3, tau_rec = 200 ms, tau_fac = 150 ms", PRE, POST)
    parameters = {"weight": 100.0, "U": 0.3, "u": 0.3, "x": 1.0, "tau_rec": 200.0, "tau_fac": 150.0}
    return differ(mine, theirs("tsodyks2_synapse", parameters, PRE, POST, {}))
