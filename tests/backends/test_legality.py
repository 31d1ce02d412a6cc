"""What a target takes is a table: what is beyond it is said at once, each thing once, with its places."""

from __future__ import annotations

from dataclasses import replace

from birc.backends import load_backend
from birc.backends.legality import FEATURES, Declares, Feature, Takes, refusals, uses
from birc.ir.expr import const, op
from birc.ir.model import Param
from birc.ir.step import Define
from birc.units import ONE
from tests.backends.programs import at, lif

ALL = frozenset(use.name for use in uses(lif()) if use.what == "op")


def without(*features: Feature) -> frozenset[Feature]:
    return FEATURES - frozenset(features)


def test_what_a_program_uses() -> None:
    used = {use.name for use in uses(lif()) if use.what == "feature"}
    assert used == FEATURES - {"learned parameters", "tables", "located spikes"}
    assert {"mul", "add", "select", "ge", "and", "not", "max", "sub", "gt"} == ALL


def test_all_that_is_used_is_taken() -> None:
    assert refusals(lif(), "f64", Takes("the toy target", ALL)) == ()


def test_everything_beyond_the_table_at_once() -> None:
    advice = {"noise": "switch it off", "max": "write a select", "f32": "use f64"}
    takes = Takes("the toy target", ALL - {"max", "gt"}, None, without("noise", "events one by one"), frozenset(("f64",)), 9, advice)
    found = refusals(lif(), "f32", takes)
    assert [(d.code, d.message, d.help) for d in found] == [
        ("L204", "the toy target has no f32", "use f64"),
        ("L203", "the toy target does not take noise", "switch it off"),
        ("L201", "the toy target has no `gt`", None),
        ("L203", "the toy target does not take events that act one by one", None),
        ("L201", "the toy target has no `max`", "write a select"),
        ("L202", "the program has 16 statements; the toy target takes 9", "`--target numpy` takes it"),
    ]
    places = {d.message: d.span.line if d.span else None for d in found}
    assert places["the toy target does not take noise"] == 6
    assert places["the toy target does not take events that act one by one"] == 9


def test_every_place_of_a_thing_is_shown_up_to_a_few() -> None:
    (problem,) = refusals(lif(), "f64", Takes("the toy target", ALL - {"add"}))
    assert problem.span is not None
    assert [problem.span.line, *(label.span.line for label in problem.labels)] == [6, 8, 9]
    assert str(problem).count("lif.birc:") == 1
    assert "and here" in str(problem)


def test_constants_count_only_where_the_target_computes_them() -> None:
    step = replace(lif(), bind=(*lif().bind, Define(".e", op("exp", const(1.0)), at(2))))
    assert refusals(step, "f64", Takes("the toy target", ALL)) == ()
    (problem,) = refusals(step, "f64", Takes("the toy target", ALL, bind_ops=ALL))
    assert (problem.code, problem.message, problem.span) == ("L201", "the toy target has no `exp` in a constant", at(2))


def test_learned_parameters_are_a_feature() -> None:
    step = replace(lif(), params=(Param("tau", ONE, const(1.0), learn=True, span=at(3)),))
    (problem,) = refusals(step, "f64", Takes("the toy target", ALL, None, without("learned parameters")))
    assert problem.message == "the toy target does not take parameters to be learned"
    assert problem.span == at(3)


def test_tables_of_the_targets() -> None:
    for name in ("numpy", "native", "cuda"):
        backend = load_backend(name)
        assert isinstance(backend, Declares)
        assert backend.takes.lacks() == ()
