"""The same network as other packages for torch write it: dense layers, and a loop over time through their neurons."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

KEEP = 0.9
"""What a step of 1 ms keeps of the potential."""


def peers(sizes: Sequence[int], steps: int) -> dict[str, Any]:
    """By name, each of the packages that are installed."""
    made = {"snntorch": _snntorch, "norse": _norse, "spikingjelly": _spikingjelly}
    return {name: Peer(sizes, steps, make(sizes)) for name, make in made.items() if find_spec(name)}


class Peer:
    """A network of torch with the two methods of Keras that are timed."""

    def __init__(self, sizes: Sequence[int], steps: int, run: Callable[[Any, Any], Any]) -> None:
        torch = importlib.import_module("torch")
        self.torch, self.run, self.steps = torch, run, steps
        self.dense = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
        self.optimizer = torch.optim.Adam([p for layer in self.dense for p in layer.parameters()], 1e-3)

    def predict_on_batch(self, x: Any) -> None:
        """A forward pass without a derivative."""
        with self.torch.no_grad():
            self.run(self.dense, x)

    def train_on_batch(self, x: Any, y: Any) -> None:
        """A step of Adam on the cross-entropy of mean spikes."""
        self.optimizer.zero_grad(set_to_none=True)
        self.torch.nn.functional.cross_entropy(self.run(self.dense, x), y.long()).backward()
        self.optimizer.step()


def _snntorch(sizes: Sequence[int]) -> Callable[[Any, Any], Any]:
    snntorch, torch = importlib.import_module("snntorch"), importlib.import_module("torch")
    surrogate = importlib.import_module("snntorch.surrogate").fast_sigmoid(10)
    neurons = [snntorch.Leaky(beta=KEEP, spike_grad=surrogate) for _ in sizes[1:]]

    def run(dense: Any, x: Any) -> Any:
        potentials = [neuron.init_leaky() for neuron in neurons]
        out = []
        for k in range(x.shape[1]):
            z = x[:, k]
            for i, (layer, neuron) in enumerate(zip(dense, neurons, strict=True)):
                z, potentials[i] = neuron(layer(z), potentials[i])
            out.append(z)
        return torch.stack(out).mean(0)

    return run


def _norse(sizes: Sequence[int]) -> Callable[[Any, Any], Any]:
    norse, torch = importlib.import_module("norse.torch"), importlib.import_module("torch")
    rate = torch.tensor(1000 * (1 - KEEP))
    neurons = [norse.LIFBoxCell(norse.LIFBoxParameters(tau_mem_inv=rate)) for _ in sizes[1:]]

    def run(dense: Any, x: Any) -> Any:
        states: list[Any] = [None] * len(neurons)
        out = []
        for k in range(x.shape[1]):
            z = x[:, k]
            for i, (layer, neuron) in enumerate(zip(dense, neurons, strict=True)):
                z, states[i] = neuron(layer(z) / (1 - KEEP), states[i])
            out.append(z)
        return torch.stack(out).mean(0)

    return run


def _spikingjelly(sizes: Sequence[int]) -> Callable[[Any, Any], Any]:
    base = "spikingjelly.activation_based"
    neuron, functional = importlib.import_module(f"{base}.neuron"), importlib.import_module(f"{base}.functional")
    nodes = [neuron.LIFNode(tau=1 / (1 - KEEP), decay_input=False, detach_reset=True, step_mode="m") for _ in sizes[1:]]

    def run(dense: Any, x: Any) -> Any:
        z = x.transpose(0, 1)
        for layer, node in zip(dense, nodes, strict=True):
            functional.reset_net(node)
            z = node(layer(z))
        return z.mean(0)

    return run
