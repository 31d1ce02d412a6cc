"""From a step program to one C++ translation unit: a pure function.

Statements become loops over the lanes of a tile, without branches, so that the compiler can vectorise them. A port whose events act
one by one parts the loop in two, with a loop over the events between; what the second loop needs of the first is kept in arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import count

from jinja2 import Environment, PackageLoader, StrictUndefined

from birc.backends import Artifact, Dtype
from birc.backends.c_family import C_TYPES, RESERVED, Real, comment, doc_comment, syntax
from birc.backends.names import identifiers
from birc.backends.native.build import FLAGS, OPTIONAL
from birc.backends.native.layout import Layout, expressions, layout
from birc.backends.native.loops import EventLoop, Loop, aliases, kept_names, loops_of
from birc.backends.native.shorten import shorten
from birc.backends.text import lines
from birc.errors import Span
from birc.ir.expr import Expr, topo, value
from birc.ir.ops import Kind, kinds
from birc.ir.step import Carry, Define, Deliver, Step

REALS: dict[Dtype, Real] = {"f64": "double", "f32": "float"}
STORAGE = {"real": "real", "int": "int32", "bool": "uint8"}
"""C types of the arrays that come from Python."""
FIRST_CACHE = 40_000
"""Bytes of a tile that are sure to stay in the processor's first cache."""
MOST_DEFINITIONS = 10_000
"""Statements that a compiler takes in about half a minute."""
MOST_ARRAYS = 2000
"""Values of one neuron that a tile holds: more would not fit on the stack of a thread."""


def emit(step: Step, dtype: Dtype) -> Artifact:
    """`<name>.cpp`, which needs nothing but a C++17 compiler."""
    name = file_name(step.name)
    short = shorten(step)
    places = layout(short)
    loops = loops_of(short)
    kept = kept_names(loops)
    writer = _Writer(short, places, aliases(loops), REALS[dtype])
    headers = ["birc_frame.h", "birc_math.h", *(["birc_random.h"] if places.noises else [])]
    text = (
        _environment()
        .get_template("model.cpp.j2")
        .render(
            title=comment(step.name),
            command=" ".join(("c++", *FLAGS, *(group[0] for group in OPTIONAL), f"{name}.cpp", "-o", f"{name}.so")),
            doc=doc_comment(step.doc),
            real=REALS[dtype],
            count="int32" if dtype == "f32" else "int64",
            headers=[_header(name) for name in headers],
            places=places,
            normals=[(f"{noise.name}:{lane}", i, lane) for i, noise in enumerate(step.noises) for lane in range(noise.lanes)],
            kept=sorted(kept),
            loops=[writer.event_loop(x.deliver) if isinstance(x, EventLoop) else writer.lane_loop(x, kept) for x in loops],
            lanes=lanes(_arrays(places, kept), dtype),
            payloads=list(writer.payloads.values()),
            types=C_TYPES,
            storage=STORAGE,
            c=writer.names,
        )
    )
    return Artifact("native", step, dtype, {f"{name}.cpp": text}, {"compiler_flags": [*FLAGS, *(group[0] for group in OPTIONAL)]})


def _arrays(places: Layout, kept: frozenset[str]) -> int:
    """How many values of a neuron a tile holds at a time, at most."""
    return len(places.binds) + len(places.slots) + len(places.inputs) + len(places.events) + len(places.outputs) + len(kept) + 2


def lanes(arrays: int, dtype: Dtype) -> int:
    """Neurons in a tile: as many as the first cache holds, from 64 to 256."""
    width = 8 if dtype == "f64" else 4
    return next((n for n in (256, 128) if arrays * width * n <= FIRST_CACHE), 64)


def too_large(step: Step) -> str | None:
    """Why a program is too large for this target, if it is."""
    short = shorten(step)
    definitions = sum(1 for _ in short.statements())
    if definitions > MOST_DEFINITIONS:
        return f"the program has {definitions} statements; the native target takes {MOST_DEFINITIONS}"
    arrays = _arrays(layout(short), kept_names(loops_of(short)))
    if arrays > MOST_ARRAYS:
        return f"the program holds {arrays} values of each neuron at a time; the native target has room for {MOST_ARRAYS}"
    return None


