"""A step program as a Python module with a Keras layer: the same statements in the same order, with the user's names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from birc.backends import Artifact, Derive, Dtype
from birc.backends.keras import names as reserved
from birc.backends.keras.adjoint import adjoint_table
from birc.backends.keras.ops import HELPERS, MATRIX, RESET, bind_syntax, number, quoted, step_syntax
from birc.backends.keras.program import defined, roots, used_of_bind
from birc.backends.keras.tables import tables
from birc.backends.names import identifiers
from birc.backends.text import lines, plain
from birc.errors import Span
from birc.ir.expr import Expr, const, make, rewrite, topo, value
from birc.ir.ops import OPS, evaluate_op
from birc.ir.resting import resting
from birc.ir.spike import fired, is_real, leaf_kinds, margin
from birc.ir.step import Define, Deliver, Emit, Phase, Put, Step, Store
from birc.ir.surrogates import TABLE, Surrogate
from birc.ir.text import print_step

FACTOR = "."
"""Before the name of a bind value that is a noise's factor, which a graph takes as a number from among the parameters."""
SURROGATE = "fast_sigmoid"
"""That of a model which names none: the one most used (Zenke and Ganguli, 2018)."""


def emit(step: Step, dtype: Dtype, derive: Derive | None = None) -> Artifact:
    """The module's text, with its adjoint if something derives; its number type is decided where it is imported, by Keras's `floatx`."""
    names = identifiers([*(d.name for d in step.bind), *defined(step)], reserved.RESERVED)
    classes = identifiers([step.name], reserved.RESERVED)
    layer = classes[step.name]
    used = {e.op for p in step.phases for root in roots(p) for e in topo(root)}
    used |= {e.op for d in step.bind for e in topo(d.value)}
    used |= {e.op for s in TABLE.values() for e in topo(s.derivative)}
    found = tables(step, names)
    back = adjoint_table(step, names, derive)
    used |= back.ops
    program = hashlib.sha256(print_step(step).encode()).hexdigest()[:12]
    default, named = surrogate(step)
    text = (
        environment()
        .get_template("layer.py.j2")
        .render(
            layer=layer,
            title=reserved.docstring(step.doc).partition("\n")[0],
            doc=reserved.docstring(step.doc),
            program=program,
            helpers=[h for h in HELPERS if h in used],
            matrices=[m for m in MATRIX if m in used],
            durations="steps" in used,
            bind=bind_lines(step, names, found.needs_by_name),
            body=Body(step, names).text(),
            t=found,
            adjoint=back,
            resting=[(slot, tuple(names[n] for n in needs)) for slot, needs in resting(step).items()],
            learned=[p.argument for p in found.parameters if p.learn],
            surrogate=json.dumps(default),
            surrogates=_surrogates(),
            surrogate_named=named,
        )
    )
    says = {"names": names, "layer": layer, "program": program, "arguments": found.arguments, "surrogate": default}
    return Artifact("keras", step, dtype, {f"{layer}.py": text}, says)


def surrogate(step: Step) -> tuple[str | dict[str, object], bool]:
    """What stands for the spike's derivative in a layer that is not told otherwise, and whether the model says so."""
    options = [o for o in step.model.options if o.kind == "surrogate"] if step.model is not None else []
    if not options:
        return SURROGATE, False
    arguments: dict[str, object] = {name: e.attr for name, e in options[0].arguments}
    return {"name": options[0].name, **arguments} if arguments else options[0].name, True


@dataclass(frozen=True)
class Written:
    """A surrogate as functions of the module; `by_slope` is empty where it has no slope."""

    name: str
    function: str
    signature: str
    source: str
    slope: str | None
    derivative: tuple[str, ...]
    by_slope: tuple[str, ...]


@cache
def _surrogates() -> tuple[Written, ...]:
    return tuple(written(s) for s in TABLE.values())


def written(s: Surrogate) -> Written:
    """The text of a surrogate."""
    signature = "".join(f", {name}: float = {default!r}" for name, default in s.arguments.items())
    return Written(s.name, f"surrogate_{s.name}", signature, s.source, s.slope, _returned(s, s.derivative), _returned(s, s.by_slope))


