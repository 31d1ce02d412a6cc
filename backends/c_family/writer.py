"""Writes the loops of a program as lines of a C-like language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from birc.backends.c_family import C_TYPES, RESERVED, Real, comment, syntax
from birc.backends.c_family.layout import Layout
from birc.backends.c_family.loops import EventLoop, LookupLoop, Loop, Part
from birc.backends.names import identifiers
from birc.backends.text import lines
from birc.errors import Span
from birc.ir.expr import Expr, value
from birc.ir.ops import Kind, kinds
from birc.ir.step import Carry, Define, Deliver, Lookup, Step


@dataclass(frozen=True)
class Sink:
    """`target = value;` at the end of a loop: a kept value, the spike flag, an output or a slot."""

    target: str
    value: Expr
    span: Span | None = None
    sign: str = "="


class Writer:
    """Writes loops in the frame's groups: `slots`, `inputs`, `bound`, `payloads`, `normals`, `kept` and `outputs`.

    `lane` is how a frame that holds arrays of neurons indexes them; its loops have scopes of their own. It is empty where a frame
    holds one neuron; its loops are stretches of one scope. `neuron` is how it indexes `bound`, if that is another way. `flag` is a name
    that loops behind its own read as the frame's `fired`.
    """

    def __init__(
        self, step: Step, places: Layout, again: dict[str, Expr], real: Real, lane: str = "", neuron: str = "", flag: str | None = None
    ) -> None:
        self.places = places
        self.aliases = again
        self.flag = flag
        self.lane, self.neuron = lane, neuron or lane
        self.slots = {slot.name: slot.kind for slot in step.slots}
        self.binds = frozenset(places.binds)
        self.payloads = {s.payload: s.port for _, s in step.statements() if isinstance(s, Deliver) and s.summing}
        self.lookups = [s for _, s in step.statements() if isinstance(s, Lookup)]
        taken_words = {f"{word}_{i}" for i in range(len(places.events)) for word in ("event", "end", "from")}
        taken_words |= {f"{word}_{i}" for i in range(len(self.lookups)) for word in ("table", "piece", "distance")}
        self.names = identifiers(_names(step, places), RESERVED | taken_words)
        self.local: set[str] = set()
        """Names that are variables in scope."""
        self.phases = {self.names[name]: phase for name, phase in _first_names(step)}
        """The phase that begins with a definition."""
        self.syntax = syntax(real, self.leaf)
        taken = frozenset(self.names.values())
        self.fresh = (name for i in count(1) if (name := f"t{i}") not in taken)

    def leaf(self, e: Expr) -> str:
        """How the frame names what an expression reads."""
        name = str(e.attr)
        match e.op:
            case "load":
                return self.place("slots", name)
            case "read":
                return self.place("inputs", name)
            case "normal":
                return self.place("normals", name)
            case "value" if name in self.local:
                return self.names[name]
            case "value" if name == self.flag:
                return f"fired{self.lane}"
            case "value" if name in self.aliases:
                return self.text(self.aliases[name])
            case "value" if name in self.payloads:
                return self.place("payloads", self.payloads[name])
            case "value" if name in self.binds:
                return self.place("bound", name)
            case "value":
                return self.place("kept", name)
            case _:
                raise TypeError(f"`{e.op}` reached the writer of C")

    def place(self, group: str, name: str) -> str:
        """Where the frame holds a value."""
        return f"{group}.{self.names[name]}{self.neuron if group == 'bound' else self.lane}"

    def kind(self, e: Expr) -> Kind:
        """The kind of an expression's value."""
        return kinds((e,), lambda leaf: self.slots[str(leaf.attr)] if leaf.op == "load" else self.places.kinds[str(leaf.attr)])[e]

    def loop(self, part: Part, kept: frozenset[str]) -> dict[str, object]:
        """A loop for the template: the lines of its body and, of a loop over events, their port and the name of a payload.

        A look-up has the number of its table, its argument, and a place for each function, or None for one that nothing reads.
        """
        if isinstance(part, EventLoop):
            return self.event_loop(part.deliver)
        return self.lookup_loop(part.lookup, kept) if isinstance(part, LookupLoop) else self.neuron_loop(part, kept)

    def lookup_loop(self, lookup: Lookup, kept: frozenset[str]) -> dict[str, object]:
        """A look-up of all lanes at a time, or of one neuron."""
        if self.lane:
            self.local = set()
        table = next(i for i, table in enumerate(self.places.tables) if table.name == lookup.table)
        argument = self.text(lookup.argument).removesuffix(self.lane)
        if not self.lane:
            self.local |= set(lookup.results)
        results = [self.names[name] if not self.lane else f"kept.{self.names[name]}" if name in kept else None for name in lookup.results]
        return {"port": None, "table": table, "number": self.lookups.index(lookup), "argument": argument, "results": results}

    def neuron_loop(self, loop: Loop, kept: frozenset[str]) -> dict[str, object]:
        """Definitions in order, then kept values, flags, outputs and stores."""
        if self.lane:
            self.local = set()
        sinks = [Sink(self.place("kept", name), value(name)) for name, _, _ in loop.defines if name in kept]
        sinks += [Sink(f"fired{self.lane}", e, span) for e, span in loop.fired]
        sinks += [Sink("raised", loop.raised, sign="|=")] if loop.raised else []
        sinks += [Sink(self.place("outputs", name), e, span) for name, e, span in loop.outputs]
        sinks += [Sink(self.place("slots", name), e, span) for name, e, span in loop.stores]
        return {"port": None, "body": self.assignments(loop.defines, sinks)}

    def event_loop(self, deliver: Deliver) -> dict[str, object]:
        """A loop over the events of a port; what they carry is kept, and no variable any more."""
        outside = set() if self.lane else self.local - {carry.name for carry in deliver.carries}
        self.local = outside | {deliver.payload}
        defines = [(define.name, define.value, define.span) for define in deliver.body]
        sinks = [Sink(self.place("kept", carry.name), carry.next) for carry in deliver.carries]
        body = self.assignments(defines, sinks)
        self.local = outside
        return {"port": deliver.port, "payload": self.names[deliver.payload], "body": body}

    def assignments(self, defines: list[tuple[str, Expr, Span | None]], sinks: list[Sink]) -> list[str]:
        """`const type name = …;` for each definition, then the sinks; all are computed before the first is written."""
        named: list[tuple[str, Expr]] = [(self.names[name], e) for name, e, _ in defines]
        spans = {self.names[name]: span for name, _, span in defines}
        self.local |= {name for name, _, _ in defines}
        ends: list[str] = []
        for sink in sinks:
            if sink.value.op == "const" or (sink.value.op == "value" and str(sink.value.attr) in self.local | self.binds):
                name = self.text(sink.value)
            else:
                name = next(self.fresh)
                named.append((name, sink.value))
            ends.append(f"{sink.target} {sink.sign} {name};{_place(sink.span)}")
        body: list[str] = []
        start = 0  # of the lines that compute the next definition
        for line in lines(named, self.syntax, self.fresh):
            place = _place(spans.get(line.name)) if line.defined else ""
            body.append(f"const {C_TYPES[self.kind(line.node)]} {line.name} = {line.text};{place}")
            if line.defined:
                if line.name in self.phases:
                    body.insert(start, f"// {self.phases[line.name]}")
                start = len(body)
        return body + ends

    def text(self, leaf: Expr) -> str:
        """The text of a constant or name."""
        return lines([("", leaf)], self.syntax, self.fresh)[0].text


def _names(step: Step, places: Layout) -> list[str]:
    """Every name that the text shows, what the user named first."""
    ports = [port.name for port in (*step.inputs, *step.events, *step.outputs)]
    normals = [f"{noise.name}:{lane}" for noise in step.noises for lane in range(noise.lanes)]
    return [*ports, *(slot.name for slot in step.slots), *places.kinds, *normals]


def _first_names(step: Step) -> Iterator[tuple[str, str]]:
    """The first name that each phase defines, and the phase."""
    for phase in step.phases:
        for statement in phase.body:
            match statement:
                case Define(name=name) | Deliver(body=(Define(name=name), *_), summing=True) | Deliver(carries=(Carry(name=name), *_)):
                    yield name, phase.name
                    break
                case _:
                    pass


def _place(span: Span | None) -> str:
    return f"  // {comment(span.where)}" if span else ""
