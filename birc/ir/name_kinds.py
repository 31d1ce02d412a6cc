"""The kind of every name of a step program."""

from __future__ import annotations

from birc.ir.expr import Expr
from birc.ir.ops import Kind, kinds
from birc.ir.step import Define, Deliver, Lookup, Step


def name_kinds(step: Step) -> dict[str, Kind]:
    """By name: of bind values, definitions, results of lookups, payloads and what deliveries carry."""
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
