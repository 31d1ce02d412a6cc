"""Random expressions and structures for the tests of the intermediate representation.

`anything(T, source)` fills the fields of a dataclass by their types, so a field that is added to the IR is tested at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from random import Random
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from birc.errors import Source, Span
from birc.ir import step as s
from birc.ir.expr import Expr, const, make
from birc.ir.model import Model
from birc.ir.ops import OPS
from birc.ir.step import Integrate
from birc.units import Unit, dimension, internal_unit, parse_unit

FLOATS = [0.0, -0.0, 1.0, -65.0, 0.1, 1 / 3, 5e-324, 1e22, 1e-7, 1.7976931348623157e308, float("inf"), float("-inf")]
COMMON_NAMES = ["v", "u", "x'", ".h", "v.1", "na.m", ".busy", "at", "in", "yield", "model", "inf", "e", "w", "tau_m", "g2"]
ODD_NAMES = ["_", "", "0", "7x", "dend(0.5).v", 'a"b', "a b", "# f.birc:3", "µ", "true", "\n", "}", "\u2028", "\ud800", "\\", "_x"]
UNITS = [
    *(parse_unit(text) for text in ("1", "ms", "mV", "uF/cm^2", "mV^-1*ms^-1", "kHz")),
    internal_unit(dimension(amount=2, ms=-1)),
    Unit(tuple(x / 2 for x in dimension(ms=-1)), parse_unit("s").scale, "ms^-1/2"),
]
FILES = ["lif.birc", "a b.birc", 'q"#.birc', "é", "-", "C:\\x", " x "]
FIXED_ARITY = sorted(name for name, row in OPS.items() if row.arity >= 0)


def random_expr(source: Random, leaf: str = "var", size: int = 5) -> Expr:
    """A graph of up to `size` operations with shared nodes, of any kinds."""
    nodes = [_random_leaf(source, leaf)]
    for _ in range(source.randint(0, size)):
        nodes.append(_random_leaf(source, leaf))
        if source.random() < 0.9:
            name = source.choice(FIXED_ARITY)
            nodes.append(make(name, tuple(source.choice(nodes) for _ in range(OPS[name].arity))))
        else:
            args = tuple(source.choices(nodes, k=source.randint(0, 3)))
            nodes.append(make(source.choice(["propagator", "call"]), args, source.choice(["2,0,1", "f", "x y", "3", "]"])))
    return nodes[-1]


def _random_leaf(source: Random, leaf: str) -> Expr:
    if source.random() < 0.4:
        return const(source.choice([source.choice(FLOATS), source.gauss(0, 100), source.randint(-(10**20), 10**20), source.random() < 0.5]))
    if source.random() < 0.1:
        return make("step_size")
    other = source.choice(["param", "load", "read", "value", "var", "normal"])
    return make(leaf if source.random() < 0.8 else other, (), anything(str, source))


def anything(kind: Any, source: Random, leaf: str = "var") -> Any:
    """A value of a type: dataclass, tuple, union, literal or one of the IR's own kinds of value."""
    if kind in _PLAIN:
        return _PLAIN[kind](source)
    if kind is Expr:
        return random_expr(source, leaf)
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return source.choice(args)
    if origin in (Union, UnionType):
        return anything(source.choice(args), source, leaf)
    if origin is tuple and args[-1] is Ellipsis:
        return tuple(anything(args[0], source, leaf) for _ in range(source.choice([0, 1, 1, 2])))
    if origin is tuple:
        return tuple(anything(arg, source, leaf) for arg in args)
    return _structure(kind, source, "value" if kind in (s.Phase, s.Define) else leaf)


_PER_EQUATION = ("states", "initial", "rates", "results", "spans")


def _structure(kind: Any, source: Random, leaf: str) -> Any:
    hints = _hints(kind)
    fields = {f.name: anything(hints[f.name], source, leaf) for f in dataclasses.fields(kind) if f.name not in ("uses", "channel")}
    if "channel" in hints:
        fields["channel"] = anything(Model, source)
    if "uses" in hints and source.random() < 0.3:  # channels inside channels inside …: not for ever
        fields["uses"] = anything(hints["uses"], source)
    if kind is Integrate:  # as many of each thing as there are equations
        n = len(fields["noises"])
        fields |= {name: tuple(anything(get_args(hints[name])[0], source, leaf) for _ in range(n)) for name in _PER_EQUATION}
        fields["noises"] = fields["noises"] if source.random() < 0.5 else ()
    return kind(**fields)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _name(source: Random) -> str:
    return source.choice(COMMON_NAMES if source.random() < 0.8 else ODD_NAMES)


def _span(source: Random) -> Span:
    line = source.randint(1, 99)
    return Span(Source(source.choice(FILES), ""), line, 1, line, 1)


_PLAIN: dict[Any, Callable[[Random], Any]] = {
    str: _name,
    float: lambda source: source.choice([*FLOATS, source.gauss(0, 1)]),
    int: lambda source: source.randint(0, 10**6),
    bool: lambda source: source.random() < 0.5,
    NoneType: lambda source: None,
    Unit: lambda source: source.choice(UNITS),
    Span: _span,
}


def seeds() -> st.SearchStrategy[Random]:
    """Sources of random structures, for `anything` and `random_expr`."""
    return st.integers(0, 2**32).map(Random)
