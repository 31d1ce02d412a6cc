"""Invariants of level 2: each a function named as the sentence that holds; it yields what breaks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from birc.ir.check_expr import breaches
from birc.ir.expr import Expr, leaves, topo, value
from birc.ir.infer import BOOL, REAL, Type
from birc.ir.ops import OPS
from birc.ir.step import PHASES, Define, Deliver, Emit, Integrate, Lookup, Put, Statement, Step, Store

BIND_LEAVES = frozenset({"const", "param", "step_size", "value"})
PHASE_LEAVES = frozenset({"const", "value", "load", "read", "normal"})
TABLE_LEAVES = frozenset({"const", "value", "load"})
HOME = {Integrate: "flow", Lookup: "flow", Deliver: "deliver", Emit: "emit", Put: "record"}


def phases_are_in_order(step: Step) -> Iterator[str]:
    """Phases follow the order of a step, each at most once and none empty."""
    names = [p.name for p in step.phases]
    if names != [name for name in PHASES if name in names]:
        yield f"{names}"
    yield from (f"empty phase `{p.name}`" for p in step.phases if not p.body)


def statements_stand_in_their_phase(step: Step) -> Iterator[str]:
    """Integration belongs to flow, delivery to deliver, spikes to emit, outputs to record."""
    for phase, statement in step.statements():
        home = HOME.get(type(statement), phase)
        if home != phase:
            yield f"{type(statement).__name__.lower()} in {phase}"


def names_are_defined_before_use(step: Step) -> Iterator[str]:
    """Every name is defined once, earlier than its first use; kinds fit where it is used; leaves belong to their section."""
    walk = _Walk(step)
    for define in step.bind:
        yield from walk.define(define, BIND_LEAVES, "bind")
    walk.seen.clear()  # what may stand in bind may not stand in a phase
    for table in step.tables:
        for function in table.functions:
            yield from walk.use(function, TABLE_LEAVES, f"table {table.name}")
    walk.seen.clear()
    for phase, statement in step.statements():
        yield from walk.statement(statement, phase)


@dataclass
class _Walk:
    """What is known at a point of the program."""

    step: Step
    types: dict[tuple[str, str], Type] = field(default_factory=dict)
    seen: dict[Expr, Type] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.types |= {("load", s.name): Type(s.kind) for s in self.step.slots}
        self.types |= {("read", p.name): REAL for p in self.step.inputs}
        self.types |= {("param", p.name): REAL for p in self.step.params}
        self.types |= {("normal", f"{n.name}:{lane}"): REAL for n in self.step.noises for lane in range(n.lanes)}

    def add(self, name: str, type: Type, where: str) -> Iterator[str]:
        """A name comes into being."""
        if name in self.ever:
            yield f"`{name}` is defined twice, again in {where}"
        self.ever.add(name)
        self.types["value", name] = type

    def use(self, e: Expr, leaves: frozenset[str], where: str) -> Iterator[str]:
        """An expression is evaluated here."""
        for node in topo(e):
            if node in self.seen:
                continue
            if node.op in ("value", "load", "read", "param", "normal") and (node.op, str(node.attr)) not in self.types:
                yield f"{node.op} `{node.attr}` in {where} stands for nothing yet"
            row = OPS.get(node.op)
            if row is not None and row.bind_only and "param" not in leaves:
                yield f"`{node.op}` in {where}, which belongs to bind"
        yield from (f"{breach} in {where}" for breach in breaches(e, self.types, leaves, self.seen))

    def define(self, define: Define, leaves: frozenset[str], where: str) -> Iterator[str]:
        """`%name = value`."""
        yield from self.use(define.value, leaves, f"`{define.name}` of {where}")
        yield from self.add(define.name, self.seen[define.value], where)

    def wants(self, e: Expr, condition: bool, where: str) -> Iterator[str]:
        """An expression that must be a condition, or a number."""
        yield from self.use(e, PHASE_LEAVES, where)
        if (self.seen[e] == BOOL) != condition:
            yield f"{where} takes a {'condition' if condition else 'number'}"

    def statement(self, statement: Statement, phase: str) -> Iterator[str]:
        """What one statement of a phase needs and makes."""
        match statement:
            case Define():
                yield from self.define(statement, PHASE_LEAVES, phase)
            case Store(slot, value):
                kind = self.types.get(("load", slot), REAL).kind
                yield from self.wants(value, kind == "bool", f"store {slot}")
                if kind == "int" and self.seen[value].kind != "int":
                    yield f"store {slot} takes an int"
            case Emit(fired):
                yield from self.wants(fired, True, "spike")
            case Put(output, value):
                yield from self.wants(value, False, f"put {output}")
            case Deliver():
                yield from self.deliver(statement)
            case Integrate():
                yield from self.integrate(statement)
            case Lookup():
                yield from self.lookup(statement)

    def deliver(self, d: Deliver) -> Iterator[str]:
        """A summing body runs once and its names stay; of any other only the results do."""
        where = f"deliver {d.port}"
        for carry in d.carries:
            yield from self.wants(carry.initial, False, where)
        outside, seen = dict(self.types), dict(self.seen)
        yield from self.add(d.payload, REAL, where)
        for carry in d.carries:
            yield from self.add(carry.name, self.seen[carry.initial], where)
        for define in d.body:
            yield from self.define(define, PHASE_LEAVES, where)
        for carry in d.carries:
            yield from self.wants(carry.next, False, where)
        if not d.summing:
            self.types, self.seen = outside, seen
        for carry in d.carries:
            yield from self.add(carry.result, self.seen[carry.initial], where)

    def lookup(self, s: Lookup) -> Iterator[str]:
        """A table that is declared, a number to look up, and a name for each function."""
        where = f"look up {s.table}"
        yield from self.wants(s.argument, False, where)
        if s.argument.op not in ("value", "load"):
            yield f"{where} at an expression, which needs a name"
        functions = {t.name: len(t.functions) for t in self.step.tables}
        if functions.get(s.table) != len(s.results):
            yield f"{where} of {len(s.results)} functions, where the table has {functions.get(s.table, 'no declaration')}"
        for result in s.results:
            yield from self.add(result, REAL, where)

    def integrate(self, i: Integrate) -> Iterator[str]:
        """Rates are seen with the states' own names; results come into being after all of them."""
        where = f"integrate {', '.join(i.states)}"
        columns = {len(i.states), len(i.initial), len(i.rates), len(i.results)} | ({len(i.noises)} if i.noises else set())
        if len(columns) > 1 or not i.states:
            yield f"{where} has columns of different lengths"
        for e in (*i.initial, *i.rates, *(c for terms in i.noises for _, c in terms), *(limit for _, limit in i.guards)):
            yield from self.wants(e, False, where)
        if i.busy is not None:
            yield from self.wants(i.busy, True, where)
        if isinstance(i.part, str):
            yield from self.wants(value(i.part), False, where)
        lanes = {n.name for n in self.step.noises}
        yield from (f"noise `{n}` of {where} is not declared" for terms in i.noises for n, _ in terms if n not in lanes)
        named = (*i.hold, *(state for state, _ in i.guards))
        yield from (f"`{state}` is no state of {where}" for state in named if state not in i.states)
        for feed in i.feeds:
            for name in (feed.state, feed.middle, feed.end):
                if ("value", name) not in self.types:
                    yield f"value `{name}` in {where} stands for nothing yet"
        for result in i.results:
            yield from self.add(result, REAL, where)


