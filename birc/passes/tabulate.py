"""Replace costly functions of one number by tables with a bounded error (Moore & Ramon 1974, J. Theor. Biol. 45:249); asked for only.

    %m.1 = add %m, (mul <rate of v and m> <length of v>)   ->   look_up v.t0 for %.a, %.b at %v   %m.1 = add %m, (add %.a, (mul %.b, %m))

The number is a state, or an inner value of its solver. A product that is linear in all else it reads, such as the step of a gate, becomes
a sum with a table for each coefficient. Sums with a plain term, such as a state and its increment, are never tabulated as a whole: the
error would be relative to the state. Where a number can pass the ends of its table, the program makes the state NaN, which ends a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

from birc.errors import BircError, Diagnostic
from birc.ir.check import check_step
from birc.ir.expr import Expr, const, leaves, make, op, substitute, topo, value
from birc.ir.interval import inside, slot_intervals
from birc.ir.linear import linear_form
from birc.ir.ops import OPS, Bounds, Kind, kinds
from birc.ir.step import Define, Deliver, Lookup, Phase, PhaseName, Slot, Statement, Step, Store, Table, with_phases
from birc.passes import dead_code
from birc.passes.expressions import map_any

COSTS: Mapping[str, int] = {"div": 8, "sqrt": 8, "pow": 40}
"""Operations in the place of one; a transcendental function counts as `FUNCTION`."""
FUNCTION = 20
WORTH = 30
"""Operations that a look-up takes, with the share of what all look-ups of a number have in common."""


def tabulate(step: Step, error: float, ranges: Mapping[str, Bounds]) -> Step:
    """The step with tables wherever they pay, over the given ranges of slots; where none is given, what limits and intervals say.

    Raises L130 for slots of which no range is known. The same object where no table pays.
    """
    columns = _Columns(step)
    body = [columns.statement(statement) for statement in step.phase("flow")]
    lookups, tables = _arranged(step, body, columns.found)
    if not tables:
        return step
    places = _places(step, dict.fromkeys(slot for slot, _ in tables.values()), ranges)
    flow = tuple(_with_lookups(body, lookups))
    bodies: dict[PhaseName, tuple[Statement, ...]] = {**{p.name: p.body for p in step.phases}, "flow": flow}
    made = []
    for name, (slot, functions) in tables.items():
        arguments = [lookup.argument for lookup in lookups if lookup.table == name]
        guarded = places[slot].guarded or any(e != make("load", (), slot) for e in arguments)
        made.append(Table(name, slot, *places[slot].ends, error, functions, guarded))
    changed = replace(with_phases(step, bodies), tables=tuple(made))
    changed = dead_code.run(_guarded(changed))
    check_step(changed)
    return changed


@dataclass
class _Columns:
    """The functions so far, by argument (a `load` or a `value`), each with the name of what it gives."""

    step: Step
    found: dict[Expr, dict[Expr, str]] = field(default_factory=dict)
    written: dict[Expr, Expr] = field(default_factory=dict)
    """Names that stand for functions of at most one number, in terms of that."""

    def __post_init__(self) -> None:
        self.bound = frozenset(d.name for d in self.step.bind)
        self.kinds: dict[str, Kind] = {}
        self.slots = {slot.name: slot.kind for slot in self.step.slots}

    def statement(self, statement: Statement) -> Statement:
        """A statement of the flow with its costly functions looked up."""
        if isinstance(statement, Deliver):
            return statement
        changed: Statement = map_any(statement, self.change)
        if isinstance(statement, Define):
            self.kinds[statement.name] = self.kind(statement.value)
            e = substitute(statement.value, self.written)
            sources = self.sources(e)
            if sources is not None and len(sources) <= 1 and value(statement.name) not in sources:
                self.written[value(statement.name)] = e
        return changed

    def kind(self, e: Expr) -> Kind:
        """The kind of an expression."""
        return kinds((e,), lambda leaf: self.slots[str(leaf.attr)] if leaf.op == "load" else self.kinds.get(str(leaf.attr), "real"))[e]

    def sources(self, e: Expr) -> frozenset[Expr] | None:
        """The numbers that `e` depends on; None if there is among them what is none, or a draw or an input, which no table is over."""
        found = {n for n in topo(e) if not n.args and n.op != "const" and not (n.op == "value" and n.attr in self.bound)}
        return frozenset(found) if all(n.op in ("load", "value") and self.kind(n) == "real" for n in found) else None

    def change(self, root: Expr) -> Expr:
        """Replace the topmost expressions that tables pay for."""
        replaced: dict[Expr, Expr] = {}
        seen: set[Expr] = set()
        waiting = [root]
        while waiting:
            e = waiting.pop()
            if e in seen:
                continue
            seen.add(e)
            table = self.looked_up(e)
            if table is not None:
                replaced[e] = table
            else:
                waiting.extend(e.args)
        return substitute(root, replaced)

    def looked_up(self, e: Expr) -> Expr | None:
        """The expression by tables, where they pay."""
        written = substitute(e, self.written)
        if not e.args or cost(written) <= WORTH:
            return None
        sources = self.sources(written)
        if not sources or any(n.op == "select" for n in topo(written)):  # steps and corners need more pieces than they are worth
            return None
        if len(sources) == 1:
            return None if _has_plain_term(written) else self.column(next(iter(sources)), written)
        return self.combined(written, sources) if e.op in ("mul", "div") else None

    def combined(self, e: Expr, sources: frozenset[Expr]) -> Expr | None:
        """A sum that is linear in all sources but one, with functions of that one as coefficients."""
        names = {leaf: value(f"{leaf.op} {leaf.attr}") for leaf in sorted(sources, key=lambda leaf: (leaf.op, str(leaf.attr)))}
        back = {name: leaf for leaf, name in names.items()}
        for source, own in names.items():
            others = frozenset(str(name.attr) for name in back if name is not own)
            form = linear_form(substitute(e, names), others, "value")
            if form is None:
                continue
            parts = {name: substitute(c, back) for name, c in form.coefficients.items()}
            rest = substitute(form.rest, back)
            costly = sum(cost(part) > 0 for part in (rest, *parts.values()))
            if cost(e) <= WORTH * costly or any((self.sources(part) or frozenset()) - {source} for part in (rest, *parts.values())):
                continue
            terms = [op("mul", self.column(source, part), back[value(name)]) for name, part in parts.items()]
            return reduce(lambda a, b: op("add", a, b), [self.column(source, rest), *terms] if rest != const(0.0) else terms)
        return None

    def column(self, source: Expr, e: Expr) -> Expr:
        """The name of what a table gives for a function; a function that costs nothing stays itself."""
        if cost(e) == 0:
            return e
        mine = self.found.setdefault(source, {})
        if e not in mine:
            mine[e] = f".look.{sum(map(len, self.found.values()))}"
        return value(mine[e])


def cost(e: Expr) -> int:
    """What an expression takes, in plain operations; names and literals are free."""
    return sum(FUNCTION if OPS[n.op].transcendental and n.op not in COSTS else COSTS.get(n.op, 1) for n in topo(e) if n.args)


def _has_plain_term(e: Expr) -> bool:
    """Whether a sum has a term that is a name, or a few plain operations on one."""
    terms = [e]
    for term in terms:
        if term.op in ("add", "sub", "neg"):
            terms.extend(term.args)
    return len(terms) > 1 and any(t.op not in ("add", "sub", "neg", "const") and cost(t) < COSTS["div"] for t in terms)


Tables = dict[str, tuple[str, tuple[Expr, ...]]]
"""Slot and functions of each table, by name."""


def _arranged(step: Step, body: list[Statement], found: Mapping[Expr, Mapping[Expr, str]]) -> tuple[list[Lookup], Tables]:
    """A look-up for each argument, of what is still read, and the tables they need; alike functions share a table."""
    read: set[str] = set()

    def look(e: Expr) -> Expr:
        read.update(leaves(e, "value"))
        return e

    live = dead_code.run(with_phases(step, {**{p.name: p.body for p in step.phases}, "flow": tuple(body)}))
    map_any(live.phases, look)
    lookups: list[Lookup] = []
    tables: Tables = {}
    names: dict[tuple[str, tuple[Expr, ...]], str] = {}
    for argument, functions in found.items():
        used = {e: name for e, name in functions.items() if name in read}
        if not used:
            continue
        slot = _slot_of(argument, step)
        key = slot, tuple(substitute(e, {argument: make("load", (), slot)}) for e in used)
        name = names.setdefault(key, f"{slot}.t{sum(s == slot for s, _ in names)}")
        tables[name] = key
        lookups.append(Lookup(name, argument, tuple(used.values())))
    return lookups, tables


def _slot_of(argument: Expr, step: Step) -> str:
    """The slot that an argument is, or that its solver named an inner value after."""
    name = str(argument.attr)
    fitting = [slot.name for slot in step.slots if name == slot.name or name.startswith(f"{slot.name}.")]
    return max(fitting, key=len, default=name)


def _with_lookups(body: Iterable[Statement], lookups: list[Lookup]) -> Iterable[Statement]:
    """The statements, each look-up before the first that reads a result of it."""
    waiting = list(lookups)
    for statement in body:
        read: set[str] = set()

        def look(e: Expr, read: set[str] = read) -> Expr:
            read.update(leaves(e, "value"))
            return e

        map_any(statement, look)
        for lookup in [waited for waited in waiting if read & set(waited.results)]:
            waiting.remove(lookup)
            yield replace(lookup, span=getattr(statement, "span", None))
        yield statement


@dataclass(frozen=True)
class _Place:
    """Where a table ends, and whether the slot itself can pass the ends."""

    ends: tuple[float | str, float | str]
    guarded: bool


def _places(step: Step, names: Iterable[str], ranges: Mapping[str, Bounds]) -> dict[str, _Place]:
    """The range of each slot with a table. Raises L130 for all that have none."""
    known = slot_intervals(step)
    slots = {slot.name: slot for slot in step.slots}
    found: dict[str, _Place] = {}
    unknown: list[Diagnostic] = []
    for name in names:
        slot = slots.get(name)
        if slot is None:
            unknown.append(Diagnostic("L130", f"a table over `{name}`, which is no state, has no range", step.span))
        elif name in ranges:
            found[name] = _Place(ranges[name], not inside(_literal_limits(slot), ranges[name]))
        elif slot.low is not None and slot.high is not None:
            found[name] = _Place((slot.low, slot.high), False)
        elif all(map(math.isfinite, known[name])) and known[name][0] < known[name][1]:
            found[name] = _Place(known[name], True)
        else:
            unit = "" if slot.unit.text == "1" else f" {slot.unit.text}"
            help = f'give one, such as `--tables "1e-6, {name} in [-120{unit}, 80{unit}]"`, or limits: `state {name} = … in [lo, hi]`'
            unknown.append(Diagnostic("L130", f"a table over `{name}` needs its range, and nothing bounds it", slot.span, help))
    if unknown:
        raise BircError.of(unknown)
    return found


def _literal_limits(slot: Slot) -> Bounds:
    """The limits of a slot that are numbers already."""
    low, high = (end if isinstance(end, float) else None for end in (slot.low, slot.high))
    return -math.inf if low is None else low, math.inf if high is None else high


def _guarded(step: Step) -> Step:
    """The step in which a slot becomes NaN where a number was looked up beyond the ends of its tables."""
    tables = {table.name: table for table in step.tables}
    within: dict[str, dict[Expr, None]] = {}
    for _, statement in step.statements():
        if isinstance(statement, Lookup) and (table := tables[statement.table]).guarded:
            low, high = (value(end) if isinstance(end, str) else const(end) for end in (table.low, table.high))
            here = within.setdefault(table.slot, {})
            here |= dict.fromkeys((op("ge", statement.argument, low), op("le", statement.argument, high)))
    whole = {slot: reduce(lambda a, b: op("and", a, b), conditions) for slot, conditions in within.items()}
    phases = tuple(Phase(phase.name, tuple(_kept(s, whole) for s in phase.body)) for phase in step.phases)
    bodies: dict[PhaseName, tuple[Statement, ...]] = {phase.name: phase.body for phase in phases}
    stored = {s.slot for body in bodies.values() for s in body if isinstance(s, Store)}
    bodies["reset"] = bodies.get("reset", ()) + tuple(_kept(Store(s, make("load", (), s)), whole) for s in whole if s not in stored)
    return with_phases(step, bodies)


def _kept(statement: Statement, within: Mapping[str, Expr]) -> Statement:
    """A store of a slot, or of NaN where the condition fails."""
    if not isinstance(statement, Store) or statement.slot not in within:
        return statement
    return replace(statement, value=op("select", within[statement.slot], statement.value, const(math.nan)))
