"""A step program as loops over lanes, with loops over events between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from birc.errors import Span
from birc.ir.expr import Expr, leaves, topo, value
from birc.ir.step import Define, Deliver, Emit, Lookup, Put, Step, Store

Named = tuple[str, Expr, Span | None]

LONGEST = 100
"""Definitions in one loop: compilers take more than linear time for longer ones."""
SLOW = frozenset({"exp", "expm1", "exprel", "log", "log1p", "sin", "cos", "tan", "tanh", "sinh", "cosh", "sigmoid", "pow"})
"""Ops that take long."""
WAITS: Mapping[str, int] = {**dict.fromkeys(SLOW, 40), "div": 12, "sqrt": 12}
"""Cycles, roughly, until the result of an op is there; 4 for any other."""
CHAIN, FUNCTIONS = 100, 3
"""The longest chain of results that wait for one another in one loop, in cycles, and the most ops that take long. While one lane waits
the processor works on the next ones, but only as far as it looks ahead; what one loop leaves to the next goes through memory."""
READ = ("load", "read", "normal", "const")
"""What can be read again in a later loop, and so need not be kept."""


@dataclass
class Loop:
    """A straight loop over lanes: definitions, then what it leaves behind."""

    defines: list[Named] = field(default_factory=list)
    fired: list[tuple[Expr, Span | None]] = field(default_factory=list)
    outputs: list[Named] = field(default_factory=list)
    stores: list[Named] = field(default_factory=list)
    raised: Expr | None = None
    """A flag, of which only whether any lane has it is left behind."""

    def reads(self) -> set[str]:
        """Names of values that the loop reads."""
        named = [*(e for _, e, _ in (*self.defines, *self.outputs, *self.stores)), *([self.raised] if self.raised else [])]
        return {name for e in (*named, *(e for e, _ in self.fired)) for name in leaves(e, "value")}

    def makes(self) -> set[str]:
        """Names of values that the loop computes."""
        return {name for name, _, _ in self.defines}


@dataclass
class EventLoop:
    """A loop over the events of a port, in order; each changes the carried values of its lane."""

    deliver: Deliver

    def reads(self) -> set[str]:
        """Names of values that the events read, carried ones among them."""
        deliver = self.deliver
        roots = [*(define.value for define in deliver.body), *(carry.next for carry in deliver.carries)]
        return {name for e in roots for name in leaves(e, "value")} | {carry.name for carry in deliver.carries}

    def makes(self) -> set[str]:
        """Nothing: carried values are made before it, and changed."""
        return set()


@dataclass
class LookupLoop:
    """A table looked up at a value that is kept; so are its results."""

    lookup: Lookup

    def reads(self) -> set[str]:
        """The argument's name."""
        return set(leaves(self.lookup.argument, "value"))

    def makes(self) -> set[str]:
        """The results."""
        return set(self.lookup.results)


Part = Loop | EventLoop | LookupLoop


def loops_of(step: Step, chain: int | None = None) -> list[Part]:
    """The program's loops; stores wait for the last one, since `load` reads a slot as it stood at stamp k.

    chain: `CHAIN`, for processors; None where each lane has a thread of its own.
    """
    loop = Loop()
    done: list[Part] = [loop]
    stores: list[Named] = []
    for _, statement in step.statements():
        match statement:
            case Define(name, e, span):
                loop.defines.append((name, e, span))
            case Store(slot, e, span):
                stores.append((slot, e, span))
            case Emit(e, span):
                loop.fired.append((e, span))
            case Put(output, e, span):
                loop.outputs.append((output, e, span))
            case Lookup():
                loop = Loop()
                done.extend((LookupLoop(statement), loop))
            case Deliver(span=span):
                loop.defines.extend((carry.name, carry.initial, span) for carry in statement.carries)
                if statement.summing:
                    loop.defines.extend((define.name, define.value, define.span) for define in statement.body)
                    loop.defines.extend((carry.result, carry.next, span) for carry in statement.carries)
                else:
                    loop = Loop([(carry.result, value(carry.name), span) for carry in statement.carries])
                    done.extend((EventLoop(statement), loop))
            case _:
                raise TypeError(f"a backend was given {type(statement).__name__}")
    loop.stores = stores
    return [part for long in done for part in (_short(long, chain) if isinstance(long, Loop) else (long,))]


def _short(loop: Loop, chain: int | None) -> list[Loop]:
    """A loop as loops of at most `LONGEST` definitions, with no longer chains and at most `FUNCTIONS` if one is given; the last has what it
    leaves behind.
    """
    pieces: list[list[Named]] = [[]]
    waits: dict[str, int] = {}
    slow = 0
    for define in loop.defines:
        name, e, _ = define
        waits[name] = _wait(e, waits)
        own = sum(n.op in SLOW for n in topo(e))
        long = chain is not None and (waits[name] > chain or bool(slow and slow + own > FUNCTIONS))
        if len(pieces[-1]) == LONGEST or (long and pieces[-1]):
            pieces.append([])
            waits, slow = {name: _wait(e, {})}, 0
        pieces[-1].append(define)
        slow += own
    return [*(Loop(piece) for piece in pieces[:-1]), Loop(pieces[-1], loop.fired, loop.outputs, loop.stores)]


def _wait(e: Expr, waits: Mapping[str, int]) -> int:
    """When an expression's result is there, where some of the values it reads are there later than others."""
    found: dict[Expr, int] = {}
    for n in topo(e):
        own = WAITS.get(n.op, 4) if n.args else 0
        found[n] = own + max((found[a] for a in n.args), default=waits.get(str(n.attr), 0) if n.op == "value" else 0)
    return found[e]


def aliases(loops: Iterable[Part]) -> dict[str, Expr]:
    """Names that stand for something the frame holds all step long."""
    carried = {carry.name for loop in loops if isinstance(loop, EventLoop) for carry in loop.deliver.carries}
    defines = [define for loop in loops if isinstance(loop, Loop) for define in loop.defines]
    return {name: e for name, e, _ in defines if e.op in READ and name not in carried}


def kept_names(loops: Iterable[Part]) -> frozenset[str]:
    """Names made in one loop and read in a later one, other than aliases."""
    loops = list(loops)
    made: set[str] = set()
    kept: set[str] = set()
    for loop in loops:
        kept |= made & loop.reads()
        made |= loop.makes()
    return frozenset(kept - aliases(loops).keys())
