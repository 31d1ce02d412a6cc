"""Two graphs of one program: `model.onnx` runs T steps with a Scan, `model.step.onnx` one step, state in and out."""

from __future__ import annotations

from typing import Any

from birc.backends import Artifact, Dtype
from birc.backends.onnx.body import element, function
from birc.backends.onnx.functions import functions
from birc.backends.onnx.narrow import narrow
from birc.backends.onnx.signature import FIRED, Key, Signature, signature
from birc.backends.onnx.sparse import sparse
from birc.backends.onnx.table import FUNCTIONS_DOMAIN, IR_VERSION, MODEL_DOMAIN, OPSET
from birc.ir.ops import Kind
from birc.ir.step import Step

SCAN, STEP = "model.onnx", "model.step.onnx"
OVER_TIME = ("input", "sum", "round", "present", "normal")
RANK = {"round": 2, "present": 2}
"""Of what holds the events of a step; anything else is one entry per neuron."""


def emit(step: Step, dtype: Dtype) -> Artifact:
    """Both files. Bind values are inputs that have to be given; `fill` gives them defaults."""
    lean = sparse(narrow(step))
    sign = signature(lean)
    body, called = function(lean, sign, dtype)
    protos = [*functions(called, dtype), body]  # each after those that it calls: some readers take them in this order
    files = {
        SCAN: _model(_scan_graph(lean, sign, dtype), protos, sign),
        STEP: _model(_step_graph(lean, sign, dtype), protos, sign),
    }
    return Artifact("onnx", step, dtype, files, {"onnx": {"opset": OPSET, **_names(sign)}})


def _model(graph: Any, protos: list[Any], sign: Signature) -> bytes:
    from onnx import helper

    domains = ("", OPSET), (MODEL_DOMAIN, 1), (FUNCTIONS_DOMAIN, 1)
    imports = [helper.make_opsetid(domain, version) for domain, version in domains]
    model = helper.make_model(graph, functions=protos, opset_imports=imports, ir_version=IR_VERSION, producer_name="birc")
    helper.set_model_props(
        model, {"birc." + group: ", ".join(f"{k} = {v}" for k, v in names.items()) for group, names in _names(sign).items()}
    )
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _names(sign: Signature) -> dict[str, dict[str, str]]:
    """The tensor of each slot, input, event port, noise, bind value and output, by group and name in the program.

    `final`, `spikes` and `trace` are outputs of the Scan; `clock` is its input [T, 1] that tells the number of steps where nothing else
    does.
    """
    groups: dict[str, dict[str, str]] = {}
    for group, name in (*sign.inputs, *sign.outputs):
        groups.setdefault(group, {})[name] = sign.names[group, name]
    groups["spikes"] = {"": _apart("spikes", sign)} if FIRED in sign.kinds else {}
    groups["clock"] = {} if sign.of(*OVER_TIME) else {"": _apart("clock", sign)}
    groups["final"] = {name: final(tensor, sign) for name, tensor in groups.get("slot", {}).items()}
    groups["trace"] = {key[1]: trace(key, sign) for key in sign.of("next", "output")}
    return groups


def final(tensor: str, sign: Signature) -> str:
    """The graph output that holds a slot after the last step."""
    return _apart(f"{tensor}_final", sign)


def trace(key: Key, sign: Signature) -> str:
    """The graph output [T, n] of a slot or output over time."""
    return _apart(f"{sign.names['slot', key[1]] if key[0] == 'next' else sign.names[key]}_trace", sign)


def _apart(wanted: str, sign: Signature) -> str:
    while wanted in sign.names.values():
        wanted += "_"
    return wanted


def _info(name: str, kind: Kind, dtype: Dtype, shape: tuple[str | None, ...]) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, element(kind, dtype), shape)


def rank(key: Key) -> int:
    """The rank of an input of one step."""
    return RANK.get(key[0], 1)


