"""The order in which a step program's values cross between Python and the compiled kernel."""

from __future__ import annotations

from dataclasses import dataclass

from birc.backends.legality import expressions
from birc.ir.expr import leaves
from birc.ir.name_kinds import name_kinds
from birc.ir.ops import Kind
from birc.ir.step import Slot, Step, Table


@dataclass(frozen=True)
class Layout:
    """Names in order: what `Job.bind`, `Job.state`, … hold at which place. `kinds` knows every name of the program."""

    binds: tuple[str, ...]
    slots: tuple[Slot, ...]
    inputs: tuple[str, ...]
    events: tuple[str, ...]
    outputs: tuple[str, ...]
    noises: tuple[str, ...]
    kinds: dict[str, Kind]
    tables: tuple[Table, ...] = ()

    @property
    def recordable(self) -> tuple[str, ...]:
        """What can be recorded, in the order of `Job.record`."""
        return (*(slot.name for slot in self.slots), *self.outputs)


def layout(step: Step) -> Layout:
    """The layout of a program; bind values that no phase reads are left out."""
    used = {name for _, statement in step.statements() for e, _ in expressions(statement) for name in leaves(e, "value")}
    return Layout(
        tuple(define.name for define in step.bind if define.name in used),
        step.slots,
        tuple(port.name for port in step.inputs),
        tuple(port.name for port in step.events),
        tuple(port.name for port in step.outputs),
        tuple(noise.name for noise in step.noises),
        name_kinds(step),
        step.tables,
    )
