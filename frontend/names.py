"""Names and what they stand for: symbols, scopes, and walks over syntax trees that find the names in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from birc.errors import Span
from birc.frontend import ast
from birc.units import Unit

Kind = Literal[
    "param", "state", "input", "output", "let", "outward", "function", "noise", "trace", "payload", "argument", "elapsed",
    "host", "place", "channel", "measure", "port",
]  # fmt: skip

CALLED: dict[Kind, str] = {
    "param": "a parameter",
    "state": "a state",
    "input": "an input",
    "output": "an output",
    "let": "a `let`",
    "outward": "an outward current",
    "function": "a function",
    "noise": "a noise",
    "trace": "a trace",
    "payload": "the payload of an event",
    "argument": "an argument",
    "elapsed": "the length of a step",
    "host": "the voltage of the host",
    "place": "a place on a cell",
    "channel": "a channel",
    "measure": "a measure of a run",
    "port": "an event port",
}


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name that is declared. `unit` is None where its declaration is wrong, so that no second error follows from the first.

    `reads` says from what kinds of names a `let` takes its value, with one name of each kind.
    `value` is the initial value or default as written; `truth`: it is a condition; `parameters` are those of a function.
    """

    name: str
    kind: Kind
    unit: Unit | None
    span: Span | None = None
    reads: Mapping[Kind, str] = field(default_factory=dict)
    value: ast.Expr | None = None
    truth: bool = False
    parameters: tuple[tuple[str, Unit], ...] = ()

    @property
    def roots(self) -> Mapping[Kind, str]:
        """The kinds of names that reading this one reads."""
        return self.reads if self.kind in ("let", "outward") else {self.kind: self.name}


@dataclass(slots=True)
class Scope:
    """The names of a model, and which of them were read."""

    symbols: dict[str, Symbol] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def find(self, name: str) -> Symbol | None:
        """The symbol of a name, noting that it was read."""
        symbol = self.symbols.get(name)
        if symbol is not None:
            self.used.add(name)
        return symbol

    def declare(self, symbol: Symbol) -> None:
        """Make a name known."""
        self.symbols[symbol.name] = symbol

    def inside(self, symbols: Iterable[Symbol]) -> Scope:
        """This scope with names that hide its own; what is read is noted in both."""
        return Scope({**self.symbols, **{s.name: s for s in symbols}}, self.used)

    def of_kind(self, *kinds: Kind) -> list[Symbol]:
        """All symbols of these kinds, in the order of declaration."""
        return [s for s in self.symbols.values() if s.kind in kinds]


def children(node: ast.Expr) -> tuple[ast.Expr, ...]:
    """The expressions directly inside one, in the order of the text; a path is one piece."""
    match node:
        case ast.Unary():
            return (node.operand,)
        case ast.Binary():
            return (node.left, node.right)
        case ast.Conditional():
            return (node.condition, node.then, node.otherwise)
        case ast.Call():
            return (*node.args, *(k.value for k in node.keywords))
        case _:
            return ()


def postorder(root: ast.Expr) -> Iterator[ast.Expr]:
    """Every node, parts before wholes; no recursion, because a sum may have any number of terms."""
    stack = [(root, False)]
    while stack:
        node, ready = stack.pop()
        inner = () if ready else children(node)
        if inner:
            stack.append((node, True))
            stack.extend((c, False) for c in reversed(inner))
        else:
            yield node


def path_of(node: ast.Expr) -> str | None:
    """The dotted name of a path such as `na.i`, also through a location (`soma(0.5).v`); None for anything else."""
    parts: list[str] = []
    while True:
        match node:
            case ast.Name(name=name, order=order):
                return "".join((name + "'" * order, *reversed(parts)))
            case ast.Member(base=base, name=name):
                parts.append(f".{name}")
                node = base
            case ast.Call(function=function, args=(ast.Number(text=at, unit=None),), keywords=()) if parts:
                parts.append(f"({at})")
                node = function
            case _:
                return None


def read_names(root: ast.Expr) -> Iterator[tuple[str, Span]]:
    """Every name that an expression reads or calls, paths as `na.i`, in the order of the text."""
    for node in postorder(root):
        match node:
            case ast.Name() | ast.Member():
                path = path_of(node)
                if path is not None:
                    yield path, node.span
            case ast.Call(function=ast.Name(name=name, span=span)):
                yield name, span
            case _:
                pass


def in_order(names: Sequence[str], needs: Mapping[str, Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """The names, each behind those it needs, and the cycles that stand against it (each name in one cycle at most)."""
    done: dict[str, None] = {}
    cycles: list[list[str]] = []
    in_cycle: set[str] = set()
    for root in names:
        if root in done:
            continue
        path = {root: None}
        work = [(root, iter(needs[root]))]
        while work:
            node, rest = work[-1]
            target = next((t for t in rest if t in needs and t not in done), None)
            if target is None:
                work.pop()
                del path[node]
                done[node] = None
            elif target not in path:
                path[target] = None
                work.append((target, iter(needs[target])))
            elif target not in in_cycle:
                cycle = list(path)[list(path).index(target) :]
                cycles.append(cycle)
                in_cycle |= set(cycle)
    return list(done), cycles


def text_of(span: Span) -> str:
    """The text of a span; of several lines, the first."""
    line = span.source.line(span.line)
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    return line[span.column - 1 : end].strip()
