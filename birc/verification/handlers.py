"""The statement of a handler at fault: the handler is cut short behind each of its statements in turn, and run again."""

from __future__ import annotations

from dataclasses import replace

from birc.backends import Backend
from birc.ir.expr import value
from birc.ir.step import Deliver, Phase, Step
from birc.verification.culprit import Culprit, Row, culprit
from birc.verification.expose import expose
from birc.verification.oracle import Oracle
from birc.verification.watch import Watch, watch


def statement_at_fault(step: Step, backend: Backend, row: Row, deliver: Deliver, found: Culprit, allowed: float) -> Culprit:
    """The same fault, told of the first statement that shows it."""
    for length in range(1, len(deliver.body)):
        short = _with(step, deliver, _cut(deliver, length))
        target = watch(short, backend, row.dtype)
        exposed, points = expose(short)
        right = Watch(Oracle(exposed, "f64"), exposed, points, "f64").run(row.trial, row.stimulus)
        again = culprit(replace(row, points=points, seen=target.run(row.trial, row.stimulus), right=right), allowed)
        if again is not None:
            return again[0]
    return found


def _cut(deliver: Deliver, length: int) -> Deliver:
    """The handler's first statements alone."""
    body = deliver.body[:length]
    latest = {_variable(c.name): c.name for c in deliver.carries} | {_variable(d.name): d.name for d in body}
    return replace(deliver, body=body, carries=tuple(replace(c, next=value(latest[_variable(c.name)])) for c in deliver.carries))


def _variable(name: str) -> str:
    """`v` of `v.3`."""
    return name.rpartition(".")[0]


def _with(step: Step, old: Deliver, new: Deliver) -> Step:
    return replace(step, phases=tuple(Phase(p.name, tuple(new if s is old else s for s in p.body)) for p in step.phases))
