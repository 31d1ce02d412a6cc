"""What ONNX cannot take, all of it at once, each with its place in the model."""

from __future__ import annotations

from birc.backends.onnx.body import expressions
from birc.backends.onnx.table import takes
from birc.errors import Diagnostic, Span
from birc.ir.expr import topo
from birc.ir.ops import LEAVES
from birc.ir.step import Deliver, Step


def refusals(step: Step) -> tuple[Diagnostic, ...]:
    """Every refusal, in the order of the program."""
    found: dict[tuple[str, str], Diagnostic] = {}
    for _, statement in step.statements():
        span: Span | None = getattr(statement, "span", None) or step.span
        if isinstance(statement, Deliver) and not statement.summing:
            message = f"the ONNX target sums the events of a port; those of `{statement.port}` act one by one"
            found["port", statement.port] = Diagnostic("L302", message, span, "`x += c * w`, with c of parameters, sums; numpy and native take any handler")
        for e in (node for root in expressions(statement) for node in topo(root)):
            if e.op not in LEAVES and not takes(e.op):
                found.setdefault(("op", e.op), Diagnostic("L301", f"the ONNX target has no `{e.op}`", span))
    return tuple(found.values())
