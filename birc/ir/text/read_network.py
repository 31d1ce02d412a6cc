"""A cell, a network and a check from their text; the grammar is that of `print_network`."""

from __future__ import annotations

from typing import Any

from birc.ir import model as m
from birc.ir.expr import Expr
from birc.ir.text import words
from birc.ir.text.read_model import Table, collect, read_channel, read_model, read_param, read_position, read_preset
from birc.ir.text.scanner import Scanner


def read_cell(scan: Scanner) -> m.Cell:
    """A cell behind its first word."""
    span, start = scan.place(), scan.at
    parts = collect(scan, CELL, frozenset({"base", "morphology", "regions", "membrane"}))
    if "base" not in parts:
        scan.fail("S207", "a cell without a `base`", start)
    empty: dict[str, Any] = {"sections": (), "morphology": None, "regions": (), "membrane": (), "inserts": ()}
    return m.Cell(**(empty | parts), span=span)


def _section(scan: Scanner) -> m.Section:
    span = scan.place()
    name = scan.name()
    parent: str | None = None
    position: float | None = None
    if scan.take("from"):
        parent = scan.optional(scan.name)
        position = scan.real() if scan.take("at") else None
    return m.Section(name, parent, position, scan.arguments(), span)


def _regions(scan: Scanner) -> tuple[str, ...]:
    return scan.listed(scan.name)


def _insert(scan: Scanner) -> m.Insert:
    span = scan.place()
    alias, arguments = scan.name(), scan.arguments()
    regions = scan.listed(scan.name) if scan.take("in") else ()
    return m.Insert(read_channel(scan), alias, arguments, regions, span)


CELL: Table = {
    "base": ("base", read_model),
    "section": ("sections", _section),
    "morphology": ("morphology", Scanner.string),
    "regions": ("regions", _regions),
    "membrane": ("membrane", Scanner.arguments),
    "insert": ("inserts", _insert),
}


def read_network(scan: Scanner) -> m.Network:
    """A network behind its first word."""
    span = scan.place()
    scan.need("@")
    name = scan.name()
    empty: dict[str, Any] = {field: () for field, _ in NETWORK.values()} | {"doc": None}
    return m.Network(name, **(empty | collect(scan, NETWORK, frozenset({"doc"}))), span=span)


def _preset(scan: Scanner) -> str | None:
    return scan.name() if scan.take("preset") else None


def _count(scan: Scanner) -> tuple[int, Expr | None]:
    scan.need("count")
    return scan.count(), scan.value() if scan.take("size") else None


def _population(scan: Scanner) -> m.Population:
    span = scan.place()
    name = scan.name()
    scan.need("of")
    model, preset, arguments = scan.name(), _preset(scan), scan.arguments()
    count, size = _count(scan)
    return m.Population(name, model, preset, arguments, count, span, size)


def _source(scan: Scanner) -> m.NetworkSource:
    span = scan.place()
    name = scan.name()
    scan.need("of")
    kind, arguments = scan.name(), scan.arguments()
    count, size = _count(scan)
    return m.NetworkSource(name, kind, arguments, count, span, size)


def _signal(scan: Scanner) -> m.Signal:
    span = scan.place()
    return m.Signal(scan.name(), scan.arguments(), span)


def read_endpoint(scan: Scanner) -> m.Endpoint:
    """`E[0:5]@dend(0.5).exc`."""
    population = scan.name("a population", words.PLAIN)
    start = stop = section = position = port = None
    if scan.take("["):
        start = None if scan.sees(":") else scan.count()
        scan.need(":")
        stop = None if scan.sees("]") else scan.count()
        scan.need("]")
    if scan.take("@"):
        section = scan.optional(lambda: scan.name("a section", words.PLAIN))
        position = read_position(scan)
    if scan.take("."):
        port = scan.name("a port", words.PLAIN)
    return m.Endpoint(population, start, stop, section, position, port)


