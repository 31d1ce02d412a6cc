"""What the Keras target can take: the tables of `ops`, and which parameters can be learned."""

from __future__ import annotations

from birc.backends.keras.ops import BIND_CALL, INFIX, MATRIX, PREFIX, STEP_CALL
from birc.backends.keras.program import roots
from birc.backends.keras.tables import fixed
from birc.errors import Diagnostic, Span
from birc.ir.expr import Expr, topo
from birc.ir.step import Define, Deliver, Put, Step, Store

STEP_OPS = frozenset(("const", "value", "load", "read", "normal", *INFIX, *PREFIX, *STEP_CALL))
BIND_OPS = frozenset(("const", "value", "param", "step_size", *INFIX, *PREFIX, *BIND_CALL, *MATRIX))


def refusals(step: Step) -> tuple[Diagnostic, ...]:
    """Everything in the way, each thing once."""
    found: dict[tuple[str, str], Diagnostic] = {}
    places: list[tuple[Expr, Span | None, frozenset[str], str]] = [(d.value, d.span, BIND_OPS, "in a constant") for d in step.bind]
    for phase in step.phases:
        spans = {e: s.span for s in phase.body if isinstance(s, (Define, Store, Put)) for e in (s.value,)}
        spans |= {d.value: d.span for s in phase.body if isinstance(s, Deliver) for d in s.body}
        places += [(root, spans.get(root), STEP_OPS, "in a step") for root in roots(phase)]
    for root, span, legal, where in places:
        for e in topo(root):
            if e.op not in legal:
                found.setdefault((e.op, where), Diagnostic("L301", f"the Keras target has no `{e.op}` {where}", span or step.span))
    reasons = fixed(step)
    for p in step.params:
        if p.learn and p.name in reasons:
            help = f"write it without `learn`; {reasons[p.name]}, which has no derivative"
            found["learn", p.name] = Diagnostic("L302", f"parameter `{p.name}` cannot be learned: {reasons[p.name]}", p.span, help)
    return tuple(found.values())
