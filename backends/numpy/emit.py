"""A step program as a Python module: the same statements in the same order, with the user's names."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from jinja2 import Environment, PackageLoader, StrictUndefined

from birc.backends import Artifact, Dtype
from birc.backends.names import identifiers
from birc.backends.text import Syntax, lines
from birc.errors import Span
from birc.ir.expr import Expr, leaves, topo
from birc.ir.step import Define, Deliver, Emit, Phase, Put, Step, Store

FRAME_NAMES = ("np", "real", "step", "bind", "state", "inputs", "events", "draw", "n", "total", "rounds", "who", "exprel", "sigmoid", "heaviside")
RESERVED = frozenset(keyword.kwlist) | frozenset(keyword.softkwlist) | frozenset(dir(builtins)) | frozenset(FRAME_NAMES)

INFIX = {
    "mul": ("*", 12), "div": ("/", 12), "add": ("+", 11), "sub": ("-", 11), "and": ("&", 9), "or": ("|", 7),
    "lt": ("<", 6), "le": ("<=", 6), "gt": (">", 6), "ge": (">=", 6), "eq": ("==", 6), "ne": ("!=", 6),
}  # fmt: skip
PREFIX = {"neg": ("-", 13), "not": ("~", 13)}
CALL = {
    **{f: f"np.{f}({{0}})" for f in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "abs", "floor")},
    **{f: f"{f}({{0}})" for f in ("exprel", "sigmoid", "heaviside")},
    "min": "np.minimum({0}, {1})",
    "max": "np.maximum({0}, {1})",
    "pow": "np.power({0}, {1})",
    "select": "np.where({0}, {1}, {2})",
}
HELPERS = ("exprel", "sigmoid", "heaviside")


@dataclass(frozen=True)
class Text:
    """A line of the module: what it says, how deep it stands, and where in the model it comes from."""

    code: str
    where: str = ""
    depth: int = 1


def emit(step: Step, dtype: Dtype) -> Artifact:
    """The module's text."""
    names = identifiers(_names(step), RESERVED)
    syntax = _syntax(names, dtype)
    taken = set(names.values())
    fresh = (t for i in count() if (t := f"t{i}") not in taken)
    body: list[Text] = []
    bound = {d.name for d in step.bind}
    used = {n for p in step.phases for root in _roots(p) for n in leaves(root, "value")} & bound
    for define in step.bind:
        if define.name in used:
            body.append(Text(f"{names[define.name]} = bind[{define.name!r}]"))
    stores: list[str] = []
    for phase in step.phases:
        body.append(Text(f"# {phase.name}"))
        _phase(phase, names, syntax, fresh, body, stores)
    fired = next((syntax_text(s.fired, syntax) for _, s in step.statements() if isinstance(s, Emit)), "None")
    puts = ", ".join(f"{s.output!r}: {names['.put.' + s.output]}" for _, s in step.statements() if isinstance(s, Put))
    ops = {e.op for p in step.phases for root in _roots(p) for e in topo(root)}
    text = _environment().get_template("step.py.j2").render(
        name=step.name,
        doc=step.doc,
        body=[f"{'    ' * t.depth}{t.code}" + (f"  # {t.where}" if t.where else "") for t in body],
        stores=stores,
        fired=fired,
        puts=puts,
        helpers=[h for h in HELPERS if h in ops],
        real="float64" if dtype == "f64" else "float32",
        events=any(isinstance(s, Deliver) for _, s in step.statements()),
    )
    return Artifact("numpy", step, dtype, {f"{step.name}.py": text}, {"names": names})


def syntax_text(e: Expr, syntax: Syntax) -> str:
    """The text of a leaf or small expression."""
    return lines([("", e)], syntax, iter(()))[-1].text


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("birc.backends.numpy"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )


