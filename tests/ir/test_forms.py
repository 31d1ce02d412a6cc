"""The JSON form and the graphs of the IR."""

from __future__ import annotations

import json
import re

from birc.ir.dot import to_dot
from birc.ir.json_form import to_json
from tests.ir.test_check import MODEL, STEP
from tests.ir.test_text import LIF


def test_json_numbers_shared_nodes_once() -> None:
    form = json.loads(json.dumps(to_json(LIF), allow_nan=False))
    assert (form["type"], form["name"]) == ("Model", "LIF")
    nodes = form["nodes"]
    rhs = nodes[form["odes"][0]["rhs"]["node"]]
    assert rhs["op"] == "div"
    assert [nodes[a] for a in rhs["args"]][1] == {"op": "var", "args": [], "attr": "tau_m"}
    assert len({json.dumps(node) for node in nodes}) == len(nodes)
    assert all(a < i for i, node in enumerate(nodes) for a in node["args"])
    assert form["params"][0]["range"] == {"type": "Range", "low": 0.0, "high": "inf", "low_closed": False, "high_closed": False}
    assert form["odes"][0]["span"] == "lif.birc:5"


def test_json_of_a_step() -> None:
    form = json.loads(json.dumps(to_json(STEP), allow_nan=False))
    assert [phase["name"] for phase in form["phases"]] == ["input", "flow", "deliver", "test", "reset", "emit", "record"]


def test_graph_of_a_model() -> None:
    text = to_dot(MODEL)
    assert '"v" -> "v"' in text  # through a let
    assert '"leak" -> "v"' in text
    assert '"on exc" -> "v" [style = dashed]' in text
    assert '"v" -> "spike"' in text
    assert text.count("{") == text.count("}") == 1


def test_graph_of_a_step() -> None:
    text = to_dot(STEP)
    assert '".P" [label = ".P = propagator"]' in text
    assert '".P" -> "v.1"' in text
    assert '"v.3" -> "v.4"' in text
    assert '".fired" -> "spike"' in text
    assert len(re.findall(r"subgraph", text)) == 8
    assert text.count("{") == text.count("}") == 9
