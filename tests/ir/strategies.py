"""Random expressions and structures for the tests of the intermediate representation.

`anything(T)` fills the fields of a dataclass by their types, so a field that is added to the IR is tested at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
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

FLOATS = st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1e22, float("inf")])
COMMON_NAMES = st.sampled_from(["v", "u", "x'", ".h", "v.1", "na.m", ".busy", "at", "in", "yield", "model", "inf", "e", "w"])
ODD_NAMES = st.sampled_from(["_", "", "0", "7x", "dend(0.5).v", 'a"b', "a b", "# f.birc:3", "µ", "true", "\n", "}", "\u2028", "\ud800"])
NAMES = COMMON_NAMES | st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True) | ODD_NAMES
TEXTS = st.text(max_size=12) | ODD_NAMES
UNITS = st.sampled_from(
    [
        *(parse_unit(text) for text in ("1", "ms", "mV", "uF/cm^2", "mV^-1*ms^-1", "kHz")),
        internal_unit(dimension(amount=2, ms=-1)),
        Unit(tuple(x / 2 for x in dimension(ms=-1)), parse_unit("s").scale, "ms^-1/2"),
    ]
)
SPANS = st.none() | st.builds(
    lambda name, line: Span(Source(name, ""), line, 1, line, 1),
    st.sampled_from(["lif.birc", "a b.birc", 'q"#.birc', "é"]),
    st.integers(1, 99),
)
FIXED = sorted(name for name, row in OPS.items() if row.arity >= 0)


@st.composite
def exprs(draw: st.DrawFn, leaf: str = "var", size: int = 8, leaves: st.SearchStrategy[Expr] | None = None) -> Expr:
    """A graph of up to `size` operations with shared nodes."""
    literals = (FLOATS | st.integers(-(10**20), 10**20) | st.booleans()).map(const)
    names = NAMES.map(lambda name: make(leaf, (), name))
    others = st.builds(lambda op, name: make(op, (), name), st.sampled_from(["param", "load", "read", "value", "var", "normal"]), NAMES)
    nodes = [draw(leaves or (literals | names | others | st.just(make("step_size"))))]
    for _ in range(draw(st.integers(0, size))):
        nodes.append(draw(leaves or (literals | names)))
        pick = st.sampled_from(nodes)
        if draw(st.integers(0, 9)):
            name = draw(st.sampled_from(FIXED))
            nodes.append(make(name, tuple(draw(pick) for _ in range(OPS[name].arity))))
        else:
            attr = draw(st.sampled_from(["2,0,1", "f", "x y", "3"]))
            nodes.append(make(draw(st.sampled_from(["propagator", "call"])), tuple(draw(st.lists(pick, max_size=3))), attr))
    return nodes[-1]


def anything(kind: Any, leaf: str = "var") -> st.SearchStrategy[Any]:
    """Values of a type: dataclass, tuple, union, literal or one of the IR's own kinds of value."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind is Expr:
        return exprs(leaf, 4)
    if kind == Span | None:
        return SPANS
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(args)
    if origin in (Union, UnionType):
        return st.one_of(*(anything(arg, leaf) for arg in args))
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(anything(args[0], leaf), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(anything(arg, leaf) for arg in args))
    if kind is Integrate:
        return _integrates()
    assert dataclasses.is_dataclass(kind), kind
    inner = "value" if kind in (s.Phase, s.Define) else leaf
    hints = get_type_hints(kind)
    fields = {f.name: anything(hints[f.name], inner) for f in dataclasses.fields(kind) if f.name not in _RECURSIVE}
    if "channel" in hints:
        fields["channel"] = anything(Model)
    return st.builds(_builder(kind), **fields)


_RECURSIVE = ("channel", "uses")
"""A channel's own channels are left out: structures would grow for ever."""

_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: NAMES,
    float: FLOATS,
    int: st.integers(0, 10**6),
    bool: st.booleans(),
    NoneType: st.none(),
    Unit: UNITS,
}


def _builder(kind: Any) -> Callable[..., Any]:
    return lambda **fields: kind(**fields)


def _integrates() -> st.SearchStrategy[Integrate]:
    """As many of each thing as there are equations."""
    hints = get_type_hints(Integrate)
    per_equation = ("states", "initial", "rates", "results", "spans")
    others = {f.name: anything(hints[f.name], "value") for f in dataclasses.fields(Integrate) if f.name not in (*per_equation, "noises")}

    @st.composite
    def build(draw: st.DrawFn) -> Integrate:
        n = draw(st.integers(0, 2))
        columns = {
            name: tuple(draw(st.lists(anything(get_args(hints[name])[0], "value"), min_size=n, max_size=n))) for name in per_equation
        }
        terms = anything(get_args(hints["noises"])[0], "value")
        noises = tuple(draw(st.lists(terms, min_size=n, max_size=n))) if draw(st.booleans()) else ()
        return Integrate(**columns, noises=noises, **{name: draw(strategy) for name, strategy in others.items()})

    return build()
