"""A model from its text; the grammar is that of `print_model`, statements in any order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast, get_args

from birc.ir import model as m
from birc.ir.text.scanner import Scanner
from birc.units import Unit

T = TypeVar("T")
Reader = Callable[[Scanner], Any]
Table = Mapping[str, tuple[str, Reader]]
"""A statement's first word -> the field that it goes to, and how the rest is read."""


def collect(scan: Scanner, table: Table, single: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The statements of a block by field: a tuple, or one value for a field in `single`."""
    many: dict[str, list[Any]] = {}
    one: dict[str, Any] = {}
    for _ in scan.block():
        start, word = scan.at, scan.word()
        if word not in table:
            scan.expected(f"a statement ({', '.join(table)}) or `}}`")
        scan.need(word)
        field, read = table[word]
        if field in one:
            scan.fail("S207", f"a second `{word}`", start)
        if field in single:
            one[field] = read(scan)
        else:
            many.setdefault(field, []).append(read(scan))
    return one | {field: tuple(values) for field, values in many.items()}


def read_model(scan: Scanner) -> m.Model:
    """A model behind its first word."""
    span = scan.place()
    scan.need("@")
    name = scan.name()
    kind: m.ModelKind = "neuron"
    if not scan.sees("{"):
        kind = one_of(scan, get_args(m.ModelKind))
    scan.leaf = "var"
    return m.Model(name, kind, span=span, **collect(scan, MODEL, frozenset({"doc", "spike", "refractory"})))


def one_of(scan: Scanner, choices: tuple[str, ...]) -> Any:
    """One of these words."""
    word = scan.word()
    if word not in choices:
        scan.expected(" or ".join(f"`{choice}`" for choice in choices))
    scan.need(word)
    return word


def declared(scan: Scanner) -> tuple[str, Unit]:
    """`%x : mV`."""
    name = scan.ref()
    scan.need(":")
    return name, scan.unit()


def read_param(scan: Scanner) -> m.Param:
    """`%tau : ms = 20.0 in (0.0, inf) learn`."""
    span = scan.place()
    name, unit = declared(scan)
    scan.need("=")
    value = scan.value()
    bounds = _range(scan) if scan.take("in") else None
    return m.Param(name, unit, value, bounds, scan.take("learn"), span)


def _range(scan: Scanner) -> m.Range:
    low_closed = scan.take("[")
    if not low_closed:
        scan.need("(")
    low = scan.real()
    scan.need(",")
    high = scan.real()
    high_closed = scan.take("]")
    if not high_closed:
        scan.need(")")
    return m.Range(low, high, low_closed, high_closed)


def read_limits(scan: Scanner, read: Callable[[], T]) -> tuple[T | None, T | None]:
    """` in [lo, hi]`, or nothing."""
    if not scan.take("in"):
        return None, None
    scan.need("[")
    low = scan.optional(read)
    scan.need(",")
    high = scan.optional(read)
    scan.need("]")
    return low, high


def _state(scan: Scanner) -> m.State:
    span = scan.place()
    name, unit = declared(scan)
    scan.need("=")
    init = scan.value()
    low, high = read_limits(scan, scan.value)
    return m.State(name, unit, init, low, high, scan.take("gate"), span)


def _at(scan: Scanner) -> tuple[str | None, float | None]:
    if not scan.take("at"):
        return None, None
    return scan.optional(scan.name), read_position(scan)


def read_position(scan: Scanner) -> float | None:
    """`(0.5)`, or nothing."""
    if not scan.take("("):
        return None
    position = scan.real()
    scan.need(")")
    return position


def _input(scan: Scanner) -> m.Input:
    span = scan.place()
    return m.Input(*declared(scan), *_at(scan), span)


def _let(scan: Scanner, outward: bool = False) -> m.Let:
    span = scan.place()
    name, unit = declared(scan)
    scan.need("=")
    return m.Let(name, unit, scan.value(), outward, span)


def _outward(scan: Scanner) -> m.Let:
    return _let(scan, True)


def _function(scan: Scanner) -> m.Function:
    span = scan.place()
    scan.need("@")
    name = scan.name()
    scan.need("(")
    parameters = () if scan.sees(")") else scan.listed(lambda: declared(scan))
    scan.need(")")
    scan.need(":")
    unit = scan.unit()
    scan.need("=")
    return m.Function(name, parameters, unit, scan.value(), span)


def read_channel(scan: Scanner) -> m.Model:
    """`of { model @Na channel { … } }`."""
    scan.need("of")
    found: list[m.Model] = []
    for _ in scan.block():
        if found:
            scan.expected("`}` behind the channel")
        scan.need("model")
        found.append(read_model(scan))
    if not found:
        scan.expected("a channel in the block before this")
    return found[0]


def _use(scan: Scanner) -> m.Use:
    span = scan.place()
    alias, arguments = scan.name(), scan.arguments()
    return m.Use(read_channel(scan), alias, arguments, span)


def _ode(scan: Scanner) -> m.Ode:
    span = scan.place()
    return m.Ode(scan.ref(), scan.value(), span)


def _step_rule(scan: Scanner) -> m.StepRule:
    span = scan.place()
    state = scan.ref()
    scan.need("=")
    return m.StepRule(state, scan.value(), span)


def _trace(scan: Scanner) -> m.Trace:
    span = scan.place()
    name = scan.ref()
    scan.need("of")
    of = one_of(scan, ("pre", "post"))
    scan.need("tau")
    scan.need("=")
    return m.Trace(name, of, scan.value(), scan.take("nearest"), span)


def _noise(scan: Scanner) -> m.Noise:
    span = scan.place()
    return m.Noise(scan.ref(), span)


def _handler(scan: Scanner) -> m.Handler:
    span = scan.place()
    port = scan.name()
    payload: str | None = None
    unit: Unit | None = None
    if scan.take("("):
        payload = scan.optional(scan.ref)
        unit = scan.unit() if scan.take(":") else None
        scan.need(")")
    section, position = _at(scan)
    return m.Handler(port, payload, unit, tuple(_statements(scan)), section, position, span)


def _statements(scan: Scanner, sends: bool = True) -> list[m.Update | m.Send]:
    found: list[m.Update | m.Send] = []
    with scan.inner():
        for _ in scan.block():
            span = scan.place()
            if scan.take("set"):
                target = scan.ref()
                scan.need(",")
                found.append(m.Update(target, scan.operand(), span))
            elif sends and scan.take("send"):
                found.append(m.Send(scan.operand(), span))
            elif not scan.numbered_line():
                scan.expected("a numbered line, `set`" + (" or `send`" if sends else ""))
    return found


def _spike(scan: Scanner) -> m.Spike:
    span = scan.place()
    mode: Any = "level" if one_of(scan, ("when", "rise")) == "when" else "rise"
    condition = scan.value()
    body = _statements(scan, sends=False) if scan.take("reset") else []
    return m.Spike(mode, condition, cast(tuple[m.Update, ...], tuple(body)), span)


def _refractory(scan: Scanner) -> m.Refractory:
    span = scan.place()
    duration = scan.value()
    return m.Refractory(duration, scan.listed(scan.ref) if scan.take("hold") else (), span)


def _output(scan: Scanner) -> m.Output:
    span = scan.place()
    name, unit = declared(scan)
    scan.need("=")
    return m.Output(name, unit, scan.value(), span)


def read_preset(scan: Scanner) -> m.Preset:
    """`FS (a = 0.1)`."""
    span = scan.place()
    return m.Preset(scan.name(), scan.arguments(), span)


def _option(scan: Scanner) -> m.Option:
    span = scan.place()
    kind = one_of(scan, ("surrogate", "solver", "store", "spikes"))
    name, arguments = scan.name(), scan.arguments()
    return m.Option(kind, name, arguments, scan.listed(scan.ref) if scan.take("for") else (), span)


def read_block(scan: Scanner) -> m.Block:
    """`(%v, %u) nonlinear by rk4 because "…"`."""
    scan.need("(")
    states = () if scan.sees(")") else scan.listed(scan.ref)
    scan.need(")")
    linearity = one_of(scan, get_args(m.Linearity))
    method = scan.name() if scan.take("by") else ""
    return m.Block(states, linearity, method, scan.string() if scan.take("because") else "")


def read_guard(scan: Scanner) -> m.Guard:
    """`%v at %v_th`."""
    span = scan.place()
    state = scan.ref()
    scan.need("at")
    return m.Guard(state, scan.value(), span)


MODEL: Table = {
    "doc": ("doc", Scanner.string),
    "param": ("params", read_param),
    "state": ("states", _state),
    "input": ("inputs", _input),
    "let": ("lets", _let),
    "outward": ("lets", _outward),
    "fn": ("functions", _function),
    "use": ("uses", _use),
    "ode": ("odes", _ode),
    "step": ("step_rules", _step_rule),
    "trace": ("traces", _trace),
    "noise": ("noises", _noise),
    "on": ("handlers", _handler),
    "spike": ("spike", _spike),
    "refractory": ("refractory", _refractory),
    "output": ("outputs", _output),
    "preset": ("presets", read_preset),
    "with": ("options", _option),
    "block": ("blocks", read_block),
    "guard": ("guards", read_guard),
}
