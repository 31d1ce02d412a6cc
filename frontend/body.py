"""The body of an item as a list of single declarations, with what it `extends` copied in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from birc.errors import Span
from birc.frontend import ast
from birc.frontend.resolve import File

Entry = (
    ast.Param | ast.State | ast.Input | ast.Output | ast.Let | ast.Function | ast.Equation | ast.StepRule | ast.OnEvent | ast.Spike
    | ast.Refractory | ast.Name | ast.Trace | ast.Gate | ast.Outward | ast.Mechanism | ast.Preset | ast.With | ast.Section | ast.Morphology
    | ast.Membrane | ast.Insert | ast.Population | ast.SourceOf | ast.Signal | ast.Project | ast.Third | ast.Record | ast.Drive | ast.Run
    | ast.Expect
)  # fmt: skip
"""One declaration: a line that declares several things is several of these. A `Name` is a noise, a `Mechanism` a used channel."""


@dataclass(frozen=True, slots=True)
class Part:
    """A declaration, the file in which its names are looked up, and whether it was copied from an extended model."""

    entry: Entry
    file: File
    inherited: bool = False


def entries(statements: Sequence[ast.Statement]) -> Iterator[Entry]:
    """The single declarations of a body."""
    for statement in statements:
        match statement:
            case ast.Params(entries=found) | ast.States(entries=found) | ast.Inputs(entries=found):
                yield from found
            case ast.Noise(names=names):
                yield from names
            case ast.Use(mechanisms=mechanisms):
                yield from mechanisms
            case _:
                yield statement


def declared_name(entry: Entry) -> tuple[str, Span] | None:
    """The name that an entry adds to its model, and where; None for what adds none."""
    match entry:
        case ast.State(name=name, order=order, name_span=span):
            return name + "'" * order, span
        case ast.Param(name=name, name_span=span) | ast.Input(name=name, name_span=span) | ast.Output(name=name, name_span=span):
            return name, span
        case ast.Let(name=name, name_span=span) | ast.Function(name=name, name_span=span) | ast.Trace(name=name, name_span=span):
            return name, span
        case ast.Gate(name=name, name_span=span) | ast.Outward(name=name, name_span=span) | ast.Section(name=name, name_span=span):
            return name, span
        case ast.Population(name=name, name_span=span) | ast.SourceOf(name=name, name_span=span) | ast.Signal(name=name, name_span=span):
            return name, span
        case ast.Name(name=name, span=span):
            return name, span
        case ast.Mechanism(name=name, alias=alias, span=span):
            return alias or name, span
        case _:
            return None


def key(entry: Entry) -> tuple[object, ...] | None:
    """What an entry is about: an entry of an extending model replaces the one with the same key. None: it only adds."""
    match entry:
        case ast.Equation(target=target) | ast.StepRule(target=target):
            return type(entry), target.name
        case ast.OnEvent(port=port, at=at):
            return type(entry), port, at.section if at is not None else None
        case ast.Spike() | ast.Refractory() | ast.Membrane() | ast.Morphology():
            return (type(entry),)
        case ast.Preset(name=name):
            return type(entry), name
        case ast.With(kind=kind, targets=targets):
            return type(entry), kind, tuple(t.name for t in targets)
        case _:
            named = declared_name(entry)
            return None if named is None else (type(entry), named[0])


def extended(base: Sequence[Part], own: Sequence[Part]) -> tuple[Part, ...]:
    """The parts of `base`, those that `own` repeats replaced in their place, then what `own` adds."""
    replacing = {k: p for p in reversed(own) if (k := key(p.entry)) is not None}
    taken: set[int] = set()
    result: list[Part] = []
    for part in base:
        found = replacing.get(key(part.entry) or ())
        if found is None:
            result.append(replace(part, inherited=True))
        elif id(found) not in taken:
            taken.add(id(found))
            result.append(replace(found, entry=_keeping(part.entry, found.entry)))
    return (*result, *(p for p in own if id(p) not in taken))


def _keeping(old: Entry, new: Entry) -> Entry:
    """A replaced parameter keeps its range and `learn` unless it states its own."""
    if isinstance(old, ast.Param) and isinstance(new, ast.Param):
        return replace(new, range=new.range or old.range, learn=new.learn or old.learn)
    return new