def _phase(phase: Phase, names: dict[str, str], syntax: Syntax, fresh: Iterator[str], body: list[Text], stores: list[str]) -> None:
    pending: list[tuple[str, Expr, Span | None]] = []

    def flush(depth: int = 1) -> None:
        spans = {names[n]: s for n, _, s in pending}
        for line in lines([(names[n], e) for n, e, _ in pending], syntax, fresh):
            span = spans.get(line.name) if line.defined else None
            body.append(Text(f"{line.name} = {line.text}", span.where if span else "", depth))
        pending.clear()

    for statement in phase.body:
        match statement:
            case Define(name, e, span):
                pending.append((name, e, span))
            case Put(output, e, span):
                pending.append((f".put.{output}", e, span))
            case Store(slot, e):
                flush()
                stores.append(f"{slot!r}: {syntax_text(e, syntax)}")
            case Deliver():
                flush()
                _deliver(statement, names, syntax, fresh, body)
            case _:
                pass
    flush()


def _deliver(deliver: Deliver, names: dict[str, str], syntax: Syntax, fresh: Iterator[str], body: list[Text]) -> None:
    where = deliver.span.where if deliver.span else ""
    payload = names[deliver.payload]
    inner = [(d.name, d.value) for d in deliver.body]
    if deliver.summing:
        body.append(Text(f"{payload} = total(*events[{deliver.port!r}], n, real)", where))
    else:
        for carry in deliver.carries:
            body.append(Text(f"{names[carry.result]} = {syntax_text(carry.initial, syntax)}", where))
        body.append(Text(f"for who, {payload} in rounds(*events[{deliver.port!r}], n, real):", where))
        for carry in deliver.carries:
            body.append(Text(f"{names[carry.name]} = {names[carry.result]}", "", 2))
    depth = 1 if deliver.summing else 2
    spans = {names[d.name]: d.span for d in deliver.body}
    for line in lines([(names[n], e) for n, e in inner], syntax, fresh):
        span = spans.get(line.name) if line.defined else None
        body.append(Text(f"{line.name} = {line.text}", span.where if span else "", depth))
    for carry in deliver.carries:
        body.append(Text(f"{names[carry.result]} = np.where(who, {syntax_text(carry.next, syntax)}, {names[carry.result]})", "", 2))
    if not deliver.summing and not deliver.carries and not deliver.body:
        body.append(Text("pass", "", 2))


def _roots(phase: Phase) -> list[Expr]:
    found: list[Expr] = []
    for s in phase.body:
        match s:
            case Define(_, e) | Store(_, e) | Put(_, e) | Emit(e):
                found.append(e)
            case Deliver():
                found += [d.value for d in s.body]
                found += [e for c in s.carries for e in (c.initial, c.next)]
            case _:
                pass
    return found


def _names(step: Step) -> Iterator[str]:
    yield from (d.name for d in step.bind)
    for _, s in step.statements():
        match s:
            case Define(name, _):
                yield name
            case Put(output, _):
                yield f".put.{output}"
            case Deliver():
                yield s.payload
                yield from (d.name for d in s.body)
                for c in s.carries:
                    yield from (c.name, c.result)
            case _:
                pass


def _syntax(names: dict[str, str], dtype: Dtype) -> Syntax:
    def const(x: float | int | bool) -> str:
        if isinstance(x, (bool, int)):
            return repr(x)
        text = f'float("{x!r}")' if x != x or x in (float("inf"), float("-inf")) else repr(x)
        return text if dtype == "f64" else f"real({text})"

    def leaf(e: Expr) -> str:
        match e.op:
            case "value":
                return names[str(e.attr)]
            case "load":
                return f"state[{e.attr!r}]"
            case "read":
                return f"inputs[{e.attr!r}]"
            case "normal":
                name, _, lane = str(e.attr).rpartition(":")
                return f"draw({name!r}, {lane})"
        raise ValueError(f"op {e.op} has no place in a step's phases")

    return Syntax(INFIX, PREFIX, CALL, const, leaf)
