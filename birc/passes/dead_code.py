"""Remove definitions that nothing stores, emits, delivers or records, and bind values that no phase reads; ports stay.

    %.half = …   (never read)              ->
"""

from __future__ import annotations

from dataclasses import replace

from birc.ir.expr import Expr, leaves
from birc.ir.step import Define, Lookup, Statement, Step, with_phases
from birc.passes.expressions import map_any


def run(step: Step) -> Step:
    """Keep what reaches an effect."""
    live: set[str] = set()
    bodies = {}
    for phase in reversed(step.phases):
        kept: list[Statement] = []
        for statement in reversed(phase.body):
            if isinstance(statement, Define) and statement.name not in live:
                continue
            if isinstance(statement, Lookup) and not live & set(statement.results):
                continue
            live |= _reads(statement)
            kept.append(statement)
        bodies[phase.name] = tuple(reversed(kept))
    live |= {name for s in step.slots for name in (s.init, s.low, s.high) if isinstance(name, str)}
    live |= {name for t in step.tables for name in (t.low, t.high) if isinstance(name, str)}
    live |= {name for t in step.tables for f in t.functions for name in leaves(f, "value")}
    bind: list[Define] = []
    for define in reversed(step.bind):
        if define.name in live:
            live |= _reads(define)
            bind.append(define)
    changed = with_phases(step, bodies)
    kept_bind = tuple(reversed(bind))
    return changed if len(kept_bind) == len(step.bind) else replace(changed, bind=kept_bind)


def _reads(statement: Statement) -> set[str]:
    found: set[str] = set()

    def look(e: Expr) -> Expr:
        found.update(leaves(e, "value"))
        return e

    map_any(statement, look)
    return found
