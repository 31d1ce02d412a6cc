"""Events as inputs: a port's sum, or one event at most, is a number that is read at every step, 0 where there is none.

    deliver syn(%w) summing { … }          ->  %w = read syn; …
    deliver syn(%w) { carry … }            ->  %w = read syn; %x.1 = select (ne %w, 0.0), …, …

The form that layers, derivatives and kernels over arrays of events take. A port whose events act one by one then takes one a step, and
none with the payload 0.
"""

from __future__ import annotations

from dataclasses import replace

from birc.ir.expr import Expr, const, make, op, substitute, value
from birc.ir.step import Define, Deliver, PhaseName, Statement, Step, with_phases


def run(step: Step) -> Step:
    """The program without deliveries; the same object where it has none."""
    if not step.events:
        return step
    bodies: dict[PhaseName, tuple[Statement, ...]] = {
        phase.name: tuple(new for s in phase.body for new in (_plain(s) if isinstance(s, Deliver) else (s,))) for phase in step.phases
    }
    return replace(with_phases(step, bodies), inputs=(*step.inputs, *step.events), events=())


def _plain(d: Deliver) -> list[Define]:
    """A delivery as definitions; names inside a loop become expressions."""
    payload = Define(d.payload, make("read", (), d.port), d.span)
    if d.summing:
        return [payload, *d.body]
    inner: dict[Expr, Expr] = {value(c.name): c.initial for c in d.carries}
    for define in d.body:
        inner[value(define.name)] = substitute(define.value, inner)
    there = op("ne", value(d.payload), const(0.0))
    results = [Define(c.result, op("select", there, substitute(c.next, inner), c.initial), d.span) for c in d.carries]
    return [payload, *results]
