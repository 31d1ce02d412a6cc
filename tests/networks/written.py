"""Small networks as text, run on the interpreter or the NumPy reference."""

from __future__ import annotations

from typing import Any

from birc.backends import FLOATS, Dtype
from birc.backends.networks import NetworkRunner
from birc.backends.numpy.network import NetworkLoop
from birc.errors import Source
from birc.frontend.load import load_partial
from birc.ir.evaluate import Moment, interpret
from birc.ir.model import Network
from birc.ir.step import Step
from birc.networks import CompiledNetwork, compile_network

RELAY = """
neuron Relay:
    \"\"\"Fires at the stamp at which something arrives.\"\"\"
    state x = 0
    on exc(w: 1): x += w
    spike when x >= 1:
        x = 0

neuron Sum:
    \"\"\"Keeps what arrives.\"\"\"
    state x = 0
    on exc(w: 1): x += w
    on inh(w: 1): x -= w
    spike when x >= 1000:
        x = 0
"""


def network_of(text: str) -> Network:
    """The last network of a text. Raises its mistakes."""
    module, diagnostics = load_partial(Source("net.birc", text))
    errors = [d for d in diagnostics if d.severity == "error"]
    assert module is not None and not errors, "\n".join(map(str, errors))
    return [item for item in module.items if isinstance(item, Network)][-1]


def compiled(text: str, target: str = "numpy", **options: Any) -> CompiledNetwork:
    """A network of a text for a target; the step is 1 ms unless another is given."""
    return compile_network(network_of(text), target, **{"dt": "1 ms", **options})


def interpreted(dtype: Dtype) -> NetworkRunner:
    """Runs the step programs of a network on the interpreter."""

    def execute(step: Step, n: int, bind: Any, state: Any, inputs: Any, events: Any, draw: Any, tables: Any) -> Any:
        outcome = interpret(step, Moment(n, bind, state, inputs, events, draw, FLOATS[dtype], tables=tables))
        return outcome.state, outcome.fired, outcome.outputs

    return NetworkLoop(dtype, execute)


def stamps(out: Any, group: str) -> list[int]:
    """The stamps at which a group of one cell fired."""
    return [int(s) for s in out[group].stamps]
