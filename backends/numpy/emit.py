"""A step program as a Python module: the same statements in the same order, with the user's names."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from jinja2 import Environment, PackageLoader, StrictUndefined

from birc.backends import Artifact, Dtype
from birc.backends.names import identifiers
from birc.backends.numpy.bind import arguments, bind_text
from birc.backends.numpy.syntax import OWN_NAMES, phase_syntax
from birc.backends.text import Syntax, lines, plain
from birc.errors import Span
from birc.ir.expr import Expr, leaves, topo
from birc.ir.ops import MOST_STEPS
from birc.ir.step import Define, Deliver, Emit, Lookup, Phase, Put, Step, Store

RESERVED = frozenset(keyword.kwlist) | frozenset(keyword.softkwlist) | frozenset(dir(builtins)) | frozenset(OWN_NAMES)

HELPERS = ("exprel", "sigmoid", "heaviside", "steps")
ENTRIES = frozenset({"propagator", "increment", "increment_rest", "input_gain", "noise_factor"})

FIRED = ".spike"
STORED, PUT, NEXT = ".store.", ".put.", ".next"
"""What names the value of an `Emit`, `Store`, `Put` or `Carry` that is more than a name."""


@dataclass(frozen=True)
class Text:
    """A line of the module: what it says, how deep it stands, and where in the model it comes from."""

    code: str
    where: str = ""
    depth: int = 1

    def __str__(self) -> str:
        return f"{'    ' * self.depth}{self.code}" + (f"  # {self.where}" if self.where else "")


def emit(step: Step, dtype: Dtype) -> Artifact:
    """The module's text."""
    names = identifiers(_names(step), RESERVED)
    ops = {e.op for root in _roots(step) for e in topo(root)}
    bind = bind_text(step, names)
    body = _Body(names, phase_syntax(names, dtype)).of(step)
    title = f"{step.name}: {step.doc.strip().splitlines()[0]}" if step.doc and step.doc.strip() else step.name
    text = (
        _environment()
        .get_template("step.py.j2")
        .render(
            title=plain(title).replace('"', '\\"'),
            arguments=bind.arguments,
            bind=[f"    {line}" for line in bind.lines],
            bound=bind.values,
            body=[str(t) for t in body.texts],
            stores=body.stores,
            fired=body.fired,
            puts=body.puts,
            helpers=[h for h in HELPERS if h in ops],
            entries=bool(ops & ENTRIES),
            fma="fma" in ops,
            most_steps=MOST_STEPS,
            tables=bool(step.tables),
            real="float64" if dtype == "f64" else "float32",
            events=any(isinstance(s, Deliver) for _, s in step.statements()),
        )
    )
    return Artifact("numpy", step, dtype, {f"{step.name}.py": text}, {"names": names})


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("birc.backends.numpy"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


class _Body:
    """The lines of the step function under construction, and what it returns."""

    def __init__(self, names: Mapping[str, str], syntax: Syntax) -> None:
        self.names, self.syntax = names, syntax
        taken = set(names.values())
        self.fresh = (t for i in count() if (t := f"t{i}") not in taken)
        self.texts: list[Text] = []
        self.stores: list[str] = []
        self.puts: list[str] = []
        self.fired = "None"

    def of(self, step: Step) -> _Body:
        """All phases, after the bind values that they read."""
        used = {n for p in step.phases for root in _phase_roots(p) for n in leaves(root, "value")}
        for define in step.bind:
            if define.name in used:
                self.texts.append(Text(f"{self.names[define.name]} = bound[{define.name!r}]"))
        for phase in step.phases:
            self.texts.append(Text(f"# {phase.name}"))
            self._phase(phase)
        return self

    def _phase(self, phase: Phase) -> None:
        pending: list[tuple[str, Expr, Span | None]] = []

        def result(name: str, e: Expr, span: Span | None) -> str:
            """The text of a value that is returned: its name, after a line of its own if it has none yet."""
            if _is_named(e):
                return self._leaf(e)
            pending.append((name, e, span))
            return self.names[name]

        for statement in phase.body:
            match statement:
                case Define(name, e, span):
                    pending.append((name, e, span))
                case Store(slot, e, span):
                    self.stores.append(f"{slot!r}: {result(STORED + slot, e, span)}")
                case Put(output, e, span):
                    self.puts.append(f"{output!r}: {result(PUT + output, e, span)}")
                case Emit(e, span):
                    self.fired = result(FIRED, e, span)
                case Lookup(table, argument, results, span):
                    self._lines(pending)
                    pending.clear()
                    names = ", ".join(self.names[result] for result in results)
                    looked_up = f"look_up(tables[{table!r}], {self._leaf(argument)})"
                    self.texts.append(Text(f"{names}{',' if len(results) == 1 else ''} = {looked_up}", _where(span)))
                case Deliver():
                    self._lines(pending)
                    pending.clear()
                    self._deliver(statement)
                case _:
                    raise TypeError(f"{type(statement).__name__} has no place in a program without solvers")
        self._lines(pending)

    def _lines(self, defines: list[tuple[str, Expr, Span | None]], depth: int = 1) -> None:
        spans = {self.names[name]: span for name, _, span in defines}
        for line in lines([(self.names[name], e) for name, e, _ in defines], self.syntax, self.fresh):
            self.texts.append(Text(f"{line.name} = {line.text}", _where(spans.get(line.name)) if line.defined else "", depth))

    def _leaf(self, e: Expr) -> str:
        return lines([("", e)], self.syntax, iter(()))[-1].text

    def _deliver(self, deliver: Deliver) -> None:
        names, where = self.names, _where(deliver.span)
        payload = names[deliver.payload]
        arrived = f"(*events[{deliver.port!r}], n, real)"
        body = [(d.name, d.value, d.span) for d in deliver.body]
        if deliver.summing:
            self.texts.append(Text(f"{payload} = total{arrived}", where))
            self._lines(body)
            return
        self._lines([(c.result, c.initial, deliver.span) for c in deliver.carries])
        self.texts.append(Text(f"for who, {payload} in rounds{arrived}:", where))
        for carry in deliver.carries:
            self.texts.append(Text(f"{names[carry.name]} = {names[carry.result]}", "", 2))
        self._lines(body + [(c.result + NEXT, c.next, None) for c in deliver.carries if not _is_named(c.next)], 2)
        for carry in deliver.carries:
            after = self._leaf(carry.next) if _is_named(carry.next) else names[carry.result + NEXT]
            self.texts.append(Text(f"{names[carry.result]} = np.where(who, {after}, {names[carry.result]})", "", 2))
        if not deliver.carries and not deliver.body:
            self.texts.append(Text("pass", "", 2))


def _is_named(e: Expr) -> bool:
    """Whether a value has a text without a line of its own."""
    return e.op in ("value", "const")


def _where(span: Span | None) -> str:
    return plain(span.where) if span else ""


def _roots(step: Step) -> list[Expr]:
    return [d.value for d in step.bind] + [e for p in step.phases for e in _phase_roots(p)]


def _phase_roots(phase: Phase) -> list[Expr]:
    found: list[Expr] = []
    for s in phase.body:
        match s:
            case Define(_, e) | Store(_, e) | Put(_, e) | Emit(e) | Lookup(_, e):
                found.append(e)
            case Deliver():
                found += [d.value for d in s.body]
                found += [e for c in s.carries for e in (c.initial, c.next)]
            case _:
                pass
    return found


def _names(step: Step) -> Iterator[str]:
    """Everything that needs an identifier."""
    yield from (d.name for d in step.bind)
    yield from arguments(step).values()
    for _, s in step.statements():
        match s:
            case Define(name, _):
                yield name
            case Lookup(results=results):
                yield from results
            case Store(slot, e) if not _is_named(e):
                yield STORED + slot
            case Put(output, e) if not _is_named(e):
                yield PUT + output
            case Emit(e) if not _is_named(e):
                yield FIRED
            case Deliver():
                yield s.payload
                yield from (d.name for d in s.body)
                for c in s.carries:
                    yield from (c.name, c.result, *(() if _is_named(c.next) else (c.result + NEXT,)))
            case _:
                pass