def _returned(s: Surrogate, e: Expr | None) -> tuple[str, ...]:
    if e is None:
        return ()
    if not e.args:
        return (f"return {number(float(e.attr or 0))} * ops.ones_like(x)",)
    names = {name: name for name in ("x", *s.arguments)}
    *before, last = lines([("", e)], step_syntax(names), (f"t{i}" for i in count()))
    return (*(f"{line.name} = {line.text}" for line in before), f"return {last.text}")


def environment() -> Environment:
    """Where the templates are."""
    environment = Environment(
        loader=PackageLoader("birc.backends.keras"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"quoted": quoted, "names": _tuple}
    return environment


def _tuple(names: Iterable[str]) -> str:
    """Names as a tuple of Python."""
    texts = [quoted(name) for name in names]
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def bind_lines(step: Step, names: Mapping[str, str], wanted: frozenset[str]) -> list[str]:
    """The lines of the bind section that lead to some of its values."""
    written = {d.name: d for d in step.bind}
    taken = set(names.values())
    fresh = (t for i in count() if (t := f"t{i}") not in taken)
    needed: set[str] = set()
    for name in reversed(written):
        if name in wanted or name in needed:
            needed |= {name} | {str(e.attr) for e in topo(written[name].value) if e.op == "value"}
    fixed = _folded(step)
    pending = [(names[d.name], fixed[d.name]) for d in step.bind if d.name in needed]
    spans = {names[d.name]: d.span for d in step.bind}
    factors = {names[d.name] for d in step.bind if d.value.op == "noise_factor"}
    out = []
    for line in lines(pending, bind_syntax(names), fresh):
        where = _where(spans.get(line.name)) if line.defined else ""
        text = f"{line.text} if m is np else p[{quoted(FACTOR + line.name)}]" if line.name in factors else line.text
        out.append(f"{line.name} = {text}{where}")
    return out


def _folded(step: Step) -> dict[str, Expr]:
    """The bind values, where what is made of literals alone is a number: a framework would compute it in a type of its own."""
    known: dict[Expr, Expr] = {}
    found: dict[str, Expr] = {}

    def fold(e: Expr) -> Expr | None:
        if e in known:
            return known[e]
        if not e.args or e.op not in OPS or not all(a.op == "const" and isinstance(a.attr, float) for a in e.args):
            return None
        with np.errstate(all="ignore"):
            result = np.asarray(evaluate_op(e, tuple(np.float64(a.attr) for a in e.args)))
        return const(float(result)) if result.dtype.kind == "f" and np.isfinite(result) else None

    for d in step.bind:
        found[d.name] = rewrite(d.value, fold)
        if found[d.name].op == "const":
            known[value(d.name)] = found[d.name]
    return found


def _where(span: Span | None) -> str:
    return f"  # {plain(span.where)}" if span else ""


class Body:
    """The text of the step function, made phase by phase."""

    def __init__(self, step: Step, names: Mapping[str, str]) -> None:
        self.step, self.names = step, names
        self.syntax = step_syntax(names)
        taken = set(names.values())
        self.fresh: Iterator[str] = (t for i in count() if (t := f"t{i}") not in taken)
        self.condition = fired(step)
        self.kinds = leaf_kinds(step)
        self.out: list[str] = []
        self.stores: list[str] = []
        self.puts: list[str] = []
        self.spiked = ""

    def text(self) -> list[str]:
        """All lines, the last of them the return."""
        read = {e.attr for p in self.step.phases for root in roots(p) for e in topo(root) if e.op == "value"}
        self.out += [f"{self.names[n]} = bind[{quoted(self.names[n])}]" for n in used_of_bind(self.step) if n in read]
        for phase in self.step.phases:
            self.out.append(f"# {phase.name}")
            self._phase(phase)
        self.out.append(f"return {{{', '.join(self.stores)}}}, {self.spiked or 'None, None'}, {{{', '.join(self.puts)}}}")
        return self.out

    def _phase(self, phase: Phase) -> None:
        pending: list[tuple[str, Expr, Span | None]] = []

        def flush() -> None:
            self._write(pending)
            pending.clear()

        for statement in phase.body:
            match statement:
                case Define(name, e, span):
                    pending.append((name, self._resets(e), span))
                    if self.condition is value(name):
                        flush()
                        self._spike(self.names[name])
                case Put(output, e, span):
                    pending.append((f".put.{output}", self._resets(e), span))
                    self.puts.append(f"{quoted(output)}: {self.names[f'.put.{output}']}")
                case Store(slot, e):
                    flush()
                    self.stores.append(f"{quoted(slot)}: {self._inline(e)}")
                case Deliver():
                    flush()
                    self._deliver(statement)
                case Emit(e) if not self.spiked:
                    flush()
                    name = next(self.fresh)
                    self.out.append(f"{name} = {self._inline(e)}")
                    self._spike(name)
                case _:
                    pass
        flush()

    def _write(self, defines: list[tuple[str, Expr, Span | None]], indent: str = "") -> None:
        spans = {self.names[n]: s for n, _, s in defines}
        for line in lines([(self.names[n], e) for n, e, _ in defines], self.syntax, self.fresh):
            where = _where(spans.get(line.name)) if line.defined else ""
            self.out.append(f"{indent}{line.name} = {line.text}{where}")

    def _inline(self, e: Expr, indent: str = "") -> str:
        """The text of an expression; what it shares gets lines of its own before it."""
        *before, last = lines([("", self._resets(e))], self.syntax, self.fresh)
        self.out += [f"{indent}{line.name} = {line.text}" for line in before]
        return last.text

    def _resets(self, e: Expr) -> Expr:
        """`select` on the spike becomes the reset, of which a layer may ask for the derivative."""
        condition = self.condition
        if condition is None or condition.op != "value":
            return e

        def reset(n: Expr) -> Expr | None:
            chosen = n.op == "select" and n.args[0] is condition and is_real(n.args[1], self.kinds)
            return make(RESET, n.args) if chosen else None

        return rewrite(e, reset)

    def _spike(self, name: str) -> None:
        assert self.condition is not None
        self.spiked = f"{name}, z"
        beyond = margin(self.step, self.condition)
        if beyond is not None:
            self.out += [f"margin = {self._inline(beyond)}", f"z = spike({name}, margin)"]
        else:
            self.out.append(f"z = spike({name}, None)")

    def _deliver(self, deliver: Deliver) -> None:
        where = _where(deliver.span)
        payload = self.names[deliver.payload]
        body = [(d.name, d.value, d.span) for d in deliver.body]
        if deliver.summing:
            self._sum(deliver, f"{payload} = events[{quoted(deliver.port)}]{where}")
            return
        for carry in deliver.carries:
            self.out.append(f"{self.names[carry.result]} = {self._inline(carry.initial)}{where}")
        if not deliver.carries:
            return
        self.out.append(f"for who, {payload} in events[{quoted(deliver.port)}]:{where}")
        self.out += [f"    {self.names[c.name]} = {self.names[c.result]}" for c in deliver.carries]
        self._write(body, "    ")
        for carry in deliver.carries:
            after = self._inline(carry.next, "    ")
            self.out.append(f"    {self.names[carry.result]} = ops.where(who, {after}, {self.names[carry.result]})")

    def _sum(self, deliver: Deliver, taken: str) -> None:
        """A port of which the sum matters; most layers are told that nothing arrives at it, and do nothing then."""
        payload = self.names[deliver.payload]
        body = [(d.name, d.value, d.span) for d in deliver.body]
        spared = [(self.names[name], nothing_arrives(e, deliver.payload)) for name, e, _ in body]
        self.out.append(taken)
        if body and all(e.op == "value" for _, e in spared):
            self.out += [f"if {payload} is None:", *(f"    {name} = {self.names[str(e.attr)]}" for name, e in spared), "else:"]
            self._write(body, "    ")
        else:
            self.out.append(f"{payload} = 0.0 if {payload} is None else {payload}")
            self._write(body)


def nothing_arrives(e: Expr, payload: str) -> Expr:
    """What becomes of an expression where a payload is 0."""
    nothing = const(0.0)

    def left(n: Expr) -> Expr | None:
        match n:
            case Expr("value", (), name) if name == payload:
                return nothing
            case Expr("add", (a, b)) if nothing in (a, b):
                return b if a is nothing else a
            case Expr("sub", (a, b)) if b is nothing:
                return a
            case Expr("mul", (a, b)) if nothing in (a, b):
                return nothing
            case Expr("select", (_, a, b)) if a is b:
                return a
        return None

    return rewrite(e, left)