def slots_are_known_and_stored_once(step: Step) -> Iterator[str]:
    """A slot has one declaration, starts from a bind value and ends at others, and is stored at most once."""
    yield from _repeated("slot", (slot.name for slot in step.slots))
    bound = {d.name for d in step.bind}
    yield from (f"slot `{slot.name}` starts from `{slot.init}`, not in bind" for slot in step.slots if slot.init not in bound)
    ends = ((slot.name, end) for slot in step.slots for end in (slot.low, slot.high) if isinstance(end, str))
    yield from (f"slot `{name}` ends at `{end}`, not in bind" for name, end in ends if end not in bound)
    stores = [s.slot for _, s in step.statements() if isinstance(s, Store)]
    yield from _repeated("store of", stores)
    declared = {slot.name for slot in step.slots}
    yield from (f"store of `{name}`, which is no slot" for name in stores if name not in declared)


def tables_are_functions_of_one_slot(step: Step) -> Iterator[str]:
    """A table is declared once and belongs to a slot of numbers; its functions read no other; its ends are numbers or bind values."""
    yield from _repeated("table", (table.name for table in step.tables))
    numbers, bound = {slot.name for slot in step.slots if slot.kind == "real"}, {d.name for d in step.bind}
    for table in step.tables:
        if table.slot not in numbers:
            yield f"table {table.name} of `{table.slot}`, which is no slot of numbers"
        others = {name for f in table.functions for name in leaves(f, "load")} - {table.slot}
        yield from (f"table {table.name} reads `{name}`" for name in sorted(others))
        ends = (end for end in (table.low, table.high) if isinstance(end, str))
        yield from (f"table {table.name} ends at `{end}`, not in bind" for end in ends if end not in bound)
        if not table.functions or not table.error > 0:
            yield f"table {table.name} has no function, or no error"


def ports_are_known_and_used_once(step: Step) -> Iterator[str]:
    """Each event port is delivered once, each output put once, and a neuron spikes at one place."""
    statements = [s for _, s in step.statements()]
    for what, declared, used in (
        ("event", step.events, [s.port for s in statements if isinstance(s, Deliver)]),
        ("output", step.outputs, [s.output for s in statements if isinstance(s, Put)]),
    ):
        names = [p.name for p in declared]
        yield from _repeated(what, names)
        yield from _repeated(f"use of {what}", used)
        yield from (f"{what} `{name}` is not declared" for name in used if name not in names)
        yield from (f"{what} `{name}` is never used" for name in names if name not in used)
    if sum(isinstance(s, Emit) for s in statements) > 1:
        yield "more than one spike"


def declarations_are_unique(step: Step) -> Iterator[str]:
    """Parameters, inputs and noises have names of their own; presets set parameters."""
    yield from _repeated("param", (p.name for p in step.params))
    yield from _repeated("input", (p.name for p in step.inputs))
    yield from _repeated("noise", (n.name for n in step.noises))
    params = {p.name for p in step.params}
    yield from (f"`{name}` in preset {p.name}" for p in step.presets for name, _ in p.values if name not in params)


def no_integrate_is_left(step: Step) -> Iterator[str]:
    """Every integration has been expanded."""
    yield from (f"{s.method} of {', '.join(s.states)}" for _, s in step.statements() if isinstance(s, Integrate))


def _repeated(what: str, names: Iterable[str]) -> Iterator[str]:
    yield from (f"{what} `{name}` {count} times" for name, count in Counter(names).items() if count > 1)


StepInvariant = Callable[[Step], Iterator[str]]

STEP_INVARIANTS: tuple[StepInvariant, ...] = (
    phases_are_in_order,
    statements_stand_in_their_phase,
    names_are_defined_before_use,
    slots_are_known_and_stored_once,
    tables_are_functions_of_one_slot,
    ports_are_known_and_used_once,
    declarations_are_unique,
)

FINAL_INVARIANTS: tuple[StepInvariant, ...] = (no_integrate_is_left,)
