"""The adjoint of a step as a table of values by name, of which a layer takes those that its derivatives ask for.

    "s1": Value("real", ("busy", "v_1_bar"), lambda busy, v_1_bar: ops.where(busy, 0.0, v_1_bar))

What a layer learns, and whether its resets are detached, is known when it is built; what then has to be kept of the way forwards is read
off the table. The surrogate is left open: a row asks the spike what it makes of the margin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from birc.backends import Derive
from birc.backends.keras.names import RESERVED
from birc.backends.keras.ops import INFIX, PREFIX, STEP_CALL, number
from birc.backends.keras.program import defined
from birc.backends.names import identifiers
from birc.backends.text import Syntax, lines
from birc.errors import BircError
from birc.ir.adjoint import BAR, JUMP, MARGIN, SLOPE, UNIT, argument
from birc.ir.expr import Expr, make, rebuild, topo, value
from birc.ir.ops import Kind, kinds
from birc.ir.spike import leaf_kinds
from birc.ir.step import Define, Put, Statement, Step, Store
from birc.ir.surrogates import Surrogate

LEARNED = argument("learned")
ANY = Surrogate("any", {"learned": 1.0}, make("read", (), "spike.factor"), make("read", (), "spike.by_slope"), "", open=True)
"""Stands for the surrogate that a layer will have."""
OF_MARGIN = (("read spike.factor", "spike.factor(margin)"), ("read spike.by_slope", "spike.by_learned(margin)[0]"))
"""What `ANY` reads, as values that a spike makes of the margin."""
LEAVES = {"load": "was", "read": "came", "normal": "drawn"}
"""What the step finds, and what it is called in a row."""


@dataclass(frozen=True)
class Row:
    """A value: its key, its kind, the keys of what it is computed from, the names of these in its text, and its text."""

    key: str
    kind: Kind
    operands: tuple[str, ...]
    parameters: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Table:
    """All values in order. Derivatives at the end of a step are called `bar of state S`, `bar of port P` and `bar of number B`."""

    rows: tuple[Row, ...] = ()
    ops: frozenset[str] = frozenset()


def adjoint_table(step: Step, names: Mapping[str, str], derive: Derive | None) -> Table:
    """The table; bind values and definitions of the step go by their `names`. Empty if nothing derives, or there is no adjoint."""
    if derive is None:
        return Table()
    try:
        program = derive(step, ANY, False, {*(d.name for d in step.bind), LEARNED})
    except BircError:  # it looks functions up in tables
        return Table()
    return _Writer(step, program, names).table()


class _Writer:
    """Writes the table of an adjoint program."""

    def __init__(self, step: Step, program: Step, names: Mapping[str, str]) -> None:
        self.program, self.slots = program, {slot.name for slot in step.slots}
        self.kind = leaf_kinds(program)
        own = identifiers([n for n in defined(program) if n not in names and n != JUMP], RESERVED | frozenset(names.values()))
        self.keys = {**names, **own, **{name: name for name in (JUMP, SLOPE, UNIT, LEARNED)}}
        found = {e for _, s in program.statements() for root in _roots(s) for e in topo(root) if e.op in LEAVES}
        words = {self._key(e): f"{e.attr}.{LEAVES[e.op]}" for e in sorted(found, key=lambda e: (e.op, str(e.attr)))}
        words |= {name: name for name in (JUMP, SLOPE, UNIT, LEARNED)}
        given = identifiers(words.values(), RESERVED | frozenset(self.keys.values()))
        self.words = {key: given[word] for key, word in words.items()}
        taken = {*self.keys.values(), *self.words.values()}
        self.fresh: Iterator[str] = (t for i in count() if (t := f"t{i}") not in taken)
        self.syntax = Syntax(INFIX, PREFIX, STEP_CALL, number, lambda e: self.words.get(self._key(e), self._key(e)))
        self.moving: set[Expr] = set()
        self.apart: dict[Expr, Expr] = {}
        self.rows: list[Row] = []
        self.ops: set[str] = set()

    def table(self) -> Table:
        """Every statement; the margin before what makes use of it."""
        margin = next((s for _, s in self.program.statements() if isinstance(s, Put) and s.output == MARGIN), None)
        for _, s in self.program.statements():
            match s:
                case Define(name, e):
                    if self._moves(e):
                        if not self.moving and margin is not None:
                            self._add_margin(margin.value)
                        self.moving.add(value(name))
                    self._add(self.keys[name], e)
                case Store(slot, e):
                    of = slot.removesuffix(BAR)
                    self._add(f"bar of state {of}" if of in self.slots else f"bar of number {self.keys[of]}", e)
                case Put(port, e) if port != MARGIN:
                    self._add(f"bar of port {port.removesuffix(BAR)}", e)
                case _:
                    pass
        return Table(tuple(self.rows), frozenset(self.ops))

    def _add_margin(self, e: Expr) -> None:
        """How far the state is beyond the threshold, and what a spike makes of it."""
        self._write("margin", e)
        self.rows += [Row(key, "real", ("margin", "spike"), ("margin", "spike"), text) for key, text in OF_MARGIN]

    def _moves(self, e: Expr) -> bool:
        """Whether a derivative by something later goes into it."""
        return any(n in self.moving or (n.op in ("load", "read") and str(n.attr).endswith(BAR)) for n in topo(e))

    def _add(self, key: str, e: Expr) -> None:
        """A row of its own for each part of a derivative that can be known on the way forwards, then that of the whole."""
        self._write(key, self._apart(e) if self._moves(e) else e)

    def _apart(self, e: Expr) -> Expr:
        if not e.args:
            return e
        if self._moves(e):
            return rebuild(e, tuple(self._apart(a) for a in e.args))
        if e not in self.apart:
            name = next(self.fresh)
            self.keys[name] = name
            self.kind[name] = self._kind(e)
            self._write(name, e)
            self.apart[e] = value(name)
        return self.apart[e]

    def _write(self, key: str, e: Expr) -> None:
        known: dict[Expr, str] = {}
        for line in lines([(key, e)], self.syntax, self.fresh):
            self.ops |= {n.op for n in topo(line.node)}
            operands = tuple(dict.fromkeys(self._operands(line.node, known)))
            self.rows.append(Row(line.name, self._kind(line.node), operands, tuple(self.words.get(o, o) for o in operands), line.text))
            known[line.node] = line.name

    def _operands(self, e: Expr, known: Mapping[Expr, str]) -> Iterator[str]:
        """The keys of an expression's leaves, and of parts that have rows."""
        if e in known:
            yield known[e]
        elif e.op == "value" or e.op in LEAVES:
            yield self._key(e)
        for a in e.args if e not in known else ():
            yield from self._operands(a, known)

    def _key(self, e: Expr) -> str:
        name = str(e.attr)
        of = name.removesuffix(BAR)
        if e.op == "value":
            return self.keys[name]
        return f"sum {self.keys[of]}{BAR}" if e.op == "load" and of != name and of not in self.slots else f"{e.op} {name}"

    def _kind(self, e: Expr) -> Kind:
        return kinds((e,), lambda n: self.kind.get(f"load {n.attr}" if n.op == "load" else str(n.attr), "real"))[e]


def _roots(s: Statement) -> tuple[Expr, ...]:
    return (s.value,) if isinstance(s, Define | Store | Put) else ()
