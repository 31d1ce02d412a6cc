"""What the Keras target can take: the table of its ops, and which parameters can be learned."""

from __future__ import annotations

from birc.backends import Dtype
from birc.backends.keras.ops import BIND_CALL, INFIX, MATRIX, PREFIX, REST, STEP_CALL
from birc.backends.keras.tables import fixed
from birc.backends.legality import Takes
from birc.backends.legality import refusals as beyond
from birc.errors import Diagnostic
from birc.ir.step import Step

TAKES = Takes("Keras", ops=frozenset((*INFIX, *PREFIX, *STEP_CALL)), bind_ops=frozenset((*INFIX, *PREFIX, *BIND_CALL, *MATRIX, REST)))


def refusals(step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
    """Everything in the way, each thing once."""
    reasons = fixed(step)
    unlearned = [
        Diagnostic("L302", f"Keras cannot learn `{p.name}`: {reasons[p.name]}", p.span, "declare it without `learn`")
        for p in step.params
        if p.learn and p.name in reasons
    ]
    return (*beyond(step, dtype, TAKES), *unlearned)
