"""A step program as straight-line code, and a runner that calls such code once per step.

For targets that take events summed and draw no noise: every slot, bind value, input, sum of events and output is an array with one entry
per neuron, and the code is a list of assignments over these entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from birc.backends import Array, Job, Spikes
from birc.backends.names import identifiers
from birc.backends.text import Syntax, lines
from birc.ir.events import total
from birc.ir.expr import Expr
from birc.ir.step import Define, Deliver, Emit, Put, Step, Store


@dataclass(frozen=True)
class Table:
    """How a language writes each op (see `birc.backends.text.Syntax`) and a constant; `reserved` are the words that no name may be."""

    infix: Mapping[str, tuple[str, int]]
    prefix: Mapping[str, tuple[str, int]]
    call: Mapping[str, str]
    const: Callable[[float | int | bool], str]
    reserved: frozenset[str]

    @property
    def ops(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.infix, *self.prefix, *self.call))


@dataclass(frozen=True)
class Places:
    """How an entry of each family of arrays is written, `{}` being the number of the array in the program's own order."""

    slot: str = "slot[{}][k]"
    bind: str = "bind[{}][k]"
    input: str = "input[{}][k]"
    payload: str = "payload[{}][k]"
    output: str = "output[{}][k]"
    fired: str = "fired[k]"


def straight(step: Step, table: Table, places: Places) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Assignments of texts to new names, in order; then what is written at the end of the step: (place, name)."""
    slots = {slot.name: places.slot.format(i) for i, slot in enumerate(step.slots)}
    outputs = {port.name: places.output.format(i) for i, port in enumerate(step.outputs)}
    known = {("load", name): place for name, place in slots.items()}
    known |= {("value", define.name): places.bind.format(i) for i, define in enumerate(step.bind)}
    known |= {("read", port.name): places.input.format(i) for i, port in enumerate(step.inputs)}
    ports = {port.name: places.payload.format(i) for i, port in enumerate(step.events)}
    named, ends = [], []
    for _, statement in step.statements():
        match statement:
            case Deliver():
                known["value", statement.payload] = ports[statement.port]
            case Store(slot=name, value=e):
                ends.append((f"{name}.end", slots[name], e))
            case Put(output=name, value=e):
                ends.append((f"{name}.out", outputs[name], e))
            case Emit(fired=e):
                ends.append(("fired.end", places.fired, e))
            case _:
                pass
        named += list(_defines(statement))
    words = identifiers([*(name for name, _ in named), *(name for name, _, _ in ends)], table.reserved)

    def leaf(e: Expr) -> str:
        return known.get((e.op, str(e.attr))) or words[str(e.attr)]

    syntax = Syntax(table.infix, table.prefix, table.call, table.const, leaf)
    fresh = (f"t{i}" for i in count(1) if f"t{i}" not in words.values() and f"t{i}" not in table.reserved)
    all_of_it = [*((words[name], e) for name, e in named), *((words[name], e) for name, _, e in ends)]
    return [(line.name, line.text) for line in lines(all_of_it, syntax, fresh)], [(place, words[name]) for name, place, _ in ends]


def _defines(statement: object) -> Iterator[tuple[str, Expr]]:
    """The names that a statement makes, with what they stand for; of events that are summed the body runs once."""
    match statement:
        case Define(name=name, value=e):
            yield name, e
        case Deliver(body=body, carries=carries):
            yield from ((carry.name, carry.initial) for carry in carries)
            yield from ((define.name, define.value) for define in body)
            yield from ((carry.result, carry.next) for carry in carries)
        case _:
            pass


Arrays = Sequence[Array]
Advance = Callable[[int, Arrays, Arrays, Arrays, Arrays, Arrays, Array], object]
"""(n, slots, bind, inputs, payloads, outputs, fired): one step of n neurons; arrays of float64 [n], slots, outputs and fired written."""


class StepByStep:
    """See `birc.backends.Runner`: everything around one step."""

    def __init__(self, step: Step, advance: Advance) -> None:
        self.step, self.advance = step, advance

    def run(self, job: Job) -> Spikes:
        """Run a job; spikes are where `fired` is not 0."""
        step, n = self.step, job.n
        slots = {slot.name: job.state[slot.name].astype(np.float64) for slot in step.slots}
        bind = [_each(job.bind[define.name], n) for define in step.bind]
        outputs = {port.name: np.zeros(n) for port in step.outputs}
        fired = np.zeros((job.steps, n))
        row = 0
        for j in range(job.steps):
            inputs = [_each(job.inputs[p.name][min(j, len(job.inputs[p.name]) - 1)], n) for p in step.inputs]
            payloads = [_sum(job, port.name, j) for port in step.events]
            self.advance(n, list(slots.values()), bind, inputs, payloads, list(outputs.values()), fired[j])
            if job.record and (job.start + j + 1) % job.every == 0:
                for name, array in job.record.items():
                    array[row] = slots[name] if name in slots else outputs[name]
                row += 1
        for name, values in slots.items():
            job.state[name][:] = values
        k, neuron = np.nonzero(fired)
        return Spikes(neuron.astype(np.int32), job.start + k.astype(np.int64) + 1)


def _each(values: object, n: int) -> Array:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(values, np.float64), n))


def _sum(job: Job, port: str, j: int) -> Array:
    events = job.events[port]
    here = slice(events.offsets[j], events.offsets[j + 1])
    return total(events.index[here], events.payload[here], job.n, np.float64)
