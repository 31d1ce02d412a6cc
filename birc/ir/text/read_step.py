"""A step program from its text; the grammar is that of `print_step`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast, get_args

from birc.errors import Span
from birc.ir import step as s
from birc.ir.expr import Expr
from birc.ir.ops import Kind
from birc.ir.text.read_model import Table, collect, one_of, read_block, read_guard, read_limits, read_param, read_preset
from birc.ir.text.scanner import Scanner

T = TypeVar("T")
_SEVERAL = ("params", "slots", "inputs", "events", "outputs", "noises", "bind", "tables", "phases")


def read_step(scan: Scanner) -> s.Step:
    """A step program behind its first word."""
    span = scan.place()
    scan.need("@")
    name = scan.name()
    scan.leaf = "var"
    parts = collect(scan, STEP, frozenset({"doc", "bind"}))
    mixed = parts.pop("phases", ())
    parts["inputs"] = tuple(p for p in mixed if isinstance(p, s.Port))
    parts["phases"] = tuple(p for p in mixed if isinstance(p, s.Phase))
    empty: dict[str, Any] = dict.fromkeys(_SEVERAL, ())
    return s.Step(name, **(empty | parts), span=span)


def _slot(scan: Scanner) -> s.Slot:
    span = scan.place()
    name = scan.name()
    scan.need(":")
    kind = cast(Kind, one_of(scan, get_args(Kind)))
    unit = scan.unit()
    scan.need("from")
    init = scan.ref()
    return s.Slot(name, kind, unit, init, *read_limits(scan, lambda: _limit(scan)), span)


def _limit(scan: Scanner) -> float | str:
    return scan.ref() if scan.sees("%") else scan.real()


def _port(scan: Scanner) -> s.Port:
    span = scan.place()
    name = scan.name()
    scan.need(":")
    return s.Port(name, scan.unit(), span)


def _noise(scan: Scanner) -> s.Noise:
    name = scan.name()
    scan.need("lanes")
    return s.Noise(name, scan.count())


def _bind(scan: Scanner) -> tuple[s.Define, ...]:
    return tuple(_region(scan, _definition))


def _table(scan: Scanner) -> s.Table:
    name = scan.name()
    scan.need("of")
    slot = scan.name()
    start = scan.at
    low, high = read_limits(scan, lambda: _limit(scan))
    if low is None or high is None:
        scan.fail("S207", "both ends of a table", start)
    scan.need("error")
    error = scan.real()
    guarded = scan.take("guarded")
    return s.Table(name, slot, low, high, error, tuple(_region(scan, _column)), guarded)


def _column(scan: Scanner) -> Expr:
    scan.need("column")
    return scan.operand()


def _phase(name: s.PhaseName, scan: Scanner) -> s.Phase:
    return s.Phase(name, tuple(_region(scan, _statement)))


def _input(scan: Scanner) -> s.Port | s.Phase:
    """The declaration of an input, or the phase of this name."""
    return _phase("input", scan) if scan.sees("{") else _port(scan)


def _region(scan: Scanner, read: Callable[[Scanner], T]) -> list[T]:
    """The statements of a block, in which `%x` is a value of the step."""
    found = []
    outer, scan.leaf = scan.leaf, "value"
    with scan.inner():
        for _ in scan.block():
            if not scan.numbered_line():
                found.append(read(scan))
    scan.leaf = outer
    return found


def _definition(scan: Scanner) -> s.Define:
    span = scan.place()
    name = scan.ref()
    scan.need("=")
    return s.Define(name, scan.application(), span)


def _statement(scan: Scanner) -> s.Statement:
    span = scan.place()
    if scan.sees("%"):
        return _definition(scan)
    match scan.word():
        case "store":
            return s.Store(*_named_operand(scan, "store"), span)
        case "put":
            return s.Put(*_named_operand(scan, "put"), span)
        case "spike":
            scan.need("spike")
            return s.Emit(scan.operand(), span)
        case "look_up":
            scan.need("look_up")
            return _lookup(scan, span)
        case "deliver":
            scan.need("deliver")
            return _deliver(scan, span)
        case "integrate":
            scan.need("integrate")
            return _integrate(scan)
        case _:
            scan.expected("`%name =`, store, put, spike, look_up, deliver, integrate or `}`")


def _lookup(scan: Scanner, span: Span | None) -> s.Lookup:
    table = scan.name()
    results = scan.listed(scan.ref) if scan.take("for") else ()
    scan.need("at")
    return s.Lookup(table, scan.operand(), results, span)


def _named_operand(scan: Scanner, word: str) -> tuple[str, Expr]:
    scan.need(word)
    name = scan.name()
    scan.need(",")
    return name, scan.operand()


def _deliver(scan: Scanner, span: Span | None) -> s.Deliver:
    port = scan.name()
    scan.need("(")
    payload = scan.ref()
    scan.need(")")
    summing = scan.take("summing")
    initial: list[tuple[str, Expr]] = []
    carries: list[s.Carry] = []
    body: list[s.Define] = []
    start = scan.at
    with scan.inner():
        for _ in scan.block():
            here = scan.at
            if scan.take("carry"):
                name = scan.ref()
                scan.need("=")
                initial.append((name, scan.operand()))
            elif scan.take("next"):
                name = scan.ref()
                if len(carries) >= len(initial) or initial[len(carries)][0] != name:
                    scan.fail("S207", "a `next` for each `carry`, in the same order", here)
                scan.need("to")
                result = scan.ref()
                scan.need("=")
                carries.append(s.Carry(name, initial[len(carries)][1], scan.operand(), result))
            elif not scan.numbered_line():
                body.append(_definition(scan))
    if len(carries) < len(initial):
        scan.fail("S207", "a `carry` without its `next`", start)
    return s.Deliver(port, payload, summing, tuple(body), tuple(carries), span)


def _integrate(scan: Scanner) -> s.Integrate:
    method = scan.name()
    part = _limit(scan) if scan.take("part") else 1.0
    start = scan.at
    parts = collect(scan, INTEGRATE, frozenset({"busy", "hold"}))
    equations = parts.pop("equations", ())
    noises = parts.get("noises", ())
    if noises and len(noises) != len(equations):
        scan.fail("S207", "a `noise` for each equation, or for none", start)
    columns = [tuple(column) for column in zip(*equations, strict=True)] or [(), (), (), (), ()]
    states, initial, results, rates, spans = columns
    return s.Integrate(method, states, initial, rates, results, part=part, spans=spans, **parts)


def _advance(scan: Scanner) -> tuple[str, Expr, str, Expr, Span | None]:
    span = scan.place()
    state = scan.ref()
    scan.need("from")
    initial = scan.operand()
    scan.need("to")
    result = scan.ref()
    scan.need("by")
    return state, initial, result, scan.value(), span


def _guard(scan: Scanner) -> tuple[str, Expr]:
    state = scan.ref()
    scan.need("at")
    return state, scan.value()


def _feed(scan: Scanner) -> s.Feed:
    state = scan.ref()
    scan.need("middle")
    middle = scan.ref()
    scan.need("end")
    return s.Feed(state, middle, scan.ref())


def _hold(scan: Scanner) -> tuple[str, ...]:
    return scan.listed(scan.ref)


INTEGRATE: Table = {
    "advance": ("equations", _advance),
    "noise": ("noises", Scanner.arguments),
    "busy": ("busy", Scanner.operand),
    "hold": ("hold", _hold),
    "guard": ("guards", _guard),
    "feed": ("feeds", _feed),
}

STEP: Table = {
    "doc": ("doc", Scanner.string),
    "param": ("params", read_param),
    "slot": ("slots", _slot),
    "event": ("events", _port),
    "noise": ("noises", _noise),
    "preset": ("presets", read_preset),
    "block": ("blocks", read_block),
    "guard": ("guards", read_guard),
    "bind": ("bind", _bind),
    "table": ("tables", _table),
    "output": ("outputs", _port),
    **{name: ("phases", partial(_phase, name)) for name in get_args(s.PhaseName)},
    "input": ("phases", _input),
}
