"""The derivative of a step, in reverse: a step program of its own, which runs from the last stamp to the first.

    %0 = mul %P, %v                        ->  %v.bar = mul %0.bar, %P
    store v, %0                            ->  %0.bar = load v.bar; store v.bar, %v.bar

It has the slots and inputs of the program, which hold what they held in the step from k to k+1 (nothing stores them), and beside each
slot `s` its adjoint `s.bar`: dL/ds at stamp k+1 when the step begins, at stamp k when it ends. It reads `spike.bar`, dL/dz of the spikes
of stamp k+1, and `o.bar` of each output o; it puts `i.bar` of each input i, and adds up `b.bar` of each bind value b that it is asked
for. Phases before `adjoint` compute what the forward step computed, as far as it is needed.

The spike is a step function of its margin, whose derivative is the surrogate's; by the surrogate's slope, if that is asked for, it is
that of the surrogate's antiderivative. A choice (`select`, `min`, `max`) passes the derivative of what it takes; truths and counts, such
as the mask of a `hold`, have none. The reset is a choice too: unless `detach_reset`, moving the threshold also moves the state, by the
jump between its values.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace

from birc.errors import BircError
from birc.ir.adjoint import BAR, JUMP, MARGIN, SLOPE, SPIKE, UNIT, argument
from birc.ir.derivative import backwards
from birc.ir.expr import Expr, const, leaves, make, op, substitute, topo, value
from birc.ir.linear import ZERO, add
from birc.ir.spike import fired, is_real, leaf_kinds, margin
from birc.ir.step import Define, Emit, Lookup, PhaseName, Port, Put, Slot, Statement, Step, Store, with_phases
from birc.ir.surrogates import TABLE, Surrogate, X
from birc.passes import dead_code, dense_events, fold_step, share_common
from birc.units import NONE, Unit, internal_unit, over

PARAM = "param."
DEFAULT = TABLE["fast_sigmoid"]


def run(step: Step, surrogate: Surrogate = DEFAULT, detach_reset: bool = True, wanted: Container[str] | None = None) -> Step:
    """The adjoint of a program without open integrations; `wanted` bind values get a derivative (all of the program that are real, by
    default). The surrogate's slope, which is not of the program, is wanted by name: `argument(surrogate.slope)`.

    Raises L140 for a program with tables, whose pieces have no derivative.
    """
    table = next((s for _, s in step.statements() if isinstance(s, Lookup)), None)
    if table is not None:
        message = f"`{step.name}` looks functions up in tables, which have no derivative"
        raise BircError("L140", message, table.span, "compile without tables")
    return _Adjoint(dense_events.run(step), surrogate, detach_reset, wanted).program()


@dataclass
class _Adjoint:
    """The program being made; `bars` holds what has been gathered of each leaf or name so far."""

    step: Step
    surrogate: Surrogate
    detach_reset: bool
    wanted: Container[str] | None
    bars: dict[Expr, Expr] = field(default_factory=dict)
    body: list[Statement] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kinds = leaf_kinds(self.step)
        self.condition = fired(self.step)
        self.margin = margin(self.step, self.condition) if self.condition is not None else None
        read = frozenset[str]().union(*(leaves(e, "value") for e in _expressions(self.step)))
        self.bound = [
            d.name
            for d in self.step.bind
            if d.name in read and self.kinds[d.name] == "real" and (self.wanted is None or d.name in self.wanted)
        ]
        slope = self.surrogate.slope
        self.slope = argument(slope) if slope and self.margin is not None and argument(slope) in (self.wanted or ()) else None
        self.bound += [self.slope] if self.slope else []
        self.moving = self._moving()

    def _moving(self) -> set[Expr]:
        """The leaves and names through which a derivative passes."""
        found = {value(name) for name in self.bound}
        found |= {make("read", (), port.name) for port in self.step.inputs}
        found |= {make("load", (), slot.name) for slot in self.step.slots if slot.kind == "real"}
        for _, s in self.step.statements():
            if isinstance(s, Define) and self.kinds[s.name] == "real" and not found.isdisjoint(topo(s.value)):
                found.add(value(s.name))
        return found

    def program(self) -> Step:
        """All of it."""
        stored = {s.slot for _, s in self.step.statements() if isinstance(s, Store)}
        for slot in self._real_slots():
            if slot.name not in stored:
                self._gather(make("load", (), slot.name), make("load", (), slot.name + BAR))
        for phase in reversed(self.step.phases):
            for statement in reversed(phase.body):
                self._back(statement)
        ends: list[Statement] = []
        for slot in self._real_slots():
            ends.append(Store(slot.name + BAR, self.bars.get(make("load", (), slot.name), const(0.0)), slot.span))
        for name in self.bound:
            before = make("load", (), name + BAR)
            ends.append(Store(name + BAR, add(before, self.bars.get(value(name), ZERO))))
        puts = [Put(p.name + BAR, self.bars.get(make("read", (), p.name), const(0.0)), p.span) for p in self.step.inputs]
        return self._assembled((*self.body, *ends), tuple(puts))

    def _real_slots(self) -> list[Slot]:
        return [slot for slot in self.step.slots if slot.kind == "real"]

    def _back(self, s: Statement) -> None:
        """One statement, seen from behind."""
        match s:
            case Store(slot, e) if f"load {slot}" in self.kinds and self.kinds[f"load {slot}"] == "real":
                self._pull(e, make("load", (), slot + BAR))
            case Put(output, e):
                self._pull(e, make("read", (), output + BAR))
            case Emit(e) if not (e.op == "value" and e.attr in self.kinds):
                self._spike()
            case Define(name, e):
                if self.condition is value(name):
                    self._spike()
                bar = self.bars.get(value(name))
                if bar is not None and value(name) in self.moving:
                    self._pull(e, self._named(name + BAR, bar, s))
            case _:
                pass

    def _named(self, name: str, e: Expr, s: Define) -> Expr:
        if not e.args:
            return e
        self.body.append(Define(name, e, s.span))
        return value(name)

    def _spike(self) -> None:
        """Through the surrogate to the margin."""
        if self.margin is None or self.condition is None:
            return
        jump = self.bars.get(self.condition, ZERO)
        if jump is not ZERO:
            self.body.append(Define(JUMP, jump))
            jump = value(JUMP)
        up = add(make("read", (), SPIKE), jump)
        x = op("mul", op("mul", value(SLOPE), value(UNIT)), self.margin)
        names = {X: x} | {value(name): value(argument(name)) for name in self.surrogate.arguments}
        if self.slope and self.surrogate.by_slope is not None:
            by_slope = substitute(self.surrogate.by_slope, names)
            self._gather(value(self.slope), op("div", op("mul", up, by_slope), value(SLOPE)))
        self._pull(self.margin, op("mul", op("mul", up, substitute(self.surrogate.derivative, names)), value(UNIT)))

    def _gather(self, leaf: Expr, bar: Expr) -> None:
        self.bars[leaf] = add(self.bars[leaf], bar) if leaf in self.bars else bar

    def _pull(self, root: Expr, bar: Expr) -> None:
        """Carry the adjoint of an expression to the names and leaves below it."""
        for node, part in backwards(root, bar, self.moving):
            if not node.args:
                self._gather(node, part)
            elif node.op == "select" and node.args[0] is self.condition and not self.detach_reset and is_real(node.args[1], self.kinds):
                self._jump(node, part)

    def _jump(self, choice: Expr, bar: Expr) -> None:
        """What the reset gives to the spike: nothing where the jump is not finite."""
        condition, after, before = choice.args
        jump = op("sub", after, before)
        finite = op("lt", op("abs", jump), const(float("inf")))
        self._gather(condition, op("select", finite, op("mul", bar, jump), const(0.0)))

    def _assembled(self, body: tuple[Statement, ...], puts: tuple[Statement, ...]) -> Step:
        step = self.step
        spiking = self.margin is not None
        shown = (Put(MARGIN, self.margin),) if self.surrogate.open and self.margin is not None else ()
        forward: dict[PhaseName, tuple[Statement, ...]] = {
            phase.name: tuple(s for s in phase.body if isinstance(s, Define)) for phase in step.phases
        }
        zero = "adjoint.zero"
        slots = [Slot(slot.name + BAR, "real", _inverse(slot.unit), zero, span=slot.span) for slot in self._real_slots()]
        sums = [Slot(name + BAR, "real", internal_unit(NONE), zero) for name in self.bound]
        bind = [*step.bind, Define(zero, const(0.0))]
        if spiking:
            arguments = self.surrogate.arguments.items()
            bind += [Define(argument(name), const(default)) for name, default in arguments]
            bind += [Define(SLOPE, const(1.0)), Define(UNIT, const(1.0))]
        program = replace(
            step,
            name=f"{step.name}.adjoint",
            slots=(*step.slots, *slots, *sums),
            inputs=(
                *step.inputs,
                *((Port(SPIKE, internal_unit(NONE)),) if spiking else ()),
                *(Port(o.name + BAR, _inverse(o.unit), o.span) for o in step.outputs),
            ),
            outputs=(
                *(Port(p.name + BAR, _inverse(p.unit), p.span) for p in step.inputs),
                *((Port(MARGIN, internal_unit(NONE)),) if shown else ()),
            ),
            bind=tuple(bind),
            doc=None,
            model=None,
        )
        program = with_phases(program, {**forward, "adjoint": body, "record": (*puts, *shown)})
        return dead_code.run(share_common.run(fold_step.run(program)))


def _inverse(unit: Unit) -> Unit:
    return internal_unit(over(NONE, unit.dimension))


def _expressions(step: Step) -> Iterable[Expr]:
    for _, s in step.statements():
        match s:
            case Define() | Store() | Put():
                yield s.value
            case Emit():
                yield s.fired
            case _:
                pass


def bind_adjoint(step: Step, wanted: Iterable[str]) -> tuple[Define, ...]:
    """From bind values to parameters: `%param.NAME.bar` from `%b.bar` of the `wanted` bind values, in terms of bind values and parameters.

    Raises ValueError where a parameter goes into an operation without a derivative (a noise's factor).
    """
    wanted = set(wanted)
    bars: dict[Expr, Expr] = {value(name): value(name + BAR) for name in wanted}
    moving: set[Expr] = {make("param", (), p.name) for p in step.params}
    for d in step.bind:
        if not moving.isdisjoint(topo(d.value)):
            moving.add(value(d.name))
    out: list[Define] = []
    for d in reversed(step.bind):
        bar = bars.get(value(d.name))
        if bar is None or value(d.name) not in moving:
            continue
        total = f"{d.name}.total"
        out.append(Define(total, bar))
        for node, part in backwards(d.value, value(total), moving):
            if not node.args:
                bars[node] = add(bars[node], part) if node in bars else part
    out += [Define(PARAM + p.name + BAR, bars.get(make("param", (), p.name), ZERO)) for p in step.params]
    return tuple(out)