def file_name(name: str) -> str:
    """A model's name as a file name, which cannot leave its folder."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name) or "_"


def unsupported(step: Step) -> list[str]:
    """Ops of the phases that have no C spelling."""
    table = syntax("double", lambda e: "")
    leaves = {"const", "value", "load", "read", "normal"}
    nodes = topo(*(e for _, s in step.statements() for e in expressions(s)))
    return sorted({e.op for e in nodes if e.op not in leaves and not table.takes(e.op)})


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("birc.backends.native"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


@cache
def _header(name: str) -> str:
    return resources.files("birc.backends.native").joinpath(name).read_text("utf-8").rstrip()


@dataclass(frozen=True)
class Sink:
    """`target = value;` at the end of a loop: a kept value, the spike flag, an output or a slot."""

    target: str
    value: Expr
    span: Span | None = None


class _Writer:
    """Writes loops as lines of C++."""

    def __init__(self, step: Step, places: Layout, again: dict[str, Expr], real: Real) -> None:
        self.places = places
        self.aliases = again
        self.slots = {slot.name: slot.kind for slot in step.slots}
        self.binds = frozenset(places.binds)
        self.payloads = {s.payload: s.port for _, s in step.statements() if isinstance(s, Deliver) and s.summing}
        self.names = identifiers(
            _names(step, places), RESERVED | {f"{word}_{i}" for i in range(len(places.events)) for word in ("event", "end", "from")}
        )
        self.local: set[str] = set()
        """Names that the loop at hand has as variables."""
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
                return f"slots.{self.names[name]}[lane]"
            case "read":
                return f"inputs.{self.names[name]}[lane]"
            case "normal":
                return f"normals.{self.names[name]}[lane]"
            case "value" if name in self.local:
                return self.names[name]
            case "value" if name in self.aliases:
                return self.text(self.aliases[name])
            case "value" if name in self.payloads:
                return f"payloads.{self.names[self.payloads[name]]}[lane]"
            case "value" if name in self.binds:
                return f"bound.{self.names[name]}[lane]"
            case "value":
                return f"kept.{self.names[name]}[lane]"
            case _:
                raise TypeError(f"`{e.op}` reached the native target")

    def kind(self, e: Expr) -> Kind:
        """The kind of an expression's value."""
        return kinds((e,), lambda leaf: self.slots[str(leaf.attr)] if leaf.op == "load" else self.places.kinds[str(leaf.attr)])[e]

    def lane_loop(self, loop: Loop, kept: frozenset[str]) -> dict[str, object]:
        """A loop over lanes: definitions in order, then kept values, flags, outputs and stores."""
        self.local = set()
        sinks = [Sink(f"kept.{self.names[name]}[lane]", value(name)) for name, _, _ in loop.defines if name in kept]
        sinks += [Sink("fired[lane]", e, span) for e, span in loop.fired]
        sinks += [Sink(f"outputs.{self.names[name]}[lane]", e, span) for name, e, span in loop.outputs]
        sinks += [Sink(f"slots.{self.names[name]}[lane]", e, span) for name, e, span in loop.stores]
        return {"port": None, "body": self.assignments(loop.defines, sinks)}

    def event_loop(self, deliver: Deliver) -> dict[str, object]:
        """A loop over the events of a port."""
        self.local = {deliver.payload}
        defines = [(define.name, define.value, define.span) for define in deliver.body]
        sinks = [Sink(f"kept.{self.names[carry.name]}[lane]", carry.next) for carry in deliver.carries]
        return {"port": deliver.port, "payload": self.names[deliver.payload], "body": self.assignments(defines, sinks)}

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
            ends.append(f"{sink.target} = {name};{_place(sink.span)}")
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
