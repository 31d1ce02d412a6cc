"""A step program as one ONNX function, `birc.model::<name>`: a node for each op, in the order of the phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from birc.backends import Dtype
from birc.backends.names import identifiers
from birc.backends.onnx.signature import FIRED, Key, Signature, kind_of
from birc.backends.onnx.table import FUNCTIONS, FUNCTIONS_DOMAIN, MODEL_DOMAIN, NODES, OPSET, SELECTS
from birc.errors import Span
from birc.ir.expr import Expr, topo
from birc.ir.ops import OPS, Kind
from birc.ir.step import Define, Deliver, Emit, Put, Statement, Step, Store


@dataclass
class Body:
    """The function under construction: nodes, the tensor of each expression and name so far, and the functions it calls."""

    signature: Signature
    dtype: Dtype
    nodes: list[Any] = field(default_factory=list)
    tensors: dict[Expr, str] = field(default_factory=dict)
    values: dict[str, tuple[str, Kind, bool]] = field(default_factory=dict)
    """Of each name: its tensor, its kind, and whether it has an entry per neuron for certain."""
    facts: dict[Expr, tuple[Kind, bool]] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    repeats: dict[str, int] = field(default_factory=dict)
    casts: dict[str, str] = field(default_factory=dict)

    def fresh(self, wanted: str) -> str:
        """A tensor name like the wanted one, numbered where that is taken."""
        base = name = identifiers((wanted,), frozenset())[wanted]
        while name in self.taken:
            self.repeats[base] = self.repeats.get(base, 1) + 1
            name = f"{base}_{self.repeats[base]}"
        self.taken.add(name)
        return name

    def node(self, op: str, inputs: list[str], output: str, domain: str = "", span: Span | None = None, **attributes: Any) -> str:
        """Append a node."""
        from onnx import helper

        doc = span.where if span is not None else None
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, domain=domain, doc_string=doc, **attributes))
        return output

    def define(self, name: str, e: Expr, span: Span | None) -> None:
        """`%name = e`: the last op's tensor gets the name."""
        tensor = self.expression(e, name, span)
        self.values[name] = (tensor, *self.facts[e])

    def expression(self, root: Expr, name: str, span: Span | None) -> str:
        """The tensor of an expression; shared parts are computed once."""
        for e in topo(root):
            if e not in self.tensors:
                self.tensors[e] = self._one(e, name if e is root else "t", span)
        return self.tensors[root]

    def _one(self, e: Expr, name: str, span: Span | None) -> str:
        key = self._leaf(e)
        if key is not None:
            self.facts[e] = (self.signature.kinds[key], key[0] == "slot")
            return self.signature.names[key]
        if e.op == "value":
            tensor, kind, wide = self.values[str(e.attr)]
            self.facts[e] = (kind, wide)
            return tensor
        args = [self.facts[a] for a in e.args]
        kind = kind_of(e, tuple(k for k, _ in args))
        self.facts[e] = (kind, any(wide for _, wide in args))
        if e.op == "const":
            return self._constant(e, kind)
        inputs = self._alike(e, kind)
        output = self.fresh(name)
        if e.op == "select":
            return self._select(kind, inputs, output, span, any(wide for _, wide in args[1:]))
        if e.op in FUNCTIONS:
            return self._call(e.op, inputs, output, span)
        return self.node(NODES[e.op], inputs, output, "", span)

    def _leaf(self, e: Expr) -> Key | None:
        """The input that a leaf stands for."""
        group = {"load": "slot", "read": "input", "normal": "normal"}.get(e.op)
        if group is not None:
            return group, str(e.attr)
        return ("bind", str(e.attr)) if e.op == "value" and ("bind", str(e.attr)) in self.signature.kinds else None

    def _call(self, function: str, inputs: list[str], output: str, span: Span | None) -> str:
        self.called.add(function)
        return self.node(function, inputs, output, FUNCTIONS_DOMAIN, span)

    def _select(self, kind: Kind, inputs: list[str], output: str, span: Span | None, wide: bool = True) -> str:
        """One of two values, `wide` if either has an entry per neuron for certain."""
        if kind == "bool" or (kind in SELECTS and wide):
            return self._call(SELECTS[kind], inputs, output, span)
        return self.node(NODES["select"], inputs, output, "", span)

    def _constant(self, e: Expr, kind: Kind) -> str:
        from onnx import helper

        literal = "".join(c if c.isalnum() else {"-": "minus_", ".": "_"}.get(c, "") for c in repr(e.attr).lower())
        value = helper.make_tensor("value", element(kind, self.dtype), (), [e.attr])
        return self.node("Constant", [], self.fresh(f"c_{literal}"), value=value)

    def _alike(self, e: Expr, kind: Kind) -> list[str]:
        """The arguments' tensors, counts made real where they stand beside reals or in an op of reals."""
        row = OPS[e.op]
        kinds = [self.facts[a][0] for a in e.args]
        numbers = {k for k in kinds if k != "bool"}
        mixed = "int" in numbers and ("real" in numbers or (row.kind == "real" and row.unit != "logic"))
        return [
            self._real(self.tensors[a]) if mixed and k == "int" else self.tensors[a] for a, k in zip(e.args, kinds, strict=True)
        ]  # fmt: skip

    def _real(self, tensor: str) -> str:
        if tensor not in self.casts:
            self.casts[tensor] = self.node("Cast", [tensor], self.fresh(f"{tensor}_real"), to=element("real", self.dtype))
        return self.casts[tensor]

    def output(self, key: Key, e: Expr, span: Span | None) -> None:
        """An output of the function, of one entry per neuron."""
        tensor = self.expression(e, self.signature.names[key] + "_value", span)
        kind, wide = self.facts[e]
        if kind == "int" and self.signature.kinds[key] == "real":
            tensor = self._real(tensor)
        name = self.signature.names[key]
        if wide or not self.widen(tensor, name, span):
            self.node("Identity", [tensor], name, "", span)

    def widen(self, tensor: str, name: str, span: Span | None) -> bool:
        """`name` is the tensor with an entry per neuron; False where nothing tells how many there are."""
        like = next(iter(self.signature.of("slot", "input", "sum", "normal")), None)
        if like is None:
            return False
        shape = self.node("Shape", [self.signature.names[like]], self.fresh("shape"))
        self.node("Expand", [tensor, shape], name, "", span)
        return True

    def rounds(self, deliver: Deliver) -> None:
        """A Scan over the rounds of a port, with the carries as its state; who is not in a round keeps them."""
        from onnx import helper

        inner = replace(
            self, nodes=[], tensors=dict(self.tensors), values=dict(self.values), facts=dict(self.facts), casts=dict(self.casts)
        )
        payload, present = (self.signature.names[group, deliver.port] for group in ("round", "present"))
        row, who = self.fresh(f"{payload}_row"), self.fresh(f"{present}_row")
        inner.values[deliver.payload] = (row, "real", True)
        first, before = [], []
        for carry in deliver.carries:
            tensor = self.expression(carry.initial, carry.name, deliver.span)
            kind, wide = self.facts[carry.initial]
            name = self.fresh(f"{carry.name}_first")
            if wide or not self.widen(tensor, name, None):
                self.node("Identity", [tensor], name)
            first.append(name)
            before.append(self.fresh(carry.name))
            inner.values[carry.name] = (before[-1], kind, True)
        for define in deliver.body:
            inner.define(define.name, define.value, define.span)
        after, types = [], []
        for carry, old in zip(deliver.carries, before, strict=True):
            kind = inner.values[carry.name][1]
            new = inner.expression(carry.next, f"{carry.name}_new", deliver.span)
            after.append(self.fresh(f"{carry.name}_kept"))
            inner._select(kind, [who, new, old], after[-1], deliver.span)
            types.append(element(kind, self.dtype))
            self.values[carry.result] = (self.fresh(carry.result), kind, True)
        if not deliver.carries:
            return
        entries = [*zip(before, types, strict=True), (row, element("real", self.dtype)), (who, element("bool", self.dtype))]
        body = helper.make_graph(
            inner.nodes,
            "one_round",
            [helper.make_tensor_value_info(name, kind, (None,)) for name, kind in entries],
            [helper.make_tensor_value_info(name, kind, (None,)) for name, kind in zip(after, types, strict=True)],
        )
        results = [self.values[carry.result][0] for carry in deliver.carries]
        doc = deliver.span.where if deliver.span else None
        self.nodes.append(
            helper.make_node("Scan", [*first, payload, present], results, name=results[0], doc_string=doc, body=body, num_scan_inputs=2)
        )

    def statement(self, statement: Statement) -> None:
        """One statement of a phase; what leaves the function waits for the end."""
        match statement:
            case Define(name, e, span):
                self.define(name, e, span)
            case Deliver(summing=True):
                self.values[statement.payload] = (self.signature.names["sum", statement.port], "real", False)
                for define in statement.body:
                    self.define(define.name, define.value, define.span)
            case Deliver():
                self.rounds(statement)
            case Store(slot, e, span):
                self.output(("next", slot), e, span)
            case Put(output, e, span):
                self.output(("output", output), e, span)
            case Emit(fired, span):
                self.output(FIRED, fired, span)
            case _:
                raise TypeError(f"{type(statement).__name__} was to be refused")


