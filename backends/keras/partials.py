"""How a step depends on the state before it and on one port: the partial derivatives of which eligibility traces are made, as a module.

v' = P v + Q I, fired where v' >= v_th     ->  d v'/d v = select(fired, 0, P)    d margin/d v = P
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from birc.backends.keras.emit import environment
from birc.backends.keras.ops import HELPERS, quoted, step_syntax
from birc.backends.text import lines
from birc.ir.derivative import derivative
from birc.ir.expr import Expr, leaves, make, substitute, topo, value
from birc.ir.linear import ZERO
from birc.ir.spike import fired, margin
from birc.ir.step import Define, Step, Store


def emit_partials(step: Step, port: str, names: Mapping[str, str]) -> str:
    """The text of a module with one function `partials`; `names` are the identifiers of bind values.

    step: a program without deliveries, whose event ports are inputs. A choice passes the derivative of what it takes: that of the reset is
    detached. Raises ValueError for a program whose spikes come of no comparison of numbers.
    """
    whole, stored = _written_out(step)
    condition = fired(step)
    beyond = margin(step, condition) if condition is not None else None
    if beyond is None:
        raise ValueError(f"the spikes of `{step.name}` come of no comparison of numbers, so that nothing leads up to them")
    beyond = whole(beyond)
    real = [slot.name for slot in step.slots if slot.kind == "real"]
    loads = {name: make("load", (), name) for name in real}
    x = make("read", (), port)
    after = {name: stored.get(name, loads[name]) for name in real}
    tables: dict[str, dict[str, Expr]] = {
        "by_state": {_pair(a, b): derivative(after[a], loads[b]) for a in real for b in real},
        "by_port": {quoted(a): derivative(after[a], x) for a in real},
        "margin_by_state": {quoted(b): derivative(beyond, loads[b]) for b in real},
    }
    found: dict[str, Expr] = {"margin": beyond, "margin_by_port": derivative(beyond, x)}
    written: dict[str, str] = {}
    for table, entries in tables.items():
        kept = {key: e for key, e in entries.items() if e is not ZERO}
        found |= {f"{table}_{i}": e for i, e in enumerate(kept.values())}
        written[table] = "{" + ", ".join(f"{key}: {table}_{i}" for i, key in enumerate(kept)) + "}"
    read = sorted(frozenset[str]().union(*(leaves(e, "value") for e in found.values())))
    taken = {*names.values(), *found}
    fresh: Iterator[str] = (t for i in count() if (t := f"t{i}") not in taken)
    return (
        environment()
        .get_template("partials.py.j2")
        .render(
            title=step.name,
            port=port,
            real=real,
            helpers=[h for h in HELPERS if any(node.op == h for e in found.values() for node in topo(e))],
            bind=[names[name] for name in read],
            body=[f"{line.name} = {line.text}" for line in lines(found.items(), step_syntax(names), fresh)],
            written=written,
        )
    )


def _pair(a: str, b: str) -> str:
    return f"({quoted(a)}, {quoted(b)})"


def _written_out(step: Step) -> tuple[_Whole, dict[str, Expr]]:
    """What writes an expression of the step in terms of the state, inputs and bind values alone; and so the slots that are stored."""
    whole = _Whole()
    stored = {}
    for _, statement in step.statements():
        match statement:
            case Define(name, e):
                whole.known[value(name)] = whole(e)
            case Store(slot, e):
                stored[slot] = whole(e)
            case _:
                pass
    return whole, stored


class _Whole:
    """Names so far, written out."""

    def __init__(self) -> None:
        self.known: dict[Expr, Expr] = {}

    def __call__(self, e: Expr) -> Expr:
        return substitute(e, self.known)
