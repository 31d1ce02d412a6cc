"""Expressions: equal means identical; traversal and rewriting do not recurse."""

from __future__ import annotations

import copy
import pickle
from random import Random

import pytest
from hypothesis import given, settings

from birc.ir.expr import Expr, const, depends, is_const, leaves, make, op, rewrite, size, substitute, topo, var
from tests.ir.strategies import random_expr, seeds


def test_equal_means_identical() -> None:
    assert op("add", var("a"), const(1.0)) is op("add", var("a"), const(1.0))
    assert op("add", var("a"), const(1.0)) is not op("add", const(1.0), var("a"))


@pytest.mark.parametrize(("a", "b"), [(0.0, -0.0), (1, 1.0), (1, True), (0, False), (1.0, True)])
def test_literals_that_python_finds_equal_are_different(a: float, b: float) -> None:
    assert const(a) is not const(b)


def test_nan_is_found_again() -> None:
    assert const(float("nan")) is const(float("nan"))


@settings(max_examples=50, deadline=None)
@given(source=seeds())
def test_copies_are_the_same_node(source: Random) -> None:
    e = random_expr(source)
    assert copy.deepcopy(e) is e
    assert pickle.loads(pickle.dumps(e)) is e


@settings(max_examples=50, deadline=None)
@given(source=seeds())
def test_topo_gives_arguments_first_and_each_node_once(source: Random) -> None:
    e = random_expr(source, size=20)
    order = list(topo(e, e))
    assert order[-1] is e
    assert len(order) == len(set(order)) == size(e)
    place = {node: i for i, node in enumerate(order)}
    assert all(place[a] < place[node] for node in order for a in node.args)


def test_substitute_is_simultaneous() -> None:
    a, b = var("a"), var("b")
    assert substitute(op("sub", a, b), {a: b, b: a}) is op("sub", b, a)
    whole = op("mul", a, a)
    assert substitute(op("neg", whole), {whole: b}) is op("neg", b)
    assert substitute(whole, {}) is whole


def test_rewrite_goes_on_until_nothing_fires() -> None:
    def drop_zero(e: Expr) -> Expr | None:
        return e.args[0] if e.op == "add" and is_const(e.args[1], 0.0) else None

    e = op("add", op("add", var("a"), const(0.0)), op("add", const(0.0), const(0.0)))
    assert rewrite(e, drop_zero) is var("a")
    assert rewrite(var("a"), drop_zero) is var("a")


def test_rewrite_that_never_settles_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="settle"):
        rewrite(var("a"), lambda e: var(f"{e.attr}x") if e.op == "var" else None, limit=10)


def test_depth_is_free() -> None:
    e = var("a")
    for _ in range(100_000):
        e = op("neg", e)
    assert size(e) == 100_001
    assert substitute(e, {var("a"): var("b")}) is not e
    assert leaves(e, "var") == {"a"}
    assert depends(e, {"a"}) and not depends(e, {"b"})


def test_leaves_by_op() -> None:
    e = op("add", make("load", (), "v"), op("mul", var("v"), make("value", (), ".h")))
    assert leaves(e, "load", "value") == {"v", ".h"}
    assert leaves(e, "var") == {"v"}
