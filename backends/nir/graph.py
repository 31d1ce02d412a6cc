"""A plan with numbers: the NIR graph of one neuron, in seconds, potentials and currents in the model's internal units.

Every gain stands in an Affine node, so that `r` is 1 (of CubaLIF, `r` is tau_mem/dt and `w_in` tau_syn/dt: a spike of 1 with weight 1
moves the current by 1). An event is the sample of its step, as in any simulator that reads NIR: its weight holds 1/dt where the
equation has a pulse.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from birc.backends import FLOATS, Dtype
from birc.backends.names import identifiers
from birc.backends.nir.legality import Value
from birc.backends.nir.plan import Node, Plan, Source

MS = 1e-3
ENDS = ("input", "output")


def node_names(plan: Plan) -> dict[str, str]:
    """The node of each state; letters, digits and underscores only, since dots break readers."""
    return identifiers([n.state for n in plan.nodes if n.state != plan.current], frozenset(ENDS))


def gain(plan: Plan, node: Node, source: Source, h: float, value: Value) -> float:
    """What a source of 1 adds to a node's input."""
    g = value(source.gain) / h if source.kind == "event" else value(source.gain)
    if node.state == plan.current:
        onward = next(s for s in plan.nodes[-1].sources if s.name == node.state)
        return g * h * value(onward.gain) * h
    return g / MS if node.rate is None else g * -1 / value(node.rate)


def build(plan: Plan, value: Value, h: float, dtype: Dtype) -> Any:
    """The graph, for a step of `h` ms."""
    import nir

    def array(*numbers: float) -> Any:
        return np.array(numbers, FLOATS[dtype])

    names = node_names(plan)
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array([len(plan.ports)])})}
    edges: list[tuple[str, str]] = []
    for node in plan.nodes:
        if node.state == plan.current:
            continue
        name = names[node.state]
        fed = plan.node(plan.current) if plan.kind(node).startswith("Cuba") and plan.current is not None else node
        weights = [sum(gain(plan, fed, s, h, value) for s in fed.sources if (s.kind, s.name) == port) for port in plan.ports]
        bias = value(fed.drift) / MS
        if any(weights) or bias:
            nodes[f"{name}_in"] = nir.Affine(weight=array(*weights).reshape(1, -1), bias=array(bias))
            edges += [("input", f"{name}_in"), (f"{name}_in", name)]
        for source in fed.sources:
            if source.kind == "node":
                nodes[f"{names[source.name]}_to_{name}"] = nir.Affine(
                    weight=array(gain(plan, fed, source, h, value)).reshape(1, 1), bias=array(0.0)
                )
                edges += [(names[source.name], f"{names[source.name]}_to_{name}"), (f"{names[source.name]}_to_{name}", name)]
        nodes[name] = _primitive(plan, node, value, h, array)
    last = names[plan.nodes[-1].state]
    nodes["output"] = nir.Output({"output": np.array([1])})
    edges.append((last, "output"))
    return nir.NIRGraph(nodes=nodes, edges=edges)


def _primitive(plan: Plan, node: Node, value: Value, h: float, array: Any) -> Any:
    import nir

    kind = plan.kind(node)
    parameters: dict[str, Any] = {}
    if kind.startswith("Cuba"):
        assert plan.current is not None
        tau_syn, tau_mem = _tau(plan.node(plan.current), value), _tau(node, value)
        parameters = {"tau_syn": array(tau_syn * MS), "tau_mem": array(tau_mem * MS), "r": array(tau_mem / h), "w_in": array(tau_syn / h)}
    elif node.rate is not None:
        parameters = {"tau": array(_tau(node, value) * MS), "r": array(1.0)}
    else:
        parameters = {"r": array(1.0)}
    if node.rate is not None:
        parameters["v_leak"] = array(0.0)
    if plan.threshold is not None and node.state == plan.threshold.state:
        rest = value(node.rest)
        parameters |= {"v_threshold": array(value(plan.threshold.level) - rest), "v_reset": array(value(plan.threshold.reset) - rest)}
    return getattr(nir, kind)(**parameters)


def _tau(node: Node, value: Value) -> float:
    assert node.rate is not None
    return -1 / value(node.rate)


def write(graph: Any) -> bytes:
    """The graph as an HDF5 file."""
    import nir

    buffer = io.BytesIO()
    nir.write(buffer, graph)
    return buffer.getvalue()


def read(data: bytes) -> Any:
    """The graph of a file."""
    import nir

    return nir.read(io.BytesIO(data))
