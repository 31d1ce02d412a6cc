"""Inputs that hold over time leave the Scan, and with them every node that depends on nothing else that a step changes.

    steps = Scan (v.first, I) { t = Mul (Q, I.row)   v = Add (v.now, t) … }
    ->  I.row = Squeeze (I)   t = Mul (Q, I.row)   steps = Scan (v.first, .clock) { v = Add (v.now, t) … }

A node computes the same bits wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

CLOCK = ".clock"
"""The graph input [T, 1] that tells the number of steps where no input of the Scan is left."""


def with_held(data: bytes, held: Iterable[str]) -> bytes:
    """The Scan graph in which the graph inputs `held`, of one row each, are the same in every step."""
    import onnx
    from onnx import helper
    from onnx.inliner import inline_local_functions

    model = inline_local_functions(onnx.load_from_string(data))
    (place, scan), *_ = [(i, node) for i, node in enumerate(model.graph.node) if node.op_type == "Scan"]
    body = next(a.g for a in scan.attribute if a.name == "body")
    states = len(scan.input) - next(a.i for a in scan.attribute if a.name == "num_scan_inputs")
    before: list[Any] = []
    for i in reversed(range(states, len(scan.input))):
        if scan.input[i] in held:
            before.append(helper.make_node("Squeeze", [scan.input[i], f"{CLOCK}.first"], [body.input[i].name]))
            del scan.input[i], body.input[i]
    before.insert(0, helper.make_node("Constant", [], [f"{CLOCK}.first"], value_ints=[0]))
    if len(scan.input) == states:
        element = onnx.TensorProto.BOOL
        scan.input.append(CLOCK)
        body.input.append(helper.make_tensor_value_info(f"{CLOCK}.row", element, (None,)))
        model.graph.input.append(helper.make_tensor_value_info(CLOCK, element, ("T", None)))
    for attribute in scan.attribute:
        if attribute.name == "num_scan_inputs":
            attribute.i = len(scan.input) - states
    leaving, staying = _sorted_out(body)
    del body.node[:]
    body.node.extend(staying)
    nodes = [*model.graph.node[:place], *before, *leaving, *model.graph.node[place:]]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    result: bytes = model.SerializeToString()
    return result


def _sorted_out(body: Any) -> tuple[list[Any], list[Any]]:
    """The nodes that depend on nothing of a step, then the others. What the body gives back stays in it."""
    changing = {i.name for i in body.input}
    given = {o.name for o in body.output}
    leaving, staying = [], []
    for node in body.node:
        if changing & set(_read(node)) or given & set(node.output):
            changing.update(node.output)
            staying.append(node)
        else:
            leaving.append(node)
    return leaving, staying


def _read(node: Any) -> Iterator[str]:
    """The tensors that a node reads, those of its subgraphs included."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _read(inner)
