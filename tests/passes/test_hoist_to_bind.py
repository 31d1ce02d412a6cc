"""`hoist-to-bind`: what depends on parameters only is computed once."""

from __future__ import annotations

from birc.ir.expr import Expr, const, leaves, make, op, topo, value
from birc.ir.step import Define, Phase, Put, Step
from birc.passes import hoist_to_bind
from birc.passes.expressions import map_any
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, lowered, text_around

TEXT = """
neuron Cell:
    param g = 2, k = 3
    input I: 1
    state v = 0
    step v = (g * k + exp(g)) * v + I / (g * k)
    on exc(w: 1): v = v * w * sqrt(k)
    spike when v > g * k and g > 0: v = 0
"""


def test_text(golden: Golden) -> None:
    text = text_around(TEXT, "hoist-to-bind")
    golden.check("golden/passes/hoist_to_bind.txt", text)


def program(*defines: tuple[str, Expr]) -> Step:
    """A step program with two bind values and these definitions, the last of which is put out."""
    bind = (Define("a", const(2.0)), Define("b", op("exp", value("a"))))
    body = tuple(Define(n, e) for n, e in defines)
    return Step("S", (), (), (), (), (), (), bind, (Phase("flow", (*body, Put("y", value(defines[-1][0])))),))


def test_what_changes_from_step_to_step_stays() -> None:
    for leaf in (make("load", (), "x"), make("read", (), "I"), make("normal", (), "xi:0")):
        step = program(("y", op("exp", op("mul", leaf, value("a")))))
        assert hoist_to_bind.run(step) is step


def test_the_largest_is_moved_and_a_known_one_found() -> None:
    x = make("load", (), "x")
    step = hoist_to_bind.run(
        program(("u", op("add", x, op("sqrt", op("exp", value("a"))))), ("y", op("mul", value("u"), op("exp", value("a")))))
    )
    assert [(d.name, repr(d.value)) for d in step.bind[2:]] == [(".c0", "sqrt(exp(%a))")]
    assert [repr(s.value) for s in step.phase("flow") if isinstance(s, Define)] == ["add(%x, %.c0)", "mul(%u, %b)"]


def test_names_stay_unique_when_it_runs_twice() -> None:
    x = make("load", (), "x")
    once = hoist_to_bind.run(program(("y", op("add", x, op("sqrt", value("a"))))))
    more = Step(
        "S", (), (), (), (), (), (), once.bind, (Phase("flow", (Define("z", op("add", x, op("log", value("a")))), Put("y", value("z")))),)
    )
    assert [d.name for d in hoist_to_bind.run(more).bind] == ["a", "b", ".c0", ".c1"]


def test_nothing_that_could_be_bound_is_left() -> None:
    for model in (*LIBRARY.values(), *SMALL.values()):
        step = lowered(model)
        known = {d.name for d in step.bind}
        found: list[Expr] = []

        def look(e: Expr, found: list[Expr] = found) -> Expr:
            found.append(e)
            return e

        map_any(step.phases, look)
        for e in topo(*found):
            assert not e.args or leaves(e, "load", "read", "normal") or not leaves(e, "value") <= known, (model.name, e)
