"""Change the expressions of a step program's statements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from birc.ir.expr import Expr
from birc.ir.step import Define, Emit, Phase, Put, Statement, Step, Store


def change_statements(step: Step, change: Callable[[Expr], Expr]) -> Step:
    """The program with each expression changed; the same object where none was. Bodies of deliveries stay as they are."""
    phases = tuple(Phase(phase.name, tuple(_changed(statement, change) for statement in phase.body)) for phase in step.phases)
    return step if phases == step.phases else replace(step, phases=phases)


def _changed(statement: Statement, change: Callable[[Expr], Expr]) -> Statement:
    match statement:
        case Define(value=root) | Store(value=root) | Put(value=root):
            new = change(root)
            return statement if new is root else replace(statement, value=new)
        case Emit(fired=root):
            new = change(root)
            return statement if new is root else replace(statement, fired=new)
        case _:
            return statement