def _step_graph(step: Step, sign: Signature, dtype: Dtype) -> Any:
    """One call of the function."""
    from onnx import helper

    inputs = [_info(sign.names[k], sign.kinds[k], dtype, ("n",) if k[0] == "slot" else (None,) * rank(k)) for k in sign.inputs]
    outputs = [_info(sign.names[k], sign.kinds[k], dtype, ("n",)) for k in sign.outputs]
    call = _call(sign, [sign.names[k] for k in sign.inputs], [sign.names[k] for k in sign.outputs])
    return helper.make_graph([call], sign.function, inputs, outputs, doc_string=step.doc or "")


def _call(sign: Signature, inputs: list[str], outputs: list[str]) -> Any:
    from onnx import helper

    return helper.make_node(sign.function, inputs, outputs, name="step", domain=MODEL_DOMAIN)


def _scan_graph(step: Step, sign: Signature, dtype: Dtype) -> Any:
    """The states made [n], then a Scan whose body is one call of the function."""
    from onnx import helper

    slots, ports, binds = sign.of("slot"), sign.of(*OVER_TIME), sign.of("bind")
    name = sign.names
    nodes, widths = [], []
    for key in (*slots, *ports, *binds):
        start = {"start": rank(key)} if key in ports else {}
        widths.append(f"{name[key]}.width")
        nodes.append(helper.make_node("Shape", [name[key]], [widths[-1]], **start))
    nodes.append(helper.make_node("Concat", widths, [".widths"], axis=0))
    nodes.append(helper.make_node("ReduceMax", [".widths"], [".n"], keepdims=1))
    nodes += [helper.make_node("Expand", [name[k], ".n"], [f"{name[k]}.first"]) for k in slots]

    row = {k: f"{name[k]}.row" for k in ports}
    last = [*sign.of("next"), *([FIRED] if FIRED in sign.kinds else []), *sign.of("output")]
    call = _call(sign, [f"{name[k]}.now" if k in slots else row.get(k, name[k]) for k in sign.inputs], [name[k] for k in last])
    copies: list[Any] = []
    observed: list[tuple[str, str, Kind]] = []
    if FIRED in sign.kinds:
        observed.append((name[FIRED], _apart("spikes", sign), "bool"))
    for key in sign.of("next", "output"):
        copies.append(helper.make_node("Identity", [name[key]], [f"{name[key]}.row"]))
        observed.append((f"{name[key]}.row", trace(key, sign), sign.kinds[key]))
    rows = [_info(row[k], sign.kinds[k], dtype, (None,) * rank(k)) for k in ports] or [_info("clock.row", "real", dtype, (None,))]
    body = helper.make_graph(
        [call, *copies],
        "one_step",
        [*(_info(f"{name[k]}.now", sign.kinds[k], dtype, ("n",)) for k in slots), *rows],
        [
            *(_info(name["next", k[1]], sign.kinds[k], dtype, ("n",)) for k in slots),
            *(_info(inner, kind, dtype, ("n",)) for inner, _, kind in observed),
        ],
    )  # fmt: skip
    over_time = [name[k] for k in ports] or [_apart("clock", sign)]
    ends = [final(name[k], sign) for k in slots]
    nodes.append(
        helper.make_node(
            "Scan",
            [*(f"{name[k]}.first" for k in slots), *over_time],
            [*ends, *(outer for _, outer, _ in observed)],
            name="steps",
            body=body,
            num_scan_inputs=len(over_time),
        )
    )
    inputs = [_info(name[k], sign.kinds[k], dtype, (None,)) for k in slots]
    inputs += [_info(name[k], sign.kinds[k], dtype, ("T", *(None,) * rank(k))) for k in ports] or [
        _info(over_time[0], "real", dtype, ("T", None))
    ]
    inputs += [_info(name[k], sign.kinds[k], dtype, (None,)) for k in binds]
    outputs = [_info(e, sign.kinds[k], dtype, ("n",)) for e, k in zip(ends, slots, strict=True)]
    outputs += [_info(outer, kind, dtype, ("T", "n")) for _, outer, kind in observed]
    return helper.make_graph(nodes, sign.function, inputs, outputs, doc_string=step.doc or "")