def element(kind: Kind, dtype: Dtype) -> int:
    """The ONNX element type of a kind."""
    from onnx import TensorProto

    reals = {"f64": TensorProto.DOUBLE, "f32": TensorProto.FLOAT}
    return int({"int": TensorProto.INT32, "bool": TensorProto.BOOL}.get(kind, reals[dtype]))


def without_copies(nodes: list[Any], outputs: set[str]) -> list[Any]:
    """The nodes, where what an output only copies is made under that output's name; what is copied twice or comes in stays."""
    made = {name for node in nodes for name in node.output} - outputs
    new: dict[str, str] = {}
    for node in nodes:
        if node.op_type == "Identity" and node.output[0] in outputs and node.input[0] in made:
            new.setdefault(node.input[0], node.output[0])
    kept = [node for node in nodes if node.op_type != "Identity" or new.get(node.input[0]) != node.output[0]]
    for node in kept:
        _rename(node, new)
    return kept


def _rename(node: Any, new: Mapping[str, str]) -> None:
    node.name = new.get(node.name, node.name)
    for names in (node.input, node.output):
        names[:] = [new.get(name, name) for name in names]
    for attribute in node.attribute:
        for inner in attribute.g.node:
            _rename(inner, new)


def function(step: Step, sign: Signature, dtype: Dtype) -> tuple[Any, set[str]]:
    """The function proto of a step program, and the functions of the domain `birc` it calls."""
    from onnx import helper

    body = Body(sign, dtype, taken=set(sign.names.values()))
    stored = set()
    for _, statement in step.statements():
        body.statement(statement)
        if isinstance(statement, Store):
            stored.add(statement.slot)
    for slot in step.slots:
        if slot.name not in stored:
            body.node("Identity", [sign.names["slot", slot.name]], sign.names["next", slot.name])
    nodes = without_copies(body.nodes, {sign.names[k] for k in sign.outputs})
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUNCTIONS_DOMAIN, 1)]
    proto = helper.make_function(
        MODEL_DOMAIN,
        sign.function,
        [sign.names[k] for k in sign.inputs],
        [sign.names[k] for k in sign.outputs],
        nodes,
        imports,
        doc_string=step.doc or "",
    )
    return proto, body.called
