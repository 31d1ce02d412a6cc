"""The IR as plain dictionaries, for other programs to read.

A structure is an object with its `type`; expressions are numbered in one list `nodes`, arguments before users, and a structure
refers to one by `{"node": 5}`. Numbers beyond JSON are the strings `inf`, `-inf` and `nan`.
"""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import Any

from birc.errors import Span
from birc.ir.expr import Expr, topo
from birc.units import Unit


def to_json(item: Any) -> dict[str, Any]:
    """The JSON form of a model, cell, network, check or step."""
    nodes: list[dict[str, Any]] = []
    form = _form(item, nodes, {})
    return {**form, "nodes": nodes}


def _form(value: Any, nodes: list[dict[str, Any]], numbers: dict[Expr, int]) -> Any:
    match value:
        case Expr():
            return {"node": _number(value, nodes, numbers)}
        case Unit():
            return str(value)
        case Span():
            return value.where
        case float() if not math.isfinite(value):
            return str(value)
        case Fraction():
            return str(value)
        case tuple():
            return [_form(part, nodes, numbers) for part in value]
        case _ if dataclasses.is_dataclass(value):
            own = [f.name for f in dataclasses.fields(value) if f.compare or f.name.startswith("span")]  # not the model of a step
            fields = {name: _form(getattr(value, name), nodes, numbers) for name in own}
            return {"type": type(value).__name__, **fields}
        case _:
            return value


def _number(root: Expr, nodes: list[dict[str, Any]], numbers: dict[Expr, int]) -> int:
    if root not in numbers:
        for node in topo(root):
            if node not in numbers:
                numbers[node] = len(nodes)
                nodes.append({"op": node.op, "args": [numbers[a] for a in node.args], "attr": _form(node.attr, nodes, numbers)})
    return numbers[root]