def _ends(scan: Scanner) -> tuple[m.Endpoint, m.Endpoint]:
    source = read_endpoint(scan)
    scan.need("->")
    return source, read_endpoint(scan)


def _projection(scan: Scanner) -> m.Projection:
    span = scan.place()
    source, target = _ends(scan)
    synapse, preset = None, None
    arguments: m.Properties = ()
    if scan.take("synapse"):
        synapse, preset, arguments = scan.optional(scan.name), _preset(scan), scan.arguments()
    scan.need("rule")
    rule, rule_arguments = scan.name(), scan.arguments()
    flags = scan.listed(scan.name) if scan.take("flags") else ()
    properties = scan.arguments() if scan.take("where") else ()
    return m.Projection(source, target, synapse, preset, arguments, rule, rule_arguments, flags, properties, span)


def _third(scan: Scanner) -> m.Third:
    span = scan.place()
    source, target = _ends(scan)
    scan.need("via")
    via = read_endpoint(scan)
    scan.need("where")
    return m.Third(source, target, via, scan.arguments(), span)


def _record(scan: Scanner) -> m.Record:
    span = scan.place()
    return m.Record(read_endpoint(scan), scan.value() if scan.take("every") else None, span)


NETWORK: Table = {
    "doc": ("doc", Scanner.string),
    "param": ("params", read_param),
    "preset": ("presets", read_preset),
    "model": ("models", read_model),
    "cell": ("models", read_cell),
    "population": ("populations", _population),
    "source": ("sources", _source),
    "signal": ("signals", _signal),
    "project": ("projections", _projection),
    "third": ("thirds", _third),
    "record": ("records", _record),
}


def read_check(scan: Scanner) -> m.Check:
    """A check behind its first word."""
    span = scan.place()
    model, preset = scan.name(), _preset(scan)
    empty: dict[str, Any] = {"drives": (), "expects": ()}
    return m.Check(model, preset, **(empty | collect(scan, CHECK, frozenset({"dt", "solver", "spikes", "seed", "run"}))), span=span)


def _drive(scan: Scanner) -> m.Drive:
    span = scan.place()
    port = scan.name()
    scan.need("=")
    value: Expr | m.Waveform = m.Waveform(scan.name(), scan.arguments()) if scan.take("waveform") else scan.value()
    scan.need("for")
    return m.Drive(port, value, scan.value(), span)


def _expect(scan: Scanner) -> m.Expect:
    span = scan.place()
    actual = scan.value()
    expected = scan.value() if scan.take("==") else None
    tolerance, in_steps = None, False
    if scan.take("within"):
        tolerance, in_steps = scan.optional(scan.value), scan.take("steps")
    low: Expr | None = None
    high: Expr | None = None
    low_closed = high_closed = True
    if scan.take("in"):
        low_closed = _bracket(scan, "[", "(")
        low = scan.optional(scan.value)
        scan.need(",")
        high = scan.optional(scan.value)
        high_closed = _bracket(scan, "]", ")")
    always = scan.take("always")
    during = _window(scan) if scan.take("during") else None
    return m.Expect(actual, expected, tolerance, in_steps, low, high, low_closed, high_closed, always, during, span)


def _window(scan: Scanner) -> m.Window:
    low_closed = _bracket(scan, "[", "(")
    low = scan.value()
    scan.need(",")
    high = scan.value()
    return m.Window(low, high, low_closed, _bracket(scan, "]", ")"))


def _bracket(scan: Scanner, closed: str, open: str) -> bool:
    """Whether the end of an interval belongs to it."""
    if scan.take(closed):
        return True
    scan.need(open)
    return False


def _run(scan: Scanner) -> Expr:
    scan.need("for")
    return scan.value()


CHECK: Table = {
    "run": ("run", _run),
    "seed": ("seed", Scanner.count),
    "dt": ("dt", Scanner.real),
    "solver": ("solver", Scanner.name),
    "spikes": ("spikes", Scanner.name),
    "drive": ("drives", _drive),
    "expect": ("expects", _expect),
}
