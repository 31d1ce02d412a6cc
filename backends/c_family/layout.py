"""The order in which a step program's values cross between Python and the compiled kernel."""

from __future__ import annotations

from dataclasses import dataclass

from birc.backends.legality import expressions
from birc.ir.expr import Expr, leaves
from birc.ir.ops import Kind, kinds
from birc.ir.step import Define, Deliver, Lookup, Slot, Step, Table


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
        _kinds(step),
        step.tables,
    )


def _kinds(step: Step) -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    slots = {slot.name: slot.kind for slot in step.slots}

    def kind(e: Expr) -> Kind:
        return kinds(
            (e,), lambda leaf: slots[str(leaf.attr)] if leaf.op == "load" else found[str(leaf.attr)] if leaf.op == "value" else "real"
        )[e]

    for define in step.bind:
        found[define.name] = kind(define.value)
    for _, statement in step.statements():
        match statement:
            case Define():
                found[statement.name] = kind(statement.value)
            case Lookup():
                found |= dict.fromkeys(statement.results, "real")
            case Deliver():
                found[statement.payload] = "real"
                for carry in statement.carries:
                    found[carry.name] = found[carry.result] = kind(carry.initial)
                for define in statement.body:
                    found[define.name] = kind(define.value)
            case _:
                pass
    return found
