"""The text of the IR: what is printed reads back, whatever it contains; wrong text is a diagnostic."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birc.errors import BircError, Source, Span
from birc.ir import model as m
from birc.ir import step as s
from birc.ir.expr import const, make, op, value, var
from birc.ir.text import parse, parse_model, parse_step, print_model, print_module, print_step
from birc.units import parse_unit
from tests.ir.strategies import anything, seeds

ms, one = parse_unit("ms"), parse_unit("1")


def at(line: int) -> Span:
    return Span(Source("lif.birc", ""), line, 1, line, 1)


LIF = m.Model(
    "LIF",
    "neuron",
    params=(
        m.Param("tau_m", ms, const(20.0), m.Range(0.0, float("inf"), False, False), span=at(2)),
        m.Param("R", one, const(1.0), span=at(2)),
        m.Param("v_th", one, const(1.0), span=at(2)),
        m.Param("v_reset", one, const(0.0), span=at(2)),
        m.Param("t_ref", ms, const(2.0), span=at(2)),
    ),
    states=(m.State("v", one, const(0.0), span=at(3)),),
    inputs=(m.Input("I", one, span=at(4)),),
    odes=(m.Ode("v", op("div", op("add", op("neg", var("v")), op("mul", var("R"), var("I"))), var("tau_m")), at(5)),),
    spike=m.Spike("level", op("ge", var("v"), var("v_th")), (m.Update("v", var("v_reset"), at(7)),), at(6)),
    refractory=m.Refractory(var("t_ref"), ("v",), at(8)),
    span=at(1),
)

LIF_TEXT = """\
bir 1
model @LIF {                                    # lif.birc:1
  param %tau_m : ms = 20.0 in (0.0, inf)   param %R : 1 = 1.0   param %v_th : 1 = 1.0  # lif.birc:2
  param %v_reset : 1 = 0.0   param %t_ref : ms = 2.0
  state %v : 1 = 0.0                            # lif.birc:3
  input %I : 1                                  # lif.birc:4
  ode %v {                                      # lif.birc:5
    %0 = neg %v
    %1 = mul %R, %I
    %2 = add %0, %1
    %3 = div %2, %tau_m : ms^-1
    yield %3
  }
  spike when { %0 = ge %v, %v_th  yield %0 } reset {  # lif.birc:6
    set %v, %v_reset                            # lif.birc:7
  }
  refractory %t_ref hold %v                     # lif.birc:8
}
"""


def test_model_as_text() -> None:
    assert print_model(LIF) == LIF_TEXT
    assert parse_model(LIF_TEXT) == LIF


def test_places_read_back() -> None:
    read = parse_model(LIF_TEXT)
    assert read.spike is not None and read.refractory is not None
    spans = [read.span, read.params[1].span, read.params[4].span, read.odes[0].span, read.spike.body[0].span, read.refractory.span]
    assert [span and span.where for span in spans] == [f"lif.birc:{line}" for line in (1, 2, 2, 5, 7, 8)]
    assert print_model(read) == LIF_TEXT


STEP = s.Step(
    "LIF",
    (),
    (s.Slot("v", "real", one, ".v0", span=at(3)),),
    (s.Port("I", one, at(4)),),
    (s.Port("exc", one, at(5)),),
    (),
    (),
    (s.Define(".h", make("step_size")), s.Define(".P", op("exp", op("neg", op("div", value(".h"), const(20.0)))), at(6))),
    (
        s.Phase("input", (s.Define("I", make("read", (), "I"), at(4)),)),
        s.Phase("flow", (s.Define("v", make("load", (), "v"), at(6)), s.Define("v.1", op("mul", value(".P"), value("v")), at(6)))),
        s.Phase(
            "deliver",
            (
                s.Deliver(
                    "exc",
                    "exc.w",
                    False,
                    (s.Define(".d", op("mul", const(2.0), value("exc.w")), at(7)),),
                    (s.Carry("v.c", value("v.1"), op("add", value("v.c"), value(".d")), "v.2"),),
                    at(7),
                ),
            ),
        ),
        s.Phase("reset", (s.Store("v", value("v.2"), at(6)),)),
        s.Phase("emit", (s.Emit(op("ge", value("v.2"), const(1.0)), at(8)),)),
    ),
)

STEP_TEXT = """\
bir 1
step @LIF {
  slot v : real 1 from %.v0                     # lif.birc:3
  input I : 1                                   # lif.birc:4
  event exc : 1                                 # lif.birc:5
  bind {                                        # once per parameter set, in float64
    %.h = step_size : ms                        # -
    %0 = div %.h, 20.0                          # lif.birc:6
    %1 = neg %0
    %.P = exp %1
  }
  input { %I = read I }                         # lif.birc:4
  flow { %v = load v  %v.1 = mul %.P, %v }      # lif.birc:6
  deliver {                                     # lif.birc:7
    deliver exc(%exc.w) {
      carry %v.c = %v.1
      %.d = mul 2.0, %exc.w
      %0 = add %v.c, %.d
      next %v.c to %v.2 = %0
    }
  }
  reset { store v, %v.2 }                       # lif.birc:6
  emit { %0 = ge %v.2, 1.0  spike %0 }          # lif.birc:8
}
"""


def test_step_as_text() -> None:
    assert print_step(STEP) == STEP_TEXT
    assert parse_step(STEP_TEXT) == STEP


NETWORK = m.Network(
    "Net",
    "two populations",
    (LIF,),
    (m.Population("E", "LIF", None, (("tau_m", const(10.0)), ("v", op("uniform", const(0.0), const(1.0)))), 800),),
    (m.NetworkSource("bg", "poisson", (("rate", const(2.0)),), 800, at(11)),),
    (m.Signal("DA", (("tau", const(200.0)),), at(12)),),
    (
        m.Projection(m.Endpoint("bg"), m.Endpoint("E", port="exc"), None, None, (), "one_to_one", (), (), (("w", const(40.0)),), at(13)),
        m.Projection(
            m.Endpoint("E", 0, 5),
            m.Endpoint("E", section="dend", position=0.5, port="exc"),
            "STDP",
            "FAST",
            (("A_p", const(0.1)),),
            "random",
            (("p", const(0.1)),),
            ("self",),
            (("axon", op("uniform", const(1.0), const(3.0))),),
            at(14),
        ),
    ),
    (),
    (m.Record(m.Endpoint("E", port="spikes"), const(0.5), at(15)),),
    at(10),
)

NETWORK_TEXT = """\
  population E of LIF {                         # -
    tau_m = 10.0
    v = { %0 = uniform 0.0, 1.0  yield %0 }
  } count 800
  source bg of poisson (rate = 2.0) count 800   # lif.birc:11
  signal DA (tau = 200.0)                       # lif.birc:12
  project bg -> E.exc rule one_to_one where (w = 40.0)  # lif.birc:13
  project E[0:5] -> E@dend(0.5).exc synapse STDP preset FAST (A_p = 0.1) rule random (p = 0.1) flags self where {  # lif.birc:14
    axon = { %0 = uniform 1.0, 3.0  yield %0 }
  }
  record E.spikes every 0.5                     # lif.birc:15
}
"""


def test_network_as_text() -> None:
    assert print_model(NETWORK).endswith(NETWORK_TEXT)
    assert parse(print_model(NETWORK)) == (NETWORK,)


KINDS: list[Any] = [m.Model, m.Cell, m.Network, m.Check, s.Step]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None)
@given(source=seeds())
def test_reads_back(kind: Any, source: random.Random) -> None:
    item = anything(kind, source)
    text = print_module((item,))
    read = parse(text)
    assert read == (item,)
    assert print_module(read) == text


def test_many_nodes() -> None:
    random_source = random.Random(1)
    nodes = [var("a"), var("b"), const(2.0)]
    for _ in range(100_000):
        nodes.append(op("add", nodes[-1], random_source.choice(nodes)))
    model = m.Model("Big", "neuron", odes=(m.Ode("a", nodes[-1]),))
    started = time.perf_counter()
    assert parse_model(print_model(model)) == model
    assert time.perf_counter() - started < 30


def test_items_together() -> None:
    check = m.Check("LIF", None, (m.Drive("I", const(1.5), const(100.0), at(9)),), (m.Expect(op("gt", var("rate"), const(0.0))),))
    assert parse(print_module((LIF, check))) == (LIF, check)


WRONG = {
    "": ("S201", 1, 1),
    "model @A { }": ("S201", 1, 1),
    "bir 2\nmodel @A { }": ("S202", 1, 1),
    "bir 1\nneuron @A { }": ("S203", 2, 1),
    "bir 1\nmodel @A {\n": ("S203", 2, 10),
    "bir 1\nmodel @A {\n  ode %v { yield %0 }\n}": ("S205", 3, 18),
    "bir 1\nmodel @A {\n  ode %v { %0 = neg %v  %0 = neg %v  yield %0 }\n}": ("S205", 3, 25),
    "bir 1\nmodel @A {\n  ode %v { %0 = nge %v  yield %0 }\n}": ("S204", 3, 17),
    "bir 1\nmodel @A {\n  ode %v { %0 = add %v  yield %0 }\n}": ("S204", 3, 17),
    "bir 1\nmodel @A {\n  ode %v { %0 = neg %v }\n}": ("S203", 3, 10),
    "bir 1\nmodel @A {\n  param %a : mX = 1.0\n}": ("S206", 3, 14),
    'bir 1\nmodel @A {\n  doc "a"  doc "b"\n}': ("S207", 3, 12),
    "bir 1\ncell { }": ("S207", 2, 6),
    "bir 1\nmodel @A { ode %v " + "{ " * 200: ("S203", 2, 21),
    "bir 1\nmodel @A { use a of " + "{ model @B { use a of " * 60: ("S208", 2, 1112),
    "bir 1\nmodel @A { state %v : 1 = " + "9" * 5000 + " }": ("S203", 2, 27),
}


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_wrong_text(text: str) -> None:
    with pytest.raises(BircError) as raised:
        parse(text)
    span = raised.value.diagnostics[0].span
    assert span is not None
    assert (raised.value.code, span.line, span.column) == WRONG[text]


PIECES = [
    "{",
    "}",
    "(",
    ")",
    "%",
    "%0",
    "%v",
    "=",
    ":",
    ",",
    "in",
    "yield",
    "ode",
    "step",
    "1.0",
    "-",
    "[",
    "]",
    '"',
    "@",
    "mV",
    "#",
    "e5",
    "9" * 5000,
    "\n",
    "_",
]


@settings(max_examples=300, deadline=None)
@given(
    text=st.sampled_from([LIF_TEXT, print_step(STEP), print_model(NETWORK)]),
    cuts=st.lists(
        st.tuples(st.integers(0, 5000), st.integers(0, 20), st.sampled_from(PIECES) | st.text(max_size=3)), min_size=1, max_size=4
    ),
)
def test_mutated_text_is_read_or_refused(text: str, cuts: list[tuple[int, int, str]]) -> None:
    for start, length, piece in cuts:
        start %= len(text)
        text = text[:start] + piece + text[start + length :]
    try:
        items = parse(text)
    except BircError as error:
        assert error.code in {f"S20{n}" for n in range(1, 9)}
        assert str(error)
    else:
        assert parse(print_module(items)) == items
