"""`share-common`: what several statements compute is named once."""

from __future__ import annotations

from birc.ir.check import check_step
from birc.ir.expr import make, op, topo, value
from birc.ir.step import Define, Deliver, Phase, Put, Step
from birc.passes import share_common
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, around, text_around

TEXT = """
neuron Cell:
    input I: 1
    state a = 0, b = 0, c = 0
    step a = exp(a + I) * b
    step b = exp(a + I) + tanh(b)
    step c = a + tanh(b)
    on exc(w: 1):
        a = w * sin(w) + cos(I)
        b = sin(w)
    spike when cos(I) > 0: c = exp(c)
"""


def test_text(golden: Golden) -> None:
    text = text_around(TEXT, "share-common")
    golden.check("golden/passes/share_common.txt", text)


X, Y = make("load", (), "x"), make("read", (), "I")


def program(*phases: Phase) -> Step:
    """A step program without bind values."""
    return Step("S", (), (), (), (), (), (), (), phases)


def test_across_phases() -> None:
    e = op("exp", op("add", X, Y))
    step = share_common.run(program(Phase("flow", (Define("a", op("neg", e)),)), Phase("record", (Put("y", op("sqrt", e)),))))
    assert [(s.name, repr(s.value)) for s in step.phase("flow") if isinstance(s, Define)] == [
        (".s0", "exp(add(%x, %I))"),
        ("a", "neg(%.s0)"),
    ]
    assert [repr(s.value) for s in step.phase("record") if isinstance(s, Put)] == ["sqrt(%.s0)"]


def test_a_definition_lends_its_own_name() -> None:
    e = op("exp", X)
    step = share_common.run(program(Phase("flow", (Define("a", e), Define("b", op("neg", e)), Define("c", e), Put("y", value("c"))))))
    assert [repr(s.value) for s in step.phase("flow") if isinstance(s, (Define, Put))] == ["exp(%x)", "neg(%a)", "%a", "%c"]


def test_a_name_is_not_used_before_it_is_there() -> None:
    """The shared part of a definition is named before it, and the definition itself is found by the next."""
    part = op("exp", X)
    whole = op("mul", part, Y)
    step = share_common.run(
        program(Phase("flow", (Define("a", whole), Define("b", op("neg", whole)), Define("c", op("sub", part, Y)), Put("y", value("c")))))
    )
    check_names(step)
    assert sum(e.op == "exp" for s in step.phase("flow") for e in topo(getattr(s, "value"))) <= 2  # noqa: B009


def test_what_is_known_only_inside_a_delivery_stays_there() -> None:
    w = value("exc.w")
    inside = Deliver("exc", "exc.w", False, (Define("a", op("exp", w)), Define("b", op("neg", op("exp", w)))), ())
    step = program(Phase("deliver", (inside,)), Phase("record", (Put("y", op("exp", X)),)))
    assert share_common.run(step) is step


def test_what_a_summing_delivery_makes_is_not_there_before_it() -> None:
    w = value("exc.w")
    inside = Deliver("exc", "exc.w", True, (Define("a", op("neg", op("exp", w))),), ())
    step = program(Phase("deliver", (inside,)), Phase("record", (Put("y", op("sqrt", op("exp", w))),)))
    assert share_common.run(step) is step


def test_what_is_known_outside_a_delivery_goes_before_it() -> None:
    e = op("exp", X)
    inside = Deliver("exc", "exc.w", False, (Define("a", op("mul", e, value("exc.w"))),), ())
    step = share_common.run(program(Phase("deliver", (inside,)), Phase("record", (Put("y", op("neg", e)),))))
    first, second = step.phase("deliver")
    assert isinstance(first, Define) and isinstance(second, Deliver)
    assert (first.name, repr(second.body[0].value)) == (".s0", "mul(%.s0, %exc.w)")


def test_an_equation_is_not_looked_into() -> None:
    """In an `Integrate`, a state's name stands for its value at any time, not for that at k."""
    for model in (*LIBRARY.values(), *SMALL.values()):
        before, _ = around(model, "expand-exact")
        assert isinstance(before, Step)
        shared = share_common.run(before)
        assert [s for _, s in shared.statements() if type(s).__name__ == "Integrate"] == [
            s for _, s in before.statements() if type(s).__name__ == "Integrate"
        ]
        check_step(shared)


def check_names(step: Step) -> None:
    """Names are defined before they are used."""
    known: set[str] = set()
    for _, s in step.statements():
        if isinstance(s, Define):
            assert {str(e.attr) for e in topo(s.value) if e.op == "value"} <= known
            known.add(s.name)
