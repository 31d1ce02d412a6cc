"""What ONNX cannot take, all of it at once, each with its place in the model."""

from __future__ import annotations

from birc.backends.onnx.signature import expressions
from birc.backends.onnx.table import takes
from birc.errors import Diagnostic
from birc.ir.expr import topo
from birc.ir.ops import LEAVES
from birc.ir.step import Integrate, Step


def refusals(step: Step) -> tuple[Diagnostic, ...]:
    """Every refusal, in the order of the program."""
    found: dict[str, Diagnostic] = {}
    for _, statement in step.statements():
        span = None if isinstance(statement, Integrate) else statement.span
        for e in (node for root in expressions(statement) for node in topo(root)):
            if e.op not in LEAVES and not takes(e.op):
                found.setdefault(e.op, Diagnostic("L311", f"the ONNX target has no `{e.op}`", span or step.span))
    return tuple(found.values())
