"""What events do to a synapse, as sums of products."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from birc.errors import Source
from birc.explained import explain_network
from birc.frontend.load import load_partial
from birc.ir.evaluate import evaluate_names
from birc.ir.expr import Expr, const, op, var
from birc.ir.linear import add, mul
from birc.ir.model import Network
from birc.passes.plasticity_normal_form import expand

TEXT = """
from birc use LIF

synapse Triplet:
    param A2 = 5e-3, A3 = 6e-3, w_max = 100 pA, mu = 0.5
    state w = 50 pA in [0 pA, w_max]
    trace r1 of pre: tau = 16.8 ms
    trace o1 of post: tau = 33.7 ms
    trace o2 of post: tau = 125 ms
    on pre:
        w -= w_max * o1 * (A2 + A3 * r1)
        send w
    on post:
        w += (1 - w / w_max)^mu * r1 * A2 * w_max
        w = 0.5 * w

network N:
    population E: LIF[10]
    project E -> E.exc: Triplet, all_to_all, axon = 1 ms
"""


def test_explain_shows_the_sums() -> None:
    module, _ = load_partial(Source("n.birc", TEXT))
    assert module is not None
    network = next(i for i in module.items if isinstance(i, Network))
    rows = [(r.variable, r.method, r.reason) for r in explain_network(network) if ", on " in r.variable]
    odd = "a sum of products, some of which have a factor that is no polynomial"
    assert rows == [
        ("E -> E.exc: w, on pre", "w += -(w_max * A2) * o1 - (w_max * A3) * o1 * r1", "a sum of products"),
        ("E -> E.exc: w, on post", "w += A2 * w_max * r1 * (1 - w / w_max)^(mu)", odd),
        ("E -> E.exc: w, on post", "w = 0.5 * w", "a sum of products"),
    ]


def polynomials() -> st.SearchStrategy[Expr]:
    leaf = st.sampled_from([var("x"), var("y"), var("p"), var("q"), const(2.0), const(-0.5)])
    return st.recursive(
        leaf,
        lambda e: st.one_of(
            st.builds(lambda a, b, o: op(o, a, b), e, e, st.sampled_from(["add", "sub", "mul"])),
            st.builds(lambda a: op("neg", a), e),
            st.builds(lambda a: op("div", a, op("add", op("mul", var("q"), var("q")), const(1.0))), e),
            st.builds(lambda a: op("exp", op("neg", op("abs", a))), e),
        ),
        max_leaves=12,
    )


@given(polynomials(), st.tuples(*[st.floats(-2, 2)] * 4))
def test_the_sum_means_what_the_expression_means(e: Expr, at: tuple[float, ...]) -> None:
    total: Expr = const(0.0)
    for term in expand(e, frozenset({"p", "q"})):
        product = term.factor
        for part in term.parts:
            product = mul(product, part)
        total = add(total, product)
    values = dict(zip("xypq", at, strict=True))
    with np.errstate(all="ignore"):
        expected, got = float(evaluate_names(e, values)), float(evaluate_names(total, values))
    assert np.isclose(got, expected, rtol=1e-9, atol=1e-6 * max(1.0, abs(expected)))
